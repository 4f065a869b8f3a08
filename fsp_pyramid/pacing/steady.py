"""A ledger that never fails: while the shared one cannot be reached, each process counts by itself."""

import time
from collections.abc import Callable

from ..egnyte import Ledger, LedgerError, MemoryLedger
from ..egnyte.ledger import Result
from ..egnyte.slots import Record
from ..outage import DownError, Outage


class SteadyLedger:
    """See egnyte.Ledger, but nothing raises LedgerError. An outage is logged when it begins and when it ends.

    :param shared: the ledger that may fail
    :param clock: UNIX time in seconds
    :param monotonic: seconds
    """

    def __init__(
        self,
        shared: Ledger,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shared, self._own = shared, MemoryLedger(clock)
        self._outage = Outage('the count of calls to Egnyte that all processes share', (LedgerError,), monotonic)

    def change(self, key: str, act: Callable[[Record, float], Result]) -> Result:
        """See Ledger."""

        def noting(record: Record, now: float) -> Result:
            result = act(record, now)
            # Another count, because of the one that is shared we shall know no more.
            self._own.keep(key, record.recounted())
            return result

        try:
            return self._outage.attempt(lambda: self._shared.change(key, noting))
        except DownError:
            return self._own.change(key, act)

    def look(self, key: str) -> tuple[Record, float]:
        """See Ledger."""
        try:
            return self._outage.attempt(lambda: self._shared.look(key))
        except DownError:
            return self._own.look(key)

    def probe(self) -> None:
        """See Ledger: this one tells."""
        self._shared.probe()
