"""OAuth against the sandbox, and against made-up answers."""

import logging
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from requests.adapters import BaseAdapter

from fsp_pyramid.egnyte import (
    Application,
    Client,
    RateLimiter,
    Tokens,
    errors,
    new_session,
    oauth,
)
from fsp_pyramid.embedded import URL
from fsp_pyramid.testing import Sandbox

from ..sandbox.servers import serving
from ..timing import PATIENCE
from .support import answer

BACK = 'https://app.example.com/connect/back'
APPLICATION = Application('sandbox-key', 'sandbox-secret', 'Egnyte.filesystem Egnyte.link')
NOW = 1_795_000_000.0
ANYWHERE = 'http://egnyte.test'


def consent(session: requests.Session, base_url: str = URL, **login: str) -> dict[str, str]:
    """Return the parameters of the redirect after a consent."""
    url = oauth.authorize_url(base_url, APPLICATION, BACK, 'st&te')
    url = url.replace('/puboauth/token', '/puboauth/authorize')  # where the page's form is sent
    form = {'username': 'alice', 'password': 'alice', 'decision': 'allow'} | login
    location = session.post(url, data=form, allow_redirects=False).headers['Location']
    assert location.startswith(f'{BACK}?')
    return {name: value for name, (value,) in parse_qs(urlsplit(location).query).items()}


def exchange(sandbox: Sandbox, code: str, redirect_uri: str = BACK, application: Application = APPLICATION) -> Tokens:
    return oauth.exchange(sandbox.session, URL, application, code, redirect_uri, timeout=PATIENCE, now=NOW)


def refresh(sandbox: Sandbox, tokens: Tokens) -> Tokens:
    return oauth.refresh(sandbox.session, URL, APPLICATION, tokens, timeout=PATIENCE, now=NOW)


def client(sandbox: Sandbox, tokens: Tokens) -> Client:
    return Client(URL, tokens.access, session=sandbox.session, rate_limiter=RateLimiter())


class Answering(BaseAdapter):
    """Adapter that gives every request the same answer and records the last request."""

    def __init__(self, status: int, body: Any, headers: dict[str, str]) -> None:
        super().__init__()
        self._status, self._body, self._headers = status, body, headers
        self.asked: requests.PreparedRequest | None = None

    def send(self, request: requests.PreparedRequest, **_options: Any) -> requests.Response:
        self.asked = request
        return answer(request, self._status, self._body, **self._headers)

    def close(self) -> None:
        pass


def answering(status: int, body: Any, **headers: str) -> requests.Session:
    session = new_session()
    session.mount(ANYWHERE, Answering(status, body, headers))
    return session


def test_from_consent_to_revocation(sandbox: Sandbox) -> None:
    back = consent(sandbox.session)
    assert back['state'] == 'st&te'
    tokens = exchange(sandbox, back['code'])
    assert tokens.expires_at == NOW + 2_592_000
    user = client(sandbox, tokens).userinfo()
    assert (user.username, user.first_name, user.last_name) == ('alice', 'Alice', 'Adams')
    assert user.email == 'alice@example.com'

    newer = refresh(sandbox, tokens)
    assert newer.access != tokens.access
    assert client(sandbox, newer).userinfo() == user
    with pytest.raises(errors.Unauthorized):
        client(sandbox, tokens).userinfo()
    with pytest.raises(errors.GrantRefused):
        refresh(sandbox, tokens)

    oauth.revoke(sandbox.session, URL, APPLICATION, newer, timeout=PATIENCE)
    with pytest.raises(errors.Unauthorized):
        client(sandbox, newer).userinfo()
    with pytest.raises(errors.GrantRefused):
        refresh(sandbox, newer)
    with pytest.raises(errors.Unauthorized):
        oauth.revoke(sandbox.session, URL, APPLICATION, newer, timeout=PATIENCE)


def test_user_may_deny(sandbox: Sandbox) -> None:
    assert consent(sandbox.session, decision='deny') == {'error': 'access_denied', 'state': 'st&te'}


def test_authorize_url_is_the_documented_one(sandbox: Sandbox) -> None:
    page = sandbox.session.get(oauth.authorize_url(URL, APPLICATION, BACK, 's'))
    assert 'Egnyte.link' in page.text
    service = f'{URL}/services/oauth/code'
    page = sandbox.session.get(oauth.service_authorize_url(service, APPLICATION, BACK, 's'))
    assert 'Your Egnyte domain' in page.text


def test_without_a_scope_none_is_sent() -> None:
    url = oauth.authorize_url(URL, Application('key', 'secret', ''), BACK, 's')
    assert parse_qs(urlsplit(url).query).keys() == {'client_id', 'redirect_uri', 'response_type', 'state'}


def test_tokens_of_the_older_generation(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path, refresh_tokens=False)
    tokens = exchange(sandbox, consent(sandbox.session)['code'])
    assert (tokens.refresh, tokens.expires_at) == (None, None)
    assert client(sandbox, tokens).userinfo().username == 'alice'
    sandbox.forget_calls()
    with pytest.raises(errors.GrantRefused):
        refresh(sandbox, tokens)
    assert sandbox.calls == []


def test_code_is_valid_once(sandbox: Sandbox) -> None:
    code = consent(sandbox.session)['code']
    with pytest.raises(errors.GrantRefused):
        exchange(sandbox, code, f'{BACK}/other')
    exchange(sandbox, code)
    with pytest.raises(errors.GrantRefused):
        exchange(sandbox, code)


def test_wrong_secret_is_no_refused_grant(sandbox: Sandbox) -> None:
    with pytest.raises(errors.Unauthorized):
        exchange(sandbox, consent(sandbox.session)['code'], application=Application('sandbox-key', 'wrong'))


def test_too_many_requests(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path, hourly_grants=1)
    tokens = exchange(sandbox, consent(sandbox.session)['code'])
    with pytest.raises(errors.Throttled) as refused:
        refresh(sandbox, tokens)
    assert refused.value.status == 409
    assert 3590 <= refused.value.wait <= 3600


def test_cut_answer_and_failing_server(sandbox: Sandbox) -> None:
    code = consent(sandbox.session)['code']
    sandbox.fail({'path_prefix': '/puboauth/token', 'status': 503})
    with pytest.raises(errors.Unavailable):
        exchange(sandbox, code)
    sandbox.fail({'path_prefix': '/puboauth/token', 'drop': True})
    with pytest.raises(errors.Unreachable):
        exchange(sandbox, code)


def test_domain_behind_a_host(sandbox: Sandbox) -> None:
    assert oauth.resolve_domain(sandbox.session, URL, timeout=PATIENCE) == 'sandbox.egnyte.com'


@pytest.mark.parametrize(
    'body',
    [
        b'<html>',
        [],
        {},
        {'workgroup': None},
        {'workgroup': {'name': 7}},
        *({'workgroup': {'name': name}} for name in ('', 'evil.example.com/', 'a.b', 'a b', '-', 'x' * 64, 'a\n')),
    ],
)
def test_host_of_others_is_refused(body: Any) -> None:
    with pytest.raises(errors.EgnyteError):
        oauth.resolve_domain(answering(200, body), ANYWHERE, timeout=PATIENCE)


def test_redirect_of_a_host_is_not_followed() -> None:
    with pytest.raises(errors.EgnyteError):
        oauth.resolve_domain(answering(302, b'', Location=f'{ANYWHERE}/elsewhere'), ANYWHERE, timeout=PATIENCE)


@pytest.mark.parametrize(
    ('status', 'body', 'kind'),
    [
        (400, {'error': 'invalid_grant'}, errors.GrantRefused),
        (401, {'error': 'invalid_grant', 'error_description': 'gone'}, errors.GrantRefused),
        (400, {'ErrorCode': 'invalid_request', 'Error': 'Invalid Authorization Code'}, errors.GrantRefused),
        (400, {'ErrorCode': 'invalid_request', 'Error': 'Refresh Token expired'}, errors.GrantRefused),
        (401, {'fault': {'faultstring': 'Invalid refresh token'}}, errors.GrantRefused),
        (400, {'error': 'unauthorized_client', 'error_description': 'not for authorization_code'}, errors.Rejected),
        (401, {'error': 'invalid_client'}, errors.Unauthorized),
        (400, {'formErrors': [{'code': 'INVALID_CALLBACK', 'msg': 'x'}]}, errors.Rejected),
        (503, {'error': 'invalid_grant'}, errors.Unavailable),
        (504, b'', errors.Unreachable),
        (409, b'', errors.Throttled),
        (429, b'', errors.Throttled),
        (403, b'<h1>Developer Inactive</h1>', errors.Unauthorized),
        (302, b'', errors.Unavailable),
        (200, b'', errors.Unreachable),
        (200, b'<html>Log in</html>', errors.Unreachable),
        (200, {}, errors.Unreachable),
        (200, {'access_token': ''}, errors.Unreachable),
        (200, {'access_token': 'a', 'refresh_token': 7}, errors.Unreachable),
        (400, b'<html>invalid_grant</html>', errors.Unavailable),
        (401, b'<html>The refresh token is invalid</html>', errors.Unavailable),
        (401, b'<html>Log in</html>', errors.Unavailable),
    ],
)
def test_answers_without_tokens_are_refused(status: int, body: Any, kind: type[errors.EgnyteError]) -> None:
    with pytest.raises(kind):
        oauth.exchange(answering(status, body), ANYWHERE, APPLICATION, 'code', BACK, timeout=PATIENCE, now=NOW)


@pytest.mark.parametrize(
    ('fields', 'refresh_token', 'expires_at'),
    [
        ({'expires_in': 60, 'refresh_token': 'new'}, 'new', NOW + 60),
        ({'expires_in': '60', 'refresh_token': 'new'}, 'new', NOW + 60),
        ({'expires_in': 60}, 'old', NOW + 60),
        ({'expires_in': -1}, 'old', None),
        ({'expires_in': 0, 'refresh_token': 'new'}, 'new', None),
        ({'refresh_token': 'new'}, 'new', None),
    ],
)
def test_errors_of_a_refresh(fields: dict[str, Any], refresh_token: str, expires_at: float | None) -> None:
    session = answering(200, {'access_token': 'a'} | fields)
    tokens = oauth.refresh(session, ANYWHERE, APPLICATION, Tokens('x', 'old', 1.0), timeout=PATIENCE, now=NOW)
    assert tokens == Tokens('a', refresh_token, expires_at)


def test_expiry_without_refresh_token_is_ignored() -> None:
    session = answering(200, {'access_token': 'a', 'expires_in': 60})
    assert oauth.exchange(session, ANYWHERE, APPLICATION, 'c', BACK, timeout=PATIENCE, now=NOW) == Tokens(
        'a', None, None
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=5,
)


@given(st.fixed_dictionaries({}, optional={'access_token': JSON, 'refresh_token': JSON, 'expires_in': JSON}) | JSON)
def test_any_answer_gives_tokens_or_an_error(body: Any) -> None:
    try:
        tokens = oauth.exchange(answering(200, body), ANYWHERE, APPLICATION, 'c', BACK, timeout=PATIENCE, now=NOW)
    except errors.EgnyteError:
        return
    assert tokens.access
    assert tokens.expires_at is None or (tokens.refresh and NOW < tokens.expires_at < float('inf'))


def test_requests_hold_the_documented_fields() -> None:
    session = answering(200, {'access_token': 'a'})
    oauth.exchange(session, ANYWHERE, APPLICATION, 'c', BACK, timeout=PATIENCE, now=NOW)
    asked = session.get_adapter(ANYWHERE).asked
    assert (asked.method, asked.url) == ('POST', f'{ANYWHERE}/puboauth/token')
    assert 'Authorization' not in asked.headers
    assert parse_qs(asked.body) == {
        'grant_type': ['authorization_code'],
        'client_id': ['sandbox-key'],
        'client_secret': ['sandbox-secret'],
        'code': ['c'],
        'redirect_uri': [BACK],
        'scope': ['Egnyte.filesystem Egnyte.link'],
    }


def test_nothing_secret_is_shown_or_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(tmp_path) as url, new_session() as session:
        code = consent(session, url)['code']
        first = oauth.exchange(session, url, APPLICATION, code, BACK, timeout=PATIENCE, now=NOW)
        second = oauth.refresh(session, url, APPLICATION, first, timeout=PATIENCE, now=NOW)
        with pytest.raises(errors.GrantRefused) as refused:
            oauth.refresh(session, url, APPLICATION, first, timeout=PATIENCE, now=NOW)
        oauth.revoke(session, url, APPLICATION, second, timeout=PATIENCE)
    secrets = [code, 'sandbox-secret', *(text for one in (first, second) for text in (one.access, one.refresh))]
    shown = f'{caplog.text}{first!r}{second!r}{APPLICATION!r}{refused.value}'
    assert [secret for secret in secrets if secret in shown] == []
    assert 'POST /pubapi/v1/tokens/revoke' in caplog.text
    assert 'sandbox-key' in repr(APPLICATION)
