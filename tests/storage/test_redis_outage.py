"""Outage of Redis: all goes on without it."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from redis import RedisError

from fsp_pyramid.backends import redis_client
from fsp_pyramid.concurrency.circuit_breaker import PAUSE, CircuitBreaker, CircuitOpen
from fsp_pyramid.concurrency.locks import KeyedLocks
from fsp_pyramid.egnyte import Client, RateLimiter
from fsp_pyramid.embedded import TOKEN, URL
from fsp_pyramid.storage import listing_cache
from fsp_pyramid.storage.cache_backends import RedisBackend
from fsp_pyramid.storage.cached import CachedStorage
from fsp_pyramid.storage.egnyte import EgnyteStorage
from fsp_pyramid.storage.listing_cache import ListingCache, MissedWrites
from fsp_pyramid.testing import Sandbox, content

from ..ports import free_port
from ..services import RedisServer
from ..timing import PATIENCE, eventually
from .conftest import Clock

HOME = ('Shared', 'Home')
MakeStorage = Callable[[], CachedStorage]


@pytest.fixture
def make_storage(sandbox: Sandbox, redis_server: RedisServer, clock: Clock) -> MakeStorage:
    """Return a function that makes the storage of one more process."""

    def make() -> CachedStorage:
        client = redis_server.client()
        lowest = EgnyteStorage(
            Client(URL, TOKEN, session=sandbox.session, rate_limiter=RateLimiter()), KeyedLocks(), 'a'
        )
        return CachedStorage(
            lowest, ListingCache(3600, RedisBackend(client), CircuitBreaker('Redis', (RedisError,), clock)), 'a'
        )

    return make


def names(storage: CachedStorage) -> list[str]:
    return [item.name for item in storage.list_directory(HOME).items]


def test_requests_go_on_without_redis(
    make_storage: MakeStorage,
    sandbox: Sandbox,
    redis_server: RedisServer,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    storage, other = make_storage(), make_storage()
    storage.create_directory(HOME)
    redis_server.stop()
    try:
        storage.store_file((*HOME, 'f'), content(b'x'))
        assert names(storage) == ['f']
        sandbox.upload('/Shared/Home/g', b'x')
        assert names(storage) == names(other) == ['f', 'g']
        assert storage.stat_file((*HOME, 'g')).size == 1
        assert storage.peek_directory(HOME) is None
    finally:
        redis_server.start()
    assert [record.message for record in caplog.records] == [
        'Redis does not answer (ConnectionError): going on without it'
    ] * 2, 'once by each process'
    clock.now += PAUSE
    for _ in range(2):
        assert names(storage) == names(other) == ['f', 'g']
    assert [record.message for record in caplog.records[2:]] == ['Redis is back'] * 2
    sandbox.forget_calls()
    names(storage)
    assert sandbox.calls == []


def store_in_an_outage(storage: CachedStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Store a file while this process does not reach Redis, and others do."""
    storage.create_directory(HOME)
    names(storage)
    with monkeypatch.context() as patch:
        unreachable = redis_client(f'redis://127.0.0.1:{free_port()}')
        patch.setattr(storage._listing_cache._backend, '_client', unreachable)
        storage.store_file((*HOME, 'f'), content(b'x'))


def test_write_during_an_outage_is_seen_after_it(
    make_storage: MakeStorage, redis_server: RedisServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, other = make_storage(), make_storage()
    store_in_an_outage(storage, monkeypatch)
    assert names(other) == []
    clock.now += PAUSE
    storage.peek_directory(HOME)
    assert names(other) == ['f']


def test_write_during_an_outage_is_reported_without_another_request(
    make_storage: MakeStorage, redis_server: RedisServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing_cache, 'RETRY', 0.01)
    storage, other = make_storage(), make_storage()
    store_in_an_outage(storage, monkeypatch)
    assert names(other) == []
    clock.now += PAUSE
    eventually(lambda: names(other) == ['f'])
    eventually(lambda: not storage._listing_cache._missed._running)


def test_write_that_is_missed_during_a_report_is_reported_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing_cache, 'RETRY', 0.01)
    reported = []

    def invalidate(account: str) -> None:
        reported.append(account)
        if len(reported) == 1:
            missed.add(account)

    missed = MissedWrites(invalidate)
    missed.add('a')
    eventually(lambda: not missed.last('a'))
    assert reported == ['a', 'a']


def test_write_is_seen_by_a_listing_that_began_before_it(
    make_storage: MakeStorage, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without Redis, too, no caller gets the response to an older request."""
    storage = make_storage()
    storage.create_directory(HOME)
    redis_server.stop()
    lowest, asked, answer = storage._storage, threading.Event(), threading.Event()
    ask = lowest.list_directory

    def slow(*arguments: Any, **keywords: Any) -> Any:
        listing = ask(*arguments, **keywords)
        if not asked.is_set():
            asked.set()
            assert answer.wait(timeout=PATIENCE)
        return listing

    monkeypatch.setattr(lowest, 'list_directory', slow)
    try:
        with ThreadPoolExecutor() as pool:
            before = pool.submit(names, storage)
            assert asked.wait(timeout=PATIENCE)
            storage.store_file((*HOME, 'f'), content(b'x'))
            after = pool.submit(names, storage)
            try:
                assert after.result(timeout=PATIENCE) == ['f']
            finally:
                answer.set()
            assert before.result(timeout=PATIENCE) == []
    finally:
        redis_server.start()


def test_circuit_breaker_skips_a_failed_service(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    asked = 0

    def ask() -> int:
        nonlocal asked
        asked += 1
        if asked < 4:
            raise ConnectionError('redis://:password@host')
        return asked

    breaker = CircuitBreaker('It', (ConnectionError,), clock)
    for expected in (1, 1, 1):
        with pytest.raises(CircuitOpen):
            breaker.call(ask)
        assert asked == expected
    for expected in (2, 3):
        clock.now += PAUSE
        with pytest.raises(CircuitOpen):
            breaker.call(ask)
        assert asked == expected
    clock.now += PAUSE
    assert [breaker.call(ask), breaker.call(ask)] == [4, 5]
    levels = [record.levelno for record in caplog.records]
    assert levels == [logging.ERROR, logging.WARNING]
    assert 'password' not in caplog.text


def test_late_failure_of_a_call_from_before_the_end_of_an_outage_begins_no_other(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    breaker = CircuitBreaker('It', (ConnectionError,), clock)

    def fail() -> None:
        raise ConnectionError

    def outlast_an_outage() -> None:
        with pytest.raises(CircuitOpen):
            breaker.call(fail)
        clock.now += PAUSE
        assert breaker.call(lambda: 'back') == 'back'
        fail()

    with pytest.raises(CircuitOpen):
        breaker.call(outlast_an_outage)
    assert breaker.call(lambda: 'still there') == 'still there'
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]


def test_other_errors_keep_the_circuit_closed(clock: Clock) -> None:
    breaker = CircuitBreaker('It', (ConnectionError,), clock)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            breaker.call(lambda: 1 // 0)
