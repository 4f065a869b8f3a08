"""Containerfile, compose.yaml and Kubernetes manifests: valid, and consistent with settings and with each other."""

import getpass
import grp
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from fsp_pyramid.settings import Settings, unknown_variables
from fsp_pyramid.settings.server import adjustments

from ..services import missing
from ..timing import PATIENCE
from .nginx import HOST, certificate, program

TOP = Path(__file__).parents[2]
DEPLOY = TOP / 'deploy'
MANIFESTS = sorted((DEPLOY / 'kubernetes').glob('*.yaml'))
CONTAINERFILE = (DEPLOY / 'Containerfile').read_text()
SECRETS = {
    'FSP_USERNAME': 'beefree',
    'FSP_PASSWORD': 'a-password',
    'FSP_EGNYTE_URL': 'https://acme.egnyte.com',
    'FSP_EGNYTE_TOKEN': 'token',
    'FSP_PUBLIC_SECRET': 'a-signing-secret-of-forty-characters-or-so',
}


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


COMPOSE = load(DEPLOY / 'compose.yaml')
BRIDGE = COMPOSE['services']['bridge']


def manifest(kind: str) -> Any:
    (found,) = [document for document in map(load, MANIFESTS) if document['kind'] == kind]
    return found


def image_variables() -> dict[str, str]:
    return dict(re.findall(r'^\s+(?:ENV )?(FSP_\w+)=(\S+)', CONTAINERFILE, re.MULTILINE))


@pytest.mark.parametrize('more', [BRIDGE['environment'], manifest('ConfigMap')['data']], ids=['compose', 'kubernetes'])
def test_variables_are_settings(more: dict[str, str]) -> None:
    environ = image_variables() | SECRETS | more
    assert unknown_variables({}, environ) == []
    settings = Settings.parse({}, environ)
    assert (settings.cache.backend, settings.pace.backend) == ('redis', 'redis')
    assert settings.redis_url
    assert settings.database_url
    found = adjustments({}, environ)
    assert (found['host'], found['port'], found['trusted_proxy']) == ('0.0.0.0', '6543', '*')


def test_image_runs_as_an_ordinary_user_and_writes_to_volumes_only() -> None:
    assert re.search(r'^USER 10001:10001$', CONTAINERFILE, re.MULTILINE)
    volumes = set(yaml.safe_load(re.search(r'^VOLUME (.*)$', CONTAINERFILE, re.MULTILINE)[1]))
    written = {image_variables()['FSP_PUBLIC_CACHE_DIR'], str(Path(image_variables()['FSP_DATABASE_URL'][10:]).parent)}
    assert written == volumes
    assert volumes == {volume.split(':')[1] for volume in BRIDGE['volumes']}
    container = manifest('Deployment')['spec']['template']['spec']['containers'][0]
    assert {mount['mountPath'] for mount in container['volumeMounts']} == volumes | {'/tmp'}
    assert BRIDGE['read_only'] is True
    assert BRIDGE['tmpfs'] == ['/tmp']


def test_port_is_the_same_everywhere() -> None:
    assert re.search(r'^EXPOSE 6543$', CONTAINERFILE, re.MULTILINE)
    assert 'server bridge:6543 ' in (DEPLOY / 'nginx-compose.conf').read_text()
    container = manifest('Deployment')['spec']['template']['spec']['containers'][0]
    assert container['ports'] == [{'name': 'http', 'containerPort': 6543}]
    assert manifest('Service')['spec']['ports'][0]['targetPort'] == 'http'


def test_bridge_is_reached_through_the_proxy_only() -> None:
    """Forwarded headers of any address are trusted, so no other client may connect."""
    assert 'ports' not in BRIDGE
    assert manifest('Service')['spec'].get('type', 'ClusterIP') == 'ClusterIP'
    policy = manifest('NetworkPolicy')['spec']
    assert policy['podSelector']['matchLabels'] == manifest('Deployment')['spec']['selector']['matchLabels']
    assert [list(source) for rule in policy['ingress'] for source in rule['from']] == [['namespaceSelector']]


def test_stop_takes_longer_than_the_shutdown_timeout() -> None:
    timeout = Settings.parse({}, SECRETS).shutdown.timeout
    assert int(BRIDGE['stop_grace_period'].removesuffix('s')) > timeout
    pod = manifest('Deployment')['spec']['template']['spec']
    (_, delay) = pod['containers'][0]['lifecycle']['preStop']['exec']['command']
    assert pod['terminationGracePeriodSeconds'] > timeout + int(delay)


def test_nginx_accepts_the_configuration_of_compose(tmp_path: Path) -> None:
    if program() is None:
        missing('nginx', FileNotFoundError('apt-get install nginx-light'))
    cert, key = certificate(tmp_path)
    text = (DEPLOY / 'nginx-compose.conf').read_text()
    for old, new in {
        'user nginx;': f'user {getpass.getuser()} {grp.getgrgid(os.getgid()).gr_name};',
        'server bridge:6543 ': 'server 127.0.0.1:6543 ',
        '/run/nginx.pid': f'{tmp_path}/nginx.pid',
        '/var/log/nginx': f'{tmp_path}',
        f'/etc/ssl/certs/{HOST}.pem': f'{cert}',
        f'/etc/ssl/private/{HOST}.key': f'{key}',
    }.items():
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / 'nginx.conf'
    path.write_text(text)
    command = [program(), '-t', '-e', tmp_path / 'error.log', '-c', path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr


def test_compose_mentions_no_undefined_name() -> None:
    services = COMPOSE['services']
    assert {name for service in services.values() for name in service.get('depends_on', ())} <= set(services)
    volumes = {volume.split(':')[0] for service in services.values() for volume in service.get('volumes', ())}
    assert {name for name in volumes if re.fullmatch(r'\w+', name)} == set(COMPOSE['volumes'])
    assert {name for service in services.values() for name in service['networks']} == set(COMPOSE['networks'])
    for needed in ('redis', 'database'):
        assert 'healthcheck' in services[needed], 'the bridge waits until it is healthy'
    assert 'HEALTHCHECK' in CONTAINERFILE
    context = (DEPLOY / BRIDGE['build']['context']).resolve()
    assert (context / BRIDGE['build']['dockerfile']).is_file()
    assert (DEPLOY / 'nginx-compose.conf').is_file()


def test_kustomization_lists_every_manifest() -> None:
    listed = load(DEPLOY / 'kubernetes' / 'kustomization.yaml')
    assert {*listed['resources'], 'kustomization.yaml'} == {path.name for path in MANIFESTS}
    container = manifest('Deployment')['spec']['template']['spec']['containers'][0]
    assert [image['name'] for image in listed['images']] == [container['image']]
    assert all(document['apiVersion'] and document['kind'] for document in map(load, MANIFESTS))


def test_paths_of_probes_and_ingress_are_those_of_the_settings() -> None:
    settings = Settings.parse({}, SECRETS)
    container = manifest('Deployment')['spec']['template']['spec']['containers'][0]
    probes = {name: container[name]['httpGet']['path'] for name in ('startupProbe', 'livenessProbe', 'readinessProbe')}
    health, ready = f'{settings.ops.prefix}/health', f'{settings.ops.prefix}/ready'
    assert probes == {'startupProbe': health, 'livenessProbe': health, 'readinessProbe': ready}
    (rule,) = manifest('Ingress')['spec']['rules']
    paths = {path['path'] for path in rule['http']['paths']}
    assert paths == {settings.prefix, settings.public.prefix, settings.connect.prefix}


def test_context_of_the_image_has_what_its_build_copies() -> None:
    ignored = (TOP / '.dockerignore').read_text().splitlines()
    kept = {line[1:] for line in ignored if line.startswith('!')}
    assert '*' in ignored
    assert {'fsp_pyramid', 'setup.cfg', 'pyproject.toml', 'requirements.lock', 'README.rst', 'CHANGES.rst'} <= kept
    assert all((TOP / name).exists() for name in kept)
