"""Compare-and-swap: optimistic updates of records, as the shared rate stores make them."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict

from ..egnyte import RateStoreError
from ..egnyte.rate_rules import TokenUsage
from ..egnyte.rate_store import Result, changed

# A swap fails only because another one succeeded, so this many failures have another cause.
TRIES = 200


class CompareAndSwapStore(ABC):
    """Rate store without locks, so that a process that is slow or dies blocks no other. A record is stored as JSON."""

    @abstractmethod
    def _read(self, key: str) -> tuple[str, float]:
        """Return the text of a record, '' if there is none, and the time. Raises RateStoreError."""

    @abstractmethod
    def _swap(self, key: str, before: str, after: str, now: float) -> bool:
        """Replace *before* by *after*, and return False if the record is not *before*. Raises RateStoreError."""

    def update(self, key: str, act: Callable[[TokenUsage, float], Result]) -> Result:
        for _ in range(TRIES):
            before, now = self._read(key)
            result, record = changed(_record(before), now, act)
            if record is None or self._swap(key, before, _text(record), now):
                return result
        raise RateStoreError(f'a record could not be swapped in {TRIES} tries')

    def get(self, key: str) -> tuple[TokenUsage, float]:
        text, now = self._read(key)
        return _record(text) or TokenUsage.new(now), now

    def probe(self) -> None:
        self._read('')


def _text(record: TokenUsage) -> str:
    return json.dumps(asdict(record), separators=(',', ':'))


def _record(text: str) -> TokenUsage | None:
    """Return the record in *text*; None also for that of another version: answers of Egnyte fill a new one soon."""
    try:
        values = json.loads(text)
        return TokenUsage(**{**values, **{name: tuple(values[name]) for name in ('slots', 'started')}})
    except (ValueError, TypeError, KeyError):
        return None
