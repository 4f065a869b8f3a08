"""Clients that read or send slowly, at the server's event loop in this process: they keep no thread."""

import io
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import create_server

from fsp_pyramid.server import graceful

from ..timing import PATIENCE, eventually
from .processes import Answer

LARGE = 64 << 20  # more than the buffers of any socket


class _File(io.BytesIO):
    """File that tells when it is closed."""

    def __init__(self, closed: threading.Event) -> None:
        super().__init__(bytes(LARGE))
        self._closed = closed

    def close(self) -> None:
        self._closed.set()
        super().close()


class Application:
    """WSGI application: ``/file`` is a complete file, ``/blocks`` are blocks that the server has to buffer."""

    def __init__(self) -> None:
        self.asked, self.closed, self.ended = threading.Event(), threading.Event(), threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ['PATH_INFO']
        if path == '/':
            start_response('200 OK', [('Content-Length', '2')])
            return [b'ok']
        start_response('200 OK', [('Content-Length', str(LARGE))])
        self.asked.set()
        return environ['wsgi.file_wrapper'](_File(self.closed)) if path == '/file' else self._blocks()  # type: ignore[no-any-return]

    def _blocks(self) -> Iterator[bytes]:
        try:
            for _ in range(LARGE >> 20):
                yield bytes(1 << 20)
        finally:
            self.ended.set()


@contextmanager
def serving(application: Application, **options: Any) -> Iterator[Callable[[], socket.socket]]:
    """Serve with one thread; yield a function that connects."""
    sockets: dict[int, Any] = {}
    adjustments = {'listen': '127.0.0.1:0', 'threads': 1, 'cleanup_interval': 0, 'outbuf_high_watermark': 1 << 20}
    server: Any = create_server(application, map=sockets, **adjustments | options)
    loop = graceful._Loop(server, sockets)
    thread = threading.Thread(target=loop.run, args=(0,))
    thread.start()
    with ExitStack() as stack:

        def connect() -> socket.socket:
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(PATIENCE)
            client.connect(('127.0.0.1', int(server.effective_port)))
            return client

        try:
            yield connect
        finally:
            loop._stopping = True
            server.pull_trigger()
            thread.join(PATIENCE)
            wasyncore.close_all(sockets)


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the objects of the tests to garbage collection."""
    monkeypatch.setattr(graceful, 'freeze', lambda: None)


def request(*paths: str) -> bytes:
    return b''.join(f'GET {path} HTTP/1.1\r\nHost: x\r\n\r\n'.encode() for path in paths)


def status(client: socket.socket) -> int:
    client.sendall(request('/'))
    return Answer(client, 'GET').status


def test_pipelined_requests_of_a_stalled_reader_hold_no_thread() -> None:
    application = Application()
    with serving(application) as connect:
        reader = connect()
        reader.sendall(request('/file', '/file', '/file'))
        assert application.asked.wait(PATIENCE)
        assert status(connect()) == 200


def test_response_to_the_first_of_several_requests_closes_the_connection() -> None:
    with serving(Application()) as connect:
        client = connect()
        client.sendall(request('/', '/'))
        answer = Answer(client, 'GET')
        assert (answer.status, answer.body, answer.headers['Connection']) == (200, b'ok', 'close')
        assert client.recv(1) == b''


@pytest.mark.parametrize('path', ['/file', '/blocks'])
def test_stalled_reader_is_disconnected(path: str) -> None:
    application = Application()
    with serving(application, channel_timeout=1) as connect:
        connect().sendall(request(path))
        eventually(application.closed.is_set if path == '/file' else application.ended.is_set)
        assert status(connect()) == 200


@pytest.mark.parametrize('begun', [b'GET', b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1'])
def test_slow_request_is_disconnected(monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    monkeypatch.setattr(graceful, 'ARRIVAL', 0.1)
    with serving(Application()) as connect:
        client = connect()
        client.sendall(begun)
        assert client.recv(1) == b''


def test_connection_between_two_requests_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graceful, 'ARRIVAL', 0.1)
    with serving(Application()) as connect:
        client, slow = connect(), connect()
        assert status(client) == 200
        slow.sendall(b'GET')
        assert slow.recv(1) == b''
        assert status(client) == 200


def test_time_of_a_request_depends_on_what_has_arrived(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(graceful, 'time', SimpleNamespace(monotonic=lambda: clock.now))
    parser = graceful._Parser(Adjustments())

    def is_late(after: float) -> bool:
        clock.now = after
        return parser.is_late

    parser.received(b'POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n')
    assert [is_late(seconds) for seconds in (60, 61)] == [False, True]
    parser.received(bytes(10 * graceful.MINIMUM_RATE))
    assert [is_late(seconds) for seconds in (70, 71)] == [False, True]
