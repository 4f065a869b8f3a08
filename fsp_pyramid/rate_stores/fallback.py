"""Fallback for outages of the shared rate store: each process counts by itself meanwhile."""

import time
from collections.abc import Callable

from ..concurrency.circuit_breaker import CircuitBreaker, CircuitOpen
from ..egnyte import MemoryRateStore, RateStore, RateStoreError
from ..egnyte.rate_rules import TokenUsage
from ..egnyte.rate_store import Result


class FallbackStore:
    """Rate store whose updates and reads never raise RateStoreError. The begin and the end of an outage are logged.

    :param shared: rate store that may fail
    :param clock: UNIX time in seconds
    :param monotonic: seconds
    """

    def __init__(
        self,
        shared: RateStore,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shared, self._own = shared, MemoryRateStore(clock)
        self._breaker = CircuitBreaker(
            'the count of calls to Egnyte that all processes share', (RateStoreError,), monotonic
        )

    def update(self, key: str, act: Callable[[TokenUsage, float], Result]) -> Result:
        def copying(record: TokenUsage, now: float) -> Result:
            result = act(record, now)
            # In a count of its own: the shared one goes on without this process.
            self._own.set(key, record.recounted())
            return result

        try:
            return self._breaker.call(lambda: self._shared.update(key, copying))
        except CircuitOpen:
            return self._own.update(key, act)

    def get(self, key: str) -> tuple[TokenUsage, float]:
        try:
            return self._breaker.call(lambda: self._shared.get(key))
        except CircuitOpen:
            return self._own.get(key)

    def probe(self) -> None:
        """Check that the shared store can be reached. Raises RateStoreError, unlike the other methods."""
        self._shared.probe()
