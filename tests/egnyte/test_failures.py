"""Failures of calls: limits, broken connections, gateways, and unreadable answers."""

import gzip
import io
import itertools
import ssl
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from urllib3 import HTTPResponse

from fsp_pyramid import egnyte
from fsp_pyramid.egnyte import Client, errors
from fsp_pyramid.egnyte.transport import LONGEST_ANSWER, send
from fsp_pyramid.embedded import TOKEN, URL
from fsp_pyramid.testing import Sandbox, content

from ..sandbox.servers import serving
from ..sources.servers import serving as answering
from ..sources.test_transport import certificate, tls
from .support import (
    LARGE,
    Hooked,
    Paced,
    answer,
    read,
    upload,
)

__all__ = ['certificate', 'tls']

CHUNKED = '/pubapi/v1/fs-content-chunked'


def test_chunk_with_a_lost_answer_is_repeated(chunking: tuple[Client, Hooked]) -> None:
    client, hooks = chunking
    hooks.lose(2, of=CHUNKED)
    assert read(client, upload(client, '/Shared/home/large', LARGE).file_id) == LARGE
    assert len(hooks.sent) == 5


@pytest.mark.parametrize(('lost', 'stored'), [(1, False), (3, True)])
def test_first_and_last_chunks_are_not_repeated(chunking: tuple[Client, Hooked], lost: int, stored: bool) -> None:
    client, hooks = chunking
    hooks.lose(lost, of=CHUNKED)
    with pytest.raises(errors.Unreachable):
        upload(client, '/Shared/home/large', LARGE)
    assert len(hooks.sent) == lost
    if stored:
        expected = client.checksum(content(LARGE))
        assert client.stat_file('/Shared/home/large').checksum == expected


@pytest.mark.parametrize('style', ['429', 'mashery'])
def test_throttled_call_is_repeated_after_retry_after(tmp_path: Path, rate_limiter: Paced, style: Any) -> None:
    sandbox = Sandbox(tmp_path / style, qps=1, throttle=style, clock=lambda: rate_limiter.now)
    client = Client(URL, TOKEN, session=sandbox.session, rate_limiter=rate_limiter, max_wait=5)
    client.list_folder('/Shared')  # it learns that there is one call a second...
    sandbox.api('GET', '/pubapi/v1/fs/Shared')  # ...and another application uses it up
    client.list_folder('/Shared')
    assert sum(rate_limiter.waits) > 0
    impatient = Client(URL, TOKEN, session=sandbox.session, rate_limiter=rate_limiter, max_wait=0)
    sandbox.api('GET', '/pubapi/v1/fs/Shared')
    with pytest.raises(errors.Throttled) as caught:
        impatient.list_folder('/Shared')
    assert type(caught.value) is errors.Throttled


def test_retry_after_zero_waits_a_second(client: Client, sandbox: Sandbox, rate_limiter: Paced) -> None:
    hooks = Hooked(sandbox)
    hooks.before = lambda request: answer(request, 429, Retry_After='0', X_Accesstoken_Qps_Allotted='200')
    with pytest.raises(errors.Throttled):
        client.list_folder('/Shared')
    assert len(hooks.sent) <= 6
    assert rate_limiter.waits == [pytest.approx(1)] * (len(hooks.sent) - 1)


@pytest.mark.parametrize('style', ['429', 'mashery'])
def test_exhausted_quota_is_raised_after_one_call(tmp_path: Path, rate_limiter: Paced, style: Any) -> None:
    sandbox = Sandbox(tmp_path / style, daily=2, throttle=style, clock=lambda: rate_limiter.now)
    for _ in range(2):
        sandbox.api('GET', '/pubapi/v1/fs/Shared')
    client = Client(URL, TOKEN, session=sandbox.session, rate_limiter=rate_limiter)
    for _ in range(3):
        with pytest.raises(errors.QuotaExceeded) as caught:
            client.list_folder('/Shared')
        assert caught.value.wait == pytest.approx(86400 - 1_700_000_000 % 86400, abs=2)
    assert len(sandbox.calls) == 3
    assert rate_limiter.waits == []


def test_read_is_retried_on_a_broken_connection(client: Client, sandbox: Sandbox) -> None:
    sandbox.fail({'drop': True, 'times': 2})
    assert client.list_folder('/Shared').folder.name == 'Shared'
    assert len(sandbox.calls) == 3
    sandbox.fail({'drop': True, 'times': 3})
    with pytest.raises(errors.Unreachable):
        client.list_folder('/Shared')


def test_retried_deletion_may_find_nothing(client: Client, sandbox: Sandbox) -> None:
    stored = upload(client, '/Shared/home/a', b'x')
    sandbox.forget_calls()
    sandbox.fail({'drop': True, 'times': 1})
    client.delete_file(stored.file_id)
    assert len(sandbox.calls) == 2
    assert not sandbox.exists('/Shared/home/a')


CHANGES: dict[str, Callable[[Client], Any]] = {
    'upload': lambda client: upload(client, '/Shared/home/b', b'x'),
    'move': lambda client: client.move('/Shared/home/a', '/Shared/home/c'),
    'create': lambda client: client.create_folder('/Shared/home/d'),
}


@pytest.mark.parametrize('call', CHANGES)
def test_other_changes_are_not_retried(client: Client, sandbox: Sandbox, call: str) -> None:
    upload(client, '/Shared/home/a', b'x')
    sandbox.forget_calls()
    sandbox.fail({'drop': True, 'times': 1})
    with pytest.raises(errors.Unreachable):
        CHANGES[call](client)
    assert len(sandbox.calls) == 1


@pytest.mark.parametrize('status', [502, 504])
@pytest.mark.parametrize('call', CHANGES)
def test_gateway_timeout_of_a_change_is_not_retried(client: Client, sandbox: Sandbox, call: str, status: int) -> None:
    upload(client, '/Shared/home/a', b'x')
    hooks = Hooked(sandbox)
    hooks.replace(status)
    with pytest.raises(errors.Unreachable):
        CHANGES[call](client)
    assert len(hooks.sent) == 1


@pytest.mark.parametrize('status', [502, 504])
def test_gateway_timeout_of_a_deletion_is_retried(client: Client, sandbox: Sandbox, status: int) -> None:
    stored = upload(client, '/Shared/home/a', b'x')
    hooks = Hooked(sandbox)
    hooks.replace(status, method='DELETE')
    client.delete_file(stored.file_id)
    assert len(hooks.sent) == 2
    assert not sandbox.exists('/Shared/home/a')


@pytest.mark.parametrize('body', [b'', b'OK', b'"x"', b'null', b'{}'])
def test_created_folder_without_an_id_is_accepted(client: Client, sandbox: Sandbox, body: bytes) -> None:
    Hooked(sandbox).replace(201, body)
    assert client.create_folder('/Shared/home/d') == ''
    assert sandbox.exists('/Shared/home/d')


@pytest.mark.parametrize('body', [b'', b'OK', b'"x"', b'null', b'{}'])
def test_unreadable_upload_answer_is_unreachable(client: Client, sandbox: Sandbox, body: bytes) -> None:
    Hooked(sandbox).replace(200, body)
    with pytest.raises(errors.Unreachable):
        upload(client, '/Shared/home/a', b'x')


def test_cut_download_is_an_error(client: Client, sandbox: Sandbox) -> None:
    stored = upload(client, '/Shared/home/a', b'x' * 100_000)
    sandbox.fail({'drop': True, 'path_prefix': '/pubapi/v1/fs-content', 'times': 1})
    download = client.download(stored.file_id)
    with pytest.raises(errors.Unreachable):
        b''.join(download)
    download.close()


def free(session: requests.Session, url: str) -> int:
    """Return the number of free connections of the session."""
    pools = session.get_adapter(url).poolmanager.pools
    (key,) = pools.keys()
    return pools[key].pool.qsize()


@pytest.mark.parametrize('blocks', [0, 1, None], ids=['unread', 'begun', 'read'])
def test_closed_download_releases_its_connection(tmp_path: Path, rate_limiter: Paced, blocks: int | None) -> None:
    with serving(tmp_path) as url, egnyte.new_session(connections=2) as session:
        client = Client(url, TOKEN, session=session, rate_limiter=rate_limiter)
        stored = upload(client, '/Shared/home/a', bytes(300_000))
        before = free(session, url)
        download = client.download(stored.file_id)
        assert free(session, url) == before - 1
        list(itertools.islice(download, blocks))
        download.close()
        assert free(session, url) == before


@contextmanager
def speaking(status: int, body: bytes, missing: int = 0, **headers: str) -> Iterator[str]:
    """Give the URL of a server with a fixed answer that is cut by *missing* bytes."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace('_', '-'), value)
            self.send_header('Content-Length', str(len(body) + missing))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.01})
        thread.start()
        yield f'http://127.0.0.1:{server.server_port}'
        server.shutdown()
        thread.join()


def test_cut_error_body_is_unreachable(rate_limiter: Paced) -> None:
    with speaking(500, b'x', missing=9) as url, egnyte.new_session() as session:
        client = Client(url, TOKEN, session=session, rate_limiter=rate_limiter)
        for call in (client.download, client.list_folder):
            with pytest.raises(errors.Unreachable):
                call('/x')
            assert free(session, url) == 64


def test_failed_download_releases_its_connection(rate_limiter: Paced) -> None:
    with speaking(500, b'{"message": "the text"}') as url, egnyte.new_session() as session:
        with pytest.raises(errors.Unavailable, match='the text'):
            Client(url, TOKEN, session=session, rate_limiter=rate_limiter).download('x')
        assert free(session, url) == 64


def test_closed_port_is_unreachable(rate_limiter: Paced) -> None:
    with egnyte.new_session() as session:
        client = Client('http://127.0.0.1:1', 'a-secret-token', session=session, rate_limiter=rate_limiter)
        with pytest.raises(errors.Unreachable) as caught:
            client.list_folder('/Shared/secret plans')
    assert 'plans' not in str(caught.value)
    assert 'a-secret-token' not in repr(caught.value)


@pytest.mark.parametrize('token', ['a-secret-token\n', 'a-secret-token€', 'x\r\na-secret-token'])
def test_invalid_token_is_not_shown(rate_limiter: Paced, token: str, caplog: pytest.LogCaptureFixture) -> None:
    with speaking(200, b'{}') as url, egnyte.new_session() as session, pytest.raises(errors.EgnyteError) as caught:
        Client(url, token, session=session, rate_limiter=rate_limiter).userinfo()
    shown = ''.join(traceback.format_exception(caught.value))
    assert 'a-secret-token' not in shown + caplog.text
    assert not isinstance(caught.value, errors.Unreachable)


class Endless(io.RawIOBase):
    """Body without an end."""

    def readable(self) -> bool:
        return True

    def read1(self, size: int = 1) -> bytes:
        return b' ' * size


def endlessly(hooks: Hooked, status: int) -> None:
    def before(request: requests.PreparedRequest) -> requests.Response:
        endless = answer(request, status)
        endless.raw = HTTPResponse(Endless(), preload_content=False)
        return endless

    hooks.before = before


@pytest.mark.parametrize('status', [200, 404, 500])
def test_endless_answer_is_unavailable(chunking: tuple[Client, Hooked], status: int) -> None:
    client, hooks = chunking
    endlessly(hooks, status)
    with pytest.raises(errors.NotFound if status == 404 else errors.Unavailable):
        client.userinfo()
    assert len(hooks.sent) == 1


def test_compressed_answer_is_not_decoded_to_its_end() -> None:
    body = gzip.compress(bytes(2 * LONGEST_ANSWER))
    with speaking(200, body, Content_Encoding='gzip') as url, egnyte.new_session() as session:
        response = send(session, 'GET', url, 30.0)
    assert len(response.content) == LONGEST_ANSWER


def test_answer_that_takes_too_long_is_not_asked_for_again(tmp_path: Path, rate_limiter: Paced) -> None:
    hooks = Hooked(sandbox := Sandbox(tmp_path / 'slow'))
    endlessly(hooks, 200)
    with pytest.raises(errors.TimedOut):
        Client(URL, TOKEN, session=sandbox.session, rate_limiter=rate_limiter, timeout=0).userinfo()
    assert len(hooks.sent) == 1


@pytest.mark.parametrize('error', [requests.ReadTimeout, requests.ConnectTimeout])
def test_silence_is_not_asked_again(chunking: tuple[Client, Hooked], error: type[Exception]) -> None:
    def silent(_request: requests.PreparedRequest) -> None:
        raise error

    client, hooks = chunking
    hooks.before = silent
    with pytest.raises(errors.TimedOut):
        client.userinfo()
    assert len(hooks.sent) == 1


def test_halves_of_surrogates_are_replaced(chunking: tuple[Client, Hooked]) -> None:
    client, hooks = chunking

    def after(request: requests.PreparedRequest, response: requests.Response) -> requests.Response:
        return answer(request, 200, response.content.replace(b'"photo.png"', b'"pho\\ud800to.png"'))

    client.create_folder('/Shared/home')
    upload(client, '/Shared/home/photo.png', b'x')
    hooks.after = after
    assert [file.name for file in client.list_folder('/Shared/home').files] == ['pho?to.png']


def test_encoded_download_has_no_length(rate_limiter: Paced) -> None:
    with speaking(200, gzip.compress(LARGE), Content_Encoding='gzip') as url, egnyte.new_session() as session:
        download = Client(url, TOKEN, session=session, rate_limiter=rate_limiter).download('x')
        assert download.size is None
        assert b''.join(download) == LARGE
        download.close()


EARLY_HINTS = b'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n'
PROCESSING = b'HTTP/1.1 102 Processing\r\n\r\n'


def user(before: bytes) -> bytes:
    body = b'{"username": "ann"}'
    return before + b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b' % (len(body), body)


@pytest.mark.parametrize('before', [EARLY_HINTS, PROCESSING * 2, PROCESSING + EARLY_HINTS * 7])
def test_interim_answers_are_skipped(rate_limiter: Paced, before: bytes) -> None:
    with answering(user(before)) as server, egnyte.new_session() as session:
        client = Client(f'http://127.0.0.1:{server.port}', TOKEN, session=session, rate_limiter=rate_limiter)
        assert client.userinfo().username == 'ann'
        assert len(server.requests) == 1


@pytest.mark.parametrize('reply', [user(EARLY_HINTS * 9), EARLY_HINTS])
def test_interim_answers_alone_or_too_many_are_unreachable(rate_limiter: Paced, reply: bytes) -> None:
    with answering(reply) as server, egnyte.new_session() as session:
        client = Client(f'http://127.0.0.1:{server.port}', TOKEN, session=session, rate_limiter=rate_limiter)
        with pytest.raises(errors.Unreachable):
            client.userinfo()


def test_interim_answers_are_skipped_inside_tls(rate_limiter: Paced, tls: ssl.SSLContext, certificate: Path) -> None:
    with answering(user(EARLY_HINTS), tls=tls) as server, egnyte.new_session() as session:
        session.verify = str(certificate)
        client = Client(f'https://127.0.0.1:{server.port}', TOKEN, session=session, rate_limiter=rate_limiter)
        assert client.userinfo().username == 'ann'


def test_impossible_length_of_a_download_is_unavailable(rate_limiter: Paced) -> None:
    reply = b'HTTP/1.1 200 OK\r\nContent-Length: %b\r\n\r\nx' % (b'9' * 30)
    with answering(reply) as server, egnyte.new_session() as session:
        client = Client(f'http://127.0.0.1:{server.port}', TOKEN, session=session, rate_limiter=rate_limiter)
        with pytest.raises(errors.Unavailable):
            client.download('x')
