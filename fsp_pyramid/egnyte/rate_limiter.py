"""When a token may make its next call: Egnyte allows so many a second and so many a day.

Slots are reserved ahead, so that a caller knows its wait before it waits, and one that would wait too long is turned
away at once, without spending a call. How far a pace reaches is the ledger's business: threads, processes or machines.
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

# Of the day's calls, this share is kept for writes, and as much again for those that somebody waits for.
RESERVE = 0.1


class Permit(NamedTuple):
    """A call that may be made now.

    :param waited: seconds
    """

    key: str
    slot: Reservation
    waited: float


class Usage(NamedTuple):
    """How much of the day is gone.

    :param used: calls so far, those of other applications included
    :param daily: calls that Egnyte allows
    :param resets_in: seconds until it counts anew
    :param is_short: what is left is for those that somebody waits for
    """

    used: int
    daily: int
    resets_in: float
    is_short: bool


class RateLimiter:
    """The calls of all tokens.

    :param ledger: keeps what is known of them; in the memory of this process without one
    :param reserve: the share of a day's calls that is kept for writes; as much again is for reads and writes
    :param clock: UNIX time in seconds (the day ends at 00:00 UTC)
    :param sleep: waits so many seconds
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

    def turn(self, token: str, patience: float, priority: Priority = Priority.READ) -> Permit:
        """Wait for the token's turn: first come, first served. Whoever got one calls, and then tells :meth:`learn`.

        BACKGROUND takes no place in the queue: it gets a turn when nobody else waits for one.

        Raises Throttled at once if the turn comes later than *patience* seconds from now, QuotaExceeded if it does not
        come on this day, or if what is left of it is kept for more urgent calls. Neither takes a slot.
        """
        key, waited, slot = _key(token), 0.0, None

        def reserve(record: TokenUsage, now: float) -> tuple[Reservation | None, float, float, float]:
            """The slot, if there is one; the time, the seconds to wait, and when that is over by our own clock."""
            read, mine = self._clock(), None
            at = record.next(now, patience - waited, priority, self._reserve)
            if at <= now or priority is not Priority.BACKGROUND:
                mine = record.take(at, now)
            if at <= now:
                at = record.start(now)
            return mine, now, at - now, read + (at - now)

        while slot is None:
            slot, asked, wait, until = self._rate_store.change(key, reserve)
            waited += self._wait(wait, until)
        if slot.at <= asked:
            return Permit(key, slot, waited)

        def start(record: TokenUsage, now: float) -> tuple[float, float]:
            read = self._clock()
            came = max(now, slot.at) if now >= asked else now  # or the clock was set back
            at = record.start(came)
            return at - came, read + (at - came)

        return Permit(key, slot, waited + self._wait(*self._rate_store.change(key, start)))

    def _wait(self, seconds: float, until: float) -> float:
        """Wait so many seconds, which are over at *until*: the ledger takes its time, too."""
        left = until - self._clock()
        if seconds > 0 and left > 0:
            self._sleep(left)
        return seconds

    def learn(self, turn: Permit, headers: Mapping[str, str] | None) -> None:
        """The call is over: believe what the answer's ``X-Accesstoken-*`` headers say, None if there was no answer.

        Other applications may use the same token, so they may tell of more calls than ours.
        """
        told = None if headers is None else QuotaHeaders.read(headers)
        self._rate_store.change(turn.key, lambda record, _now: record.learn(turn.slot, told))

    def close(self, token: str, seconds: float) -> None:
        """Let nobody call with this token for so many seconds: Egnyte said so."""

        def act(record: TokenUsage, now: float) -> None:
            record.closed_until = max(record.closed_until, now + seconds)

        self._rate_store.change(_key(token), act)

    def usage(self, token: str) -> Usage:
        """How much of the token's day is gone. Egnyte is not asked."""
        record, now = self._rate_store.look(_key(token))
        used, resets_in = record.used(now), DAY - now % DAY
        return Usage(used, record.daily, resets_in, used >= record.limit(Priority.BACKGROUND, self._reserve))

    def probe(self) -> None:
        """Raises LedgerError where the calls are not counted together with others as they should be."""
        self._rate_store.probe()


def _key(token: str) -> str:
    """Ledgers are kept where others may read: they learn no tokens."""
    return hashlib.sha256(token.encode()).hexdigest()
