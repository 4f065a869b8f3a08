"""SIGTERM with requests in progress: they are finished within a bound, and no others begin."""

import json
import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from http.client import BadStatusLine
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fsp_pyramid.testing import Sandbox

from ..timing import PATIENCE
from .envelope import caller
from .processes import Answer, Server, running, serving

TOP = Path(__file__).parents[2]
CONTENT = b'a picture, or so' * 1000


class GatedSource:
    """HTTP server of one source file, whose second half is sent when the gate opens."""

    def __init__(self) -> None:
        self.asked, self.gate = threading.Semaphore(0), threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                half = len(CONTENT) // 2
                self.send_response(200)
                self.send_header('Content-Length', str(len(CONTENT)))
                self.end_headers()
                self.wfile.write(CONTENT[:half])
                self.wfile.flush()
                outer.asked.release()
                outer.gate.wait(PATIENCE)
                self.wfile.write(CONTENT[half:])

            def log_message(self, *_arguments: object) -> None:
                pass

            def handle(self) -> None:
                with suppress(BrokenPipeError, ConnectionResetError):  # the server under test was cut
                    super().handle()

        self.server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{self.server.server_port}/a.txt'

    def await_request(self) -> None:
        assert self.asked.acquire(timeout=PATIENCE)


@pytest.fixture
def gated() -> Iterator[GatedSource]:
    source = GatedSource()
    thread = threading.Thread(target=source.server.serve_forever, kwargs={'poll_interval': 0.01})
    thread.start()
    yield source
    source.gate.set()
    source.server.shutdown()
    thread.join()
    source.server.server_close()


def gunicorn(ini: Path, **environ: str) -> AbstractContextManager[Server]:
    options = ('--worker-class', 'gthread', '--threads', '8', '--graceful-timeout', environ.pop('graceful', '20'))
    command = ('gunicorn', '--paste', ini, *options, '--control-socket', ini.with_suffix('.sock'), '--bind=127.0.0.1:')
    return running(*command, log=ini.with_suffix('.log'), **environ)


SERVERS: dict[str, Callable[..., AbstractContextManager[Server]]] = {'pserve': serving, 'gunicorn': gunicorn}


@pytest.fixture
def ini(tmp_path: Path) -> Path:
    return Path(shutil.copy(TOP / 'development.ini', tmp_path))


def test_development_server_knows_a_proxy_by_its_headers(ini: Path) -> None:
    """A proxy on this machine may rewrite the host: the console must not be open to its clients."""
    with serving(ini) as server:
        assert server.ask('GET /fsp-console')[0].status == 200
        for header in ('X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'Forwarded', 'Via', 'X-Real-IP'):
            assert server.ask('GET /fsp-console', headers={header: '203.0.113.7'})[0].status == 403


@contextmanager
def uploading(server: Server, source: GatedSource) -> Iterator[Callable[[], Answer]]:
    """Begin an upload; give a function that waits for its answer. Returns when a part of the source has arrived."""
    body = json.dumps({'source': source.url})
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(server.ask, ('POST /fsp/a.txt', body), headers=caller())
        source.await_request()
        yield lambda: answer.result(PATIENCE)[0]


def terminate(server: Server, number: int = signal.SIGTERM) -> None:
    """Send the signal, and wait until the server has noticed it."""
    os.kill(server.pid, number)
    end = time.monotonic() + PATIENCE
    while 'stopping: requests that have begun' not in server.log and 'Handling signal: term' not in server.log:
        assert time.monotonic() < end, server.log
        assert server.process.poll() is None, 'it ended at once'
        time.sleep(0.01)


def await_closed_port(server: Server) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            socket.create_connection(('127.0.0.1', server.port), PATIENCE).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.01)
    raise AssertionError(f'the port accepts connections: {server.log}')


@pytest.mark.parametrize('name', SERVERS)
def test_upload_in_progress_is_finished(ini: Path, gated: GatedSource, name: str) -> None:
    with SERVERS[name](ini) as server, uploading(server, gated) as answer:
        terminate(server)
        gated.gate.set()
        assert answer().status == 201
        assert server.process.wait(PATIENCE) == 0
    assert Sandbox(ini.parent / 'var' / 'egnyte').content('/Shared/Beefree/demo/a.txt') == CONTENT


def test_requests_that_wait_for_the_server_are_answered(ini: Path) -> None:
    """Connections and requests are in the buffers of the kernel when the signal comes."""
    request = b'GET /fsp-ops/health HTTP/1.1\r\nHost: localhost\r\n\r\n'
    with serving(ini) as server, ExitStack() as stack:
        server.ask('GET /fsp-ops/health')  # its loop runs, and so it handles signals; the port is open before that
        os.kill(server.pid, signal.SIGSTOP)
        clients = [
            stack.enter_context(socket.create_connection(('127.0.0.1', server.port), PATIENCE)) for _ in range(10)
        ]
        for client in clients:
            client.sendall(request)
        os.kill(server.pid, signal.SIGTERM)
        os.kill(server.pid, signal.SIGCONT)
        assert [client.recv(15) for client in clients] == [b'HTTP/1.1 200 OK'] * 10
        assert server.process.wait(PATIENCE) == 0


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_no_request_begins_after_signal(ini: Path, gated: GatedSource, number: int) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs of a shell may ignore SIGINT
    try:
        with serving(ini) as server, socket.create_connection(('127.0.0.1', server.port), PATIENCE) as idle:
            with uploading(server, gated) as answer:
                terminate(server, number)
                await_closed_port(server)
                assert idle.recv(1) == b'', 'an idle connection is closed'
                gated.gate.set()
                assert (answer().status, answer().headers['Connection']) == (201, 'close')
            assert server.process.wait(PATIENCE) == 0
    finally:
        signal.signal(signal.SIGINT, before)


def test_partly_received_request_is_finished(ini: Path, gated: GatedSource) -> None:
    with serving(ini) as server, socket.create_connection(('127.0.0.1', server.port), PATIENCE) as late:
        late.sendall(b'GET /fsp-ops/health HTTP/1.1\r\nHost: a\r\n')
        with uploading(server, gated) as answer:
            terminate(server)
            await_closed_port(server)
            late.sendall(b'\r\n')
            assert Answer(late, 'GET').status == 200
            gated.gate.set()
            assert answer().status == 201
        assert server.process.wait(PATIENCE) == 0


def test_large_response_is_sent_completely(ini: Path, gated: GatedSource) -> None:
    sandbox = Sandbox(ini.parent / 'var' / 'egnyte')
    sandbox.upload('/Shared/Beefree/demo/large.bin', bytes(30 << 20))
    with serving(ini) as server:
        (listing,) = server.ask('GET /fsp/', headers=caller())
        (item,) = [found for found in json.loads(listing.body)['data']['items'] if found['name'] == 'large.bin']
        path = item['public-url'].removeprefix(f'http://127.0.0.1:{server.port}')
        with socket.create_connection(('127.0.0.1', server.port), PATIENCE) as reader:
            reader.sendall(f'GET {path} HTTP/1.1\r\nHost: a\r\n\r\n'.encode())
            assert reader.recv(12) == b'HTTP/1.1 200'
            terminate(server)
            received = 12
            while part := reader.recv(1 << 20):
                received += len(part)
        assert received > 30 << 20
        assert server.process.wait(PATIENCE) == 0


def test_hanging_request_is_cut_after_timeout(ini: Path, gated: GatedSource) -> None:
    with serving(ini, FSP_SHUTDOWN_TIMEOUT='0.5') as server, uploading(server, gated) as answer:
        terminate(server)
        assert server.process.wait(PATIENCE) == 0
        with pytest.raises((ConnectionError, BadStatusLine)):
            answer()
        assert 'requests cut after fsp.shutdown.timeout = 0.5 seconds: 1' in server.log


def test_second_signal_ends_at_once(ini: Path, gated: GatedSource) -> None:
    with serving(ini) as server, uploading(server, gated) as answer:
        terminate(server)
        os.kill(server.pid, signal.SIGTERM)
        assert server.process.wait(PATIENCE) == -signal.SIGTERM
        with pytest.raises((ConnectionError, BadStatusLine)):
            answer()
