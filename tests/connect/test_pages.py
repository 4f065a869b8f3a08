"""The single pages: their texts, refusals and headers."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from webob import Request
from webtest import TestApp

from fsp_pyramid.connect.links import Links, Purpose
from fsp_pyramid.testing import Sandbox

from ..timing import PATIENCE
from .visitor import Site, Visitor, new_session

SECRET = {'client_secret': 'sandbox-secret'}


@pytest.fixture
def visitor() -> Any:
    with Visitor() as visitor:
        yield visitor


def test_pages_have_security_headers(site: Site, visitor: Visitor) -> None:
    for url in (site.link(), f'{site.url}/fsp-connect/nothing', f'{site.url}/fsp-connect/callback'):
        response = visitor.open(url).response
        assert response.headers['Content-Type'] == 'text/html; charset=utf-8'
        assert response.headers['Cache-Control'] == 'no-store'
        assert response.headers['Referrer-Policy'] == 'no-referrer'
        assert response.headers['X-Content-Type-Options'] == 'nosniff'
        policy = response.headers['Content-Security-Policy']
        assert policy.startswith("default-src 'none'; style-src 'self' 'nonce-")
        assert "frame-ancestors 'self'" in policy
        nonce = policy.partition("'nonce-")[2].partition("'")[0]
        assert [style['nonce'] for style in visitor.page.html.find_all('style')] == [nonce]
        assert not visitor.page.html.find_all(['script', 'link', 'img'])
        assert visitor.page.html.html['lang'] == 'en'
        visitor.open(url)
        assert nonce not in visitor.response.text


def test_redirects_keep_the_link_secret(site: Site, visitor: Visitor) -> None:
    visitor.open(site.link()).submit('Go to Egnyte', follow=False)
    assert visitor.response.status_code == 303
    assert visitor.response.headers['Referrer-Policy'] == 'no-referrer'
    assert visitor.response.headers['Cache-Control'] == 'no-store'
    location = visitor.response.headers['Location']
    assert site.link().rpartition('/')[2] not in location
    assert 'sandbox-secret' not in location


@pytest.mark.parametrize(
    ('scheme', 'flags'),
    [
        ('http', {'HttpOnly', 'SameSite=Lax', 'Path=/fsp-connect'}),
        ('https', {'HttpOnly', 'SameSite=Lax', 'Path=/', 'secure'}),  # what browsers want of a name with __Host-
    ],
)
def test_cookie_flags_follow_the_scheme(site: Site, visitor: Visitor, scheme: str, flags: set[str]) -> None:
    cookie = '__Host-fsp_connect' if scheme == 'https' else 'fsp_connect'
    app = TestApp(site.application, extra_environ={'wsgi.url_scheme': scheme})
    path = urlsplit(site.link()).path
    before = app.get(path).headers['Set-Cookie']
    assert before.startswith(f'{cookie}=')
    answer = app.post(path, {'action': 'connect'}, status=303)
    name, *rest = answer.headers['Set-Cookie'].split('; ')
    assert name.startswith(f'{cookie}=')
    assert not before.startswith(name), 'a flow begins with a new value'
    assert flags < set(rest)
    assert not [flag for flag in rest if flag.lower().startswith('domain')]
    assert ('secure' in rest) == (scheme == 'https')
    assert 'Max-Age=3600' in rest


def test_cookie_without_the_prefix_is_ignored_over_https(site: Site) -> None:
    """A subdomain, or an attacker on the network, may set a cookie of that name."""
    app, path = TestApp(site.application, extra_environ={'wsgi.url_scheme': 'https'}), urlsplit(site.link()).path
    answer = app.post(path, {'action': 'connect'}, headers={'Cookie': f'fsp_connect={"b" * 22}'}, status=400)
    assert 'Please start again' in answer
    app.post(path, {'action': 'connect'}, headers={'Cookie': f'__Host-fsp_connect={"b" * 22}'}, status=303)


def test_foreign_cookie_of_any_bytes_is_ignored(site: Site) -> None:
    path = urlsplit(site.link()).path
    for others in ('a="\xff"', '\xff=1'):
        request = Request.blank(path, environ={'HTTP_COOKIE': f'{others}; fsp_connect={"b" * 22}'})
        answer = request.get_response(site.application)
        assert (answer.status_int, answer.headers['Set-Cookie'].split(';')[0]) == (200, f'fsp_connect={"b" * 22}')


def test_state_of_an_earlier_flow_is_refused(site: Site) -> None:
    app, path = TestApp(site.application), urlsplit(site.link()).path
    app.get(path)
    first, second = (app.post(path, {'action': 'connect'}, status=303) for _ in range(2))
    for answer, status in ((first, 400), (second, 303)):
        (state,) = parse_qs(urlsplit(answer.location).query)['state']
        app.get('/fsp-connect/callback', {'error': 'access_denied', 'state': state}, status='*')
        came = app.get('/fsp-connect/callback', {'error': 'access_denied', 'state': state}, status='*')
        assert (came.status_int == 400) == (status == 400)


def test_expired_link_is_an_error_page(site: Site, visitor: Visitor) -> None:
    visitor.open(site.link(lifetime=-1))
    assert (visitor.response.status_code, visitor.heading) == (410, 'This link has expired')


def test_folder_link_opens_only_the_chooser(site: Site, visitor: Visitor) -> None:
    visitor.connect(site.link())
    link = site.link(purpose='folder')
    assert link.endswith('/folder')
    assert visitor.open(link).heading == 'Choose a folder'
    assert visitor.open(link.removesuffix('/folder')).response.status_code == 404
    answer = requests.post(link.removesuffix('/folder'), {'action': 'disconnect'}, timeout=PATIENCE)
    assert answer.status_code == 404
    assert site.files().status_code == 200


def test_foreign_links_are_not_found(site: Site, visitor: Visitor) -> None:
    links = Links(('t' * 32,))
    token = links.sign(links.make('fsp', '', 'shop', 'anna', Purpose.CONNECT, 60))
    assert visitor.open(f'{site.url}/fsp-connect/{token}').response.status_code == 404
    assert visitor.heading == 'This link does not work'


def test_connect_url_refuses_impossible_users(site: Site) -> None:
    for message, options in {
        'no client': {'client': 'acme'},
        'no mount': {'mount': 'other'},
        'uid': {'uid': 'a b'},
        'purpose': {'purpose': 'purpose'},
    }.items():
        with pytest.raises(ValueError, match=message):
            site.link(**options)


def test_link_of_a_disabled_or_restricted_client_is_not_found(
    make: Callable[..., Site], site: Site, visitor: Visitor
) -> None:
    link = urlsplit(site.link()).path
    for changes in ({'disabled': 'true'}, {'client_ids': 'other'}):
        other = make(**changes)
        assert visitor.open(other.url + link).response.status_code == 404
        with pytest.raises(ValueError, match='client'):
            other.link()


def test_http_is_refused_if_https_is_required(make: Callable[..., Site], visitor: Visitor) -> None:
    site = make(require_https='true')
    visitor.open(site.link())
    assert (visitor.response.status_code, 'HTTPS' in visitor.text) == (403, True)


def test_malformed_requests_are_error_pages(site: Site) -> None:
    with new_session() as session:
        for method, path in [
            ('POST', urlsplit(site.link()).path),
            ('DELETE', urlsplit(site.link()).path),
            ('PUT', urlsplit(site.link()).path + '/folder'),
            ('POST', '/fsp-connect/callback'),
            ('GET', '/fsp-connect/%FF'),
            ('GET', '/fsp-connect/callback?state=%FF'),
            ('GET', urlsplit(site.link()).path + '?done=%FF'),
        ]:
            answer = session.request(method, site.url + path, timeout=PATIENCE)
            assert answer.status_code in {400, 404}, (method, path)
            assert answer.headers['Content-Type'] == 'text/html; charset=utf-8'


def test_state_of_another_browser_is_refused(site: Site, visitor: Visitor) -> None:
    visitor.open(site.link()).submit('Go to Egnyte')
    visitor.submit('Allow', follow=False, username='alice', password='alice')
    back = visitor.response.headers['Location']
    with Visitor() as other:
        other.open(back)
        assert (other.response.status_code, other.heading) == (400, 'Please start again')
    assert site.files().json()['code'] == 3901
    assert visitor.open(back).heading == 'Egnyte is connected'


def test_state_is_used_once(site: Site, visitor: Visitor, sandbox: Sandbox) -> None:
    visitor.open(site.link()).submit('Go to Egnyte')
    visitor.submit('Allow', follow=False, username='alice', password='alice')
    back = visitor.response.headers['Location']
    visitor.open(back)
    sandbox.forget_calls()
    assert 'Done.' not in visitor.open(back).text
    assert visitor.heading == 'Egnyte is connected'
    assert sandbox.calls == []


def test_wrong_code_connects_nothing(site: Site, visitor: Visitor) -> None:
    visitor.open(site.link()).submit('Go to Egnyte')
    state = parse_qs(urlsplit(visitor.url).query)['state'][0]
    for code in ('', 'wrong'):
        visitor.open(f'{site.url}/fsp-connect/callback', params={'code': code, 'state': state})
        assert (visitor.response.status_code, visitor.heading) == (400, 'Egnyte was not connected')
    assert visitor.follow('Back').heading == 'Connect Egnyte'


def test_application_refused_by_egnyte_is_logged(
    site: Site, visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    visitor.open(site.link()).submit('Go to Egnyte')
    state = parse_qs(urlsplit(visitor.url).query)['state'][0]
    visitor.open(f'{site.url}/fsp-connect/callback', params={'error': 'invalid_scope\n', 'state': state})
    assert visitor.response.status_code == 503
    support_id = visitor.page.html.code.get_text()
    assert support_id in caplog.text
    assert 'invalid_scope\\n' in caplog.text
    assert state not in caplog.text


def test_egnyte_errors_are_error_pages_with_a_support_id(
    site: Site, visitor: Visitor, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    visitor.open(site.link()).submit('Go to Egnyte')
    sandbox.fail({'method': 'POST', 'path_prefix': '/puboauth/token', 'status': 500})
    visitor.consent()
    assert visitor.response.status_code == 503
    assert 'Egnyte' in visitor.text
    assert visitor.page.html.code.get_text() in caplog.text
    assert urlsplit(site.link()).path not in caplog.text
    sandbox.fail()
    assert visitor.follow('Back').submit('Go to Egnyte').consent().heading == 'Egnyte is connected'


def test_disconnecting_revokes_the_tokens(site: Site, visitor: Visitor, sandbox: Sandbox) -> None:
    visitor.connect(site.link()).submit('Disconnect')
    assert visitor.heading == 'Connect Egnyte'
    assert 'Your files stay in Egnyte' in visitor.text
    assert 'POST /pubapi/v1/tokens/revoke' in sandbox.calls
    assert site.files().json()['code'] == 3901
    # Pressed again on a page that is still open.
    answer = visitor.session.post(visitor.url.partition('?')[0], {'action': 'disconnect'}, timeout=PATIENCE)
    assert answer.status_code == 200


def test_disconnecting_without_egnyte_deletes_the_tokens(site: Site, visitor: Visitor, sandbox: Sandbox) -> None:
    visitor.connect(site.link())
    sandbox.fail({'path_prefix': '/pubapi/v1/tokens/revoke', 'status': 500})
    visitor.submit('Disconnect')
    assert 'Egnyte did not answer' in visitor.text
    assert site.files().json()['code'] == 3901


def test_expired_connection_is_shown(site: Site, visitor: Visitor, sandbox: Sandbox) -> None:
    visitor.connect(site.link())
    access = site.connection().tokens.access
    sandbox.api('POST', '/pubapi/v1/tokens/revoke', token=access, data={'token': access, **SECRET}).raise_for_status()
    assert site.files().json()['code'] == 3902
    visitor.open(site.link())
    assert visitor.heading == 'Connect Egnyte again'
    assert 'alice' in visitor.text
    assert visitor.submit('Go to Egnyte').consent().heading == 'Egnyte is connected'
    assert site.files().status_code == 200


def test_names_are_escaped(site: Site, visitor: Visitor, sandbox: Sandbox) -> None:
    visitor.connect(site.link())
    visitor.open(site.link() + '/folder?at=/Private/alice&find=<script>alert(1)</script>')
    assert '<script' not in visitor.response.text
    assert '<script>alert(1)</script>' in visitor.text


@pytest.mark.parametrize('headers', [{}, {'Sec-Fetch-Site': 'cross-site'}, {'Sec-Fetch-Site': 'same-site'}])
def test_forms_of_other_sites_are_refused(site: Site, headers: dict[str, str]) -> None:
    """The form posts to the attacker's link; without the page, users do not know whose account they would connect."""
    app, path = TestApp(site.application), urlsplit(site.link()).path
    if headers:
        app.get(path)  # the cookie alone is not enough for browsers that say where a form came from
    answer = app.post(path, {'action': 'connect'}, headers=headers, status=400)
    assert 'Please start again' in answer


def test_disconnecting_revokes_the_refresh_token_of_an_expired_access_token(site: Site, egnyte: str) -> None:
    with Visitor() as visitor:
        visitor.connect(site.link())
        before = site.connection().tokens
        site.expire_access_token()
        visitor.open(site.link()).submit('Disconnect')
    assert site.connection().state == 'disconnected'
    grant = {'grant_type': 'refresh_token', 'refresh_token': before.refresh, 'client_id': 'sandbox-key'}
    again = requests.post(
        f'{egnyte}/puboauth/token', data=grant | {'client_secret': 'sandbox-secret'}, timeout=PATIENCE
    )
    assert again.status_code == 400


FORM = 'application/x-www-form-urlencoded'
NESTED = b''.join(
    b'--b%d\r\nContent-Disposition: form-data; name="x"\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n' % pair
    for pair in ((number, number + 1) for number in range(2000))
)


@pytest.mark.parametrize('page', ['link', 'link/folder', 'callback'])
@pytest.mark.parametrize(
    'sent',
    [
        {'files': {'action': ('a', b'connect'), 'state': ('s', b'x')}},
        {'data': b'x', 'headers': {'Content-Type': 'multipart/form-data'}},
        {'data': NESTED, 'headers': {'Content-Type': 'multipart/form-data; boundary=b0'}},
        {'data': b'action=connect', 'headers': {'Content-Type': f'{FORM}; charset=utf-16'}},
        {'data': b'action=connect', 'headers': {'Content-Type': f'{FORM}; charset=none'}},
        {'data': b'a=b&' * 200_000, 'headers': {'Content-Type': FORM}},
    ],
    ids=['files', 'no boundary', 'nested', 'charset', 'unknown charset', 'many fields'],
)
def test_foreign_form_data_is_refused(site: Site, page: str, sent: dict[str, Any]) -> None:
    url = f'{site.url}/fsp-connect/callback' if page == 'callback' else page.replace('link', site.link())
    assert requests.post(url, timeout=PATIENCE, allow_redirects=False, **sent).status_code == 400
