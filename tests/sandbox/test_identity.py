"""Identity of users, and tokens for passwords."""

from pathlib import Path

import pytest

from fsp_pyramid.sandbox import make_app

from .api import Api
from .conftest import Clock

GOOD = {
    'client_id': 'sandbox-key',
    'client_secret': 'sandbox-secret',
    'grant_type': 'password',
    'username': 'alice',
    'password': 'alice',
}


def token(api: Api, *, status: int = 200, **changed: str) -> dict[str, str]:
    return api.web.post('/puboauth/token', GOOD | changed, status=status).json


def test_userinfo(api: Api) -> None:
    assert api.get('userinfo').json == {
        'id': 1,
        'first_name': 'Demo',
        'last_name': 'Admin',
        'username': 'demo',
        'user_type': 'admin',
        'email': 'demo@example.com',
    }
    assert api.get('userinfo', X_Egnyte_Act_As='bob').json['username'] == 'bob'


def test_whoami(api: Api) -> None:
    answer = api.by('alice').get('whoami').json
    assert (answer['clientId'], answer['username'], answer['domain']) == ('sandbox-key', 'alice', 'sandbox')
    assert 'Egnyte.filesystem' in answer['scopes']


def test_a_token_for_a_password(api: Api, clock: Clock) -> None:
    answer = token(api, scope='Egnyte.filesystem Egnyte.link')
    assert (answer['token_type'], answer['expires_in']) == ('bearer', 2592000)
    caller = Api(api.app, answer['access_token'])
    assert caller.get('whoami').json['scopes'] == ['Egnyte.filesystem', 'Egnyte.link']
    assert caller.get('userinfo').json['username'] == 'alice'
    clock.now += 2592000
    caller.get('userinfo', status=401)


def test_a_token_can_be_refreshed_once(api: Api) -> None:
    first = token(api)
    again = {'grant_type': 'refresh_token', 'refresh_token': first['refresh_token']}
    second = token(api, **again)
    assert Api(api.app, second['access_token']).get('userinfo').json['username'] == 'alice'
    Api(api.app, first['access_token']).get('userinfo', status=401)
    assert token(api, status=400, **again)['error'] == 'invalid_grant'


def test_tokens_of_the_older_kind(tmp_path: Path) -> None:
    answer = token(Api(make_app(tmp_path, refresh_tokens=False)))
    assert answer['expires_in'] == -1
    assert 'refresh_token' not in answer


@pytest.mark.parametrize(
    ('changed', 'status', 'error'),
    [
        ({'password': 'wrong'}, 400, 'invalid_grant'),
        ({'username': 'nobody'}, 400, 'invalid_grant'),
        ({'client_id': 'other'}, 401, 'invalid_client'),
        ({'client_secret': 'wrong'}, 401, 'invalid_client'),
        ({'grant_type': 'magic'}, 400, 'unsupported_grant_type'),
    ],
)
def test_refusals(api: Api, changed: dict[str, str], status: int, error: str) -> None:
    answer = token(api, status=status, **changed)
    assert answer['error'] == error
    assert answer['error_description']


def test_json_that_is_called_a_form(api: Api) -> None:
    """This is what Egnyte's Python client sends, without a secret."""
    body = '{"client_id": "sandbox-key", "username": "demo", "password": "demo", "grant_type": "password"}'
    answer = api.web.post('/puboauth/token', body).json
    assert Api(api.app, answer['access_token']).get('userinfo').json['username'] == 'demo'
