"""Locks by key."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from redis import RedisError

from fsp_pyramid.concurrency import locks as keyed_locks
from fsp_pyramid.concurrency.circuit_breaker import CircuitBreaker
from fsp_pyramid.concurrency.locks import KeyedLocks, LockUnavailable
from fsp_pyramid.concurrency.redis_locks import EXPIRY, RedisKeyedLocks

from ..services import RedisServer
from ..timing import PATIENCE, eventually


@pytest.fixture
def make_redis_locks(redis_server: RedisServer) -> Callable[..., RedisKeyedLocks]:
    """Return a function that makes the locks of one more process."""
    return lambda expiry=EXPIRY: RedisKeyedLocks(redis_server.client(), CircuitBreaker('Redis', (RedisError,)), expiry)


@pytest.fixture(params=['threads', 'processes'])
def both(request: pytest.FixtureRequest) -> Iterator[tuple[Any, Any]]:
    """Return the locks of two callers: two threads of a process, or two processes."""
    if request.param == 'threads':
        locks = KeyedLocks()
        yield locks, locks
        assert locks._locks == {}
        return
    make = request.getfixturevalue('make_redis_locks')
    yield make(), make()
    assert request.getfixturevalue('redis_server').client().keys('*') == []


def test_lock_excludes_others_and_leaves_nothing_behind(both: tuple[Any, Any]) -> None:
    inside, most, (one, other) = 0, 0, both

    def work(locks: Any, *keys: str) -> None:
        nonlocal inside, most
        for _ in range(20):
            with locks.lock(*keys):
                inside += 1
                most = max(most, inside)
                inside -= 1

    wanted = ((one, 'a', 'b'), (other, 'b', 'a'), (one, 'b', 'b'), (other, 'b'))
    threads = [threading.Thread(target=work, args=arguments) for arguments in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=PATIENCE)
    assert not any(thread.is_alive() for thread in threads)
    assert most == 1


def test_locks_of_other_keys_are_independent(both: tuple[Any, Any]) -> None:
    (one, other), entered = both, threading.Event()

    def enter() -> None:
        with other.lock('b'):
            entered.set()

    with one.lock('a'):
        thread = threading.Thread(target=enter)
        thread.start()
        assert entered.wait(timeout=PATIENCE)
        thread.join()


def test_lock_is_free_after_an_error(both: tuple[Any, Any]) -> None:
    for locks in both:
        with suppress(ZeroDivisionError), locks.lock('a'):
            _ = 1 / 0
        with locks.lock('a'):  # raises LockUnavailable if it is still held
            pass


def is_held_for(locks: Any, key: str, seconds: float) -> bool:
    """Return whether another caller holds the lock for so long."""
    got = threading.Event()

    def take() -> None:
        with locks.lock(key):
            got.set()

    threading.Thread(target=take, daemon=True).start()
    return not got.wait(seconds)


@pytest.mark.parametrize('keys', ['a', 'ba'])
def test_waiting_for_a_lock_times_out(both: tuple[Any, Any], keys: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyed_locks, 'WAIT', 0.1)
    one, other = both
    with one.lock('a'):
        with pytest.raises(LockUnavailable), other.lock(*keys):
            pytest.fail('it is held')
        with other.lock('b'):  # none of the locks of the failed call is held
            pass
    with other.lock(*keys):
        pass


def test_callers_beyond_the_bound_are_refused_at_once(both: tuple[Any, Any]) -> None:
    """The lock is released only after all refusals, so none of them waited for it."""
    (one, other), most, done = both, keyed_locks.WAITING, threading.Semaphore(0)

    def take() -> None:
        with other.lock('a'):
            done.release()

    waiters = other.waiters if isinstance(other, KeyedLocks) else other._locks.waiters
    threads = [threading.Thread(target=take) for _ in range(most)]
    with one.lock('a'):
        for thread in threads:
            thread.start()
        eventually(lambda: waiters.running == most)
        for _ in range(30):
            with pytest.raises(LockUnavailable), other.lock('a'):
                pytest.fail('it is held')
        with other.lock('free'):
            pass
    for thread in threads:
        thread.join(PATIENCE)
    assert [done.acquire(timeout=0) for _ in range(most)] == [True] * most
    assert waiters.running == 0


def test_urgent_caller_waits_beyond_the_bound(both: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    (one, other), done = both, threading.Event()
    monkeypatch.setattr(keyed_locks, 'WAIT', 0.0)
    waiters = other.waiters if isinstance(other, KeyedLocks) else other._locks.waiters
    waiters._most = 0

    def take() -> None:
        with other.lock('a', urgent=True):
            done.set()

    thread = threading.Thread(target=take)
    with one.lock('a'):
        thread.start()
        eventually(lambda: waiters.running == 1)
        with pytest.raises(LockUnavailable), other.lock('a'):
            pytest.fail('it is held')
    assert done.wait(PATIENCE)
    thread.join()


def test_held_lock_is_renewed(make_redis_locks: Callable[..., RedisKeyedLocks], redis_server: RedisServer) -> None:
    client = redis_server.client()
    with make_redis_locks(9).lock('a'):
        (name,) = client.keys('*')
        left = [client.pttl(name)]
        while left[-1] <= left[0] or len(left) < 2:
            assert left[-1] > 0, 'it expires while it is held'
            left.append(client.pttl(name))
            left[0] = min(left[0], left[-1])


def test_lock_of_a_killed_process_expires(
    make_redis_locks: Callable[..., RedisKeyedLocks],
) -> None:
    gone = make_redis_locks(0.6)
    gone._renewer._running = True  # its thread does not live any more
    with gone.lock('a'):
        assert not is_held_for(make_redis_locks(), 'a', 20)


def test_lock_of_another_owner_is_not_released(
    make_redis_locks: Callable[..., RedisKeyedLocks], redis_server: RedisServer
) -> None:
    with make_redis_locks().lock('a'):
        (name,) = redis_server.client().keys('*')
        redis_server.client().set(name, 'of another owner')
    assert redis_server.client().get(name) == b'of another owner'


def test_lost_lock_is_logged(
    make_redis_locks: Callable[..., RedisKeyedLocks], redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    with make_redis_locks(0.3).lock('a'):
        redis_server.client().flushall()
        eventually(lambda: 'not locked any more' in caplog.text)


def test_threads_exclude_each_other_without_redis(
    make_redis_locks: Callable[..., RedisKeyedLocks], redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    locks = make_redis_locks()
    with locks.lock('a'):
        redis_server.stop()
    try:
        with locks.lock('a', 'b'):
            assert is_held_for(locks, 'a', 0.2)
        with locks.lock('a'):
            pass
    finally:
        redis_server.start()
    assert [record.levelno for record in caplog.records] == [logging.ERROR], 'logged once'
