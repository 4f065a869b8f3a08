"""Listings that are older than they should be: who asks anew, and who takes them as they are."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from dogpile.cache import CacheRegion

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
from fsp_pyramid.storage.cached import CachedStorage, CacheLookup
from fsp_pyramid.storage.egnyte import EgnyteStorage
from fsp_pyramid.storage.listing_cache import ListingCache
from fsp_pyramid.testing import Sandbox, content

from ..timing import PATIENCE
from .conftest import Clock

HOME = ('Shared', 'Home')


class Process:
    """A process of ours: what it remembers goes into the *region*; *looks* are told of its requests."""

    def __init__(self, sandbox: Sandbox, region: CacheRegion, clock: Clock) -> None:
        self.sandbox, self.rate_limiter, self.looks = sandbox, RateLimiter(), list[CacheLookup]()
        self.lowest = EgnyteStorage(
            Client(URL, TOKEN, session=sandbox.session, rate_limiter=self.rate_limiter), KeyedLocks(), 'a'
        )
        self.ttl_factor = 1.0
        self.storage = CachedStorage(
            self.lowest, ListingCache(60, region, clock=clock), 'a', lambda: self.ttl_factor, self.looks.append
        )

    def names(self, path: Path = HOME) -> list[str]:
        return [item.name for item in self.storage.list_directory(path).items]

    @property
    def outcomes(self) -> list[str]:
        """Of the looks since this was asked last."""
        found = [look.reason or look.outcome for look in self.looks]
        self.looks.clear()
        return found


@pytest.fixture
def make_process(sandbox: Sandbox, region: CacheRegion, clock: Clock) -> Callable[[], Process]:
    return lambda: Process(sandbox, region, clock)


@pytest.fixture
def process(make_process: Callable[[], Process], sandbox: Sandbox) -> Process:
    process = make_process()
    process.lowest.create_directory(HOME)
    process.names()
    sandbox.forget_calls()
    process.looks.clear()
    return process


def test_looks_are_told(process: Process, clock: Clock) -> None:
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
def test_when_egnyte_is_in_trouble_what_was_seen_last_is_served(
    process: Process, clock: Clock, trouble: Callable[[Process], None], error: type[Exception], reason: str, calls: int
) -> None:
    entry, _ = process.storage.store_file((*HOME, 'f'), content(b'x'))
    trouble(process)
    clock.now += 3600
    process.sandbox.forget_calls()
    assert process.names() == ['f']
    assert process.storage.stat_file((*HOME, 'f')).id == entry.id
    assert process.looks == [CacheLookup('stale', reason, 3600.0)] * 2
    assert len(process.sandbox.calls) == calls, 'nobody waits for it again at once'
    with pytest.raises(NotFound):
        process.storage.stat_file((*HOME, 'g'))
    with pytest.raises(error):
        process.storage.list_directory(HOME, fresh=True)
    with pytest.raises(error):
        process.storage.list_directory(('Shared',))


def test_egnyte_is_asked_again_after_its_trouble(process: Process, sandbox: Sandbox, clock: Clock) -> None:
    clock.now += 61
    sandbox.fail({'status': 500, 'times': 1})
    process.names()
    clock.now += 29
    process.names()
    clock.now += 1
    process.names()
    assert process.outcomes == ['unavailable', 'unavailable', 'miss']


def test_that_something_is_missing_is_not_said_without_egnyte(process: Process, sandbox: Sandbox, clock: Clock) -> None:
    for _ in range(2):
        with pytest.raises(NotFound):
            process.storage.list_directory((*HOME, 'none'))
    clock.now += 61
    sandbox.fail({'status': 500, 'times': 100})
    with pytest.raises(EgnyteUnavailable):
        process.storage.list_directory((*HOME, 'none'))


def test_other_failures_are_told(process: Process, sandbox: Sandbox, clock: Clock) -> None:
    clock.now += 61
    sandbox.fail({'status': 403, 'times': 1})
    with pytest.raises(Forbidden):
        process.names()


def test_our_writes_are_in_what_is_served_in_bad_times(
    process: Process, make_process: Callable[[], Process], sandbox: Sandbox, clock: Clock
) -> None:
    clock.now += 3600
    make_process().storage.store_file((*HOME, 'f'), content(b'x'))
    sandbox.fail({'status': 500, 'times': 100})
    assert process.names() == ['f']
    assert process.outcomes == ['unavailable']


def test_what_was_written_while_egnyte_was_silent_is_served(
    process: Process, make_process: Callable[[], Process], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.now += 61

    def silent(*_arguments: Any, **_keywords: Any) -> None:
        make_process().storage.store_file((*HOME, 'f'), content(b'x'))
        raise EgnyteUnavailable

    monkeypatch.setattr(process.lowest, 'list_directory', silent)
    assert process.names() == ['f']
    assert process.outcomes == ['unavailable']


def test_what_is_older_than_a_day_is_not_served(process: Process, sandbox: Sandbox, clock: Clock) -> None:
    clock.now += 86401
    sandbox.fail({'status': 500, 'times': 100})
    with pytest.raises(EgnyteUnavailable):
        process.names()


def test_one_refreshes_and_the_others_take_what_there_is(
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


def test_one_process_asks_and_the_others_wait_where_nothing_is_known(
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


def test_when_calls_are_scarce_listings_are_believed_for_longer(
    process: Process, sandbox: Sandbox, clock: Clock
) -> None:
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
