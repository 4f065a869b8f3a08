"""The page Status: checks, calls to Egnyte, and the latest requests."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fsp_pyramid.console.activity import HOUR, MOST_ACCOUNTS, MOST_REQUESTS, Activity, History
from fsp_pyramid.egnyte import CallInfo, Usage
from fsp_pyramid.testing import Sandbox

from ..protocol.beefree import PNG
from .conftest import Console


def rows(page: Any) -> list[list[str]]:
    """Return the cells of the table of requests."""
    return [
        [re.sub('<[^>]+>', '', cell).strip() for cell in re.findall('<td.*?>(.*?)</td>', row, re.DOTALL)]
        for row in re.findall('<tr>(.*?)</tr>', page.text, re.DOTALL)[1:]
    ]


def test_checks_are_those_of_readiness(make: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / 'file'
    file.write_text('no directory')
    console = Console(make(console__local='true', public__cache_dir=str(file)))
    checks = re.findall(
        r'<li class="(ok|failed)">.*?<strong>(\w+)</strong> <span>(.*?)</span>', console.open('/status').text
    )
    assert [(name, state) for state, name, _ in checks] == [
        ('settings', 'ok'),
        ('cache_dir', 'failed'),
        ('tmpdir', 'ok'),
        ('egnyte', 'ok'),
    ]


def test_checks_of_the_doctor_are_made_on_demand(make: Callable[..., Any], sandbox: Sandbox) -> None:
    console = Console(make(console__local='true'))
    sandbox.forget_calls()
    assert 'settings.' not in console.open('/status').text
    page = console.open('/status?diagnosis=1').text
    found = re.findall(r'<span class="mark">(\w+)</span> <strong>([a-z_]+\.[a-z_]+)</strong>', page)
    assert {'settings.folders', 'secrets.password', 'directories.cache'} <= {name for _, name in found}
    order = [('Failed', 'Warning', 'OK').index(mark) for mark, _ in found]
    assert order == sorted(order)
    assert 'secret-password' not in page
    assert sandbox.calls == []


def test_requests_are_shown_with_their_outcome(console: Console) -> None:
    console.send('GET', '/')
    console.upload('/a.png', PNG)
    failed = console.send('GET', '/<b>none')
    console.app.get('/fsp-public/x/y.png', status=404)
    console.app.get('/fsp-console/static/console.css')
    page = console.open('/status')
    assert [row[1:6] for row in rows(page)] == [
        ['–', 'fsp_public', '–', '404 / 3200', '0'],
        ['u1', 'metadata console', '/&lt;b&gt;none', '404 / 3200', '0'],
        ['u1', 'upload console', '/a.png', '201', '1'],
        ['u1', 'list console', '/', '200', '1'],
    ]
    (support_id,) = re.findall(r'support id (\w+)', failed.json['details'])
    assert [row[7] for row in rows(console.open(f'/status?support_id={support_id}'))] == [support_id]
    assert 'does not remember' in console.open('/status?support_id=%3Cb%3E').text


def test_calls_left_are_shown_without_a_call(console: Console, sandbox: Sandbox) -> None:
    assert 'No call has been made yet' in console.open('/status').text
    console.send('GET', '/')
    console.send('GET', '/')
    sandbox.forget_calls()
    page = console.open('/status').text
    assert re.search(r'<strong>999,99\d</strong> of 1,000,000 calls left today', page)
    assert 'aria-label="Calls in each of the last 24 hours: ' + '0, ' * 23 + '1"' in page
    assert '50 % (of 2)' in page
    assert sandbox.calls == []


def call(waited: float) -> CallInfo:
    return CallInfo(method='GET', outcome='200', seconds=0.1, waited=waited)


def test_activity_is_bounded_and_forgets() -> None:
    now = [100 * HOUR]
    activity = Activity(lambda: now[0])
    for number in range(MOST_ACCOUNTS + 10):
        activity.quota(str(number), lambda: Usage(1, 1000, 60.0, False))
    assert len(activity.accounts()) == MOST_ACCOUNTS
    activity.call_made(call(0.5))
    activity.cache_lookup('hit')
    activity.cache_lookup('miss')
    now[0] += HOUR
    activity.call_made(call(1.0))
    *_, before, hour = activity.hours()
    assert (before.calls, before.waited, before.hits, before.lookups) == (1, 0.5, 1, 2)
    assert (hour.calls, hour.waited) == (1, 1.0)
    assert activity.accounts()[0].calls[-2:] == [1, 0]
    now[0] += 24 * HOUR
    assert sum(hour.calls for hour in activity.hours()) == 0
    assert sum(activity.accounts()[0].calls) == 0


def test_history_is_bounded() -> None:
    history = History()
    for number in range(MOST_REQUESTS + 10):
        history.record({'uid': 'u', 'code': None, 'support_id': str(number)})
    history.record({'code': None, 'support_id': 'public'})  # a public file that was served
    assert len(history.latest(10**6)) == MOST_REQUESTS
    assert [event['support_id'] for event in history.latest(2)] == [str(MOST_REQUESTS + 9), str(MOST_REQUESTS + 8)]
    assert history.latest(5, '0') == []


def test_other_metrics_still_count(make: Callable[..., Any]) -> None:
    console = Console(make(console__local='true', ops__metrics='true'))
    console.open()
    console.send('GET', '/')
    assert 'fsp_egnyte_calls_left{account="' in console.app.get('/fsp-ops/metrics').text


@pytest.mark.parametrize('path', ['', '/status'])
def test_pages_without_a_console_cost_nothing(make: Callable[..., Any], path: str) -> None:
    from fsp_pyramid.interfaces import IConsole, IRequestHistory

    registry = make().registry
    assert [registry.queryUtility(utility) for utility in (IConsole, IRequestHistory)] == [None, None]
