"""Health, readiness and metrics: access control, methods, and hosts."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY, Counter, generate_latest
from pyramid.config import Configurator
from pyramid.exceptions import ConfigurationError
from pyramid.httpexceptions import HTTPForbidden
from pyramid.interfaces import IContextFound
from pyramid.response import Response
from pyramid.session import SignedCookieSessionFactory
from webob import Request
from webtest import TestApp

from fsp_pyramid import __version__, ops

from .conftest import (
    CALLER,
    LOCAL,
    REMOTE,
    TOKEN,
)

Make = Callable[..., TestApp]
PATHS = ('/fsp-ops/health', '/fsp-ops/ready', '/fsp-ops/metrics', '/fsp-ops/openapi.yaml')
BEARER = {'Authorization': f'Bearer {TOKEN}'}


def test_health_reports_ok_and_the_version(make: Make) -> None:
    answer = make().get('/fsp-ops/health', extra_environ=REMOTE)
    assert answer.json == {'status': 'ok', 'version': __version__}
    assert answer.headers['Cache-Control'] == 'no-store'


def test_sandbox_is_ready(make: Make) -> None:
    answer = make().get('/fsp-ops/ready')
    assert answer.json['status'] == 'ok'
    assert [(check['name'], check['ok']) for check in answer.json['checks']] == [
        ('settings', True),
        ('tmpdir', True),
        ('egnyte', True),
    ]
    assert all(set(check) == {'name', 'ok', 'reason'} for check in answer.json['checks'])
    assert answer.headers['Cache-Control'] == 'no-store'


@pytest.mark.parametrize('path', PATHS)
def test_head_is_answered_and_other_methods_are_refused(make: Make, path: str) -> None:
    app = make(ops__metrics='true')
    head = app.head(path)
    assert (head.body, head.content_length) == (b'', len(app.get(path).body))
    for method in ('POST', 'PUT', 'DELETE', 'OPTIONS'):
        answer = app.request(path, method=method, status=405)
        assert (answer.headers['Allow'], answer.content_type) == ('GET, HEAD', 'application/json')


def test_metrics_are_off_by_default(make: Make) -> None:
    make().get('/fsp-ops/metrics', status=404)


@pytest.mark.parametrize('path', ['/fsp-ops', '/fsp-ops/', '/fsp-ops/health/', '/fsp-ops/healthx'])
def test_other_paths_are_not_ours(make: Make, path: str) -> None:
    request = Request.blank('/', environ={'PATH_INFO': path})
    assert request.get_response(make().app).content_type == 'text/plain'


def test_openapi_document_is_served_to_any_caller(make: Make) -> None:
    app = make(ops__token=TOKEN)
    app.authorization = None
    answer = app.get('/fsp-ops/openapi.yaml', extra_environ=REMOTE)
    assert answer.body == (Path(ops.__file__).parent / 'static' / 'openapi.yaml').read_bytes()
    assert (answer.content_type, answer.headers['Cache-Control']) == ('application/yaml', 'no-store')


def test_prefix_is_a_setting(make: Make) -> None:
    app = make(ops__prefix='/how/is/it')
    assert app.get('/how/is/it/health').json['status'] == 'ok'
    app.get('/fsp-ops/health', status=404)


def test_metrics_without_their_package_fail_at_start(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, 'fsp_pyramid.ops.prometheus', raising=False)
    monkeypatch.delattr(ops, 'prometheus', raising=False)
    monkeypatch.setitem(sys.modules, 'prometheus_client', None)
    with pytest.raises(ConfigurationError, match=r'fsp.ops.metrics = true needs .* "fsp-pyramid\[metrics\]"'):
        make(ops__metrics='true')
    make()


# Who sees more


@pytest.mark.parametrize(
    ('environ', 'sees'),
    [
        ({}, True),
        ({'REMOTE_ADDR': '::1', 'HTTP_HOST': '[::1]:6543'}, True),
        ({'REMOTE_ADDR': '::ffff:127.0.0.1', 'HTTP_HOST': '127.0.0.1'}, True),
        ({'REMOTE_ADDR': '127.9.9.9'}, True),
        (REMOTE, False),
        ({'REMOTE_ADDR': '::ffff:192.0.2.1'}, False),
        ({'REMOTE_ADDR': '10.0.0.1'}, False),
        ({'REMOTE_ADDR': ''}, False),
        # A proxy on this machine, by what it adds, and by the host that it passes on.
        ({'HTTP_X_FORWARDED_FOR': '192.0.2.1'}, False),
        ({'HTTP_X_FORWARDED_FOR': '127.0.0.1'}, False),
        ({'HTTP_FORWARDED': 'for=192.0.2.1'}, False),
        ({'HTTP_VIA': '1.1 proxy'}, False),
        ({'HTTP_X_REAL_IP': '192.0.2.1'}, False),
        ({'HTTP_X_FORWARDED_PROTO': 'https'}, False),
        ({'HTTP_HOST': 'files.example'}, False),
        ({'HTTP_HOST': 'localhost.evil.example'}, False),
        ({'HTTP_HOST': '[::1'}, False),
        ({'HTTP_HOST': ''}, False),
    ],
)
def test_without_a_token_only_loopback_sees_details(make: Make, environ: dict[str, str], sees: bool) -> None:
    app = make(ops__metrics='true')
    assert ('checks' in app.get('/fsp-ops/ready', extra_environ=environ).json) == sees
    answer = app.get('/fsp-ops/metrics', extra_environ=environ, status='*')
    assert answer.status_int == (200 if sees else 403)
    if not sees:
        assert 'fsp.ops.token' in answer.json['details']
        assert answer.headers['Cache-Control'] == 'no-store'
    assert app.get('/fsp-ops/health', extra_environ=environ).json['status'] == 'ok'


@pytest.mark.parametrize('given', [TOKEN[:-1], f'{TOKEN}x', 'ä' * 16, '', f'x {TOKEN}'])
def test_wrong_token_is_refused(make: Make, given: str) -> None:
    app = make(ops__metrics='true', ops__token=TOKEN)
    wrong = {'HTTP_AUTHORIZATION': f'Bearer {given}'.encode().decode('latin-1')}
    for environ in (wrong, {'HTTP_AUTHORIZATION': f'Basic {TOKEN}'}, {'HTTP_AUTHORIZATION': TOKEN}, {}):
        app.authorization = None
        for where in (LOCAL, REMOTE):
            answer = app.get('/fsp-ops/metrics', extra_environ=where | environ, status=401)
            assert answer.headers['WWW-Authenticate'].startswith('Bearer ')
            assert TOKEN not in answer.text
            assert 'checks' not in app.get('/fsp-ops/ready', extra_environ=where | environ).json


@pytest.mark.parametrize('scheme', ['Bearer', 'bearer', 'BEARER '])
def test_token_permits_any_address(make: Make, scheme: str) -> None:
    app = make(ops__metrics='true', ops__token=TOKEN)
    for where in (LOCAL, REMOTE, REMOTE | {'HTTP_X_FORWARDED_FOR': '192.0.2.1'}):
        environ = where | {'HTTP_AUTHORIZATION': f'{scheme} {TOKEN}'}
        assert 'fsp_requests' in app.get('/fsp-ops/metrics', extra_environ=environ).text
        assert 'checks' in app.get('/fsp-ops/ready', extra_environ=environ).json


def test_token_over_http_is_refused_if_https_is_required(make: Make) -> None:
    app = make(ops__metrics='true', ops__token=TOKEN, require_https='true')
    bearer = {'HTTP_AUTHORIZATION': f'Bearer {TOKEN}'}
    assert 'HTTPS' in app.get('/fsp-ops/metrics', extra_environ=REMOTE | bearer, status=401).json['details']
    app.get('/fsp-ops/metrics', extra_environ=REMOTE | bearer | {'wsgi.url_scheme': 'https'})
    app.get('/fsp-ops/metrics', extra_environ=LOCAL | bearer)
    app.get('/fsp-ops/health', extra_environ=REMOTE)


# In a host application


class DenyAll:
    """Security policy of a host, which must not be called."""

    def identity(self, request: Any) -> Any:
        raise AssertionError('the policy of the host was asked')

    authenticated_userid = permits = identity


def make_host(settings: dict[str, str], *more: Callable[[Any], Any]) -> TestApp:
    def forbidden_root(request: Any) -> Any:
        raise AssertionError('the root of the host was asked for')

    with Configurator(settings=settings, root_factory=forbidden_root) as config:
        config.set_session_factory(SignedCookieSessionFactory('secret'))
        config.set_security_policy(DenyAll())
        config.set_default_permission('member')
        config.set_default_csrf_options(require_csrf=True)
        config.add_view(lambda request: Response('of the host', status=500), context=Exception)
        config.include('fsp_pyramid', route_prefix='files')
        for step in more:
            step(config)
        return TestApp(config.make_wsgi_app(), extra_environ=dict(LOCAL))


def test_endpoints_work_in_a_host_that_denies_by_default(settings: dict[str, str]) -> None:
    app = make_host(settings | {'fsp.ops.metrics': 'true'})
    for path in PATHS:
        app.get(f'/files{path}')
        app.post(f'/files{path}', status=405)


def test_exceptions_of_host_subscribers_are_answered_as_json(settings: dict[str, str]) -> None:
    errors: list[Exception] = [HTTPForbidden(), RuntimeError('hush')]

    def fail(event: Any) -> None:
        raise errors[0]

    app = make_host(settings, lambda config: config.add_subscriber(fail, IContextFound))
    assert app.get('/files/fsp-ops/health', status=403).json == {'status': 'Forbidden'}
    del errors[0]
    assert app.get('/files/fsp-ops/health', status=503).json == {'status': 'failed'}


def test_metrics_of_the_host_stay_separate(settings: dict[str, str]) -> None:
    own = Counter('fsp_requests', 'Of the host, under the very name', ['operation'])
    try:
        before = generate_latest(REGISTRY)
        with_metrics = settings | {'fsp.ops.metrics': 'true'}
        one, other = make_host(with_metrics), make_host(with_metrics)
        one.get('/files/fsp/', headers=CALLER, status=401)
        assert generate_latest(REGISTRY).count(b'fsp_') == before.count(b'fsp_')
        assert 'fsp_requests_total{' in one.get('/files/fsp-ops/metrics').text
        assert 'fsp_requests_total{' not in other.get('/files/fsp-ops/metrics').text
    finally:
        REGISTRY.unregister(own)
