"""What shared ledgers have in common: a record is text, and is swapped for another one if it is still the same."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict

from ..egnyte import RateStoreError
from ..egnyte.rate_rules import TokenUsage
from ..egnyte.rate_store import Result, changed

# Whoever fails was outrun by somebody who did not, so this many means that something else is wrong.
TRIES = 200


class CompareAndSwapStore(ABC):
    """See egnyte.Ledger. Nobody holds a lock, so nobody who is slow or dies holds up others."""

    @abstractmethod
    def _read(self, key: str) -> tuple[str, float]:
        """The text of a record, '' where there is none, and the time. Raises LedgerError."""

    @abstractmethod
    def _swap(self, key: str, before: str, after: str, now: float) -> bool:
        """Put *after* in the place of *before*, unless something else is there. Raises LedgerError."""

    def change(self, key: str, act: Callable[[TokenUsage, float], Result]) -> Result:
        """See Ledger."""
        for _ in range(TRIES):
            before, now = self._read(key)
            result, record = changed(_record(before), now, act)
            if record is None or self._swap(key, before, _text(record), now):
                return result
        raise RateStoreError('others are always faster')

    def look(self, key: str) -> tuple[TokenUsage, float]:
        """See Ledger."""
        text, now = self._read(key)
        return _record(text) or TokenUsage.new(now), now

    def probe(self) -> None:
        """See Ledger."""
        self._read('')


def _text(record: TokenUsage) -> str:
    return json.dumps(asdict(record), separators=(',', ':'))


def _record(text: str) -> TokenUsage | None:
    """None also for what another version wrote: a new one learns soon."""
    try:
        values = json.loads(text)
        return TokenUsage(**{**values, **{name: tuple(values[name]) for name in ('slots', 'started')}})
    except (ValueError, TypeError, KeyError):
        return None
