"""One at a time: locks by key, for the threads of one process."""

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager

from ..errors import Busy

# Seconds to wait for all locks of one call, and for those that take a change back.
WAIT, URGENT_WAIT = 10.0, 60.0
# How many wait at a time in a process, where nothing else is said.
WAITING = 10


class Waiters:
    """Those who wait for locks. Each takes a thread of the server, so there are so many at a time and no more.

    :param most: how many
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._guard = threading.Lock()
        self.waiting = 0

    def acquire(self, attempt: Callable[[float], bool], end: float, urgent: bool) -> None:
        """Call *attempt* with the seconds that it may wait: first with none, then with those until *end*.

        :param end: of time.monotonic()
        :param urgent: wait however many others do

        Raises Busy if the lock is not free in time, or at once if too many wait.
        """
        if attempt(0):
            return
        with self._guard:
            if self.waiting >= self._most and not urgent:
                raise _busy()
            self.waiting += 1
        try:
            if not attempt(max(end - time.monotonic(), 0)):
                raise _busy()
        finally:
            with self._guard:
                self.waiting -= 1


def _busy() -> Busy:
    return Busy(
        'This folder is being changed at the moment, and that takes long. Please try again in a few seconds.',
        retry_after=5,
    )


def end_of_waiting(urgent: bool) -> float:
    """Until when to wait for locks, by time.monotonic()."""
    return time.monotonic() + (URGENT_WAIT if urgent else WAIT)


class Held:
    """Locks that are held, or were held until a moment ago."""

    def is_shared(self) -> bool:
        """Whether all who could change the same thing respect the locks, or did as long as they were held."""
        return True


class KeyedLocks:
    """As many locks as there are keys in use, and none when there are none.

    :param waiting: how many may wait at a time
    """

    def __init__(self, waiting: int = WAITING) -> None:
        self.waiters = Waiters(waiting)
        self._guard = threading.Lock()
        self._locks: dict[Hashable, tuple[threading.Lock, int]] = {}

    @contextmanager
    def lock(self, *keys: Hashable, urgent: bool = False) -> Iterator[Held]:
        """Hold the locks of all *keys* until the context is left; a key may be named twice.

        :param urgent: to take a change back: waits for a minute, however many others wait

        Raises Busy if others hold one of them for long.
        """
        end = end_of_waiting(urgent)
        with ExitStack() as stack:
            # In one order everywhere, or two callers with the same two keys would wait for each other.
            for key in sorted(set(keys), key=repr):
                stack.enter_context(self._hold(key, end, urgent))
            yield Held()

    @contextmanager
    def _hold(self, key: Hashable, end: float, urgent: bool) -> Iterator[None]:
        with self._guard:
            lock, users = self._locks.get(key) or (threading.Lock(), 0)
            self._locks[key] = lock, users + 1
        try:
            self.waiters.acquire(lambda seconds: lock.acquire(timeout=seconds), end, urgent)
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
