"""Rate limiter: keeps the calls of each token within Egnyte's limits for a second and for a day.

Slots are reserved ahead, so that a caller knows its wait before it waits, and a caller that would wait too long is
refused at once, without spending a call. The rate store decides who shares the limits: threads, processes or machines.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from .errors import DAY
from .rate_rules import (
    Priority,
    QuotaHeaders,
    Reservation,
    TokenUsage,
)
from .rate_store import MemoryRateStore, RateStore

# Share of the day's calls that is kept for writes; as much again is kept for reads and writes in requests.
RESERVE = 0.1


class Permit(NamedTuple):
    """Permission to make one call now.

    :param key: of the token, in the rate store
    :param waited: seconds
    """

    key: str
    reservation: Reservation
    waited: float


class Usage(NamedTuple):
    """Calls of a token on this day.

    :param used: calls so far, those of other applications included
    :param daily: calls that Egnyte allows
    :param resets_in: seconds until Egnyte counts from zero
    :param is_short: whether the rest is reserved for calls above BACKGROUND
    """

    used: int
    daily: int
    resets_in: float
    is_short: bool


class RateLimiter:
    """Rate limiter for the calls of all tokens.

    :param rate_store: store of the usage of tokens; by default the memory of this process
    :param reserve: share of a day's calls that is kept for writes; as much again is kept for reads and writes
    :param clock: UNIX time in seconds (the day ends at 00:00 UTC)
    :param sleep: function that waits a number of seconds
    """

    def __init__(
        self,
        rate_store: RateStore | None = None,
        *,
        reserve: float = RESERVE,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate_store = rate_store or MemoryRateStore(clock)
        self._reserve, self._clock, self._sleep = reserve, clock, sleep

    def time(self) -> float:
        """Return the UNIX seconds of the clock that waits are measured with."""
        return self._clock()

    def acquire(self, token: str, max_wait: float, priority: Priority = Priority.READ) -> Permit:
        """Wait for a slot, in the order of the calls of this method. Pass the permit to :meth:`observe` after the call.

        BACKGROUND takes no place in the queue: it gets a slot when no other caller waits for one.

        Raises Throttled at once if the slot is more than *max_wait* seconds away, QuotaExceeded if there is none on
        this day, or if the rest of the day is reserved for a higher priority. Neither takes a slot.
        """
        key, waited, reservation = _key(token), 0.0, None

        def reserve(record: TokenUsage, now: float) -> tuple[Reservation | None, float, float, float]:
            """Return the reservation if there is one, the time, the seconds to wait, and their end by our own clock."""
            read, reserved = self._clock(), None
            at = record.next_slot(now, max_wait - waited, priority, self._reserve)
            if at <= now or priority is not Priority.BACKGROUND:
                reserved = record.reserve(at, now)
            if at <= now:
                at = record.start(now)
            return reserved, now, at - now, read + (at - now)

        while reservation is None:
            reservation, reserved_at, wait, until = self._rate_store.update(key, reserve)
            waited += self._wait(wait, until)
        if reservation.at <= reserved_at:
            return Permit(key, reservation, waited)
        due = reservation.at

        def start(record: TokenUsage, now: float) -> tuple[float, float]:
            read = self._clock()
            came = max(now, due) if now >= reserved_at else now  # or the clock was set back
            at = record.start(came)
            return at - came, read + (at - came)

        return Permit(key, reservation, waited + self._wait(*self._rate_store.update(key, start)))

    def _wait(self, seconds: float, until: float) -> float:
        """Wait *seconds*, which end at *until* by our clock: the rate store itself takes some of the time."""
        left = until - self._clock()
        if seconds > 0 and left > 0:
            self._sleep(left)
        return seconds

    def observe(self, permit: Permit, headers: Mapping[str, str] | None) -> None:
        """Record the end of a call and the ``X-Accesstoken-*`` *headers* of its answer; None if there was no answer.

        The headers may count more calls than ours, because other applications may use the same token.
        """
        quota = None if headers is None else QuotaHeaders.read(headers)
        self._rate_store.update(permit.key, lambda record, _now: record.observe(permit.reservation, quota))

    def block(self, token: str, seconds: float) -> None:
        """Give out no slot of this token for *seconds*, as Egnyte asked with ``Retry-After``."""

        def close(record: TokenUsage, now: float) -> None:
            record.closed_until = max(record.closed_until, now + seconds)

        self._rate_store.update(_key(token), close)

    def usage(self, token: str) -> Usage:
        """Return the token's calls of this day, without a call to Egnyte."""
        record, now = self._rate_store.get(_key(token))
        used, resets_in = record.used(now), DAY - now % DAY
        return Usage(used, record.daily, resets_in, used >= record.limit(Priority.BACKGROUND, self._reserve))

    def probe(self) -> None:
        """Check that the rate store can be reached. Raises RateStoreError."""
        self._rate_store.probe()


def _key(token: str) -> str:
    """Return the key of a token in the rate store: its SHA-256, because a rate store must not hold tokens."""
    return hashlib.sha256(token.encode()).hexdigest()
