"""Locks by key, for the threads of one process."""

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager

from .bulkhead import Bulkhead, BulkheadFull

# Seconds to wait for all locks of one call; the second one for callers that roll a change back.
WAIT, URGENT_WAIT = 10.0, 60.0
# Default number of threads of a process that wait for locks.
WAITING = 10


class LockUnavailable(Exception):
    """A lock did not become free in time, or too many threads wait for locks."""


def wait_for_lock(waiters: Bulkhead, attempt: Callable[[float], bool], end: float, urgent: bool) -> None:
    """Call *attempt* with a timeout in seconds: first with 0, then with the time until *end*.

    :param waiters: bounds the threads that wait, because each of them occupies a thread of the server
    :param end: of time.monotonic()
    :param urgent: wait however many other threads wait

    Raises LockUnavailable if both attempts fail or, after the first one, if too many threads wait.
    """
    if attempt(0):
        return
    try:
        with waiters.slot(forced=urgent):
            if attempt(max(end - time.monotonic(), 0)):
                return
    except BulkheadFull:
        pass
    raise LockUnavailable


def deadline(urgent: bool) -> float:
    """Return the end of waiting for locks, by time.monotonic()."""
    return time.monotonic() + (URGENT_WAIT if urgent else WAIT)


class LockHandle:
    """Locks that are held, or were held until a moment ago."""

    def is_exclusive(self) -> bool:
        """Return whether the locks exclude, or excluded, all threads and processes that could change the same thing."""
        return True

    def was_lost(self) -> bool:
        """Return whether a lock was acquired and is not held any more."""
        return False


class KeyedLocks:
    """Locks that exist while their keys are in use.

    :param waiting: number of threads that may wait at a time
    """

    def __init__(self, waiting: int = WAITING) -> None:
        self.waiters = Bulkhead(waiting, waiting=0, patience=0)
        self._guard = threading.Lock()
        self._locks: dict[Hashable, tuple[threading.Lock, int]] = {}

    @contextmanager
    def lock(self, *keys: Hashable, urgent: bool = False) -> Iterator[LockHandle]:
        """Hold the locks of all *keys* until the context is left; a key may be named twice.

        :param urgent: to roll a change back: wait for a minute, however many other threads wait

        Raises LockUnavailable.
        """
        end = deadline(urgent)
        with ExitStack() as stack:
            # In one order everywhere, or two callers with the same two keys would wait for each other.
            for key in sorted(set(keys), key=repr):
                stack.enter_context(self._lock_key(key, end, urgent))
            yield LockHandle()

    @contextmanager
    def _lock_key(self, key: Hashable, end: float, urgent: bool) -> Iterator[None]:
        with self._guard:
            lock, users = self._locks.get(key) or (threading.Lock(), 0)
            self._locks[key] = lock, users + 1
        try:
            wait_for_lock(self.waiters, lambda seconds: lock.acquire(timeout=seconds), end, urgent)
            try:
                yield
            finally:
                lock.release()
        finally:
            with self._guard:
                lock, users = self._locks[key]
                if users == 1:
                    del self._locks[key]
                else:
                    self._locks[key] = lock, users - 1
