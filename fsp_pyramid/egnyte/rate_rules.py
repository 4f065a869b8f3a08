"""The rules of one token's calls: who may make one when. Pure: a small record, and what becomes of it."""

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

# What Egnyte gives a token unless it is asked for more; believed until the first answer tells.
QPS, DAILY = 2, 1000
# Egnyte measures its seconds at its end of the line; a little more than one keeps jitter out of them.
WINDOW = 1.04
# No call is made sooner than so many seconds after one that its window has no room for. What is late because machines
# are busy catches up by the difference.
CLOSEST = 1.03
RESET = '%A, %B %d, %Y %I:%M:%S %p GMT'


class Priority(IntEnum):
    """Who goes first, and who may use the last calls of a day."""

    BACKGROUND = 0  # nobody waits for it
    READ = 1
    WRITE = 2


class Reservation(NamedTuple):
    """The permission for one call.

    :param at: when the call is to be made, in UNIX seconds of the record's clock
    :param epoch: the name of the count that the call is part of
    :param number: of the call in that count, from 1
    :param settled: how many calls of that count were over when this slot was given out
    """

    at: float
    epoch: str
    number: int
    settled: int


@dataclass(frozen=True, slots=True)
class QuotaHeaders:
    """What the headers of an answer say; None where they do not."""

    qps: int | None
    daily: int | None
    used: int | None
    resets_at: float | None

    @classmethod
    def read(cls, headers: Mapping[str, str]) -> Self:
        """Headers that are missing, or no numbers, tell nothing."""
        qps, daily, used = (
            int(value) if (value := headers.get(f'X-Accesstoken-{name}', '')).isdecimal() else None
            for name in ('Qps-Allotted', 'Quota-Allotted', 'Quota-Current')
        )
        try:
            resets_at = datetime.strptime(headers.get('X-Quota-Reset', ''), RESET).replace(tzinfo=UTC).timestamp()
        except ValueError:
            resets_at = None
        return cls(qps, daily, used, resets_at)


@dataclass(slots=True)
class TokenUsage:
    """What is known of a token. Times are UNIX seconds of whichever clock all who share the record go by.

    The calls of the day are counted so that answers may come back in any order, while other calls are under way. An
    answer tells how many calls Egnyte had counted when that one came in. Of ours, those are certainly among them that
    were over before its slot was given out (``settled``), and itself. What is told beyond these counts as calls of
    *others*, and whatever we gave out is added again, so that no call under way is ever forgotten; one that came in
    earlier than it had to is counted twice, until the next answer. An answer to an earlier call than one that has
    taught us already teaches nothing, and neither does one to a call of another count, or about another day.

    :param epoch: the name of this count, which began at midnight UTC, or when the record was made
    :param day: which day is counted, in days since 1970
    :param given: calls of ours that got a slot in this count
    :param settled: those of them that are over: answered or failed
    :param others: calls that Egnyte counted on this day besides; below 0 if some of ours never got there
    :param taught: the number of the latest call whose answer taught us
    :param changed: when the record was changed last
    :param closed_until: Egnyte said that it takes no call before
    :param slots: the latest ones, in order; some may be still to come
    :param started: when the latest calls were made, in order
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
        """Of a token that nothing is known of."""
        return cls(epoch=_name(), day=int(now // DAY), changed=now)

    def at(self, now: float) -> Self:
        """A copy, to be changed. A clock that was set back must not close a token until it has caught up."""
        back = max(self.changed - now, 0.0)
        return replace(
            self,
            changed=self.changed - back,
            closed_until=self.closed_until - back,
            slots=tuple(slot - back for slot in self.slots),
            started=tuple(start - back for start in self.started),
        )

    def recounted(self) -> Self:
        """The same day in a count of its own: it knows nothing of calls that are under way."""
        return replace(self, epoch=_name(), given=0, settled=0, taught=0, others=self.given + self.others)

    def used(self, now: float) -> int:
        """The calls of the day, as far as we know."""
        return max(self.given + self.others, 0) if now < (self.day + 1) * DAY else 0

    def limit(self, priority: Priority, reserve: float) -> float:
        """How many calls of the day somebody may use: the share *reserve* is for writes, as much again for reads."""
        return self.daily * (1 - reserve * (Priority.WRITE - priority))

    def next(self, now: float, patience: float, priority: Priority, reserve: float) -> float:
        """The time of the next call.

        Raises Throttled or QuotaExceeded if that is more than *patience* seconds from now, QuotaReserved if it is
        because what is left of the day is for those who are more urgent.
        """
        # Never before one that was given out already: first come, first served.
        slot = max(now, self.closed_until, *self.slots[-1:])
        if len(self.slots) >= self.qps:
            slot = max(slot, self.slots[-self.qps] + WINDOW)
        used = self.used(slot)
        if used >= self.limit(priority, reserve):
            slot = max(slot, (self.day + 1) * DAY)
            if slot - now > patience:
                error = QuotaExceeded if used >= self.daily else QuotaReserved
                raise error('the calls of this day are used up, or kept', wait=slot - now)
        if slot - now > patience:
            late = Throttled if slot - now <= LONGEST_QPS_WAIT else QuotaExceeded
            raise late('the token has no call left for now', wait=slot - now)
        return slot

    def take(self, at: float, now: float) -> Reservation:
        """Give out the slot that :meth:`next` found."""
        if at >= (self.day + 1) * DAY:
            self.epoch, self.day = _name(), int(at // DAY)
            self.given = self.settled = self.others = self.taught = 0
        self.slots = (*(slot for slot in self.slots if slot > now - WINDOW), at)[-self.qps :]
        self.given += 1
        return Reservation(at, self.epoch, self.given, self.settled)

    def start(self, now: float) -> float:
        """The slot of a call has come: when it is made, which is now, if it is not too near to others.

        Those may be late, because a machine was busy.
        """
        at = max(now, self.started[-self.qps] + CLOSEST) if len(self.started) >= self.qps else now
        self.started = (*self.started, at)[-self.qps :]
        return at

    def learn(self, slot: Reservation, told: QuotaHeaders | None) -> None:
        """A call is over. Believe what its answer says; None if there was none: Egnyte may have counted it or not."""
        if slot.epoch != self.epoch:
            return
        self.settled += 1
        if told is None or slot.number < self.taught:
            return
        self.taught = slot.number
        self.qps = max(self.qps if told.qps is None else told.qps, 1)
        self.daily = max(self.daily if told.daily is None else told.daily, 1)
        # At midnight the two clocks may disagree on which day it is.
        if told.used is not None and told.resets_at in {None, (self.day + 1) * DAY}:
            self.others = told.used - slot.settled - 1


def _name() -> str:
    return uuid4().hex[:12]
