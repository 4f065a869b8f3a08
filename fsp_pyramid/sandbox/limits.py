"""Limits of calls of a token: in any one second, and in a UTC day.

An application may ask for tokens so many times in any one hour. The counts are in the database, so they hold over
processes and restarts. A refused call is not counted.
"""

import math
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from .errors import ApiError
from .options import Options
from .store import writing

UNLIMITED = 1_000_000  # the allotment that is told when there is no limit
HOUR = 60 * 60
DAY = 24 * HOUR


class Usage(NamedTuple):
    """Usage of a token, including the present call."""

    second: int
    day: int


class Throttled(Exception):
    """A call too many. *wait*: whole seconds until the next one is accepted."""

    def __init__(self, usage: Usage, wait: int, *, by_day: bool) -> None:
        super().__init__(wait)
        self.usage, self.wait, self.by_day = usage, wait, by_day


def count(db: sqlite3.Connection, token: str, options: Options) -> Usage:
    """Count one call of *token*. Raises Throttled."""
    now = options.clock()
    with writing(db):
        usage, oldest = _usage(db, token, now)
        if options.daily and usage.day > options.daily:
            raise Throttled(usage, math.ceil(DAY - now % DAY), by_day=True)
        if options.qps and usage.second > options.qps:
            raise Throttled(usage, max(1, math.ceil(oldest + 1 - now)), by_day=False)
        db.execute('INSERT INTO turns VALUES (?, ?)', (token, now))
        db.execute('INSERT OR REPLACE INTO days VALUES (?, ?, ?)', (token, int(now // DAY), usage.day))
    return usage


def _usage(db: sqlite3.Connection, token: str, now: float) -> tuple[Usage, float]:
    """Return the token's usage with one more call, and the time of the oldest call of this second."""
    second, oldest = _turns(db, token, now, 1)
    day = db.execute('SELECT calls FROM days WHERE token = ? AND day = ?', (token, int(now // DAY))).fetchone()
    return Usage(second + 1, (day[0] if day else 0) + 1), oldest


def _turns(db: sqlite3.Connection, token: str, now: float, window: int) -> tuple[int, float]:
    """Return the number of calls of the token in the last *window* seconds, and the time of the first of them."""
    # A clock that was set back must not refuse calls until it has caught up.
    db.execute('DELETE FROM turns WHERE token = ? AND (at <= ? OR at > ?)', (token, now - window, now + window))
    number, oldest = db.execute('SELECT count(*), min(at) FROM turns WHERE token = ?', (token,)).fetchone()
    return number, oldest or now


def count_grant(db: sqlite3.Connection, client_id: str, options: Options) -> None:
    """Count one request for a token. Raises ApiError: the token endpoint refuses with a status of its own."""
    if options.hourly_grants is None:
        return
    now, turns = options.clock(), f'grants of {client_id}'
    with writing(db):
        number, oldest = _turns(db, turns, now, HOUR)
        if number >= options.hourly_grants:
            wait = max(1, math.ceil(oldest + HOUR - now))
            raise ApiError(409, {'errorMessage': 'Too many token requests'}, {'Retry-After': str(wait)})
        db.execute('INSERT INTO turns VALUES (?, ?)', (turns, now))


def headers(usage: Usage, options: Options) -> dict[str, str]:
    """Return the headers that report the token's limits with every answer."""
    today = datetime.fromtimestamp(options.clock(), UTC).date()
    reset = today + timedelta(days=1)
    return {
        'X-Accesstoken-Qps-Allotted': str(options.qps or UNLIMITED),
        'X-Accesstoken-Qps-Current': str(usage.second),
        'X-Accesstoken-Quota-Allotted': str(options.daily or UNLIMITED),
        'X-Accesstoken-Quota-Current': str(usage.day),
        'X-Quota-Reset': f'{reset:%A, %B %d, %Y} 12:00:00 AM GMT',
    }


def refusal(throttled: Throttled, options: Options) -> ApiError:
    """Return the answer to a call too many, in the style asked for."""
    text = 'Developer Over Rate' if throttled.by_day else 'Developer Over Qps'
    retry = {'Retry-After': str(throttled.wait)}
    if options.throttle == '429':
        return ApiError(429, {'message': text}, retry)
    code = 'ERR_403_DEVELOPER_OVER_' + ('RATE' if throttled.by_day else 'QPS')
    return ApiError(403, f'<h1>{text}</h1>', retry | {'X-Mashery-Error-Code': code})
