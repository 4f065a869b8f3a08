"""Pipelined uploads, over both transports to the sandbox; events decide the order, not clocks."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fsp_pyramid import egnyte
from fsp_pyramid.embedded import TOKEN, _Sent
from fsp_pyramid.testing import Sandbox

from ..sandbox.servers import serving as sandbox_serving
from ..sources.servers import (
    Reaction,
    ok,
    serving,
    silent,
)
from ..timing import PATIENCE
from .beefree import Beefree, outcome
from .test_concurrency import at_once
from .wire import Wire, wired

pytestmark = pytest.mark.usefixtures('_no_thread_left')

PNG = b'\x89PNG\r\n\x1a\n' + bytes(range(256)) * 1600
HALF = len(PNG) // 2
KNOWN = b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % len(PNG)
FILE = '/Shared/Beefree/u1/a.png'


class Way:
    """A sandbox, the transport to it, and an event for the first half of the picture.

    :ivar wire: to the sandbox, None where it is in this process
    """

    def __init__(self, make: Callable[..., Any], sandbox: Sandbox, root: Path, wire: Wire | None) -> None:
        self._make, self.sandbox, self._root, self.wire = make, sandbox, root, wire
        self.half_is_up = threading.Event()

    def client(self, **more: str) -> Beefree:
        """Return a user of an application of their own."""
        if self.wire is not None:
            more |= {'egnyte__url': self.wire.url, 'egnyte__token': TOKEN, 'public__secret': 's' * 32}
        return Beefree(self._make(**more))

    def saw(self, passed: int) -> None:
        if passed >= HALF:
            self.half_is_up.set()

    def stored(self) -> tuple[Any, ...]:
        """Return all traces of an upload: files, events, and contents on disk."""
        listing = self.sandbox.api('GET', '/pubapi/v1/fs/Shared/Beefree/u1').json()
        cursor = self.sandbox.api('GET', '/pubapi/v1/events/cursor').json()
        contents = [sorted((self._root / name).iterdir()) for name in ('incoming', 'contents')]
        return listing.get('files', []), cursor['latest_event_id'], contents


@pytest.fixture
def wire(_no_thread_left: None, sandbox: Sandbox, tmp_path: Path) -> Iterator[Wire]:
    """Yield a relay to the sandbox on a real socket, which accepts chunks of any size."""
    with sandbox_serving(tmp_path / 'egnyte', chunk_minimum=1) as url, wired(url) as wire:
        yield wire


@pytest.fixture(params=['process', 'socket'])
def way(
    request: pytest.FixtureRequest,
    make_app: Callable[..., Any],
    sandbox: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Way:
    if request.param == 'socket':
        wire = request.getfixturevalue('wire')
        way = Way(make_app, sandbox, tmp_path / 'egnyte', wire)
        wire.watch = way.saw
        return way
    way, passed, readinto = Way(make_app, sandbox, tmp_path / 'egnyte', None), 0, _Sent.readinto

    def counted(sent: _Sent, buffer: Any) -> int:
        nonlocal passed
        size = readinto(sent, buffer)
        passed += size
        way.saw(passed)
        return size

    monkeypatch.setattr(_Sent, 'readinto', counted)
    return way


def halves(between: Callable[[], Any], *, head: bytes = KNOWN, rest: bytes = PNG[HALF:]) -> Reaction:
    """Return a source that sends the first half of the picture, waits for an event, and sends the rest."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(head + PNG[:HALF])
        assert between()
        connection.sendall(rest)

    return answer


def test_upload_begins_before_the_download_ends(way: Way) -> None:
    """The source withholds its second half until the first one is at Egnyte."""
    with serving(halves(lambda: way.half_is_up.wait(PATIENCE))) as source:
        answer = way.client().upload('/a.png', f'http://127.0.0.1:{source.port}/')
    assert outcome(answer) == (201, None)
    assert answer.json['data']['meta']['size'] == len(PNG)
    assert way.sandbox.content(FILE) == PNG


def test_file_of_unknown_size_is_uploaded_after_the_download(way: Way) -> None:
    with serving(halves(lambda: not way.half_is_up.is_set(), head=b'HTTP/1.1 200 OK\r\n\r\n')) as source:
        answer = way.client().upload('/a.png', f'http://127.0.0.1:{source.port}/')
    assert outcome(answer) == (201, None)
    assert way.sandbox.content(FILE) == PNG


@pytest.mark.parametrize('death', ['cut', 'slow'])
def test_failed_source_leaves_nothing_behind(way: Way, death: str) -> None:
    def die(connection: socket.socket) -> None:
        connection.sendall(KNOWN + PNG[:HALF])
        assert way.half_is_up.wait(PATIENCE)
        if death == 'slow':
            silent(connection)

    before, client = way.stored(), way.client(sources__timeout='2')
    way.sandbox.forget_calls()
    with serving(die, ok(PNG)) as source:
        answer = client.upload('/a.png', f'http://127.0.0.1:{source.port}/')
        assert outcome(answer) == (422, 3450)
        assert '"a.png" was not uploaded' in answer.json['details']
        # Neither looked up nor retried. waitress does not even report calls that break off.
        assert way.sandbox.calls[:1] == ['GET /pubapi/v1/fs/Shared/Beefree/u1']
        assert way.sandbox.calls[1:] == ([] if way.wire else [f'POST /pubapi/v1/fs-content{FILE}'])
        assert way.stored() == before
        # The connection that was broken off is not used again.
        assert outcome(client.upload('/a.png', f'http://127.0.0.1:{source.port}/')) == (201, None)
    assert way.sandbox.content(FILE) == PNG
    assert way.wire is None or way.wire.connections == 2


@pytest.mark.parametrize(
    'answer',
    [
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n' + PNG,
        b'HTTP/1.1 200 OK\r\n\r\n' + PNG + bytes(300_000),
    ],
    ids=['cut', 'too-large'],
)
def test_failed_source_of_unknown_size_begins_no_upload(way: Way, answer: bytes) -> None:
    before = way.stored()
    with serving(answer) as source:
        status = outcome(way.client(upload__max_size='500 KB').upload('/a.png', f'http://127.0.0.1:{source.port}/'))
    assert status[0] == 422
    assert not way.half_is_up.is_set()
    assert way.stored() == before


@pytest.mark.parametrize('dies', [False, True])
def test_complete_chunks_are_uploaded_at_once(
    wire: Wire,
    make_app: Callable[..., Any],
    sandbox: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    dies: bool,
) -> None:
    monkeypatch.setitem(egnyte.Client.__init__.__kwdefaults__, 'chunk_size', HALF // 3)
    way = Way(make_app, sandbox, tmp_path / 'egnyte', wire)
    wire.watch = way.saw
    before = way.stored()
    rest = b'' if dies else PNG[HALF:]
    with serving(halves(lambda: way.half_is_up.wait(PATIENCE), rest=rest)) as source:
        answer = way.client().upload('/a.png', f'http://127.0.0.1:{source.port}/')
    if dies:
        assert outcome(answer) == (422, 3450)
        assert way.stored()[:2] == before[:2]  # parts are left to expire
    else:
        assert outcome(answer) == (201, None)
        assert sandbox.content(FILE) == PNG
    posts = [call for call in sandbox.calls if call.startswith('POST')]
    assert set(posts) == {f'POST /pubapi/v1/fs-content-chunked{FILE}'}
    # Half of it is three chunks; the source may die before the last bytes of the third are sent.
    assert len(posts) in ({2, 3} if dies else {6})


def test_broken_upload_is_checked_and_sent_again(
    wire: Wire, make_app: Callable[..., Any], sandbox: Sandbox, tmp_path: Path
) -> None:
    """The application checks whether the upload took effect, and sends it again from the beginning."""
    way = Way(make_app, sandbox, tmp_path / 'egnyte', wire)

    def cut(passed: int) -> None:
        if passed >= HALF and not way.half_is_up.is_set():
            way.half_is_up.set()
            wire.cut()

    wire.watch = cut
    with serving(halves(lambda: way.half_is_up.wait(PATIENCE))) as source:
        answer = way.client().upload('/a.png', f'http://127.0.0.1:{source.port}/')
        assert len(source.requests) == 1
    assert outcome(answer) == (201, None)
    assert sandbox.content(FILE) == PNG
    assert sandbox.calls == [
        'GET /pubapi/v1/fs/Shared/Beefree/u1',
        f'GET /pubapi/v1/fs{FILE}',
        f'POST /pubapi/v1/fs-content{FILE}',
        f'GET /pubapi/v1/fs-content{FILE}',
    ]


def test_slow_sources_download_in_parallel_and_keep_makes_two_files(way: Way) -> None:
    """Each of the two sources waits for the other one in the middle of its file."""
    together, client = threading.Barrier(2), way.client()
    other = Beefree(client.app.app)

    def meet() -> bool:
        together.wait(PATIENCE)
        return True

    with serving(halves(meet)) as one, serving(halves(meet)) as two:
        answers = at_once(
            lambda: client.upload('/a.png', f'http://127.0.0.1:{one.port}/', 'keep'),
            lambda: other.upload('/a.png', f'http://127.0.0.1:{two.port}/', 'keep'),
        )
    assert [outcome(answer) for answer in answers] == [(201, None)] * 2
    assert client.names('/')[2:] == ['a.png', 'a_1.png']
    assert way.sandbox.content(FILE) == way.sandbox.content('/Shared/Beefree/u1/a_1.png') == PNG


def test_upload_refused_by_egnyte_ends_the_download(client: Beefree, sandbox: Sandbox) -> None:
    gone = threading.Event()

    def endless(connection: socket.socket) -> None:
        connection.sendall(KNOWN + PNG[:HALF])
        silent(connection)
        gone.set()

    sandbox.fail({'path_prefix': '/pubapi/v1/fs-content', 'status': 403, 'times': 1})
    with serving(endless) as source:
        assert outcome(client.upload('/a.png', f'http://127.0.0.1:{source.port}/')) == (403, 3300)
        assert gone.wait(PATIENCE)
