"""Files of the repository are those of the templates, and files of an installation are valid."""

import re
from configparser import ConfigParser
from pathlib import Path

import pytest

from fsp_pyramid.scaffold import (
    DEPLOYMENTS,
    ENVIRONMENT,
    ENVIRONMENT_INI,
    INI_FILES,
    REPOSITORY,
    Installation,
    render,
)
from fsp_pyramid.scaffold.templates import FILES
from fsp_pyramid.settings import KEYS, Settings, unknown_variables
from fsp_pyramid.settings.server import adjustments

ROOT = Path(__file__).parents[2]
NAMES = (*INI_FILES, *(name for names in DEPLOYMENTS.values() for name in names))
ACME = Installation(egnyte_url='https://acme.egnyte.com', public_name='files.acme.com')


def variables(installation: Installation) -> dict[str, str]:
    """Return the variables of the file ``environment``, read as systemd and containers do."""
    lines = render(ENVIRONMENT, installation.values()).splitlines()
    return dict(line.split('=', 1) for line in lines if line and not line.startswith('#'))


@pytest.mark.parametrize('name', NAMES)
def test_file_of_the_repository_is_the_rendered_template(name: str) -> None:
    assert (ROOT / name).read_text() == render(name, REPOSITORY), 'run python -m fsp_pyramid.scaffold'


def test_every_template_is_used() -> None:
    found = {str(path.relative_to(FILES)) for path in FILES.rglob('*') if path.is_file()}
    others = {'deploy/nginx-compose.conf', 'deploy/nginx-cluster.conf'}  # of the same template
    rendered = {*NAMES, ENVIRONMENT, ENVIRONMENT_INI.name} - others
    assert found == rendered
    committed = {str(path.relative_to(ROOT)) for path in (ROOT / 'deploy').rglob('*') if path.is_file()}
    assert committed == {name for name in NAMES if name.startswith('deploy/')}


@pytest.mark.parametrize('name', [*NAMES, ENVIRONMENT])
@pytest.mark.parametrize('mode', ['token', 'oauth'])
def test_installation_has_no_example_and_no_placeholder(name: str, mode: str) -> None:
    text = render(name, Installation(mode=mode, public_name='files.acme.com').values())
    assert '@{' not in text
    assert 'bridge.example.com' not in text
    assert '.venv/bin/pip' not in text


def test_public_name_is_filled_in() -> None:
    for name in ('deploy/nginx.conf', 'deploy/nginx-compose.conf', 'deploy/kubernetes/ingress.yaml'):
        assert 'files.acme.com' in render(name, ACME.values())


@pytest.mark.parametrize('mode', ['token', 'oauth'])
def test_environment_completes_production(mode: str) -> None:
    environ = variables(Installation(egnyte_url='https://acme.egnyte.com', mode=mode))
    assert unknown_variables({}, environ) == []
    config = ConfigParser(defaults={'here': '/srv'})
    config.read_string(render('production.ini', ACME.values()))
    given = {'FSP_OAUTH_KEY': 'key', 'FSP_OAUTH_SECRET': 'secret'}
    given |= {'FSP_EGNYTE_TOKEN': 'token'} if mode == 'token' else {}
    settings = Settings.parse({key: value for key, value in config['app:main'].items() if key in KEYS}, environ | given)
    assert settings.clients[''].accounts.mode == mode
    assert settings.require_https
    assert len(settings.accounts.keys) == (mode == 'oauth')


def test_every_installation_has_its_own_secrets() -> None:
    first, second = variables(ACME), variables(ACME)
    secret = [name for name in first if first[name] != second[name]]
    assert secret == ['FSP_PASSWORD', 'FSP_PUBLIC_SECRET', 'POSTGRES_PASSWORD']
    assert all(len(first[name]) >= 32 for name in secret)
    one, other = (render('development.ini', ACME.values()) for _ in range(2))
    assert one != other
    assert re.search(r'^fsp\.password = [\w-]{32}$', one, re.MULTILINE)


def test_environment_ini_has_no_directory_and_takes_all_from_variables() -> None:
    config = ConfigParser(interpolation=None)
    config.read(ENVIRONMENT_INI)
    assert '%(' not in ENVIRONMENT_INI.read_text()
    assert {key for key in config['app:main'] if key.startswith('fsp.')} == {'fsp.require_https'}
    section = dict(config['server:main'])
    assert section.pop('use') == 'egg:fsp-pyramid'
    assert adjustments(section, {})['host'] == '127.0.0.1'
    production = ConfigParser(interpolation=None)
    production.read(ROOT / 'production.ini')
    # The values that production.ini explains.
    assert {key: production['server:main'][key] for key in section} == section
