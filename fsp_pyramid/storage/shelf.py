"""Listings that are remembered, in the memory of one process."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from ..model import Listing
from ..paths import Path
from .flights import Flights

# Entries of all listings together; some 100 MB. The oldest listings go first.
MAX_ENTRIES = 200_000

Key = tuple[str, Path]


class Shelf:
    """Listings by account and path, shared by the threads of a process. None stands for "there is no such directory".

    :param ttl: seconds that a listing is believed; 0 to keep none
    :ivar flights: questions for listings that are on their way
    """

    def __init__(self, ttl: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._ttl, self._clock = ttl, clock
        self._lock = threading.Lock()
        # In the order in which they end: all are believed for the same time, and a patch makes none younger.
        self._values: OrderedDict[Key, tuple[float, Listing | None]] = OrderedDict()
        self._size = 0
        self._writes: dict[str, int] = {}
        self.flights = Flights()

    def get(self, key: Key) -> Listing | None:
        """What is known. Raises KeyError where nothing is."""
        with self._lock:
            self._purge()
            return self._values[key][1]

    def writes(self, account: str) -> int:
        """A number that every write of the account changes."""
        with self._lock:
            return self._writes.get(account, 0)

    def learn(self, key: Key, listing: Listing | None, writes: int) -> None:
        """Keep what Egnyte answered, unless we wrote since *writes* was read: the answer may be older than that."""
        with self._lock:
            if self._ttl > 0 and self._writes.get(key[0], 0) == writes:
                self._drop(key)
                self._values[key] = self._clock() + self._ttl, listing
                self._size += _size(listing)
                self._purge()

    def patch(self, key: Key, change: Callable[[Listing], Listing | None]) -> None:
        """A write happened: change the listing, if it is kept; it gets no younger by that. None drops it."""
        with self._lock:
            self._writes[key[0]] = self._writes.get(key[0], 0) + 1
            self._purge()
            if key not in self._values:
                return
            until, listing = self._values[key]
            changed = listing and change(listing)
            if changed is None:
                self._drop(key)
            else:
                self._size += _size(changed) - _size(listing)
                self._values[key] = until, changed

    def drop_below(self, key: Key) -> None:
        """Forget the directory and all that is in it."""
        account, path = key
        with self._lock:
            for other in [k for k in self._values if k[0] == account and k[1][: len(path)] == path]:
                self._drop(other)

    def _purge(self) -> None:
        now = self._clock()
        while self._values:
            oldest = next(iter(self._values))
            if self._values[oldest][0] > now and self._size <= MAX_ENTRIES:
                return
            self._drop(oldest)

    def _drop(self, key: Key) -> None:
        if key in self._values:
            self._size -= _size(self._values.pop(key)[1])


def _size(listing: Listing | None) -> int:
    return 1 + (len(listing.items) if listing else 0)
