"""The shipped ini files start unchanged, and report missing settings."""

import re
from configparser import ConfigParser
from pathlib import Path

import pytest
from pyramid.exceptions import ConfigurationError
from pyramid.paster import get_appsettings
from pyramid.path import DottedNameResolver
from waitress.adjustments import Adjustments
from webtest import TestApp

from fsp_pyramid import main
from fsp_pyramid.logs import JSONFormatter
from fsp_pyramid.settings import (
    FOLDERS,
    KEYS,
    Settings,
    variable,
)
from fsp_pyramid.settings.server import VARIABLES, adjustments
from fsp_pyramid.storage.mappings import parse_mappings

ROOT = Path(__file__).parents[1]
SECRET = 'hush-this-is-a-secret-of-forty-characters'
PRODUCTION = {
    'FSP_USERNAME': 'u',
    'FSP_PASSWORD': SECRET,
    'FSP_EGNYTE_URL': 'https://acme.egnyte.com',
    'FSP_EGNYTE_TOKEN': 'token',
    'FSP_PUBLIC_SECRET': SECRET,
}


LEAST = {
    'fsp.username': 'u',
    'fsp.password': SECRET,
    'fsp.egnyte.url': 'https://acme.egnyte.com',
    'fsp.egnyte.token': 'token',
    'fsp.public.secret': SECRET,
}


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove settings from the environment of the tests."""
    for key in KEYS:
        monkeypatch.delenv(variable(key), raising=False)


def settings_of(ini: str) -> dict[str, str]:
    return get_appsettings(str(ROOT / ini))


def test_development_starts_unchanged() -> None:
    assert TestApp(main({}, **settings_of('development.ini'))).get('/fsp/', status=401).json['code'] == 3650


def test_development_has_a_local_sandbox_and_allows_loopback() -> None:
    client = Settings.parse(settings_of('development.ini'), {}).clients['']
    assert client.egnyte.sandbox_directory == f'{ROOT}/var/egnyte'
    assert [entry.text for entry in client.sources.allow.entries] == ['127.0.0.0/8', '::1']
    assert [(mount.directory, mount.folder, mount.read_only) for mount in client.folders] == [
        ((), ('Shared', 'Beefree', '{uid}'), False),
        (('shared',), ('Shared', 'Brand'), True),
    ]


@pytest.mark.parametrize('name', sorted(PRODUCTION))
def test_production_names_the_missing_variable(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for other in set(PRODUCTION) - {name}:
        monkeypatch.setenv(other, PRODUCTION[other])
    with pytest.raises(ConfigurationError) as caught:
        main({}, **settings_of('production.ini'))
    assert re.findall(r'FSP_\w+', str(caught.value)) == [name]
    assert SECRET not in str(caught.value)


def test_production_names_its_variables_at_its_top() -> None:
    comment, _, _ = (ROOT / 'production.ini').read_text().partition('[DEFAULT]')
    assert set(PRODUCTION) == set(re.findall(r'FSP_[A-Z_]+', comment)) - {'FSP_A_B_C', *VARIABLES}


@pytest.mark.parametrize('ini', ['development.ini', 'production.ini'])
def test_audit_and_access_logs_are_configured(ini: str) -> None:
    """Lines of the audit log and the access log go to standard output; production has both, development neither."""
    config = ConfigParser(interpolation=None)
    config.read(ROOT / ini)
    for name in ('audit', 'access'):
        section = config[f'logger_{name}']
        assert section['qualname'] == f'fsp_pyramid.{name}'
        assert section['level'] == ('INFO' if ini == 'production.ini' else 'WARNING')
        assert (section['handlers'], section['propagate']) == ('audit', '0')
    assert config['handler_audit']['args'] == '(sys.stdout,)'
    for kind in ('logger', 'handler', 'formatter'):
        keys = config[f'{kind}s']['keys'].split(', ')
        assert {f'{kind}_{key}' for key in keys} == {name for name in config if name.startswith(f'{kind}_')}


@pytest.mark.parametrize('ini', ['development.ini', 'production.ini'])
def test_server_is_ours_and_accepts_its_section(ini: str) -> None:
    config = ConfigParser()
    config.read(ROOT / ini)
    section = dict(config['server:main'])
    assert section.pop('use') == 'egg:fsp-pyramid'
    section['port'] = section.pop('get port') and config['DEFAULT']['http_port']
    own = {key: value for key, value in section.items() if key != 'http_port'}
    found = Adjustments(**adjustments(own, {}))
    assert [address for *_, address in found.listen] == [('127.0.0.1', 6543)]
    assert found.trusted_proxy == ('127.0.0.1' if ini == 'production.ini' else None)


def test_production_has_a_formatter_for_json_ready() -> None:
    config = ConfigParser(interpolation=None)
    config.read(ROOT / 'production.ini')
    assert DottedNameResolver().resolve(config['formatter_json']['class']) is JSONFormatter


def test_production_shows_both_defaults_of_the_folders() -> None:
    text = (ROOT / 'production.ini').read_text()
    shown = re.findall(r'^# fsp\.folders = (/ \S+)$', text, re.MULTILINE)
    assert [parse_mappings(line) for line in shown] == [FOLDERS['token'], FOLDERS['oauth']]
    assert not re.search(r'^fsp\.folders', text, re.MULTILINE)
