"""One at a time: locks by key, for the threads of all processes that use one Redis."""

import hashlib
import logging
import threading
import time
from collections.abc import Hashable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from redis import Redis
from redis.exceptions import LockError
from redis.lock import Lock

from .circuit_breaker import CircuitBreaker, CircuitOpen
from .locks import (
    WAITING,
    Held,
    KeyedLocks,
    end_of_waiting,
)

log = logging.getLogger(__name__)

# Seconds: the lock of a process that was killed is free after that. One that lives renews its locks more often.
EXPIRY = 15.0
# Seconds between two looks whether a lock is free.
POLL = 0.05


class RedisKeyedLocks:
    """Locks like those of :class:`~fsp_pyramid.concurrency.locks.Locks`, which other processes see as well.

    The threads of this process queue up for a lock of its own before one of them asks Redis. While Redis is down, that
    is all there is. A process that stands still for longer than EXPIRY loses its locks without knowing it; Egnyte takes
    no fencing tokens, and so what was decided under the lock may then meet what somebody else did.

    :param expiry: seconds after which a lock is free that is not renewed
    :param waiting: how many threads of this process may wait at a time
    """

    def __init__(self, client: Redis, breaker: CircuitBreaker, expiry: float = EXPIRY, waiting: int = WAITING) -> None:
        self._client, self._breaker, self._expiry = client, breaker, expiry
        self._locks, self._renewals = KeyedLocks(waiting), Renewals(breaker, expiry / 3)

    @contextmanager
    def lock(self, *keys: Hashable, urgent: bool = False) -> Iterator[Held]:
        """Hold the locks of all *keys* until the context is left; a key may be named twice.

        :param urgent: to take a change back: waits for a minute, however many others wait

        Raises Busy if others hold one of them for long.
        """
        end, held = end_of_waiting(urgent), RedisHeld(self._breaker)
        with self._locks.lock(*keys, urgent=urgent), ExitStack() as stack:
            # In one order everywhere, as the local ones.
            for key in sorted(set(keys), key=repr):
                stack.enter_context(self._hold(key, held, end, urgent))
            yield held

    @contextmanager
    def _hold(self, key: Hashable, held: 'RedisHeld', end: float, urgent: bool) -> Iterator[None]:
        name = f'fsp:lock:{hashlib.sha256(repr(key).encode()).hexdigest()[:32]}'
        lock = self._client.lock(name, timeout=self._expiry, sleep=POLL, thread_local=False)

        def call(seconds: float) -> bool:
            return self._breaker.call(lambda: lock.acquire(blocking_timeout=seconds))

        try:
            self._locks.waiters.acquire(call, end, urgent)
        except CircuitOpen:
            held.lost()
            yield
            return
        held.add(lock)
        self._renewals.add(lock)
        try:
            yield
        finally:
            self._renewals.remove(lock)
            # Released by its token only. Where that fails it has expired, or is about to.
            try:
                lock.release()
            except self._breaker.failures:
                held.lost()
            held.remove(lock)


class RedisHeld(Held):
    """Locks in Redis: shared by all processes unless Redis did not give one, or lost one since."""

    def __init__(self, breaker: CircuitBreaker) -> None:
        self._breaker = breaker
        self._locks: set[Lock] = set()
        self._is_lost = False

    def add(self, lock: Lock) -> None:
        """Note a lock that was acquired."""
        self._locks.add(lock)

    def remove(self, lock: Lock) -> None:
        """Forget a lock that was released."""
        self._locks.discard(lock)

    def lost(self) -> None:
        """Note that a lock is not, or was not, held in Redis."""
        self._is_lost = True

    def is_shared(self) -> bool:
        """Ask Redis for each lock that is held; no round trip after the release, which has told it."""
        try:
            if not self._is_lost and not all(self._breaker.call(lock.owned) for lock in self._locks):
                self.lost()
        except CircuitOpen:
            self.lost()
        return not self._is_lost


class Renewals:
    """Locks that are held, renewed by a thread that ends when there are none.

    :param interval: seconds between two renewals
    """

    def __init__(self, breaker: CircuitBreaker, interval: float) -> None:
        self._breaker, self._interval = breaker, interval
        self._guard = threading.Lock()
        self._held: set[Lock] = set()
        self._running = False

    def add(self, lock: Lock) -> None:
        """Renew *lock* from now on."""
        with self._guard:
            self._held.add(lock)
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name='fsp-locks', daemon=True).start()

    def remove(self, lock: Lock) -> None:
        """It is about to be released."""
        with self._guard:
            self._held.discard(lock)

    def _run(self) -> None:
        while True:
            time.sleep(self._interval)
            with self._guard:
                if not self._held:
                    self._running = False
                    return
                held = list(self._held)
            for lock in held:
                with suppress(CircuitOpen):  # it may be back before the lock expires
                    self._breaker.call(lambda lock=lock: self._renew(lock))

    def _renew(self, lock: Lock) -> None:
        try:
            lock.reacquire()
        except LockError:
            with self._guard:
                was_held = lock in self._held
                self._held.discard(lock)
            if was_held:
                log.warning('a directory is not locked any more: Redis forgot it, or this process stood still')
