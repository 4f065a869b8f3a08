"""Rate store: holds the usage of tokens and updates it atomically. MemoryRateStore is the one of a single process."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, TypeVar

from .errors import DAY
from .rate_rules import TokenUsage

Result = TypeVar('Result')
# Seconds after which an unused record is dropped.
LIFETIME = 3 * DAY


class RateStoreError(Exception):
    """The rate store cannot be reached. The message holds neither keys nor passwords."""


class RateStore(Protocol):
    """Usage of tokens by key, the SHA-256 of the token."""

    def update(self, key: str, act: Callable[[TokenUsage, float], Result]) -> Result:
        """Update a record atomically by *act*, and return its result.

        *act* gets the record and the time of the store's clock, in UNIX seconds. It may be called more than once; only
        the changes of the last call are stored, and none if it raises. Raises RateStoreError.
        """

    def get(self, key: str) -> tuple[TokenUsage, float]:
        """Return the record and the time. Raises RateStoreError."""

    def probe(self) -> None:
        """Check that the store can be reached, even if a fallback counts meanwhile. Raises RateStoreError."""


def changed(
    before: TokenUsage | None, now: float, act: Callable[[TokenUsage, float], Result]
) -> tuple[Result, TokenUsage | None]:
    """Return the result of *act* and the changed record; None if nothing changed."""
    record = TokenUsage.new(now) if before is None else before.at(now)
    result = act(record, now)
    return result, None if record == before else replace(record, changed=now)


class MemoryRateStore:
    """Rate store in the memory of one process, shared by its threads.

    :param clock: UNIX time in seconds
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._records: dict[str, TokenUsage] = {}

    def update(self, key: str, act: Callable[[TokenUsage, float], Result]) -> Result:
        with self._lock:
            result, record = changed(self._records.get(key), self._clock(), act)
            if record is not None:
                self._put(key, record)
        return result

    def get(self, key: str) -> tuple[TokenUsage, float]:
        with self._lock:
            now = self._clock()
            return self._records.get(key) or TokenUsage.new(now), now

    def probe(self) -> None:
        """Do nothing: memory can always be reached."""

    def set(self, key: str, record: TokenUsage) -> None:
        """Replace a record."""
        with self._lock:
            self._put(key, record)

    def _put(self, key: str, record: TokenUsage) -> None:
        if key not in self._records:
            # Tokens of users come and go.
            oldest = record.changed - LIFETIME
            self._records = {other: usage for other, usage in self._records.items() if usage.changed > oldest}
        self._records[key] = record
