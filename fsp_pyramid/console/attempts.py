"""Limit of failed logins from one address."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

FAILURES, WITHIN = 5, 300.0  # seconds
MOST_ADDRESSES = 1000


class Attempts:
    """Failed logins of the last WITHIN seconds, by address."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._failures: OrderedDict[str, list[float]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Return the seconds until the address may try again; 0 if it may now."""
        with self._lock:
            recent = self._recent(address)
            return recent[-FAILURES] + WITHIN - self._clock() if len(recent) >= FAILURES else 0.0

    def failed(self, address: str) -> None:
        """Record a failure."""
        with self._lock:
            self._failures[address] = [*self._recent(address), self._clock()][-FAILURES:]
            self._failures.move_to_end(address)
            if len(self._failures) > MOST_ADDRESSES:
                self._failures.popitem(last=False)

    def _recent(self, address: str) -> list[float]:
        since = self._clock() - WITHIN
        return [at for at in self._failures.get(address, ()) if at > since]
