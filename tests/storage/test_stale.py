"""Stale listings: refreshed by one caller, served to the others."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fsp_pyramid.concurrency.locks import KeyedLocks
from fsp_pyramid.egnyte import Client, RateLimiter
from fsp_pyramid.embedded import TOKEN, URL
from fsp_pyramid.errors import (
    Busy,
    EgnyteUnavailable,
    Forbidden,
    NotFound,
    QuotaUsedUp,
)
from fsp_pyramid.paths import Path
from fsp_pyramid.storage.cache_backends import CacheBackend
from fsp_pyramid.storage.cached import CachedStorage, CacheLookup
from fsp_pyramid.storage.egnyte import EgnyteStorage
from fsp_pyramid.storage.listing_cache import ListingCache
from fsp_pyramid.testing import Sandbox, content

from ..timing import PATIENCE
from .conftest import Clock

HOME = ('Shared', 'Home')


class Process:
    """A process whose cache is in *cache_backend*; *lookups* are those of its requests."""

    def __init__(self, sandbox: Sandbox, cache_backend: CacheBackend, clock: Clock) -> None:
        self.sandbox, self.rate_limiter, self.lookups = sandbox, RateLimiter(), list[CacheLookup]()
        self.lowest = EgnyteStorage(
            Client(URL, TOKEN, session=sandbox.session, rate_limiter=self.rate_limiter), KeyedLocks(), 'a'
        )
        self.ttl_factor = 1.0
        self.storage = CachedStorage(
            self.lowest,
            ListingCache(60, cache_backend, clock=clock),
            'a',
            lambda: self.ttl_factor,
            self.lookups.append,
        )

    def names(self, path: Path = HOME) -> list[str]:
        return [item.name for item in self.storage.list_directory(path).items]

    @property
    def outcomes(self) -> list[str]:
        """Return the outcomes of the look-ups since the last call."""
        found = [look.reason or look.outcome for look in self.lookups]
        self.lookups.clear()
        return found


@pytest.fixture
def make_process(sandbox: Sandbox, cache_backend: CacheBackend, clock: Clock) -> Callable[[], Process]:
    return lambda: Process(sandbox, cache_backend, clock)


@pytest.fixture
def process(make_process: Callable[[], Process], sandbox: Sandbox) -> Process:
    process = make_process()
    process.lowest.create_directory(HOME)
    process.names()
    sandbox.forget_calls()
    process.lookups.clear()
    return process


def test_lookups_are_reported(process: Process, clock: Clock) -> None:
    process.names()
    clock.now += 61
    process.names()
    process.storage.list_directory(HOME, fresh=True)
    with pytest.raises(NotFound):
        process.storage.stat_file((*HOME, 'none'))
    assert process.outcomes == ['hit', 'miss', 'miss', 'hit']


@pytest.mark.parametrize(
    ('trouble', 'error', 'reason', 'calls'),
    [
        (lambda process: process.sandbox.fail({'status': 500, 'times': 100}), EgnyteUnavailable, 'unavailable', 1),
        (lambda process: process.rate_limiter.block(TOKEN, 20), Busy, 'busy', 0),
        (lambda process: process.rate_limiter.block(TOKEN, 7200), QuotaUsedUp, 'quota', 0),
    ],
    ids=['unavailable', 'busy', 'quota'],
)
def test_stale_listing_is_served_while_egnyte_fails(
    process: Process, clock: Clock, trouble: Callable[[Process], None], error: type[Exception], reason: str, calls: int
) -> None:
    entry, _ = process.storage.store_file((*HOME, 'f'), content(b'x'))
    trouble(process)
    clock.now += 3600
    process.sandbox.forget_calls()
    assert process.names() == ['f']
    assert process.storage.stat_file((*HOME, 'f')).id == entry.id
    assert process.lookups == [CacheLookup('stale', reason, 3600.0)] * 2
    assert len(process.sandbox.calls) == calls, 'nobody waits for it again at once'
    with pytest.raises(NotFound):
        process.storage.stat_file((*HOME, 'g'))
    with pytest.raises(error):
        process.storage.list_directory(HOME, fresh=True)
    with pytest.raises(error):
        process.storage.list_directory(('Shared',))


def test_listing_is_refreshed_after_a_failure(process: Process, sandbox: Sandbox, clock: Clock) -> None:
    clock.now += 61
    sandbox.fail({'status': 500, 'times': 1})
    process.names()
    clock.now += 29
    process.names()
    clock.now += 1
    process.names()
    assert process.outcomes == ['unavailable', 'unavailable', 'miss']


def test_stale_parent_does_not_prove_absence(process: Process, sandbox: Sandbox, clock: Clock) -> None:
    for _ in range(2):
        with pytest.raises(NotFound):
            process.storage.list_directory((*HOME, 'none'))
    clock.now += 61
    sandbox.fail({'status': 500, 'times': 100})
    with pytest.raises(EgnyteUnavailable):
        process.storage.list_directory((*HOME, 'none'))


def test_other_errors_are_raised(process: Process, sandbox: Sandbox, clock: Clock) -> None:
    clock.now += 61
    sandbox.fail({'status': 403, 'times': 1})
    with pytest.raises(Forbidden):
        process.names()


def test_stale_listing_contains_our_writes(
    process: Process, make_process: Callable[[], Process], sandbox: Sandbox, clock: Clock
) -> None:
    clock.now += 3600
    make_process().storage.store_file((*HOME, 'f'), content(b'x'))
    sandbox.fail({'status': 500, 'times': 100})
    assert process.names() == ['f']
    assert process.outcomes == ['unavailable']


def test_write_during_a_slow_refresh_is_served(
    process: Process, make_process: Callable[[], Process], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.now += 61

    def silent(*_arguments: Any, **_keywords: Any) -> None:
        make_process().storage.store_file((*HOME, 'f'), content(b'x'))
        raise EgnyteUnavailable

    monkeypatch.setattr(process.lowest, 'list_directory', silent)
    assert process.names() == ['f']
    assert process.outcomes == ['unavailable']


def test_listing_older_than_a_day_is_not_served(process: Process, sandbox: Sandbox, clock: Clock) -> None:
    clock.now += 86401
    sandbox.fail({'status': 500, 'times': 100})
    with pytest.raises(EgnyteUnavailable):
        process.names()


def test_one_caller_refreshes_and_others_get_the_stale_listing(
    process: Process,
    make_process: Callable[[], Process],
    sandbox: Sandbox,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sandbox.upload('/Shared/Home/f', b'x')
    sandbox.forget_calls()
    clock.now += 61
    other, asked, answer, ask = make_process(), threading.Event(), threading.Event(), process.lowest.list_directory

    def slow(*arguments: Any, **keywords: Any) -> Any:
        asked.set()
        assert answer.wait(timeout=PATIENCE)
        return ask(*arguments, **keywords)

    monkeypatch.setattr(process.lowest, 'list_directory', slow)
    with ThreadPoolExecutor() as pool:
        leader = pool.submit(process.names)
        assert asked.wait(timeout=PATIENCE)
        try:
            assert (other.names(), process.names()) == ([], [])
            assert other.outcomes == process.outcomes == ['refreshing']
        finally:
            answer.set()
        assert leader.result(timeout=PATIENCE) == ['f']
    assert other.names() == ['f']
    assert len(sandbox.calls) == 1


def test_one_process_fetches_and_others_wait(
    process: Process, make_process: Callable[[], Process], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answer, ask = threading.Event(), threading.Event(), process.lowest.list_directory
    path, others = ('Shared',), [make_process() for _ in range(3)]

    def slow(*arguments: Any, **keywords: Any) -> Any:
        asked.set()
        assert answer.wait(timeout=PATIENCE)
        return ask(*arguments, **keywords)

    monkeypatch.setattr(process.lowest, 'list_directory', slow)
    with ThreadPoolExecutor() as pool:
        leader = pool.submit(process.names, path)
        assert asked.wait(timeout=PATIENCE)
        waiting = [pool.submit(other.names, path) for other in others]
        assert not any(future.done() for future in waiting)
        answer.set()
        assert [future.result(timeout=PATIENCE) for future in (leader, *waiting)] == [['Home']] * 4
    assert len(sandbox.calls) == 1


def test_ttl_grows_when_calls_are_scarce(process: Process, sandbox: Sandbox, clock: Clock) -> None:
    clock.now += 119
    process.ttl_factor = 2.0
    process.names()
    clock.now += 1
    process.names()
    assert process.outcomes == ['hit', 'miss']
    clock.now += 3599
    process.ttl_factor = 1e9
    process.names()
    clock.now += 1
    process.names()
    assert process.outcomes == ['hit', 'miss']
