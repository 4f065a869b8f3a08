"""Rules of the rate limiter for one token, as a pure state machine without a clock, locks or I/O."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import IntEnum
from typing import NamedTuple, Self
from uuid import uuid4

from .errors import (
    DAY,
    LONGEST_QPS_WAIT,
    QuotaExceeded,
    QuotaReserved,
    Throttled,
)

# Egnyte's default limits of a token, assumed until the first answer tells the real ones.
QPS, DAILY = 2, 1000
# Seconds. Egnyte measures a second at its end of the line; a little more than one allows for jitter.
WINDOW = 1.04
# Seconds from the start of a call to that of the call *qps* places later. Calls that start late on a busy machine catch
# up by the difference to WINDOW.
CLOSEST = 1.03
QUOTA = re.compile(r'\d{1,15}', re.ASCII)
RESET = '%A, %B %d, %Y %I:%M:%S %p GMT'


class Priority(IntEnum):
    """Priority of a call: its place in the queue, and its share in the last calls of a day."""

    BACKGROUND = 0  # no user waits for it
    READ = 1
    WRITE = 2


class Reservation(NamedTuple):
    """Slot that is reserved for one call.

    :param at: time of the slot, in UNIX seconds of the record's clock
    :param epoch: name of the count that the call is part of
    :param number: number of the call in that count, from 1
    :param settled: calls of that count that were over when this slot was reserved
    """

    at: float
    epoch: str
    number: int
    settled: int


@dataclass(frozen=True, slots=True)
class QuotaHeaders:
    """Limits and usage in the headers of an answer; None for a header that is missing."""

    qps: int | None
    daily: int | None
    used: int | None
    resets_at: float | None

    @classmethod
    def read(cls, headers: Mapping[str, str]) -> Self:
        """Parse *headers*. A header that is no number, or none of a quota, counts as missing."""
        qps, daily, used = (
            int(value) if QUOTA.fullmatch(value := headers.get(f'X-Accesstoken-{name}', '')) else None
            for name in ('Qps-Allotted', 'Quota-Allotted', 'Quota-Current')
        )
        try:
            resets_at = datetime.strptime(headers.get('X-Quota-Reset', ''), RESET).replace(tzinfo=UTC).timestamp()
        except ValueError:
            resets_at = None
        return cls(qps, daily, used, resets_at)


@dataclass(slots=True)
class TokenUsage:
    """Usage of a token. Times are UNIX seconds of the rate store's clock, which all users of the record share.

    Rate stores hold it as JSON, so its fields keep their names.

    The count of the day tolerates answers in any order while other calls are under way. An answer tells how many calls
    Egnyte had counted when it received that one. Two kinds of our calls are certainly among them: those that were over
    before its slot was reserved (``settled``), and the call itself. The rest counts as calls of *others*, and all slots
    that were reserved are added again, so that no call under way is missed; a call that Egnyte received earlier than
    that is counted twice, until the next answer. Three kinds of answers are ignored: to a call that is older than one
    that was observed already, to a call of another count, and about another day.

    :param epoch: name of this count, which began at midnight UTC, or when the record was made
    :param day: day that is counted, in days since 1970
    :param given: slots that were reserved in this count
    :param settled: calls in them that are over: answered or failed
    :param others: other calls that Egnyte counted on this day; below 0 if some of ours never reached it
    :param taught: number of the latest call whose answer was observed
    :param changed: time of the last change of the record
    :param closed_until: end of the time for which Egnyte refuses calls
    :param slots: latest slots, in order; some may be in the future
    :param started: start times of the latest calls, in order
    """

    epoch: str
    day: int
    qps: int = QPS
    daily: int = DAILY
    given: int = 0
    settled: int = 0
    others: int = 0
    taught: int = 0
    changed: float = 0.0
    closed_until: float = 0.0
    slots: tuple[float, ...] = ()
    started: tuple[float, ...] = ()

    @classmethod
    def new(cls, now: float) -> Self:
        """Return the record of a token without any usage."""
        return cls(epoch=_new_epoch(), day=int(now // DAY), changed=now)

    def at(self, now: float) -> Self:
        """Return a copy to change. If the clock was set back, times move with it: the token must not stay blocked."""
        back = max(self.changed - now, 0.0)
        return replace(
            self,
            changed=self.changed - back,
            closed_until=self.closed_until - back,
            slots=tuple(slot - back for slot in self.slots),
            started=tuple(start - back for start in self.started),
        )

    def recounted(self) -> Self:
        """Return the same day in a count of its own, which does not include the calls that are under way."""
        return replace(self, epoch=_new_epoch(), given=0, settled=0, taught=0, others=self.given + self.others)

    def used(self, now: float) -> int:
        """Return the known calls of the day."""
        return max(self.given + self.others, 0) if now < (self.day + 1) * DAY else 0

    def limit(self, priority: Priority, reserve: float) -> float:
        """Return the calls a day that *priority* may use: *reserve* is kept for writes, as much again for reads."""
        return self.daily * (1 - reserve * (Priority.WRITE - priority))

    def next_slot(self, now: float, max_wait: float, priority: Priority, reserve: float) -> float:
        """Return the time of the next slot.

        Raises Throttled or QuotaExceeded if it is more than *max_wait* seconds away, QuotaReserved if that is because
        the rest of the day is reserved for a higher priority.
        """
        # Never before a slot that is reserved already: first come, first served.
        slot = max(now, self.closed_until, *self.slots[-1:])
        if len(self.slots) >= self.qps:
            slot = max(slot, self.slots[-self.qps] + WINDOW)
        used = self.used(slot)
        if used >= self.limit(priority, reserve):
            slot = max(slot, (self.day + 1) * DAY)
            if slot - now > max_wait:
                error = QuotaExceeded if used >= self.daily else QuotaReserved
                raise error('the calls of this day are used up, or reserved', wait=slot - now)
        if slot - now > max_wait:
            late = Throttled if slot - now <= LONGEST_QPS_WAIT else QuotaExceeded
            raise late('the token has no call left for now', wait=slot - now)
        return slot

    def reserve(self, at: float, now: float) -> Reservation:
        """Reserve the slot that :meth:`next_slot` returned."""
        if at >= (self.day + 1) * DAY:
            self.epoch, self.day = _new_epoch(), int(at // DAY)
            self.given = self.settled = self.others = self.taught = 0
        self.slots = (*(slot for slot in self.slots if slot > now - WINDOW), at)[-self.qps :]
        self.given += 1
        return Reservation(at, self.epoch, self.given, self.settled)

    def start(self, now: float) -> float:
        """Record the start of a call whose slot has come, and return its time.

        It is later than *now* if earlier calls started late, on a busy machine, and the window has no room yet.
        """
        at = max(now, self.started[-self.qps] + CLOSEST) if len(self.started) >= self.qps else now
        self.started = (*(start for start in self.started if start > now - WINDOW), at)[-self.qps :]
        return at

    def observe(self, reservation: Reservation, quota: QuotaHeaders | None) -> None:
        """Record the end of a call and the quota in its answer; None without one: Egnyte may have counted it or not."""
        if reservation.epoch != self.epoch:
            return
        self.settled += 1
        if quota is None or reservation.number < self.taught:
            return
        self.taught = reservation.number
        self.qps = max(self.qps if quota.qps is None else quota.qps, 1)
        self.daily = max(self.daily if quota.daily is None else quota.daily, 1)
        # At midnight the two clocks may disagree on which day it is.
        if quota.used is not None and quota.resets_at in {None, (self.day + 1) * DAY}:
            self.others = quota.used - reservation.settled - 1


def _new_epoch() -> str:
    return uuid4().hex[:12]
