"""Uploads of content that is still arriving, to servers that answer before the end of the body."""

import hashlib
import json
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import pytest

from fsp_pyramid import egnyte
from fsp_pyramid.concurrency.growing_file import GrowingFile
from fsp_pyramid.egnyte import Client, errors
from fsp_pyramid.embedded import TOKEN
from fsp_pyramid.model import Content

from ..sources.servers import Reaction, Server, serving
from ..timing import PATIENCE
from .support import Paced

END = b'this is the end'
DATA = bytes(range(256)) * 1200 + END
HALF = len(DATA) // 2


class Coming:
    """Content whose first half is there; the test releases the rest."""

    def __init__(self, file: GrowingFile) -> None:
        self._file, digest = file, Future()
        self._file.write(DATA[:HALF])
        self.content = Content(file.reader(), len(DATA), digest)

    def finish(self) -> None:
        self.content.digest.set_result(hashlib.sha512(DATA).hexdigest())
        self._file.write(DATA[HALF:])
        self._file.finish()

    def fail(self) -> None:
        self.content.digest.set_exception(LookupError('the source'))
        self._file.fail(LookupError('the source'))


@pytest.fixture
def coming() -> Iterator[Coming]:
    with GrowingFile(tempfile.SpooledTemporaryFile(1 << 16)) as file:
        coming = Coming(file)
        yield coming
        coming.content.file.close()


def receive(connection: socket.socket) -> None:
    """Return the rest of the body after the request's head."""
    last = b''
    while not last.endswith(END) and (data := connection.recv(1 << 16)):
        last = last[-len(END) :] + data


def answer(status: int, body: object, *headers: str) -> bytes:
    text = json.dumps(body).encode()
    return '\r\n'.join([f'HTTP/1.1 {status} X', *headers, f'Content-Length: {len(text)}', '', '']).encode() + text


STORED = {'group_id': 'g', 'entry_id': 'e', 'checksum': hashlib.sha512(DATA).hexdigest()}


def early(reply: bytes, then: Callable[[], None]) -> Reaction:
    """Answer without reading the body, and close the connection with most of it unread."""

    def react(connection: socket.socket) -> None:
        connection.sendall(reply)
        then()

    return react


def whole(connection: socket.socket) -> None:
    receive(connection)
    connection.sendall(answer(200, STORED))


def client(server: Server, session: object, rate_limiter: Paced) -> Client:
    return Client(
        f'http://127.0.0.1:{server.port}', TOKEN, session=session, rate_limiter=rate_limiter, timeout=PATIENCE
    )


@pytest.mark.parametrize(
    ('status', 'error'), [(403, errors.Forbidden), (409, errors.AlreadyExists), (500, errors.Unavailable)]
)
def test_early_refusals_have_their_classes(
    coming: Coming, rate_limiter: Paced, status: int, error: type[Exception]
) -> None:
    refusal = answer(status, {'message': 'no'}, 'X-Egnyte-Request-Id: r', 'Connection: close')
    with (
        serving(early(refusal, coming.finish)) as server,
        egnyte.new_session() as session,
        pytest.raises(error),
    ):
        client(server, session, rate_limiter).upload('/Shared/a', coming.content)


def test_early_throttling_is_retried(coming: Coming, rate_limiter: Paced) -> None:
    refusal = answer(429, {'message': 'later'}, 'Retry-After: 2', 'Connection: close')
    with serving(early(refusal, coming.finish), whole) as server, egnyte.new_session() as session:
        assert client(server, session, rate_limiter).upload('/Shared/a', coming.content).file_id == 'g'
        assert len(server.requests) == 2
    assert rate_limiter.waits == [pytest.approx(2)]


def test_known_checksum_is_sent_in_advance(coming: Coming, rate_limiter: Paced) -> None:
    def half_first(connection: socket.socket) -> None:
        assert connection.recv(1 << 16)
        coming.finish()
        receive(connection)
        connection.sendall(answer(200, STORED, 'Connection: close'))

    with serving(half_first, whole) as server, egnyte.new_session() as session:
        for _ in range(2):
            client(server, session, rate_limiter).upload('/Shared/a', coming.content)
    header = f'X-Sha512-Checksum: {STORED["checksum"]}'.encode()
    assert [header in head for head in server.requests] == [False, True]


def test_corruption_is_detected_afterwards(coming: Coming, rate_limiter: Paced) -> None:
    def damage(connection: socket.socket) -> None:
        coming.finish()
        receive(connection)
        connection.sendall(answer(200, STORED | {'checksum': '0' * 128}, 'Connection: close'))

    with (
        serving(damage) as server,
        egnyte.new_session() as session,
        pytest.raises(errors.Corrupted) as caught,
    ):
        client(server, session, rate_limiter).upload('/Shared/a', coming.content)
    assert (caught.value.file_id, caught.value.version_id) == ('g', 'e')


def test_failing_source_aborts_the_call(coming: Coming, rate_limiter: Paced) -> None:
    """Its error is raised unchanged, the connection is closed, and nothing is repeated."""
    got, closed = [], threading.Event()

    def dying(connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        coming.fail()
        while data := connection.recv(1 << 16):
            got.append(len(data))
        closed.set()

    called: list[str] = []
    with serving(dying) as server, egnyte.new_session() as session:
        uploading = Client(
            f'http://127.0.0.1:{server.port}',
            TOKEN,
            session=session,
            rate_limiter=rate_limiter,
            on_call=lambda call: called.append(call.outcome),
        )
        with pytest.raises(LookupError, match='the source'):
            uploading.upload('/Shared/a', coming.content)
        assert closed.wait(PATIENCE)
        assert len(server.requests) == 1
    assert sum(got) < len(DATA)
    assert called == ['LookupError']
