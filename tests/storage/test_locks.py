"""Locks by key."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from redis import RedisError

from fsp_pyramid.outage import Outage
from fsp_pyramid.storage.locks import Locks
from fsp_pyramid.storage.redis_locks import EXPIRY, RedisLocks

from ..services import RedisServer
from ..timing import PATIENCE


@pytest.fixture
def make_redis_locks(redis_server: RedisServer) -> Callable[..., RedisLocks]:
    """Those of a process; each call makes those of another one."""
    return lambda expiry=EXPIRY: RedisLocks(redis_server.client(), Outage('Redis', (RedisError,)), expiry)


@pytest.fixture(params=['threads', 'processes'])
def both(request: pytest.FixtureRequest) -> Iterator[tuple[Any, Any]]:
    """The locks of two callers: two threads of a process, or two processes."""
    if request.param == 'threads':
        locks = Locks()
        yield locks, locks
        assert locks._locks == {}
        return
    make = request.getfixturevalue('make_redis_locks')
    yield make(), make()
    assert request.getfixturevalue('redis_server').client().keys('*') == []


def test_one_at_a_time_for_one_key_and_no_lock_is_left(both: tuple[Any, Any]) -> None:
    inside, most, (one, other) = 0, 0, both

    def work(locks: Any, *keys: str) -> None:
        nonlocal inside, most
        for _ in range(20):
            with locks.hold(*keys):
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


def test_other_keys_do_not_wait(both: tuple[Any, Any]) -> None:
    (one, other), entered = both, threading.Event()

    def enter() -> None:
        with other.hold('b'):
            entered.set()

    with one.hold('a'):
        thread = threading.Thread(target=enter)
        thread.start()
        assert entered.wait(timeout=PATIENCE)
        thread.join()


def test_a_lock_is_free_after_an_error(both: tuple[Any, Any]) -> None:
    for locks in both:
        with suppress(ZeroDivisionError), locks.hold('a'):
            _ = 1 / 0


def is_held_for(locks: Any, key: str, seconds: float) -> bool:
    """Whether somebody else holds the lock for so long."""
    got = threading.Event()

    def take() -> None:
        with locks.hold(key):
            got.set()

    threading.Thread(target=take, daemon=True).start()
    return not got.wait(seconds)


def test_a_lock_that_is_held_for_long_is_renewed(
    make_redis_locks: Callable[..., RedisLocks], redis_server: RedisServer
) -> None:
    client = redis_server.client()
    with make_redis_locks(9).hold('a'):
        (name,) = client.keys('*')
        left = [client.pttl(name)]
        while left[-1] <= left[0] or len(left) < 2:
            assert left[-1] > 0, 'it expires while it is held'
            left.append(client.pttl(name))
            left[0] = min(left[0], left[-1])


def test_the_lock_of_a_process_that_is_gone_is_free_when_it_expires(
    make_redis_locks: Callable[..., RedisLocks],
) -> None:
    gone = make_redis_locks(0.6)
    gone._renewals._running = True  # its thread does not live any more
    with gone.hold('a'):
        assert not is_held_for(make_redis_locks(), 'a', 20)


def test_a_lock_of_somebody_else_is_not_released(
    make_redis_locks: Callable[..., RedisLocks], redis_server: RedisServer
) -> None:
    with make_redis_locks().hold('a'):
        (name,) = redis_server.client().keys('*')
        redis_server.client().set(name, 'of somebody else')
    assert redis_server.client().get(name) == b'of somebody else'


def test_a_lock_that_is_lost_is_told(
    make_redis_locks: Callable[..., RedisLocks], redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    with make_redis_locks(0.3).hold('a'):
        redis_server.client().flushall()
        end = time.monotonic() + PATIENCE
        while 'not locked any more' not in caplog.text:
            assert time.monotonic() < end
            time.sleep(0.02)


def test_without_redis_the_threads_of_a_process_keep_off_each_other(
    make_redis_locks: Callable[..., RedisLocks], redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    locks = make_redis_locks()
    with locks.hold('a'):
        redis_server.stop()
    try:
        with locks.hold('a', 'b'):
            assert is_held_for(locks, 'a', 0.2)
        with locks.hold('a'):
            pass
    finally:
        redis_server.start()
    assert [record.levelno for record in caplog.records] == [logging.ERROR], 'logged once'
