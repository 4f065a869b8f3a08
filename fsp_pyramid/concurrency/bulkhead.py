"""Bulkhead (concurrency limiter): bound how many threads do something at once, and how many wait for it."""

import threading
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager


class BulkheadFull(Exception):
    """Too many threads hold a slot or wait for one."""


class _Waiter:
    """A thread in the queue."""

    def __init__(self, key: Hashable) -> None:
        self.key, self.admitted = key, False


class Bulkhead:
    """Slots, given first come, first served, so that a steady stream of new threads overtakes no waiting one.

    :param most: number of slots
    :param waiting: number of threads that may wait for a slot; further ones are refused at once
    :param patience: seconds that a thread waits
    :param share: bound of the threads of one key, running and waiting together; unbounded by default
    :param running_share: bound of the slots of one key; its further threads wait, and threads of other keys overtake
        them. Unbounded by default
    """

    def __init__(
        self, most: int, waiting: int, patience: float, share: int | None = None, running_share: int | None = None
    ) -> None:
        self._most, self._most_waiting, self._patience = most, waiting, patience
        self._share = most + waiting if share is None else share
        self._running_share = most if running_share is None else running_share
        self._changed = threading.Condition()
        self._queue: list[_Waiter] = []
        self._running: Counter[Hashable] = Counter()
        self._present: Counter[Hashable] = Counter()  # running or waiting

    @property
    def running(self) -> int:
        """Number of slots that are held."""
        return self._running.total()

    @property
    def waiting(self) -> int:
        """Number of threads that wait for a slot."""
        return len(self._queue)

    @contextmanager
    def slot(self, key: Hashable = None, *, forced: bool = False) -> Iterator[None]:
        """Run the block in a slot. Raises BulkheadFull.

        :param key: party that gets no more than its share
        :param forced: take a slot at once, beyond all bounds; it counts for the threads that come later
        """
        with self._changed:
            if forced:
                self._running[key] += 1
                self._present[key] += 1
            else:
                self._enter(key)
        try:
            yield
        finally:
            with self._changed:
                self._leave(key)

    def _enter(self, key: Hashable) -> None:
        if self._present[key] >= self._share:
            raise BulkheadFull
        waiter = _Waiter(key)
        self._present[key] += 1
        self._queue.append(waiter)
        self._admit()
        may_wait = len(self._queue) <= self._most_waiting
        try:
            admitted = waiter.admitted or (may_wait and self._changed.wait_for(lambda: waiter.admitted, self._patience))
        except BaseException:
            self._withdraw(waiter)
            raise
        if not admitted:
            self._withdraw(waiter)
            raise BulkheadFull

    def _withdraw(self, waiter: _Waiter) -> None:
        if waiter.admitted:  # interrupted before it saw that
            self._leave(waiter.key)
        else:
            self._queue.remove(waiter)
            _decrease(self._present, waiter.key)

    def _admit(self) -> None:
        """Hand free slots to the first threads in the queue whose keys have not used up their shares."""
        free = self._most - self._running.total()
        for waiter in list(self._queue):
            if free <= 0:
                break
            if self._running[waiter.key] < self._running_share:
                self._queue.remove(waiter)
                self._running[waiter.key] += 1
                waiter.admitted = True
                free -= 1
        self._changed.notify_all()

    def _leave(self, key: Hashable) -> None:
        _decrease(self._running, key)
        _decrease(self._present, key)
        self._admit()


def _decrease(counts: Counter[Hashable], key: Hashable) -> None:
    counts[key] -= 1
    if not counts[key]:
        del counts[key]
