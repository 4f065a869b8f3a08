"""Event poller."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from fsp_pyramid.concurrency.locks import KeyedLocks
from fsp_pyramid.egnyte import Client, Priority, RateLimiter
from fsp_pyramid.embedded import TOKEN, URL
from fsp_pyramid.errors import NotFound
from fsp_pyramid.paths import Path
from fsp_pyramid.storage.cache_backends import CacheBackend
from fsp_pyramid.storage.cached import CachedStorage
from fsp_pyramid.storage.egnyte import EgnyteStorage
from fsp_pyramid.storage.event_poller import PAUSE, EventPoller
from fsp_pyramid.storage.listing_cache import ListingCache
from fsp_pyramid.testing import Sandbox

from ..timing import PATIENCE
from .conftest import Clock

HOME = ('Shared', 'Home')
INTERVAL = 300
EVENTS, CURSOR = 'GET /pubapi/v1/events', 'GET /pubapi/v1/events/cursor'


class Process:
    """A process, with a new storage for each request."""

    def __init__(self, sandbox: Sandbox, cache_backend: CacheBackend, clock: Clock) -> None:
        self.files: list[str] = []
        self._session, self._rate_limiter = sandbox.session, RateLimiter(sleep=lambda _seconds: None)
        self._listing_cache = ListingCache(36000, cache_backend, clock=clock)
        self._watch = EventPoller(self._listing_cache, INTERVAL)

    def _client(self, priority: Priority = Priority.READ) -> Client:
        return Client(
            URL, TOKEN, session=self._session, rate_limiter=self._rate_limiter, priority=priority, max_wait=1e9
        )

    @property
    def storage(self) -> CachedStorage:
        background = self._client(Priority.BACKGROUND)
        lowest = EgnyteStorage(self._client(), KeyedLocks(), 'a')

        def catch_up() -> bool:
            return self._watch.catch_up('a', background, self.files.append)

        return CachedStorage(lowest, self._listing_cache, 'a', catch_up=catch_up)

    def names(self, path: Path = HOME) -> list[str]:
        return [item.name for item in self.storage.list_directory(path).items]


@pytest.fixture
def make_process(sandbox: Sandbox, cache_backend: CacheBackend, clock: Clock) -> Callable[[], Process]:
    sandbox.upload('/Shared/Home/f', b'x')
    return lambda: Process(sandbox, cache_backend, clock)


@pytest.fixture
def process(make_process: Callable[[], Process], sandbox: Sandbox) -> Process:
    process = make_process()
    process.names()
    sandbox.forget_calls()
    return process


def test_changes_of_others_are_seen_after_the_next_poll(process: Process, sandbox: Sandbox, clock: Clock) -> None:
    made = sandbox.upload('/Shared/Home/g', b'x')
    clock.now += INTERVAL - 1
    assert process.names() == ['f']
    assert sandbox.calls[1:] == []
    clock.now += 1
    assert process.names() == ['f', 'g']
    assert sandbox.calls[1:] == [EVENTS, 'GET /pubapi/v1/fs/Shared/Home']
    assert process.files == [made['group_id']]
    clock.now += 10 * INTERVAL
    assert process.names() == ['f', 'g']
    assert sandbox.calls[3:] == [EVENTS], 'nothing happened, and it is believed for hours'


def test_waiting_for_the_events_of_one_account_delays_no_other(
    process: Process, make_process: Callable[[], Process], sandbox: Sandbox, clock: Clock
) -> None:
    other, asked, release = make_process(), threading.Event(), threading.Event()

    def silent() -> bool:
        asked.set()
        return release.wait(PATIENCE)

    waiting = process.storage
    waiting._catch_up = silent
    with ThreadPoolExecutor(2) as pool:
        delayed = pool.submit(waiting.list_directory, HOME)
        try:
            assert asked.wait(PATIENCE)
            # In a thread, or a failure would be a hang.
            assert pool.submit(other.names).result(PATIENCE) == ['f']
            assert not delayed.done()
        finally:
            release.set()
        assert [item.name for item in delayed.result(PATIENCE).items] == ['f']


def test_moves_and_deletions_of_folders(process: Process, sandbox: Sandbox, clock: Clock) -> None:
    for name in ('a', 'a/deep', 'b'):
        sandbox.upload(f'/Shared/Home/{name}/x', b'x')
    clock.now += INTERVAL
    deep = (*HOME, 'a', 'deep')
    assert process.names(deep) == ['x']
    sandbox.api('POST', '/pubapi/v1/fs/Shared/Home/a', json={'action': 'move', 'destination': '/Shared/Home/b/a'})
    clock.now += INTERVAL
    with pytest.raises(NotFound):
        process.names(deep)
    assert process.names((*HOME, 'b', 'a', 'deep')) == ['x']
    assert process.names() == ['b', 'f']
    sandbox.api('DELETE', '/pubapi/v1/fs/Shared/Home/b')
    clock.now += INTERVAL
    with pytest.raises(NotFound):
        process.names((*HOME, 'b', 'a', 'deep'))


def test_one_process_polls_for_all(
    process: Process, make_process: Callable[[], Process], sandbox: Sandbox, clock: Clock
) -> None:
    other = make_process()
    sandbox.upload('/Shared/Home/g', b'x')
    clock.now += INTERVAL
    sandbox.forget_calls()
    for _ in range(2):
        assert other.names() == process.names() == ['f', 'g']
    assert sandbox.calls == [EVENTS, 'GET /pubapi/v1/fs/Shared/Home']


def test_too_many_events_invalidate_the_account(process: Process, sandbox: Sandbox, clock: Clock) -> None:
    process.names(('Shared',))
    for number in range(60):  # each makes a folder and a file
        sandbox.upload(f'/Shared/Other{number}/f', b'x')
    clock.now += INTERVAL
    sandbox.forget_calls()
    assert process.names() == ['f']
    assert len(process.names(('Shared',))) == 61
    listings = ['GET /pubapi/v1/fs/Shared/Home', 'GET /pubapi/v1/fs/Shared']
    assert sandbox.calls == [EVENTS, CURSOR, *listings]
    clock.now += INTERVAL
    process.names()
    assert sandbox.calls[4:] == [EVENTS]


def test_expired_cursor_invalidates_the_account(process: Process, sandbox: Sandbox, clock: Clock) -> None:
    process._listing_cache.set_meta('events', 'a', [10**9, clock.now])
    clock.now += INTERVAL
    sandbox.upload('/Shared/Home/g', b'x')
    sandbox.forget_calls()
    assert process.names() == ['f', 'g']
    assert sandbox.calls == [EVENTS, CURSOR, 'GET /pubapi/v1/fs/Shared/Home']


def test_failed_poll_shortens_the_ttl(process: Process, sandbox: Sandbox, clock: Clock) -> None:
    clock.now += INTERVAL
    sandbox.upload('/Shared/Home/g', b'x')
    sandbox.forget_calls()
    sandbox.fail({'path_prefix': '/pubapi/v1/events', 'status': 403, 'times': 100})
    assert process.names() == ['f', 'g']
    clock.now += PAUSE - 1
    assert process.names() == ['f', 'g']
    assert sandbox.calls == [EVENTS, 'GET /pubapi/v1/fs/Shared/Home'], 'it is not tried again at once'
    sandbox.fail()
    clock.now += 1
    process.names()
    assert sandbox.calls[2:] == [EVENTS, 'GET /pubapi/v1/fs/Shared/Home']
