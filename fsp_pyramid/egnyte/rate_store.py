"""Where the records of tokens are kept, and changed one at a time. This module has the memory of one process."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, TypeVar

from .errors import DAY
from .rate_rules import TokenUsage

Result = TypeVar('Result')
# A record that nobody needed for so long is forgotten.
LIFETIME = 3 * DAY


class RateStoreError(Exception):
    """The ledger cannot be reached. The message tells neither keys nor passwords."""


class RateStore(Protocol):
    """Records by key; a key tells nothing of the token."""

    def change(self, key: str, act: Callable[[TokenUsage, float], Result]) -> Result:
        """Let *act* change a record while nobody else does, and return what it returns.

        It gets the record and the time by the ledger's own clock, in UNIX seconds. It may be called more than once, and
        only what the last call does is kept; if it raises, nothing is. Raises LedgerError.
        """

    def look(self, key: str) -> tuple[TokenUsage, float]:
        """The record, and the time. Raises LedgerError."""

    def probe(self) -> None:
        """Raises LedgerError where it cannot be reached, even if somebody counts in its place meanwhile."""


def changed(
    before: TokenUsage | None, now: float, act: Callable[[TokenUsage, float], Result]
) -> tuple[Result, TokenUsage | None]:
    """What *act* returns, and what it made of the record; None if nothing changed."""
    record = TokenUsage.new(now) if before is None else before.at(now)
    result = act(record, now)
    return result, None if record == before else replace(record, changed=now)


class MemoryRateStore:
    """The ledger of one process, for its threads.

    :param clock: UNIX time in seconds
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._records: dict[str, TokenUsage] = {}

    def change(self, key: str, act: Callable[[TokenUsage, float], Result]) -> Result:
        """See Ledger."""
        with self._lock:
            result, record = changed(self._records.get(key), self._clock(), act)
            if record is not None:
                self._put(key, record)
        return result

    def look(self, key: str) -> tuple[TokenUsage, float]:
        """See Ledger."""
        with self._lock:
            now = self._clock()
            return self._records.get(key) or TokenUsage.new(now), now

    def probe(self) -> None:
        """See Ledger."""

    def keep(self, key: str, record: TokenUsage) -> None:
        """Replace a record by what is known from elsewhere."""
        with self._lock:
            self._put(key, record)

    def _put(self, key: str, record: TokenUsage) -> None:
        if key not in self._records:
            # Tokens of users come and go.
            oldest = record.changed - LIFETIME
            self._records = {other: kept for other, kept in self._records.items() if kept.changed > oldest}
        self._records[key] = record
