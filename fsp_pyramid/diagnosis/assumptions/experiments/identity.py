"""The user of the token, limits, errors, and the cursor of events."""

import time
from collections.abc import Iterator

from ....egnyte.rate_rules import QuotaHeaders
from ....egnyte.times import http_date
from ..experiment import experiment
from ..lab import FS, Lab, body_of
from ..model import Finding, NotTried

TOLERANCE, DAY = 2.0, 86400.0
BAD_TOKEN = 'fsp-doctor-asks-with-a-wrong-token'  # noqa: S105 - that is the point


@experiment(1, 'identity.userinfo', 'limits.headers', 'limits.allotted', 'limits.reset', 'identity.clock')
def userinfo(lab: Lab) -> Iterator[Finding]:
    began = time.time()
    response = lab.call('GET', '/pubapi/v1/userinfo')
    ended, data = time.time(), body_of(response)
    lab.facts |= {f'user.{key}': str(data.get(key) or '') for key in ('username', 'first_name', 'last_name', 'email')}
    lab.facts['type'] = str(data.get('user_type') or '')
    yield lab.finding('identity.userinfo', response.status_code == 200 and data.get('username'), response)
    quota = QuotaHeaders.read(response.headers)
    told = None not in (quota.qps, quota.daily, quota.used, quota.resets_at)
    yield lab.finding('limits.headers', told, response, 'all are told' if told else 'some are missing')
    got = f'{quota.qps} calls a second, {quota.daily} a day'
    yield lab.finding('limits.allotted', (quota.qps, quota.daily) == (2, 1000), response, got)
    if quota.used is not None:
        lab.facts |= {'used': str(quota.used), 'calls': str(lab.caller.count)}
    got = (
        'the reset is not told' if quota.resets_at is None else f'{quota.resets_at % DAY / 3600:.1f} h after 00:00 UTC'
    )
    yield lab.finding('limits.reset', quota.resets_at is not None and quota.resets_at % DAY == 0, response, got)
    yield _clock(lab, response.headers.get('Date', ''), began, ended)


def _clock(lab: Lab, date: str, began: float, ended: float) -> Finding:
    try:
        seconds = http_date(date)
    except ValueError:
        raise NotTried('the answer has no date') from None
    wrong = max(began - (seconds + 1), seconds - ended, 0.0)
    return lab.finding('identity.clock', wrong <= TOLERANCE, None, f'{wrong:.0f} s apart')


@experiment(1, 'identity.bad-token')
def bad_token(lab: Lab) -> Iterator[Finding]:
    response = lab.call('GET', '/pubapi/v1/userinfo', token=BAD_TOKEN)
    yield lab.finding('identity.bad-token', response.status_code == 401, response)


@experiment(1, 'events.cursor')
def cursor(lab: Lab) -> Iterator[Finding]:
    response = lab.call('GET', '/pubapi/v1/events/cursor')
    latest = str(body_of(response).get('latest_event_id', ''))
    if latest.isdecimal():
        lab.facts['cursor'] = latest
    yield lab.finding('events.cursor', latest.isdecimal(), response)


@experiment(2, 'errors.missing', 'errors.content')
def missing(lab: Lab) -> Iterator[Finding]:
    response = lab.stat('missing.txt')
    is_error = isinstance(body_of(response).get('errorMessage'), str)
    yield lab.finding('errors.missing', response.status_code == 404 and is_error, response)
    response = lab.call('GET', FS.replace('/fs', '/fs-content') + lab.quoted('missing.txt'))
    yield lab.finding('errors.content', response.status_code == 404, response)
