"""When a token may make its next call: Egnyte allows so many a second and so many a day.

Slots are reserved ahead, so that a caller knows its wait before it waits, and one that would wait too long is turned
away at once, without spending a call. This pace is one process's own.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from .errors import DAY, LONGEST_QPS_WAIT, QuotaExceeded, Throttled

# What Egnyte gives a token unless it is asked for more; believed until the first answer tells.
QPS, DAILY = 2, 1000
# Of the day's calls, this share is kept for writes, and as much again for those that somebody waits for.
RESERVE = 0.1
# Egnyte measures its seconds at its end of the line; a little more than one keeps jitter out of them.
WINDOW = 1.04


class Urgency(IntEnum):
    """Who goes first, and who may use the last calls of a day."""

    BACKGROUND = 0  # nobody waits for it
    READ = 1
    WRITE = 2


@dataclass(slots=True)
class _Token:
    qps: int = QPS
    daily: int = DAILY
    used: int = 0
    day: int = 0
    closed_until: float = 0.0
    slots: deque[float] = field(default_factory=deque)


class Pace:
    """The calls of all tokens, shared by the threads of one process.

    :param clock: UNIX time in seconds (the day ends at 00:00 UTC)
    :param sleep: waits so many seconds
    """

    def __init__(self, *, clock: Callable[[], float] = time.time, sleep: Callable[[float], None] = time.sleep) -> None:
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._tokens: dict[str, _Token] = {}

    def turn(self, token: str, patience: float, urgency: Urgency = Urgency.READ) -> float:
        """Wait for the token's turn and return the seconds waited.

        Raises Throttled at once if the turn comes later than *patience* seconds from now, QuotaExceeded if it does not
        come on this day, or if what is left of it is kept for more urgent calls. Neither takes a slot.
        """
        with self._lock:
            wait = self._reserve(self._state(token), patience, urgency)
        if wait:
            self._sleep(wait)
        return wait

    def learn(self, token: str, headers: Mapping[str, str]) -> None:
        """Believe what an answer's ``X-Accesstoken-*`` headers say: other applications may use the same token."""
        told = {
            name: int(value)
            for name in ('Qps-Allotted', 'Quota-Allotted', 'Quota-Current')
            if (value := headers.get(f'X-Accesstoken-{name}', '')).isdecimal()
        }
        with self._lock:
            state = self._state(token)
            state.qps = max(told.get('Qps-Allotted', state.qps), 1)
            state.daily = told.get('Quota-Allotted', state.daily)
            state.used = told.get('Quota-Current', state.used)

    def close(self, token: str, seconds: float) -> None:
        """Let nobody call with this token for so many seconds: Egnyte said so."""
        with self._lock:
            state = self._state(token)
            state.closed_until = max(state.closed_until, self._clock() + seconds)

    def _state(self, token: str) -> _Token:
        state = self._tokens.setdefault(token, _Token())
        today = int(self._clock() // DAY)
        if state.day != today:
            state.day, state.used = today, 0
        return state

    def _reserve(self, state: _Token, patience: float, urgency: Urgency) -> float:
        now = self._clock()
        if state.used >= state.daily * (1 - RESERVE * (Urgency.WRITE - urgency)):
            raise QuotaExceeded('the calls of this day are used up', wait=(state.day + 1) * DAY - now)
        while state.slots and state.slots[0] <= now - WINDOW:
            state.slots.popleft()
        # Never before one that was given out already: first come, first served.
        slot = max(now, state.closed_until, state.slots[-1] if state.slots else now)
        if len(state.slots) >= state.qps:
            slot = max(slot, state.slots[-state.qps] + WINDOW)
        if slot - now > patience:
            error = Throttled if slot - now <= LONGEST_QPS_WAIT else QuotaExceeded
            raise error('the token has no call left for now', wait=slot - now)
        state.slots.append(slot)
        state.used += 1
        return slot - now
