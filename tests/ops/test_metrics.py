"""Metrics: events are counted under documented names and labels."""

import csv
import hashlib
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from webtest import TestApp

from fsp_pyramid.egnyte import CallInfo, Usage
from fsp_pyramid.events import DirectoryCreated, FileStored
from fsp_pyramid.metrics import Metrics
from fsp_pyramid.ops.prometheus import MOST_ACCOUNTS, PrometheusMetrics
from fsp_pyramid.storage.cached import CacheLookup
from fsp_pyramid.testing import Sandbox

from ..conftest import Source
from .conftest import CALLER

Make = Callable[..., TestApp]
DOCS = Path(__file__).parents[2] / 'docs'
PNG = b'\x89PNG\r\n\x1a\n' + b'p' * 100


def families(text: str) -> dict[str, Any]:
    """Return the metric families of an exposition, without the creation times of counters."""
    found = {family.name: family for family in text_string_to_metric_families(text)}
    return {name: family for name, family in found.items() if not name.endswith('_created')}


class Counts:
    """Values of an application's metrics."""

    def __init__(self, app: TestApp) -> None:
        self.text = app.get('/fsp-ops/metrics').text
        self.samples = {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in families(self.text).values()
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float:
        return self.samples.get((name, *sorted(labels.items())), 0)


EVENTS = [name for name in vars(Metrics) if not name.startswith('_')]


def test_prometheus_metrics_override_every_method_of_the_contract() -> None:
    assert EVENTS
    for name in EVENTS:
        ours, contract = getattr(PrometheusMetrics, name), getattr(Metrics, name)
        assert ours is not contract
        assert inspect.signature(ours) == inspect.signature(contract)


def full() -> PrometheusMetrics:
    """Return metrics with one event of each kind."""
    metrics = PrometheusMetrics()
    for name in EVENTS:
        parameters = inspect.signature(getattr(metrics, name)).parameters.values()
        kinds: dict[Any, Any] = {
            str: 'x',
            int: 1,
            float: 1.0,
            int | None: None,
            CallInfo: CallInfo('GET', 'ok', 0.1, 0.2),
            Callable[[], Usage]: lambda: Usage(1, 1000, 60.0, False),
        }
        getattr(metrics, name)(*(kinds[parameter.annotation] for parameter in parameters))
    return metrics


def test_documented_metrics_are_those_of_the_code() -> None:
    page = (DOCS / 'operations.rst').read_text()
    body = re.search(r'   :header: Metric.*\n(?:   :.*\n)*\n((?:   .*\n)+)', page)
    assert body
    rows = csv.reader(body[1].splitlines(), skipinitialspace=True)
    documented = {(name.strip('`'), kind, frozenset(labels.split(', '))) for name, kind, labels, _ in rows}
    found = set()
    text, _ = full().exposition('')
    for name, family in families(text.decode()).items():
        # In the text of Prometheus a counter's family has no "_total", and its samples do.
        labels = frozenset(family.samples[0].labels) - {'le'}
        found.add((name + ('_total' if family.type == 'counter' else ''), family.type, labels))
    assert found == documented


def test_metrics_in_the_alerts_exist() -> None:
    named = set(re.findall(r'fsp_[a-z_]+', (DOCS / 'operations.rst').read_text().split('groups:')[1]))
    text, _ = full().exposition('')
    names = {sample.name for family in families(text.decode()).values() for sample in family.samples}
    assert named - names == set()


def test_accept_header_selects_openmetrics(make: Make) -> None:
    app = make(ops__metrics='true')
    answer = app.get('/fsp-ops/metrics', headers={'Accept': 'application/openmetrics-text;version=1.0.0,*/*;q=0.1'})
    assert answer.content_type == 'application/openmetrics-text'
    assert answer.text.endswith('# EOF\n')
    answer = app.get('/fsp-ops/metrics')
    assert (answer.content_type, answer.charset) == ('text/plain', 'utf-8')
    assert answer.headers['Cache-Control'] == 'no-store'


def test_requests_and_calls_are_counted(make: Make, source: Source, sandbox: Sandbox) -> None:
    app = make(ops__metrics='true')
    sandbox.upload('/Shared/Beefree/demo/old.txt', b'x')
    sandbox.forget_calls()
    app.get('/fsp/', headers=CALLER)
    app.get('/fsp/none', headers=CALLER, status=404)
    stored = app.post_json('/fsp/a.png', {'source': source.offer(PNG)}, headers=CALLER)
    app.put('/fsp/a.png', headers=CALLER, status=405)
    app.get('/fsp/', headers=CALLER | {'Authorization': 'Basic eDp5'}, status=401)
    url = stored.json['data']['meta']['public-url'].removeprefix('http://localhost:6543')
    assert TestApp(app.app).get(url).body == PNG
    counts = Counts(app)
    assert counts('fsp_requests_total', operation='list', status='200', code='') == 1
    assert counts('fsp_requests_total', operation='list', status='401', code='3650') == 1
    assert counts('fsp_requests_total', operation='metadata', status='404', code='3200') == 1
    assert counts('fsp_requests_total', operation='upload', status='201', code='') == 1
    assert counts('fsp_requests_total', operation='other', status='405', code='3500') == 1
    assert counts('fsp_requests_total', operation='fsp_public', status='200', code='') == 1
    assert counts('fsp_request_seconds_count', operation='list') == 2
    assert counts('fsp_bytes_total', direction='stored') == len(PNG)
    methods = [call.split()[0] for call in sandbox.calls]
    for method in ('GET', 'POST'):
        assert counts('fsp_egnyte_calls_total', method=method, outcome='ok') == methods.count(method) > 0
        assert counts('fsp_egnyte_call_seconds_count', method=method) == methods.count(method)
        assert counts('fsp_egnyte_wait_seconds_count', method=method) == methods.count(method)


def test_failed_calls_are_counted_by_outcome(make: Make, sandbox: Sandbox) -> None:
    app = make(ops__metrics='true')
    sandbox.fail({'status': 500, 'times': 1})
    app.get('/fsp/', headers=CALLER, status=503)
    counts = Counts(app)
    assert counts('fsp_egnyte_calls_total', method='GET', outcome='Unavailable') == 1
    assert counts('fsp_requests_total', operation='list', status='503', code='3100') == 1


def test_refused_sources_are_counted_by_kind(make: Make, source: Source) -> None:
    app = make(ops__metrics='true')
    for url, kind in (
        ('http://10.0.0.1/a.png', 'SourceRefused'),
        ('http://user:hush@example.com/a.png', 'SourceInvalid'),
        (source.offer(b'', 'empty'), 'SourceEmpty'),
        (source.offer(b'MZ'), 'SourceTypeRefused'),
    ):
        name = 'a.exe' if kind == 'SourceTypeRefused' else 'a.png'
        assert Counts(app)('fsp_sources_refused_total', kind=kind) == 0
        app.post_json(f'/fsp/{name}', {'source': url}, headers=CALLER, status='4*')
        assert Counts(app)('fsp_sources_refused_total', kind=kind) == 1


def test_failed_transaction_counts_no_stored_bytes(make: Make, source: Source) -> None:
    app = make(ops__metrics='true')

    def fail(event: Any) -> None:
        event.request.tm.get().addBeforeCommitHook(lambda: 1 / 0)

    app.app.registry.registerHandler(fail, (FileStored,))
    app.post_json('/fsp/a.png', {'source': source.offer(PNG)}, headers=CALLER, status=503)
    counts = Counts(app)
    assert counts('fsp_bytes_total', direction='stored') == 0
    assert counts('fsp_requests_total', operation='upload', status='503', code='3001') == 1


def test_cache_lookups_are_counted_and_the_log_has_the_costliest(make: Make) -> None:
    app = make(ops__metrics='true')
    costliest = []

    def look(event: Any) -> None:
        for outcome in ('hit', 'miss', 'stale', 'hit'):
            event.request.fsp_stats.cache_lookup(CacheLookup(outcome))
            costliest.append(event.request.fsp_stats.cache)

    app.app.registry.registerHandler(look, (DirectoryCreated,))
    app.get('/fsp/', headers=CALLER)  # a miss, so that what follows is a hit
    app.post('/fsp/new/', headers=CALLER, status=201)
    assert costliest == ['hit', 'miss', 'miss', 'miss']
    counts = Counts(app)
    looks = {outcome: counts('fsp_listing_looks_total', outcome=outcome) for outcome in ('hit', 'miss', 'stale')}
    assert looks == {'hit': 3, 'miss': 2, 'stale': 1}


def test_quota_of_an_account_is_exported(make: Make) -> None:
    app = make(ops__metrics='true')
    app.get('/fsp/', headers=CALLER)
    app.get('/fsp/none/', headers=CALLER, status=404)
    found = families(Counts(app).text)
    (left,), (daily,) = (found[name].samples for name in ('fsp_egnyte_calls_left', 'fsp_egnyte_calls_daily'))
    assert re.fullmatch('[0-9a-f]{8}', left.labels['account'])
    assert 0 < left.value < daily.value


def test_number_of_accounts_is_bounded() -> None:
    metrics = PrometheusMetrics()
    accounts = [hashlib.sha256(bytes((n >> 8, n & 255))).hexdigest()[:8] for n in range(MOST_ACCOUNTS + 5)]
    for account in accounts:
        metrics.quota(account, lambda: Usage(900, 1000, 0, False))
    metrics.quota(accounts[0], lambda: Usage(1200, 1000, 0, True))
    text, _ = metrics.exposition('')
    samples = {
        sample.labels['account']: sample.value for sample in families(text.decode())['fsp_egnyte_calls_left'].samples
    }
    assert list(samples) == accounts[:MOST_ACCOUNTS]
    assert (samples[accounts[0]], samples[accounts[1]]) == (0, 100)


def test_labels_hold_no_paths_users_or_secrets(make: Make, source: Source) -> None:
    app = make(ops__metrics='true')
    app.get('/fsp/a-secret-name.png', headers=CALLER, status=404)
    app.post_json('/fsp/b.png', {'source': source.offer(PNG, 'a-secret-name')}, headers=CALLER)
    app.get('/fsp-public/a-secret-name/x.png', status=404)
    app.request('/fsp/', method='OPTIONS', headers=CALLER, status=405)
    text = Counts(app).text
    for secret in ('a-secret-name', 'demo', 'shop', 'beefree', 'secret-password', 'OPTIONS', '.png'):
        assert secret not in text
