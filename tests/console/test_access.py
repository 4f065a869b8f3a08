"""Access to the console: off, this machine, a token, or a permission of the host."""

from collections.abc import Callable
from typing import Any

import pytest
from pyramid.config import Configurator
from pyramid.events import NewRequest
from pyramid.request import Request as PyramidRequest
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from webob import Request
from webtest import TestApp

from fsp_pyramid import main

from ..protocol.beefree import Beefree
from .conftest import LOCAL, TOKEN, Console

PAGES = ['', '/', '/status']
OUTSIDE = {'REMOTE_ADDR': '203.0.113.7'}


@pytest.mark.parametrize('path', [*PAGES, '/static/console.css', '/call/fsp/-/', '/login'])
def test_off_unless_a_setting_says_who_may_use_it(make: Callable[..., Any], path: str) -> None:
    answer = TestApp(make()).get(f'/fsp-console{path}', status=404)
    assert answer.text == 'There is nothing here.'


@pytest.mark.parametrize('path', PAGES)
def test_pages_have_strict_headers_and_no_secret(make: Callable[..., Any], path: str) -> None:
    page = Console(make(console__local='true', console__token=TOKEN)).open(path)
    policy = page.headers['Content-Security-Policy']
    assert policy.startswith("default-src 'none'; script-src 'nonce-")
    assert 'unsafe' not in policy
    assert "frame-ancestors 'none'" in policy
    assert (page.headers['Cache-Control'], page.headers['X-Content-Type-Options']) == ('no-store', 'nosniff')
    for secret in (TOKEN, 'secret-password'):
        assert secret not in page.text


@pytest.mark.parametrize(
    'environ',
    [OUTSIDE, {'HTTP_X_FORWARDED_FOR': '203.0.113.7'}, {'HTTP_HOST': 'rebound.example.com'}],
    ids=['another machine', 'a proxy', 'a host name that resolves to this machine'],
)
def test_local_console_answers_on_this_machine_only(make: Callable[..., Any], environ: dict[str, str]) -> None:
    console = Console(make(console__local='true'), **environ)
    for path in PAGES:
        assert 'on the machine itself only' in console.open(path, status=403).text
    assert console.send('GET', '/').status_int == 403


def test_token_opens_a_session(make: Callable[..., Any]) -> None:
    console = Console(make(console__token=TOKEN), **OUTSIDE)
    assert 'type="password"' in console.open(status=403).text
    answer = console.log_in(status=303)
    cookie = answer.headers['Set-Cookie']
    assert 'HttpOnly' in cookie
    assert 'SameSite=Strict' in cookie
    assert TOKEN not in cookie
    assert '<h1>Files</h1>' in answer.follow().text
    console.open('/status')
    console.app.post('/fsp-console/logout', {'csrf_token': console.csrf}, status=303)
    console.open(status=403)


def test_cookie_is_secure_over_https(make: Callable[..., Any]) -> None:
    console = Console(make(console__token=TOKEN), **OUTSIDE, **{'wsgi.url_scheme': 'https'})
    cookie = console.log_in(status=303).headers['Set-Cookie']
    assert cookie.startswith('__Host-fsp_console=')
    assert '; secure' in cookie.lower()


def test_token_is_taken_over_https_only_where_that_is_required(make: Callable[..., Any]) -> None:
    console = Console(make(console__token=TOKEN, require_https='true'), **OUTSIDE)
    assert 'over HTTPS' in console.open(status=403).text
    console.log_in(status=403)
    Console(make(console__token=TOKEN, require_https='true'), **{'wsgi.url_scheme': 'https'}).log_in(status=303)


def test_failed_logins_are_limited(make: Callable[..., Any]) -> None:
    application = make(console__token=TOKEN)
    console = Console(application, **OUTSIDE)
    for _ in range(5):
        assert 'role="alert"' in console.log_in('wrong', status=403).text
    answer = console.log_in(status=429)  # the right token
    assert 0 < int(answer.headers['Retry-After']) <= 300
    Console(application, REMOTE_ADDR='203.0.113.8').log_in(status=303)


def test_new_token_ends_sessions(make: Callable[..., Any]) -> None:
    console = Console(make(console__token=TOKEN), **OUTSIDE)
    console.log_in(status=303)
    console.app.app = make(console__token='another-token-of-it')
    console.open(status=403)


@pytest.mark.parametrize(
    ('token', 'site'), [('', 'same-origin'), ('x', 'same-origin'), (None, 'cross-site'), (None, 'same-site')]
)
def test_forged_requests_are_refused(console: Console, token: str | None, site: str) -> None:
    headers = {'X_CSRF_Token': console.csrf if token is None else token, 'Sec_Fetch_Site': site}
    for method, path in (('GET', '/'), ('POST', '/New/')):
        answer = console.send(method, path, **headers)
        assert (answer.status_int, answer.json['message']) == (403, 'Reload the page')
    assert console.send('GET', '/').json['data']['items'][0]['name'] == 'shared'


def test_large_form_is_not_read(make: Callable[..., Any]) -> None:
    """It takes seconds, and everybody may send one."""
    console = Console(make(console__token=TOKEN), **OUTSIDE)
    console.open(status=403)
    form = [('csrf_token', console.csrf), ('token', TOKEN), *(('a', 'b') for _ in range(5_000))]
    console.app.post('/fsp-console/login', form, status=403)
    console.app.post('/fsp-console/login', form[:100], status=303)


def test_forged_logins_and_logouts_are_refused(make: Callable[..., Any]) -> None:
    console = Console(make(console__token=TOKEN), **OUTSIDE)
    console.open(status=403)
    console.app.post('/fsp-console/login', {'csrf_token': 'x', 'token': TOKEN}, status=403)
    console.log_in(status=303)
    console.app.post('/fsp-console/logout', {'csrf_token': 'x'}, status=403)


def test_script_learns_that_the_session_ended(make: Callable[..., Any]) -> None:
    answer = Console(make(console__token=TOKEN), **OUTSIDE).send('GET', '/')
    assert (answer.status_int, answer.json['status'], answer.json['message']) == (403, 'error', 'Log in')


def test_logins_are_audited(make: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level('INFO', 'fsp_pyramid.audit')
    console = Console(make(console__token=TOKEN), **OUTSIDE)
    console.log_in('wrong', status=403)
    console.log_in(status=303)
    lines = [record.msg for record in caplog.records if record.name == 'fsp_pyramid.audit']
    assert [(line['operation'], line['outcome'], line['address']) for line in lines] == [
        ('log in', 'refused', '203.0.113.7'),
        ('log in', 'done', '203.0.113.7'),
    ]
    assert TOKEN not in caplog.text
    assert 'wrong' not in str(lines)


@pytest.mark.parametrize('path', ['/none', '/static/none.css', '/call/none/-/', '/call/fsp/none/', '/call'])
def test_unknown_addresses(console: Console, path: str) -> None:
    assert console.app.get(f'/fsp-console{path}', headers={'X-CSRF-Token': console.csrf}, status='4*')


@pytest.mark.parametrize('environ', [{}, LOCAL | {'HTTP_HOST': 'localhost'}])
@pytest.mark.parametrize('path', ['/fsp-console/call/fsp/-/\xff', '/fsp-console/\xff'])
def test_address_that_is_no_utf8(console: Console, path: str, environ: dict[str, str]) -> None:
    request = Request.blank('/', environ=environ | {'PATH_INFO': path})
    answer = request.get_response(console.app.app)
    assert (answer.status_int, answer.content_type) == (400, 'text/html')


def test_foreign_cookie_of_any_bytes_is_ignored(console: Console) -> None:
    console.open()
    for others in ('a="\xff"', '\xff=1'):
        cookies = '; '.join([others, *(f'{name}={value}' for name, value in console.app.cookies.items())])
        request = Request.blank('/fsp-console', environ=LOCAL | {'HTTP_HOST': 'localhost', 'HTTP_COOKIE': cookies})
        answer = request.get_response(console.app.app)
        assert (answer.status_int, 'Set-Cookie' in answer.headers) == (200, False)


@pytest.mark.parametrize(
    ('host', 'status'),
    [
        ('localhost', 200),
        ('localhost:6543', 200),
        ('127.0.0.1:6543', 200),
        ('[::1]:6543', 200),
        ('evil.example', 403),
        ('localhost.evil.example', 403),
        ('127.0.0.1.evil.example', 403),
        ('[::1', 403),
    ],
)
def test_protocol_beside_a_local_console_answers_to_local_names_only(
    make: Callable[..., Any], host: str, status: int
) -> None:
    """A web page may bind its own name to 127.0.0.1, and send the password of ``development.ini``."""
    client = Beefree(make(console__local='true'))
    assert client.get('/', Host=host).status_int == status
    assert Beefree(make(console__token=TOKEN)).get('/', Host=host.strip('[')).status_int == 200


class Policy:
    """Security policy of a host: the user is named by a header, and "anna" is an administrator."""

    def identity(self, request: Any) -> str | None:
        return request.headers.get('X-User')

    authenticated_userid = identity

    def permits(self, request: Any, context: Any, permission: str) -> bool:
        return permission == 'administer' and self.identity(request) == 'anna' and context.__name__ == 'host root'


class Root:
    __name__ = 'host root'

    def __init__(self, _request: Any) -> None:
        pass


def host(ini: dict[str, str]) -> Any:
    with Configurator(settings=ini, root_factory=Root) as config:
        config.set_security_policy(Policy())
        config.set_default_permission('member')
        config.set_default_csrf_options(require_csrf=True)
        config.add_route('home', '/')
        config.add_view(lambda _: Response('home'), route_name='home', permission=NO_PERMISSION_REQUIRED)
        config.add_notfound_view(lambda _: Response('of the host', status=404))
        config.include('fsp_pyramid', route_prefix='files')
        return config.make_wsgi_app()


def test_permission_of_a_host_opens_it(ini: dict[str, str]) -> None:
    application = host(ini | {'fsp.console.permission': 'administer'})
    console = Console(application, '/files/fsp-console', **OUTSIDE)
    assert 'Ask the administrator' in console.open(status=403).text
    console.open(headers={'X-User': 'bob'}, status=403)
    page = console.open(headers={'X-User': 'anna'})
    assert '/files/fsp-console/static/console.js' in page.text
    answer = console.send('GET', '/', X_User='anna')
    assert answer.json['data']['meta']['path'] == '/'
    assert console.send('GET', '/', X_User='bob').status_int == 403
    assert console.app.get('/').text == 'home'
    assert console.app.get('/favicon.ico', status=404).text == 'of the host'


def test_requests_that_the_console_makes_are_of_the_hosts_class(ini: dict[str, str]) -> None:
    class HostRequest(PyramidRequest):
        pass

    seen: list[HostRequest] = []
    with Configurator(settings=ini | {'fsp.console.local': 'true'}, request_factory=HostRequest) as config:
        config.add_subscriber(lambda event: seen.append(event.request), NewRequest)
        config.include('fsp_pyramid')
    console = Console(config.make_wsgi_app())
    console.open()
    assert console.send('GET', '/').status_int == 200
    assert [type(request).__mro__[1] for request in seen] == [HostRequest] * 3


def test_permission_without_a_policy_opens_nothing(ini: dict[str, str]) -> None:
    """Without a policy, Pyramid grants every permission."""
    with Configurator(settings=ini | {'fsp.console.permission': 'admin'}) as config:
        config.include('fsp_pyramid')
    app = TestApp(config.make_wsgi_app(), extra_environ=OUTSIDE)
    app.get('/fsp-console', status=403)
    headers = {'X-BEE-ClientId': 'app', 'X-BEE-Uid': 'victim'}
    app.get('/fsp-console/call/fsp/-/', headers=headers, status=403)


def test_undecodable_address_needs_no_policy(ini: dict[str, str]) -> None:
    with Configurator(settings=ini | {'fsp.console.permission': 'admin'}) as config:
        config.set_security_policy(Policy())
        config.include('fsp_pyramid')
    request = Request.blank('/', environ={'PATH_INFO': '/fsp-console/\xff'})
    assert request.get_response(config.make_wsgi_app()).status_int == 400


def test_without_settings_the_prefix_is_the_hosts(ini: dict[str, str]) -> None:
    assert TestApp(host(ini)).get('/files/fsp-console', status=404).text == 'of the host'


def test_development_has_a_local_console_and_production_has_none(tmp_path: Any) -> None:
    from pyramid.paster import get_appsettings

    development, production = get_appsettings('development.ini'), get_appsettings('production.ini')
    assert development['fsp.console.local'] == 'true'
    assert not [key for key in production if key.startswith(('fsp.console.', 'fsp.welcome'))]
    development |= {'fsp.egnyte.url': f'sandbox:{tmp_path}', 'fsp.public.cache_dir': str(tmp_path / 'cache')}
    Console(main({}, **development)).open()
