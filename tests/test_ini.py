"""The shipped ini files: they start as they are, and say what they lack."""

import base64
import json
import re
from http.client import HTTPConnection
from pathlib import Path

import pytest
from pyramid.exceptions import ConfigurationError
from pyramid.paster import get_appsettings
from webtest import TestApp

from fsp_pyramid import main
from fsp_pyramid.settings import KEYS, Settings, variable

from .pserve import ROOT, serving

SECRET = 'hush-this-is-a-secret-of-forty-characters'
PRODUCTION = {
    'FSP_USERNAME': 'u',
    'FSP_PASSWORD': SECRET,
    'FSP_EGNYTE_URL': 'https://acme.egnyte.com',
    'FSP_EGNYTE_TOKEN': 'token',
    'FSP_PUBLIC_SECRET': SECRET,
}


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of whoever runs the tests."""
    for key in KEYS:
        monkeypatch.delenv(variable(key), raising=False)


def settings_of(ini: str) -> dict[str, str]:
    return get_appsettings(str(ROOT / ini))


def test_development_starts_as_it_is() -> None:
    assert TestApp(main({}, **settings_of('development.ini'))).get('/fsp/', status=401).json['code'] == 3650


def test_development_keeps_its_files_beside_itself_and_allows_loopback() -> None:
    settings = Settings.parse(settings_of('development.ini'), {})
    assert settings.sandbox == f'{ROOT}/var/egnyte'
    assert [entry.text for entry in settings.sources_allow.entries] == ['127.0.0.0/8', '::1']
    assert [(mount.directory, mount.folder, mount.read_only) for mount in settings.folders] == [
        ((), ('Shared', 'Beefree', '{uid}'), False),
        (('shared',), ('Shared', 'Brand'), True),
    ]


def test_production_answers_behind_its_proxy(tmp_path: Path) -> None:
    with serving('production.ini', tmp_path, PRODUCTION) as port:
        plain, https, wrong = (
            ask(port, PRODUCTION['FSP_PASSWORD']),
            ask(port, PRODUCTION['FSP_PASSWORD'], {'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'files.acme.com'}),
            ask(port, 'beefree', {'X-Forwarded-Proto': 'https'}),
        )
    assert (plain[0], plain[1]['code']) == (403, 3300)
    assert 'HTTPS' in plain[1]['details']
    # Known, over HTTPS, and without a uid: it got as far as one gets without Egnyte.
    assert (https[0], https[1]['code']) == (400, 3500)
    assert 'X-BEE-Uid' in https[1]['details']
    assert (wrong[0], wrong[1]['code']) == (401, 3650)


def ask(port: int, password: str, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str]]:
    basic = base64.b64encode(f'u:{password}'.encode()).decode()
    connection = HTTPConnection('127.0.0.1', port, timeout=20)
    try:
        connection.request(
            'GET', '/fsp/', headers={'Authorization': f'Basic {basic}', 'X-BEE-ClientId': 'app', **(headers or {})}
        )
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@pytest.mark.parametrize('name', sorted(PRODUCTION))
def test_production_says_which_variable_is_missing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for other in set(PRODUCTION) - {name}:
        monkeypatch.setenv(other, PRODUCTION[other])
    with pytest.raises(ConfigurationError) as caught:
        main({}, **settings_of('production.ini'))
    assert re.findall(r'FSP_\w+', str(caught.value)) == [name]
    assert SECRET not in str(caught.value)


def test_production_names_its_variables_at_its_top() -> None:
    comment, _, _ = (ROOT / 'production.ini').read_text().partition('[DEFAULT]')
    assert set(PRODUCTION) == set(re.findall(r'FSP_[A-Z_]+', comment)) - {'FSP_A_B_C'}
