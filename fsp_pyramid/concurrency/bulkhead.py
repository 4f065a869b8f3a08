"""Concurrency limiter (bulkhead): bounds how many threads do something at once, and how many wait for it."""

import threading
import time
from collections import Counter, deque
from collections.abc import Hashable, Iterator
from contextlib import contextmanager


class BulkheadFull(Exception):
    """Too many threads do this at the moment, or wait for it."""


class Bulkhead:
    """First come, first served, so that a steady stream of newcomers overtakes no waiting thread.

    :param most: threads at once
    :param waiting: threads that wait for their turn; further ones are refused at once
    :param patience: seconds that a thread waits
    :param share: threads of one key, running and waiting together; all of them by default
    """

    def __init__(self, most: int, waiting: int, patience: float, share: int | None = None) -> None:
        self._most, self._room, self._patience = most, most + waiting, patience
        self._share = self._room if share is None else share
        self._changed = threading.Condition()
        self._running = 0
        self._queue: deque[object] = deque()
        self._keys: Counter[Hashable] = Counter()

    @contextmanager
    def slot(self, key: Hashable = None) -> Iterator[None]:
        """Run the block in a slot. Raises LimitReachedError.

        :param key: names a party that gets no more than its share
        """
        self._enter(key)
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._leave(key)

    def _enter(self, key: Hashable) -> None:
        turn, end = object(), time.monotonic() + self._patience
        with self._changed:
            if self._running + len(self._queue) >= self._room or self._keys[key] >= self._share:
                raise BulkheadFull
            self._keys[key] += 1
            self._queue.append(turn)
            try:
                self._await(turn, end)
            except BaseException:
                self._queue.remove(turn)
                self._leave(key)
                raise
            self._queue.popleft()
            self._running += 1
            self._changed.notify_all()  # a second slot may be free

    def _await(self, turn: object, end: float) -> None:
        def is_next() -> bool:
            return self._running < self._most and self._queue[0] is turn

        if not self._changed.wait_for(is_next, end - time.monotonic()):
            raise BulkheadFull

    def _leave(self, key: Hashable) -> None:
        self._keys[key] -= 1
        if not self._keys[key]:
            del self._keys[key]
        self._changed.notify_all()
