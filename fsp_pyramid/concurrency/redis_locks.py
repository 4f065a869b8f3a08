"""Locks by key, for the threads of all processes that use one Redis."""

import hashlib
import logging
import threading
import time
from collections.abc import Hashable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial

from redis import Redis
from redis.exceptions import LockError
from redis.lock import Lock

from .circuit_breaker import CircuitBreaker, CircuitOpen
from .locks import (
    WAITING,
    KeyedLocks,
    LockHandle,
    deadline,
    wait_for_lock,
)

log = logging.getLogger(__name__)

# Seconds after which the lock of a process that was killed expires. A live process renews its locks more often.
EXPIRY = 15.0
# Seconds between two attempts to acquire a lock.
POLL = 0.05


class RedisKeyedLocks:
    """Locks like those of :class:`~fsp_pyramid.concurrency.locks.KeyedLocks`, shared with other processes.

    The threads of this process queue for a local lock before one of them asks Redis. While Redis is down, the local
    lock is the only one. A process that stands still for longer than EXPIRY loses its locks unnoticed; Egnyte takes no
    fencing tokens, so a change that was decided under the lock may then collide with a change of another process.

    :param expiry: seconds after which a lock that is not renewed expires
    :param waiting: number of threads of this process that may wait at a time
    """

    def __init__(self, client: Redis, breaker: CircuitBreaker, expiry: float = EXPIRY, waiting: int = WAITING) -> None:
        self._client, self._breaker, self._expiry = client, breaker, expiry
        self._locks, self._renewer = KeyedLocks(waiting), LockRenewer(breaker, expiry / 3)

    @contextmanager
    def lock(self, *keys: Hashable, urgent: bool = False) -> Iterator[LockHandle]:
        """Hold the locks of all *keys* until the context is left; a key may be named twice.

        :param urgent: to roll a change back: wait for a minute, however many other threads wait

        Raises LockUnavailable.
        """
        end, handle = deadline(urgent), RedisLockHandle(self._breaker)
        with self._locks.lock(*keys, urgent=urgent), ExitStack() as stack:
            # In one order everywhere, as the local ones.
            for key in sorted(set(keys), key=repr):
                stack.enter_context(self._lock_key(key, handle, end, urgent))
            yield handle

    @contextmanager
    def _lock_key(self, key: Hashable, handle: 'RedisLockHandle', end: float, urgent: bool) -> Iterator[None]:
        name = f'fsp:lock:{hashlib.sha256(repr(key).encode()).hexdigest()[:32]}'
        lock = self._client.lock(name, timeout=self._expiry, sleep=POLL, thread_local=False)

        def acquire(seconds: float) -> bool:
            return self._breaker.call(lambda: lock.acquire(blocking_timeout=seconds))

        try:
            wait_for_lock(self._locks.waiters, acquire, end, urgent)
        except CircuitOpen:
            handle.lose()
            yield
            return
        handle.add(lock)
        self._renewer.add(lock)
        try:
            yield
        finally:
            self._renewer.remove(lock)
            # Released by its token only. If that fails, it has expired or is about to.
            try:
                lock.release()
            except self._breaker.failures:
                handle.lose()
            handle.remove(lock)


class RedisLockHandle(LockHandle):
    """Locks in Redis: exclusive unless Redis was out of reach or lost one of them."""

    def __init__(self, breaker: CircuitBreaker) -> None:
        self._breaker = breaker
        self._locks: set[Lock] = set()
        self._is_lost = False

    def add(self, lock: Lock) -> None:
        """Add a lock that was acquired."""
        self._locks.add(lock)

    def remove(self, lock: Lock) -> None:
        """Remove a lock that was released."""
        self._locks.discard(lock)

    def lose(self) -> None:
        """Record that a lock is not, or was not, held in Redis."""
        self._is_lost = True

    def is_exclusive(self) -> bool:
        """Ask Redis for each lock that is held. After the release, no round trip: the release itself has shown it."""
        try:
            if not self._is_lost and not all(self._breaker.call(lock.owned) for lock in self._locks):
                self.lose()
        except CircuitOpen:
            self.lose()
        return not self._is_lost

    def was_lost(self) -> bool:
        """Ask Redis for each lock that is held, as :meth:`is_exclusive` does."""
        return bool(self._locks) and not self.is_exclusive()


class LockRenewer:
    """Renew held locks in a thread that ends when there are none.

    :param interval: seconds between two renewals
    """

    def __init__(self, breaker: CircuitBreaker, interval: float) -> None:
        self._breaker, self._interval = breaker, interval
        self._guard = threading.Lock()
        self._locks: set[Lock] = set()
        self._running = False

    def add(self, lock: Lock) -> None:
        """Renew *lock* from now on."""
        with self._guard:
            self._locks.add(lock)
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name='fsp-locks', daemon=True).start()

    def remove(self, lock: Lock) -> None:
        """Stop renewing *lock*, which is about to be released."""
        with self._guard:
            self._locks.discard(lock)

    def _run(self) -> None:
        while True:
            time.sleep(self._interval)
            with self._guard:
                if not self._locks:
                    self._running = False
                    return
                locks = list(self._locks)
            for lock in locks:
                with suppress(CircuitOpen):  # Redis may be back before the lock expires
                    self._breaker.call(partial(self._renew, lock))

    def _renew(self, lock: Lock) -> None:
        try:
            lock.reacquire()
        except LockError:
            with self._guard:
                was_held = lock in self._locks
                self._locks.discard(lock)
            if was_held:
                log.warning('a directory is not locked any more: Redis forgot it, or this process stood still')
