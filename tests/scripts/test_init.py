"""``fsp-init``: files of a new installation."""

import io
import json
import os
import re
import stat
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from fsp_pyramid.scripts.init import main

from ..functional.envelope import caller
from ..functional.processes import BIN, run, running, serving


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, 'stdin', io.StringIO())


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list of lines to type at a terminal, in turn."""
    lines: list[str] = []

    def read(_prompt: str) -> str:
        if not lines:
            raise EOFError
        return lines.pop(0)

    monkeypatch.setattr(sys, 'stdin', SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr('builtins.input', read)
    return lines


def files(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob('*') if path.is_file()}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def secrets_in(directory: Path) -> list[str]:
    text = (directory / 'environment').read_text() + (directory / 'development.ini').read_text()
    found = re.findall(r'(?:PASSWORD|SECRET|password|secret) ?= ?(\S+)$', text, re.MULTILINE)
    assert len(found) == 5
    return found


def test_nothing_is_asked_without_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = tmp_path / 'new' / 'bridge'
    assert main([str(directory)]) == 0
    assert files(directory) == {'development.ini', 'production.ini', 'environment'}
    assert [mode(directory / name) for name in ('development.ini', 'environment')] == [0o600, 0o600]
    printed = capsys.readouterr().out
    assert f'fsp-serve {directory}/development.ini' in printed
    assert 'FSP_EGNYTE_URL (https://DOMAIN.egnyte.com)' in printed
    assert not any(secret in printed for secret in secrets_in(directory))


def test_umask_does_not_open_files_with_secrets(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        main([str(tmp_path)])
    finally:
        os.umask(before)
    assert mode(tmp_path / 'environment') == 0o600


def test_terminal_is_asked_until_answers_are_right(
    tmp_path: Path, typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    typed += ['a b', 'acme', 'both', 'oauth', 'no host', 'https://Files.acme.com/']
    assert main([str(tmp_path), '--deploy', 'nginx']) == 0
    assert typed == []
    environment = (tmp_path / 'environment').read_text()
    assert 'FSP_EGNYTE_URL=https://acme.egnyte.com\n' in environment
    assert 'FSP_ACCOUNTS_MODE=oauth\n' in environment
    assert 'server_name files.acme.com;' in (tmp_path / 'deploy' / 'nginx.conf').read_text()
    printed = capsys.readouterr().out
    assert 'base URL https://files.acme.com/fsp' in printed
    assert 'fsp-token' not in printed


def test_empty_answers_are_defaults(tmp_path: Path, typed: list[str]) -> None:
    typed += ['', '', '']
    assert main([str(tmp_path)]) == 0
    assert 'FSP_EGNYTE_URL=\n' in (tmp_path / 'environment').read_text()


def test_options_are_not_asked_for(tmp_path: Path, typed: list[str]) -> None:
    options = ['--domain', 'files.acme.com', '--mode', 'token', '--public-name', 'bridge.acme.com']
    assert main([str(tmp_path), *options]) == 0
    assert 'FSP_EGNYTE_URL=https://files.acme.com\n' in (tmp_path / 'environment').read_text()


def test_interrupted_questions_write_nothing(
    tmp_path: Path, typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    typed += ['acme']
    assert main([str(tmp_path / 'new')]) == 1
    assert 'Nothing was written' in capsys.readouterr().err
    assert not (tmp_path / 'new').exists()


def test_existing_files_are_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(tmp_path)])
    before = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    assert main([str(tmp_path), '--deploy', 'systemd', '--deploy', 'systemd']) == 0
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    assert files(tmp_path) - set(before) == {
        'deploy/fsp-pyramid.target',
        'deploy/fsp-pyramid@.service',
        'deploy/sysusers.conf',
    }
    assert f'kept  {tmp_path}/environment' in capsys.readouterr().out


@pytest.mark.parametrize(
    'options', [['--mode', 'oauth'], ['--domain', 'other'], ['--public-name', 'pics.acme.com', '--deploy', 'nginx']]
)
def test_options_that_contradict_kept_files_are_refused(
    tmp_path: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    given = ['--domain', 'acme', '--mode', 'token', '--public-name', 'files.acme.com']
    assert main([str(tmp_path), *given]) == 0
    before = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    capsys.readouterr()
    assert main([str(tmp_path), *options]) == 1
    refused = capsys.readouterr()
    assert refused.out == ''
    assert f'{options[0]} ' in refused.err
    assert 'would have no effect. Nothing was written' in refused.err
    assert {name: (tmp_path / name).read_bytes() for name in files(tmp_path)} == before
    assert main([str(tmp_path), *given]) == 0


def test_kept_files_override_options(tmp_path: Path, typed: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main([str(tmp_path), '--domain', 'acme', '--mode', 'oauth', '--public-name', 'files.acme.com'])
    capsys.readouterr()
    assert main([str(tmp_path), '--deploy', 'nginx']) == 0
    printed = capsys.readouterr().out
    assert 'the options of this call have no effect on them' in printed
    assert 'https://files.acme.com/fsp-connect/callback' in printed
    assert 'FSP_PUBLIC_BASE_URL' not in printed
    assert 'server_name files.acme.com;' in (tmp_path / 'deploy' / 'nginx.conf').read_text()


def test_public_name_of_a_later_call_is_shown_as_a_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(tmp_path)])
    assert 'FSP_PUBLIC_BASE_URL (https://YOUR-HOST/fsp-public)' in capsys.readouterr().out
    assert main([str(tmp_path), '--public-name', 'files.acme.com', '--deploy', 'nginx']) == 0
    assert 'FSP_PUBLIC_BASE_URL (https://files.acme.com/fsp-public)' in capsys.readouterr().out


def test_file_that_cannot_be_read_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / 'environment').write_bytes(b'\xff')
    assert main([str(tmp_path)]) == 1
    assert 'environment exists, and cannot be read' in capsys.readouterr().err


def test_written_files_pass_the_doctor(tmp_path: Path) -> None:
    options = ['--domain', 'acme', '--public-name', 'files.acme.com', '--deploy', 'systemd', '--deploy', 'nginx']
    assert main([str(tmp_path), *options]) == 0
    lines = [line for line in (tmp_path / 'environment').read_text().splitlines() if re.match('FSP_', line)]
    environ = dict(line.split('=', 1) for line in lines)
    environ |= {'FSP_EGNYTE_TOKEN': 'token', 'FSP_OAUTH_KEY': 'key', 'FSP_OAUTH_SECRET': 'secret'}
    nginx = tmp_path / 'deploy' / 'nginx.conf'
    done = run('fsp-doctor', tmp_path / 'production.ini', '--nginx', nginx, '--no-egnyte', '--json', **environ)
    levels = {result['id']: result['level'] for result in json.loads(done.stdout)['results']}
    assert (levels['settings.processes'], levels['public.base']) == ('ok', 'ok')
    servers = re.findall(r'server 127\.0\.0\.1:(\d+)', nginx.read_text())
    target = (tmp_path / 'deploy' / 'fsp-pyramid.target').read_text()
    assert sorted(set(servers)) == re.findall(r'fsp-pyramid@(\d+)\.service', target)


def test_link_to_nowhere_is_not_followed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / 'environment').symlink_to(tmp_path / 'elsewhere')
    assert main([str(tmp_path)]) == 1
    assert 'environment cannot be written' in capsys.readouterr().err
    assert not (tmp_path / 'elsewhere').exists()


def test_directory_that_cannot_be_made_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / 'file').touch()
    assert main([str(tmp_path / 'file' / 'bridge')]) == 1
    assert 'development.ini cannot be written' in capsys.readouterr().err


@pytest.mark.parametrize(
    'options', [['--domain', 'a b'], ['--public-name', 'x'], ['--mode', 'both'], ['--deploy', 'heroku'], []]
)
def test_bad_arguments_are_refused(tmp_path: Path, options: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([str(tmp_path / 'new'), *options] if options else [])
    assert caught.value.code == 2
    assert not (tmp_path / 'new').exists()


def test_written_files_run(tmp_path: Path) -> None:
    """Start both ini files as the printed steps do, with the file of variables."""
    assert run('fsp-init', tmp_path, '--deploy', 'container').returncode == 0
    (password,) = re.findall(r'^fsp\.password = (.*)$', (tmp_path / 'development.ini').read_text(), re.MULTILINE)
    with serving(tmp_path / 'development.ini') as server:
        (listing,) = server.ask('GET /fsp/', headers=caller(password=password))
    assert {item['name'] for item in json.loads(listing.body)['data']['items']} >= {'My pictures', 'Welcome.jpg'}

    lines = [line for line in (tmp_path / 'environment').read_text().splitlines() if re.match('FSP_', line)]
    environ = dict(line.split('=', 1) for line in lines) | {'FSP_EGNYTE_URL': f'sandbox:{tmp_path}/egnyte'}
    proxied = caller(password=environ['FSP_PASSWORD']) | {'X-Forwarded-Proto': 'https'}
    with serving(tmp_path / 'production.ini', **environ) as server:
        (listing,) = server.ask('GET /fsp/', headers=proxied)
    assert listing.status == 200


def test_environment_alone_configures_the_server(tmp_path: Path) -> None:
    """Serve without a file, as a container does, at an address and behind a proxy of the environment."""
    secret = 'a-signing-secret-of-forty-characters-or-so'
    environ = {
        'FSP_USERNAME': 'beefree',
        'FSP_PASSWORD': 'beefree',
        'FSP_EGNYTE_URL': f'sandbox:{tmp_path}/egnyte',
        'FSP_PUBLIC_SECRET': secret,
        'FSP_SERVER_HOST': '127.0.0.1',
        'FSP_SERVER_TRUSTED_PROXY': '127.0.0.1',
        'FSP_THREADS': '4',
    }
    proxied = caller() | {'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'files.example'}
    command = ('/bin/sh', '-c', f'FSP_SERVER_PORT=$0 exec {BIN}/fsp-serve', '')
    with running(*command, log=tmp_path / 'log', **environ) as server:
        (listing, plain) = server.ask('GET /fsp/', headers=proxied) + server.ask('GET /fsp/', headers=caller())
        (health,) = server.ask('GET /fsp-ops/health')
    assert (listing.status, plain.status, health.status) == (200, 403, 200)
    assert b'https://files.example/fsp-public/' in listing.body
    lines = [json.loads(line) for line in server.log.splitlines() if line.startswith('{')]
    assert [line['operation'] for line in lines if line['logger'] == 'fsp_pyramid.audit'] == ['list', 'list']


def test_incomplete_environment_is_reported() -> None:
    done = run('fsp-serve', FSP_USERNAME='u')
    assert done.returncode == 1
    assert [name for name in ('FSP_PASSWORD', 'FSP_EGNYTE_URL') if name not in done.stderr] == []
    done = run('fsp-serve', FSP_USERNAME='u', FSP_PASSWORD='p', FSP_EGNYTE_URL='sandbox:/tmp/none', FSP_SERVER_PORT='x')
    assert done.returncode == 1
    assert 'FSP_SERVER_PORT' in done.stderr
    assert 'Traceback' not in done.stderr


def test_address_in_use_is_reported(tmp_path: Path) -> None:
    main([str(tmp_path)])
    with serving(tmp_path / 'development.ini') as server:
        done = run('fsp-serve', tmp_path / 'development.ini', f'http_port={server.port}')
    assert (done.returncode, 'Traceback' in done.stderr) == (1, False)
    assert 'Address already in use' in done.stderr


@pytest.mark.parametrize('name', ['', ' '])
def test_directory_without_a_name_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match='2'):
        main([name])
    assert 'write the name of a directory, or . for this one' in capsys.readouterr().err
