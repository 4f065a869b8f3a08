"""A ledger that never fails: while the shared one cannot be reached, each process counts by itself."""

import time
from collections.abc import Callable

from ..concurrency.circuit_breaker import CircuitBreaker, CircuitOpen
from ..egnyte import MemoryRateStore, RateStore, RateStoreError
from ..egnyte.rate_rules import TokenUsage
from ..egnyte.rate_store import Result


class FallbackStore:
    """See egnyte.Ledger, but nothing raises LedgerError. An outage is logged when it begins and when it ends.

    :param shared: the ledger that may fail
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

    def change(self, key: str, act: Callable[[TokenUsage, float], Result]) -> Result:
        """See Ledger."""

        def noting(record: TokenUsage, now: float) -> Result:
            result = act(record, now)
            # Another count, because of the one that is shared we shall know no more.
            self._own.keep(key, record.recounted())
            return result

        try:
            return self._breaker.call(lambda: self._shared.change(key, noting))
        except CircuitOpen:
            return self._own.change(key, act)

    def look(self, key: str) -> tuple[TokenUsage, float]:
        """See Ledger."""
        try:
            return self._breaker.call(lambda: self._shared.look(key))
        except CircuitOpen:
            return self._own.look(key)

    def probe(self) -> None:
        """See Ledger: this one tells."""
        self._shared.probe()
