"""Consent, codes and tokens: the whole way over a socket, and every way off it."""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import parse_url
from webtest import TestResponse

from fsp_pyramid.sandbox import consent, make_app

from ..timing import PATIENCE
from .api import Api
from .conftest import Clock
from .servers import serving

BACK = 'http://127.0.0.1:6543/back?page=1'
KEY = {'client_id': 'sandbox-key', 'client_secret': 'sandbox-secret'}
SCOPE = 'Egnyte.filesystem Egnyte.user'
ALICE = {'username': 'alice', 'password': 'alice', 'decision': 'allow'}


def question(**changed: str) -> dict[str, str]:
    asked = {'client_id': 'sandbox-key', 'redirect_uri': BACK, 'response_type': 'code', 'state': 'a b', 'scope': SCOPE}
    return asked | changed


def authorize(**changed: str) -> str:
    return f'/puboauth/authorize?{urlencode(question(**changed))}'


def parameters(url: str) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}


def code(api: Api, **changed: str) -> str:
    return parameters(api.web.post(authorize(**changed), ALICE, status=303).location)['code']


def token(api: Api, status: int = 200, **form: str) -> TestResponse:
    return api.web.post('/puboauth/token', KEY | {'grant_type': 'authorization_code'} | form, status=status)


def refresh(api: Api, refresh_token: str, status: int = 200, **form: str) -> TestResponse:
    return token(api, status, grant_type='refresh_token', refresh_token=refresh_token, **form)


class Browser:
    """A user who fills in forms, and sends the fields of the page."""

    def __init__(self, url: str) -> None:
        self._session = requests.Session()
        self._url = url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._session.close()

    def open(self, path: str) -> requests.Response:
        return self._session.get(self._url + path, timeout=PATIENCE, allow_redirects=False)

    def submit(self, page: requests.Response, **values: str) -> requests.Response:
        action = re.search('<form method="post" action="([^"]*)">', page.text).group(1).replace('&amp;', '&')
        assert {name for name in values if name != 'decision'} <= set(re.findall('<input id="(.*?)"', page.text))
        return self._session.post(self._url + action, data=values, timeout=PATIENCE, allow_redirects=False)

    def post(self, path: str, form: dict[str, str], access: str = '') -> requests.Response:
        headers = {'Authorization': f'Bearer {access}'} if access else {}
        return self._session.post(self._url + path, data=form, headers=headers, timeout=PATIENCE)

    def userinfo(self, access: str) -> requests.Response:
        headers = {'Authorization': f'Bearer {access}'}
        return self._session.get(f'{self._url}/pubapi/v1/userinfo', headers=headers, timeout=PATIENCE)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with serving(tmp_path) as url, Browser(url) as browser:
        yield browser


def test_the_whole_way(browser: Browser) -> None:
    page = browser.open(f'/puboauth/token?{urlencode(question())}')
    assert 'sandbox-key' in page.text
    assert 'Egnyte.filesystem' in page.text
    page = browser.submit(page, username='alice', password='wrong', decision='allow')
    assert (page.status_code, 'password is wrong' in page.text) == (403, True)
    back = browser.submit(page, username='alice', password='alice', decision='allow')
    assert back.status_code == 303
    answer = parameters(back.headers['Location'])
    assert back.headers['Location'].startswith(f'{BACK}&code=')
    assert answer['state'] == 'a b'

    form = KEY | {'grant_type': 'authorization_code', 'code': answer['code'], 'redirect_uri': BACK}
    first = browser.post('/puboauth/token', form).json()
    assert (first['token_type'], first['expires_in']) == ('bearer', 2592000)
    assert browser.userinfo(first['access_token']).json()['username'] == 'alice'
    assert browser.post('/puboauth/token', form).status_code == 400

    form = KEY | {'grant_type': 'refresh_token', 'refresh_token': first['refresh_token']}
    second = browser.post('/puboauth/token', form).json()
    assert browser.userinfo(first['access_token']).status_code == 401
    assert browser.userinfo(second['access_token']).status_code == 200

    form = {'token': second['access_token'], 'client_secret': 'sandbox-secret'}
    assert browser.post('/pubapi/v1/tokens/revoke', form, second['access_token']).status_code == 200
    assert browser.userinfo(second['access_token']).status_code == 401
    form = KEY | {'grant_type': 'refresh_token', 'refresh_token': second['refresh_token']}
    assert browser.post('/puboauth/token', form).json()['error'] == 'invalid_grant'


def test_deny_needs_no_login(browser: Browser) -> None:
    back = browser.submit(browser.open(authorize()), decision='deny')
    assert back.headers['Location'] == f'{BACK}&error=access_denied&state=a%20b'


def test_the_enhanced_auth_service_asks_for_the_domain(browser: Browser) -> None:
    page = browser.open(f'/services/oauth/code?{urlencode(question())}')
    page = browser.submit(page, domain='<acme>.egnyte.com')
    assert (page.status_code, '“&lt;acme&gt;.egnyte.com”' in page.text) == (400, True)
    own = re.search('<strong>(.*)</strong>', page.text).group(1)
    there = browser.submit(page, domain=f' {own.upper()} ')
    assert there.status_code == 303
    place = urlsplit(there.headers['Location'])
    assert (place.netloc, place.path, parameters(there.headers['Location'])) == (
        own,
        '/puboauth/authorize',
        question(),
    )


@pytest.mark.parametrize('path', ['/puboauth/token', '/puboauth/authorize', '/services/oauth/code'])
def test_every_page_is_closed_to_other_sites(api: Api, path: str) -> None:
    for status, asked in ((200, question()), (400, question(client_id='other'))):
        page = api.web.get(path, asked, status=status)
        policy = page.headers['Content-Security-Policy']
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        # Chromium would not follow the redirect back to the application.
        assert 'form-action' not in policy
        assert page.headers['Cache-Control'] == 'no-store'
        assert page.text.count('<h1>') == 1
        assert '<html lang="en">' in page.text
        assert not re.search('<script|<link|src=', page.text)
        assert re.findall('<label for="(.*?)"', page.text) == re.findall('<input id="(.*?)"', page.text)


def test_what_was_asked_for_is_shown_as_text(api: Api) -> None:
    evil = '"><script>alert(1)</script>'
    page = api.web.post(authorize(state=evil), ALICE | {'username': evil, 'password': evil}, status=403)
    assert '<script' not in page.text
    assert 'value="&quot;&gt;&lt;script&gt;' in page.text
    assert '<script' not in api.web.get(authorize(redirect_uri=f'https://example.com/{evil}'), status=200).text


@pytest.mark.parametrize(
    'changed',
    [
        {'client_id': 'other'},
        {'response_type': 'token'},
        {'response_type': ''},
        {'redirect_uri': ''},
        {'redirect_uri': '/back'},
        {'redirect_uri': '//example.com/'},
        {'redirect_uri': 'http://example.com/'},
        {'redirect_uri': 'http://127.0.0.1.example.com/'},
        {'redirect_uri': 'http://example.com@127.0.0.1/'},
        {'redirect_uri': 'http://example.com\\@127.0.0.1/'},
        {'redirect_uri': 'http://[::1/'},
        {'redirect_uri': 'http://0[::1]'},
        {'redirect_uri': 'http://127.0.0.1:port/'},
        {'redirect_uri': 'https:///back'},
        {'redirect_uri': 'https://example.com/#fragment'},
        {'redirect_uri': 'https://example.com/\r\nSet-Cookie: a=b'},
        {'redirect_uri': 'https://exämple.com/'},
        {'redirect_uri': 'javascript:alert(1)'},
    ],
)
def test_nobody_is_sent_to_an_unchecked_place(api: Api, changed: dict[str, str]) -> None:
    for path in (authorize(**changed), f'/services/oauth/code?{urlencode(question(**changed))}'):
        assert 'does not work' in api.web.get(path, status=400).text
        for form in (ALICE, {'decision': 'deny'}, {'domain': 'localhost:80'}):
            answer = api.web.post(path, form, status=400)
            assert 'Location' not in answer.headers


@given(st.text() | st.from_regex(r'https?://[\x00-\x7f]{0,12}(127\.0\.0\.1|localhost|\[::1\])?[\x00-\x7f]{0,6}'))
def test_another_reader_of_urls_sees_the_same_place(url: str) -> None:
    try:
        consent.asked(question(redirect_uri=url))
    except consent.Unanswerable:
        return
    seen = parse_url(url)
    assert (seen.auth, seen.fragment) == (None, None)
    assert seen.scheme == 'https' or seen.host == 'localhost' or re.fullmatch(r'127[0-9.]+|\[[0:.]+1\]', seen.host)


@pytest.mark.parametrize(
    'redirect_uri',
    ['https://app.example.com', 'https://app.example.com:8443/x?y=1', 'http://localhost:6543/', 'http://[::1]:80/back'],
)
def test_where_one_may_be_sent(api: Api, redirect_uri: str) -> None:
    answer = api.web.post(authorize(redirect_uri=redirect_uri), ALICE, status=303)
    assert answer.location.startswith(redirect_uri)


def test_a_scope_that_there_is_not(api: Api) -> None:
    answer = api.web.get(authorize(scope='Egnyte.filesytem'), status=303)
    assert parameters(answer.location) == {'page': '1', 'error': 'invalid_scope', 'state': 'a b'}


def test_without_a_scope_and_a_state(api: Api) -> None:
    path = f'/puboauth/authorize?{urlencode({**question(state="", scope="")})}'
    assert 'everything' in api.web.get(path).text
    answer = parameters(api.web.post(path, ALICE, status=303).location)
    assert set(answer) == {'page', 'code'}
    access = token(api, code=answer['code'], redirect_uri=BACK).json['access_token']
    assert 'Egnyte.link' in Api(api.app, access).get('whoami').json['scopes']


def test_the_scope_is_that_of_the_consent(api: Api) -> None:
    access = token(api, code=code(api), redirect_uri=BACK).json['access_token']
    assert Api(api.app, access).get('whoami').json['scopes'] == SCOPE.split()


@pytest.mark.parametrize(
    ('changed', 'status', 'error'),
    [
        ({'redirect_uri': 'http://127.0.0.1:6543/other'}, 400, 'invalid_grant'),
        ({'redirect_uri': ''}, 400, 'invalid_grant'),
        ({'code': 'other'}, 400, 'invalid_grant'),
        ({'scope': 'Egnyte.link'}, 400, 'invalid_scope'),
        ({'client_secret': 'wrong'}, 401, 'invalid_client'),
        ({'client_id': 'other'}, 401, 'invalid_client'),
    ],
)
def test_a_code_is_bound(api: Api, changed: dict[str, str], status: int, error: str) -> None:
    form = {'code': code(api), 'redirect_uri': BACK}
    assert token(api, status, **(form | changed)).json['error'] == error
    token(api, **form)  # a wrong try does not use it up
    assert token(api, 400, **form).json['error'] == 'invalid_grant'


def test_a_code_lives_for_two_minutes(api: Api, clock: Clock) -> None:
    early, late = code(api), code(api)
    clock.now += 119
    token(api, code=early, redirect_uri=BACK)
    clock.now += 1
    token(api, 400, code=late, redirect_uri=BACK)


def test_a_secret_is_needed(api: Api) -> None:
    form = {'grant_type': 'authorization_code', 'client_id': 'sandbox-key', 'code': code(api), 'redirect_uri': BACK}
    assert api.web.post('/puboauth/token', form, status=401).json['error'] == 'invalid_client'


def test_the_older_generation(tmp_path: Path) -> None:
    api = Api(make_app(tmp_path, refresh_tokens=False))
    answer = token(api, code=code(api), redirect_uri=BACK).json
    assert answer['expires_in'] == -1
    assert 'refresh_token' not in answer
    assert Api(api.app, answer['access_token']).get('userinfo').json['username'] == 'alice'


def test_a_dismissed_user_gets_nothing(api: Api) -> None:
    answer = token(api, code=code(api), redirect_uri=BACK).json
    alice = api.web.get('/pubapi/v2/users?filter=userName eq "alice"', headers=api.headers).json['resources'][0]['id']
    api.web.patch_json(f'/pubapi/v2/users/{alice}', {'active': False}, headers=api.headers)
    refresh(api, answer['refresh_token'], 400)
    api.web.post(authorize(), ALICE, status=403)


def test_revoking(api: Api) -> None:
    answer = token(api, code=code(api), redirect_uri=BACK).json
    own = Api(api.app, answer['access_token'])
    form = {'token': answer['refresh_token'], 'client_secret': 'wrong'}
    api.web.post('/pubapi/v1/tokens/revoke', form, status=401)
    api.web.post('/pubapi/v1/tokens/revoke', form, headers=own.headers, status=401)
    api.web.post('/pubapi/v1/tokens/revoke', form | {'client_secret': 'sandbox-secret'}, headers=own.headers)
    own.get('userinfo', status=401)
    refresh(api, answer['refresh_token'], 400)


def test_requests_for_tokens_an_hour(tmp_path: Path, clock: Clock) -> None:
    api = Api(make_app(tmp_path, hourly_grants=2, clock=clock))
    form = {'code': code(api), 'redirect_uri': BACK}
    token(api, 400, code='wrong')
    clock.now += 60
    second = token(api, **form).json['refresh_token']
    refused = refresh(api, second, 409)
    assert refused.headers['Retry-After'] == '3540'
    assert refused.json['errorMessage']
    token(api, 401, client_id='other')  # every key has its own
    clock.now += 3539
    refresh(api, second, 409)
    clock.now += 1
    refresh(api, second)


def test_which_domain_it_is(api: Api) -> None:
    assert api.web.get('/rest/public/1.0/env-pub').json == {'workgroup': {'name': 'sandbox'}}


def test_a_root_of_the_version_before_is_brought_up(tmp_path: Path) -> None:
    stored = Api(make_app(tmp_path)).upload('/Shared/x/a.txt', b'hello')
    db = sqlite3.connect(tmp_path / 'sandbox.sqlite')
    db.executescript('DROP TABLE codes; PRAGMA user_version = 2')
    db.close()
    api = Api(make_app(tmp_path))
    assert api.fs('/Shared/x/a.txt')['entry_id'] == stored['entry_id']
    token(api, code=code(api), redirect_uri=BACK)


def test_a_root_of_another_version_is_left_alone(tmp_path: Path) -> None:
    Api(make_app(tmp_path)).fs('/Shared')
    db = sqlite3.connect(tmp_path / 'sandbox.sqlite')
    db.execute('PRAGMA user_version = 1')
    db.close()
    with pytest.raises(RuntimeError, match='another version'):
        Api(make_app(tmp_path)).fs('/Shared')
