"""How many downloads go on at once, and how many of them for one user."""

import threading
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from ..errors import Busy

# Seconds that an upload waits until a download ends.
WAIT = 5.0


class Shares:
    """Slots for downloads, of which each user gets a share: sources that stall then hold up their own user alone.

    :param slots: how many there are
    :param share: how many of them one user may hold
    :param waiting: how many may wait for one; each of them takes a thread of the server
    """

    def __init__(self, slots: int, share: int, waiting: int) -> None:
        self._slots, self._share, self._most_waiting = slots, share, waiting
        self._taken: Counter[Hashable] = Counter()
        self._waiting = 0
        self._changed = threading.Condition()

    @contextmanager
    def take(self, user: Hashable) -> Iterator[None]:
        """Hold a slot of *user*. Raises Busy where none gets free in time, or too many others wait already."""
        with self._changed:
            if not (self._is_free(user) or self._wait(user)):
                raise Busy('Many files are being uploaded at the moment. Please try again in a minute.', retry_after=30)
            self._taken[user] += 1
        try:
            yield
        finally:
            with self._changed:
                self._taken[user] -= 1
                self._taken += Counter()  # forgets users without downloads
                self._changed.notify_all()

    @property
    def taken(self) -> int:
        """Slots that are held at the moment."""
        return self._taken.total()

    @property
    def waiting(self) -> int:
        """Callers that wait for a slot at the moment."""
        return self._waiting

    def _is_free(self, user: Hashable) -> bool:
        return self._taken.total() < self._slots and self._taken[user] < self._share

    def _wait(self, user: Hashable) -> bool:
        if self._waiting >= self._most_waiting:
            return False
        self._waiting += 1
        try:
            return self._changed.wait_for(lambda: self._is_free(user), WAIT)
        finally:
            self._waiting -= 1
