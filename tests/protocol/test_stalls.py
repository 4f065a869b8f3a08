"""Stalling sources delay their own user only. Events decide the order, and answers are counted."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import requests
from webtest.http import StopableWSGIServer

from fsp_pyramid import backends
from fsp_pyramid.concurrency import locks
from fsp_pyramid.interfaces import IBackends
from fsp_pyramid.sources import minimum_rate

from ..conftest import Source
from ..sources.servers import Reaction, ok, serving
from ..timing import PATIENCE
from .beefree import PNG, Beefree, outcome

Make = Callable[..., Any]
CREDENTIALS = ('beefree', 'secret-password')


class Silent:
    """Sources that accept requests and answer on command only."""

    def __init__(self) -> None:
        self.asked, self.release = threading.Semaphore(0), threading.Event()

    def __call__(self, connection: socket.socket) -> None:
        self.asked.release()
        assert self.release.wait(PATIENCE)
        connection.sendall(ok(PNG))

    def were_asked(self, times: int) -> bool:
        """Wait for a number of requests."""
        return all(self.asked.acquire(timeout=PATIENCE) for _ in range(times))


@pytest.fixture
def silent() -> Iterator[Silent]:
    silent = Silent()
    yield silent
    silent.release.set()


@contextmanager
def offered(answer: Reaction, number: int) -> Iterator[list[str]]:
    """Return the URLs of several sources, because each serves one connection at a time."""
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(answer)) for _ in range(number)]
        yield [f'http://127.0.0.1:{server.port}/' for server in servers]


def refused_as_busy(answers: list[Any]) -> bool:
    """Return code and Retry-After of each answer."""
    return {(*outcome(answer), 'Retry-After' in answer.headers) for answer in answers} == {(503, 3904, True)}


def test_silent_sources_of_one_user_leave_slots_to_others(
    make_app: Make, source: Source, silent: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends, 'DOWNLOAD_WAIT', 60)
    application = make_app(sources__timeout='60')
    slots = application.registry.getUtility(IBackends).downloads
    with offered(silent, 12) as urls, ThreadPoolExecutor(12) as pool:
        try:
            uploads = [
                pool.submit(Beefree(application).upload, f'/{number}.png', url) for number, url in enumerate(urls)
            ]
            assert silent.were_asked(4)
            # Six wait for their turn, and there is no room for two.
            refused = first(uploads, 2)
            assert refused_as_busy(refused)
            assert (slots.running, slots.waiting) == (4, 6)
            other = Beefree(application, uid='u2')
            assert outcome(other.upload('/mine.png', source.offer(PNG))) == (201, None)
            assert other.names('/')[2:] == ['mine.png']
            assert sum(upload.done() for upload in uploads) == 2
        finally:
            silent.release.set()
        answers = [upload.result(PATIENCE) for upload in uploads]
    assert sorted(answer.status_int for answer in answers) == [201] * 10 + [503] * 2
    assert slots.running == slots.waiting == 0


def first(futures: list[Future[Any]], number: int) -> list[Any]:
    """Wait for a number of results and return them."""
    done: set[Future[Any]] = set()
    while len(done) < number:
        fresh, _ = wait(set(futures) - done, timeout=PATIENCE, return_when='FIRST_COMPLETED')
        assert fresh
        done |= fresh
    return [future.result() for future in done]


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


class Caller:
    """A user of a server on the network."""

    def __init__(self, url: str, uid: str) -> None:
        self._url = f'{url.rstrip("/")}/fsp'
        self._headers = {'X-BEE-ClientId': 'c1', 'X-BEE-Uid': uid}

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        return requests.request(
            method, self._url + path, json=body, auth=CREDENTIALS, headers=self._headers, timeout=PATIENCE
        )

    def upload(self, path: str, url: str) -> requests.Response:
        return self.call('POST', path, {'source': url, 'conflict_strategy': 'keep'})

    def create(self, path: str) -> requests.Response:
        return self.call('POST', path)


@contextmanager
def served(application: Any, threads: int) -> Iterator[str]:
    """Serve an application by waitress with a number of threads; yield its URL."""
    server = StopableWSGIServer.create(application, threads=threads)
    try:
        yield server.application_url
    finally:
        server.shutdown()


def code(response: requests.Response) -> tuple[int, int]:
    return response.status_code, response.json()['code']


@pytest.mark.parametrize('threads', [4, 8, 32])
def test_silent_sources_leave_threads_for_listings(
    make_app: Make, silent: Silent, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    """For any number of threads; the sources are silent until the listing is there."""
    monkeypatch.setattr(backends, 'DOWNLOAD_WAIT', 60)
    application = make_app(threads=str(threads), sources__timeout='60')
    with (
        served(application, threads) as url,
        offered(silent, 40) as urls,
        ThreadPoolExecutor(40) as pool,
    ):
        try:
            uploads = [
                pool.submit(Caller(url, f'u{number % 5}').upload, f'/{number}.png', source)
                for number, source in enumerate(urls)
            ]
            assert silent.were_asked(max(1, threads * 3 // 8))
            assert Caller(url, 'u9').call('GET', '/').status_code == 200
        finally:
            silent.release.set()
        assert {upload.result(PATIENCE).status_code for upload in uploads} <= {201, 503}


@pytest.mark.parametrize('threads', [4, 8, 32])
def test_slow_source_and_forty_writes_leave_threads_for_listings(
    make_app: Make, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    """The source holds the lock of its directory; few requests wait for it, and the others are refused at once."""
    monkeypatch.setattr(locks, 'WAIT', 60.0)
    monkeypatch.setattr(minimum_rate, 'WINDOW', 60.0)
    release, content = threading.Event(), PNG + bytes(400_000)

    def slow(connection: socket.socket) -> None:
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % len(content) + content[:300_000])
        assert release.wait(PATIENCE)
        connection.sendall(content[300_000:])

    application = make_app(threads=str(threads), sources__timeout='60')
    waiting = max(1, threads * 5 // 16)
    held = application.registry.getUtility(IBackends).locks
    with served(application, threads) as url, serving(slow) as source, ThreadPoolExecutor(41) as pool:
        user = Caller(url, 'u1')
        try:
            user.call('GET', '/team/')
            upload = pool.submit(user.upload, '/team/slow.png', f'http://127.0.0.1:{source.port}/')
            until(lambda: bool(held._locks))
            changes = [pool.submit(user.create, f'/team/{number}/') for number in range(40)]
            refused = first(changes, 40 - waiting)
            assert {code(answer) for answer in refused} == {(503, 3904)}
            assert all('Retry-After' in answer.headers for answer in refused)
            assert held.waiters.running == waiting
            assert Caller(url, 'u2').call('GET', '/').status_code == 200
            assert Caller(url, 'u2').call('GET', '/team/').status_code == 200
            assert not upload.done()
        finally:
            release.set()
        assert upload.result(PATIENCE).status_code == 201
        assert [change.result(PATIENCE).status_code for change in changes].count(201) == waiting
