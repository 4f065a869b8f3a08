"""What shared ledgers have in common: a record is text, and is swapped for another one if it is still the same."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict

from ..egnyte import LedgerError
from ..egnyte.ledger import Result, changed
from ..egnyte.slots import Record

# Whoever fails was outrun by somebody who did not, so this many means that something else is wrong.
TRIES = 200


class SwappingLedger(ABC):
    """See egnyte.Ledger. Nobody holds a lock, so nobody who is slow or dies holds up others."""

    @abstractmethod
    def _read(self, key: str) -> tuple[str, float]:
        """The text of a record, '' where there is none, and the time. Raises LedgerError."""

    @abstractmethod
    def _swap(self, key: str, before: str, after: str, now: float) -> bool:
        """Put *after* in the place of *before*, unless something else is there. Raises LedgerError."""

    def change(self, key: str, act: Callable[[Record, float], Result]) -> Result:
        """See Ledger."""
        for _ in range(TRIES):
            before, now = self._read(key)
            result, record = changed(_record(before), now, act)
            if record is None or self._swap(key, before, _text(record), now):
                return result
        raise LedgerError('others are always faster')

    def look(self, key: str) -> tuple[Record, float]:
        """See Ledger."""
        text, now = self._read(key)
        return _record(text) or Record.new(now), now

    def probe(self) -> None:
        """See Ledger."""
        self._read('')


def _text(record: Record) -> str:
    return json.dumps(asdict(record), separators=(',', ':'))


def _record(text: str) -> Record | None:
    """None also for what another version wrote: a new one learns soon."""
    try:
        values = json.loads(text)
        return Record(**{**values, **{name: tuple(values[name]) for name in ('slots', 'started')}})
    except (ValueError, TypeError, KeyError):
        return None
