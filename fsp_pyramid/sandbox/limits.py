"""How often a token may call: so many times in any one second, and so many times a UTC day.

The counts are in the database, so they hold over processes and restarts. A refused call is not
counted.
"""

import math
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from .errors import ApiError
from .options import Options
from .store import writing

UNLIMITED = 1_000_000  # the allotment that is told when there is no limit
DAY = 24 * 60 * 60


class Usage(NamedTuple):
    """What a token has used, the call that asks included."""

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
    """The token's usage with one more call, and the time of the oldest call of this second."""
    # A clock that was set back must not refuse calls until it has caught up.
    db.execute('DELETE FROM turns WHERE token = ? AND (at <= ? OR at > ?)', (token, now - 1, now + 1))
    second, oldest = db.execute('SELECT count(*), min(at) FROM turns WHERE token = ?', (token,)).fetchone()
    day = db.execute('SELECT calls FROM days WHERE token = ? AND day = ?', (token, int(now // DAY))).fetchone()
    return Usage(second + 1, (day[0] if day else 0) + 1), oldest or now


def headers(usage: Usage, options: Options) -> dict[str, str]:
    """What every answer tells about the token's limits."""
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
    """The answer to a call too many, in the style asked for."""
    text = 'Developer Over Rate' if throttled.by_day else 'Developer Over Qps'
    retry = {'Retry-After': str(throttled.wait)}
    if options.throttle == '429':
        return ApiError(429, {'message': text}, retry)
    code = 'ERR_403_DEVELOPER_OVER_' + ('RATE' if throttled.by_day else 'QPS')
    return ApiError(403, f'<h1>{text}</h1>', retry | {'X-Mashery-Error-Code': code})
