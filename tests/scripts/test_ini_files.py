"""Commands report bad ini files and missing packages without a traceback, and share options."""

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import NamedTuple

import pytest
from pyramid.config import Configurator
from pyramid.exceptions import ConfigurationError

from fsp_pyramid import __version__, main

from ..functional.processes import environment, run

HUSH = 'hush-this-is-a-secret'
INI = """[app:main]
use = egg:fsp-pyramid
fsp.username = u
fsp.password = p
fsp.egnyte.url = sandbox:%(here)s/egnyte
[server:main]
use = egg:waitress#main
port = 0
"""
COMMANDS = {
    'fsp-serve': (),
    'fsp-warm': ('/', '--budget', '1'),
    'fsp-accounts': ('list',),
    'fsp-fetch': ('--explain', 'http://127.0.0.1/'),
    'fsp-token': ('--show',),
}
FILES = {
    'percent': (INI.replace('= p\n', f'= 50%{HUSH}\n'), 'line 4: fsp.password:', '%%'),
    'percent at the end': (INI.replace('= p\n', f'= {HUSH}%\n'), 'line 4: fsp.password:', '%%'),
    'reference': (INI.replace('= p\n', f'= %({HUSH})s\n'), 'line 4: fsp.password:', '%%'),
    'no app': (INI.replace('[app:main]', '[application]'), "No section 'main'"),
    'no use': (INI.replace('use = egg:fsp-pyramid\n', ''), "No loader given in section 'app:main'"),
    'unknown package': (INI.replace('egg:fsp-pyramid', 'egg:nothing-of-that-name'), 'nothing-of-that-name'),
    'unknown factory': (INI.replace('egg:fsp-pyramid', 'egg:fsp-pyramid#other'), "Entry point 'other' not found"),
    'unknown module': (INI.replace('egg:fsp-pyramid', 'call:nomodule:main'), "No module named 'nomodule'"),
    'no section': (f'fsp.password = {HUSH}\n{INI}', 'line 1: a section such as [app:main] has to come first'),
    'twice': (INI.replace('= p\n', f'= p\nfsp.password = {HUSH}\n'), 'line 5: fsp.password stands in [app:main]'),
    'section twice': (f'{INI}[app:main]\n', 'line 9: there is a section [app:main] already'),
    'no value': (INI.replace('= p\n', f'= p\n{HUSH}\n'), 'line 5: this is neither "key = value"'),
    'byte order mark': (f'\ufeff{INI}', 'byte order mark'),
    'logging': (f'{INI}[loggers]\nkeys = root\n', 'logging cannot be set up'),
}


class Done(NamedTuple):
    """End of a command, with the names of subprocess.CompletedProcess."""

    returncode: int
    stdout: str
    stderr: str


Call = Callable[..., Done]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run a command of the virtual environment in this process: starting one takes a second of a core."""
    for name in os.environ:
        if name.startswith('FSP_'):
            monkeypatch.delenv(name)

    def call(command: str, *arguments: str) -> Done:
        (entry_point,) = entry_points(group='console_scripts', name=command)
        argv = [command, *arguments]
        monkeypatch.setattr(sys, 'argv', argv)
        main = entry_point.load()
        try:
            # Pyramid's commands take the argv of when they were imported.
            code = (main(argv) if entry_point.module.startswith('pyramid.') else main()) or 0
        except SystemExit as error:  # as the interpreter ends: a text is a message
            code = error.code if isinstance(error.code, int) else int(error.code is not None)
            if isinstance(error.code, str):
                sys.stderr.write(f'{error.code}\n')
        return Done(code, *capsys.readouterr())

    return call


def test_processes_end_without_traceback(tmp_path: Path) -> None:
    """The other tests call commands in this process."""
    ini = tmp_path / 'site.ini'
    ini.write_text(BAD['bad value'](INI))
    for command in ('pserve', 'fsp-serve'):
        done = run(command, str(ini))
        assert done.returncode == 1
        assert 'Traceback' not in done.stderr
        assert 'fsp.cache.ttl' in done.stderr


@pytest.mark.parametrize('name', FILES)
@pytest.mark.parametrize('command', ['fsp-serve', 'fsp-warm'])
def test_unloadable_file_is_reported(call: Call, tmp_path: Path, name: str, command: str) -> None:
    text, *said = FILES[name]
    ini = tmp_path / 'site.ini'
    ini.write_text(text)
    done = call(command, str(ini), *COMMANDS[command])
    assert done.returncode == 1
    assert 'Traceback' not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(str(ini))
    assert [words for words in said if words not in last] == []
    if name != 'reference':  # what %(...)s refers to is a name
        assert HUSH not in done.stderr


@pytest.mark.parametrize('command', COMMANDS)
def test_missing_or_binary_file_is_reported(call: Call, tmp_path: Path, command: str) -> None:
    for path, said in (
        (tmp_path / 'none.ini', 'There is no file'),
        (tmp_path, 'is no ini file'),
        (latin(tmp_path), 'UTF-8'),
    ):
        done = call(command, str(path), *COMMANDS[command])
        assert done.returncode == 1
        assert 'Traceback' not in done.stderr
        assert said in done.stderr


def latin(directory: Path) -> Path:
    path = directory / 'latin.ini'
    path.write_bytes(INI.encode() + b'x = \xff\n')
    return path


BAD: dict[str, Callable[[str], str]] = {
    'unknown key': lambda text: text.replace('fsp.password', 'fsp.pasword'),
    'bad value': lambda text: text.replace('[server', 'fsp.cache.ttl = 60s\n[server'),
    'overlap': lambda text: text.replace('[server', 'fsp.prefix = /fsp-public/x\n[server'),
    'default': lambda text: f'[DEFAULT]\nfsp.prefix = /x\n{text}',
    'no redis': lambda text: text.replace('[server', 'fsp.cache.backend = redis\nfsp.redis_url = nonsense\n[server'),
    'no database': lambda text: text.replace(
        '[server', 'fsp.pace.backend = database\nfsp.database_url = nonsense\n[server'
    ),
    'no session': lambda text: text.replace(
        '[server', 'fsp.pace.backend = database\nfsp.accounts.session = no.such.name\n[server'
    ),
}


@pytest.mark.parametrize('name', BAD)
@pytest.mark.parametrize('command', ['pserve', 'fsp-serve', 'fsp-warm', 'proutes'])
def test_bad_settings_end_a_command_with_their_message(call: Call, tmp_path: Path, command: str, name: str) -> None:
    ini = tmp_path / 'site.ini'
    ini.write_text(BAD[name](INI))
    done = call(command, str(ini), *COMMANDS.get(command, ()))
    assert done.returncode == 1
    assert 'Traceback' not in done.stderr
    assert 'fsp.' in done.stderr


def test_factory_raises_configuration_error() -> None:
    """Outside of Pyramid's commands, a worker of gunicorn that fails to start must not look like a regular exit."""
    with pytest.raises(ConfigurationError):
        main({}, **{'fsp.username': 'u'})
    with pytest.raises(SystemExit, match=r'fsp\.password is missing'):
        main({'__script__': 'pserve'}, **{'fsp.username': 'u'})


def test_host_gets_an_exception() -> None:
    config = Configurator(settings={'fsp.username': 'u', '__script__': 'pserve'})
    with pytest.raises(ConfigurationError, match=r'fsp\.password is missing'):
        config.include('fsp_pyramid')


@pytest.mark.parametrize('command', [*COMMANDS, 'fsp-check', 'fsp-hash-password', 'fsp-init', 'fsp-sandbox'])
def test_version_and_help(call: Call, command: str) -> None:
    assert call(command, '--version') == (0, f'{command} {__version__}\n', '')
    done = call(command, '--help')
    assert done.returncode == 0
    assert done.stdout.startswith(f'usage: {command}')


def test_password_hash_reads_no_password_for_help() -> None:
    assert run('fsp-hash-password', '--help', input_text='a password\n').stdout.startswith('usage: fsp-hash-password')


WITHOUT = """
import sys
sys.modules.update(dict.fromkeys({modules!r}))
from {module} import main
sys.exit(main({arguments!r}))
"""


@pytest.mark.parametrize(
    ('module', 'arguments', 'settings', 'extra'),
    [
        ('accounts', ('new-key',), '', 'accounts'),
        ('accounts', ('list',), 'fsp.accounts.mode = oauth', 'accounts'),
        ('warm', ('/', '--budget', '1'), 'fsp.pace.backend = database', 'accounts'),
        ('warm', ('/', '--budget', '1'), 'fsp.cache.backend = redis', 'redis'),
        ('warm', ('/', '--budget', '1'), 'fsp.ops.metrics = true', 'metrics'),
    ],
)
def test_missing_extras_are_reported(
    tmp_path: Path, module: str, arguments: tuple[str, ...], settings: str, extra: str
) -> None:
    ini = tmp_path / 'site.ini'
    more = """fsp.accounts.keys = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=
fsp.oauth.key = k
fsp.oauth.secret = s
fsp.database_url = sqlite://
fsp.redis_url = redis://localhost
"""
    text = INI.replace('[server', f'{more}{settings}\n[server')
    if 'oauth' in settings:
        text = text.replace('sandbox:%(here)s/egnyte', f'http://127.0.0.1:1\nfsp.public.secret = {"s" * 32}')
    ini.write_text(text)
    modules = ['sqlalchemy', 'alembic', 'cryptography', 'cryptography.fernet', 'redis', 'prometheus_client']
    script = WITHOUT.format(modules=modules, module=f'fsp_pyramid.scripts.{module}', arguments=[str(ini), *arguments])
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', script],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert 'Traceback' not in done.stderr
    assert f'pip install "fsp-pyramid[{extra}]"' in done.stderr
