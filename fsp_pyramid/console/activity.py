"""Activity of the last hours for the status page, in the memory of this process and bounded."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from zope.interface import implementer

from ..egnyte import CallInfo, Usage
from ..interfaces import IRequestHistory
from ..metrics import Metrics

MOST_REQUESTS, MOST_ACCOUNTS = 2000, 100
HOUR, HOURS = 3600, 24


@implementer(IRequestHistory)
class History:
    """The latest requests below mounts, and failures of the other surfaces."""

    def __init__(self) -> None:
        self._events: deque[Mapping[str, Any]] = deque(maxlen=MOST_REQUESTS)

    def record(self, event: Mapping[str, Any]) -> None:
        if 'uid' in event or event['code'] is not None:
            self._events.append(event)

    def latest(self, number: int, support_id: str = '') -> list[Mapping[str, Any]]:
        """Return the latest requests, or the one of a support id, newest first."""
        found = [event for event in tuple(self._events) if support_id in ('', event['support_id'])]
        return found[: -number - 1 : -1]


class Hour:
    """Counts of one hour."""

    def __init__(self) -> None:
        self.calls = self.hits = self.lookups = 0
        self.waited = 0.0


class AccountUsage(NamedTuple):
    """Calls of an account at Egnyte.

    :param name: short digest, as in the metrics
    :param calls: of this process in each of the last HOURS hours, oldest first
    """

    name: str
    usage: Usage
    calls: list[int]


class Activity(Metrics):
    """Calls to Egnyte, waits and cache look-ups in each of the last HOURS hours."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._hours: dict[int, Hour] = {}
        self._accounts: dict[str, tuple[Callable[[], Usage], dict[int, int]]] = {}

    def call_made(self, called: CallInfo) -> None:
        with self._lock:
            self._hour().waited += called.waited
            self._hour().calls += 1

    def cache_lookup(self, outcome: str) -> None:
        with self._lock:
            self._hour().lookups += 1
            self._hour().hits += outcome == 'hit'

    def quota(self, account: str, usage: Callable[[], Usage]) -> None:
        with self._lock:
            if account not in self._accounts and len(self._accounts) >= MOST_ACCOUNTS:
                return
            _, calls = self._accounts.get(account, (usage, {}))
            self._accounts[account] = (usage, calls)
            number = self._number()
            calls[number] = calls.get(number, 0) + 1
            for old in [hour for hour in calls if hour <= number - HOURS]:
                del calls[old]

    def hours(self) -> list[Hour]:
        """Return the counts of the last HOURS hours, oldest first."""
        with self._lock:
            number = self._number()
            return [self._hours.get(hour, Hour()) for hour in range(number - HOURS + 1, number + 1)]

    def accounts(self) -> list[AccountUsage]:
        """Return the usage of each account that made a call, without a call to Egnyte."""
        with self._lock:
            number = self._number()
            found = [
                (name, usage, [calls.get(hour, 0) for hour in range(number - HOURS + 1, number + 1)])
                for name, (usage, calls) in sorted(self._accounts.items())
            ]
        return [AccountUsage(name, usage(), calls) for name, usage, calls in found]

    def _number(self) -> int:
        return int(self._clock() // HOUR)

    def _hour(self) -> Hour:
        number = self._number()
        if number not in self._hours:
            self._hours = {hour: counts for hour, counts in self._hours.items() if hour > number - HOURS}
            self._hours[number] = Hour()
        return self._hours[number]
