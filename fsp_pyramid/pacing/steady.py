"""A ledger that never fails: while the shared one cannot be reached, each process counts by itself."""

import logging
import threading
import time
from collections.abc import Callable

from ..egnyte import Ledger, LedgerError, MemoryLedger
from ..egnyte.ledger import Result
from ..egnyte.slots import Record

log = logging.getLogger(__name__)

# Seconds until a ledger that failed is tried again, by one caller: each try may take as long as a timeout.
RETRY = 5.0


class SteadyLedger:
    """See egnyte.Ledger, but nothing raises LedgerError. An outage is logged when it begins and when it ends.

    :param shared: the ledger that may fail
    :param clock: UNIX time in seconds
    """

    def __init__(self, shared: Ledger, clock: Callable[[], float] = time.time) -> None:
        self._shared, self._own, self._clock = shared, MemoryLedger(clock), clock
        self._lock = threading.Lock()
        self._retry_at: float | None = None

    def change(self, key: str, act: Callable[[Record, float], Result]) -> Result:
        """See Ledger."""

        def noting(record: Record, now: float) -> Result:
            result = act(record, now)
            # Another count, because of the one that is shared we shall know no more.
            self._own.keep(key, record.recounted())
            return result

        if self._may_try():
            try:
                result = self._shared.change(key, noting)
            except LedgerError as error:
                self._failed(error)
            else:
                self._works()
                return result
        return self._own.change(key, act)

    def look(self, key: str) -> tuple[Record, float]:
        """See Ledger."""
        if self._may_try():
            try:
                return self._shared.look(key)
            except LedgerError as error:
                self._failed(error)
        return self._own.look(key)

    def _may_try(self) -> bool:
        with self._lock:
            if self._retry_at is None:
                return True
            now = self._clock()
            # The second: a clock that was set back.
            if self._retry_at - RETRY <= now < self._retry_at:
                return False
            self._retry_at = now + RETRY
            return True

    def _failed(self, error: LedgerError) -> None:
        with self._lock:
            first, self._retry_at = self._retry_at is None, self._clock() + RETRY
        if first:
            log.warning('calls to Egnyte are counted by each process alone until this is mended: %s', error)

    def _works(self) -> None:
        with self._lock:
            ended, self._retry_at = self._retry_at is not None, None
        if ended:
            log.warning('calls to Egnyte are counted for all processes together again')
