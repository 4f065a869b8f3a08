"""Fixtures for most tests: an Egnyte in its own directory, and an HTTP server of source files."""

import gc
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from fsp_pyramid.testing import Sandbox

from . import services
from .browser import Browser, chromium
from .timing import PATIENCE

# Shells start background jobs with SIGINT ignored, and so would be the commands that tests stop with it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The duration of an example depends on the machine.
settings.register_profile('suite', deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile('suite')


def pytest_collection_finish() -> None:
    """Exempt modules and tests from garbage collection: visiting them took a tenth of the time of all tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _threads_do_not_linger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make :func:`settle` wait for the end of worker threads."""
    monkeypatch.setattr('fsp_pyramid.concurrency.worker_pool.IDLE', 0.05)


@pytest.fixture(autouse=True)
def _the_application_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Raise the time-outs for thumbnails, rate limiter and local services, so that a busy machine stays below them.

    Tests of a shorter time-out set it themselves.
    """
    for module in (
        'content.thumbnail_service',
        'content.fetcher',
        'concurrency.locks',
        'accounts.database',
    ):
        monkeypatch.setattr(f'fsp_pyramid.{module}.WAIT', PATIENCE)
    monkeypatch.setattr('fsp_pyramid.ops.checks.TIMEOUT', PATIENCE)
    monkeypatch.setattr('fsp_pyramid.backends.DOWNLOAD_WAIT', PATIENCE)
    monkeypatch.setattr('fsp_pyramid.content.sqlite_pool.BUSY_TIMEOUT', PATIENCE)
    monkeypatch.setattr('fsp_pyramid.content.downloads.MAX_WAIT', PATIENCE)


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """Return an empty in-process Egnyte."""
    return Sandbox(tmp_path / 'egnyte')


@pytest.fixture
def _no_thread_left() -> Iterator[None]:
    """Check that the threads of all downloads have ended."""
    yield
    assert {thread.name for thread in threading.enumerate()}.isdisjoint(
        {'fsp-source', 'fsp-deadline', 'fsp-minimum-rate'}
    )


class Source:
    """HTTP server of source files, on a real socket of this machine."""

    def __init__(self, port: int) -> None:
        self._base = f'http://127.0.0.1:{port}'
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []

    def offer(self, content: bytes, name: str = 'file') -> str:
        """Serve *content* and return its URL."""
        self.files[f'/{name}'] = content
        return f'{self._base}/{name}'


@pytest.fixture(scope='session')
def source_server() -> Iterator[tuple[ThreadingHTTPServer, list[Source]]]:
    current: list[Source] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            current[-1].asked.append(self.path)
            content = current[-1].files.get(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header('Content-Length', str(len(content or b'')))
            self.end_headers()
            self.wfile.write(content or b'')

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.01})
        thread.start()
        yield server, current
        server.shutdown()
        thread.join()


@pytest.fixture
def source(source_server: tuple[ThreadingHTTPServer, list[Source]]) -> Source:
    """Run an HTTP server of source files for uploads."""
    server, current = source_server
    current.append(Source(server.server_port))
    return current[-1]


@pytest.fixture(scope='session')
def chromium_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp('profile')) as browser:
        yield browser


@pytest.fixture
def browser(chromium_process: Browser) -> Browser:
    """Return a real browser, as if it was just started."""
    chromium_process.reset()
    return chromium_process


@pytest.fixture
def curl() -> None:
    """Skip the test without curl, which commands of the documentation need."""
    if not shutil.which('curl') and not os.environ.get('FSP_REQUIRE_SERVICES'):
        pytest.skip('curl is not installed, so what the documentation shows was not run')


@pytest.fixture(scope='session')
def redis_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[services.RedisServer]:
    with services.redis_server(tmp_path_factory.mktemp('redis')) as server:
        yield server


@pytest.fixture
def redis_server(redis_process: services.RedisServer) -> services.RedisServer:
    """Return a real, empty Redis."""
    redis_process.client().flushall()
    return redis_process
