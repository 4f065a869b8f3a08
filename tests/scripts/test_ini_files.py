"""Commands report bad ini files and missing packages without a traceback, and share options."""

import gc
import os
import subprocess
import sys
import weakref
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from pyramid.config import Configurator
from pyramid.exceptions import ConfigurationError

from fsp_pyramid import __version__, main
from fsp_pyramid.scripts import hash_password
from fsp_pyramid.scripts.command import Failed, load_ini
from fsp_pyramid.scripts.command import environment as loaded

from ..functional.processes import BIN, environment, run
from ..timing import PATIENCE

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
LOGGING = """[loggers]
keys = KEYS
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = INFO
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = plain
[formatter_plain]
format = %(name)s %(message)s
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
    'unknown attribute': (INI.replace('egg:fsp-pyramid', 'call:fsp_pyramid:nomain'), "no attribute 'nomain'"),
    'get': (
        INI.replace('[server', 'get fsp.prefix = nope\n[server'),
        'line 6: get fsp.prefix in [app:main]: there is no "nope" in [DEFAULT]',
    ),
    'get of the server': (
        INI.replace('port = 0', 'get port = nope'),
        'line 8: get port in [server:main]: there is no "nope" in [DEFAULT]',
    ),
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


OURS = INI.replace('egg:waitress#main\nport = 0', 'egg:fsp-pyramid')
SERVERS = {
    'none': (INI.partition('[server')[0], 'there is no section [server:main]; write it with "use = egg:fsp-pyramid"'),
    'unknown package': (
        INI.replace('egg:waitress#main', 'egg:nope'),
        '[server:main]: "use" names a package that is not',
    ),
    'unknown entry point': (INI.replace('egg:waitress#main', 'egg:waitress#no'), "[server:main]: Entry point 'no' not"),
    'unknown factory': (
        INI.replace('egg:waitress#main', 'call:fsp_pyramid.server:no'),
        '[server:main]: "use" cannot be',
    ),
    'unknown module': (
        INI.replace('egg:waitress#main', 'call:nope:no'),
        '[server:main]: "use" cannot be loaded: No mod',
    ),
    'no use': (INI.replace('use = egg:waitress#main\n', ''), "No loader given in section 'server:main'"),
    'port of waitress': (INI.replace('port = 0', 'port = x'), '[server:main]: invalid literal for int()'),
    'option of waitress': (INI.replace('port = 0', 'nonsense = 0'), "[server:main]: Unknown adjustment 'nonsense'"),
    'host': (f'{OURS}host = nope.invalid\n', "[server:main] host: 'nope.invalid' will not do"),
    'count': (
        f'{OURS}trusted_proxy = *\ntrusted_proxy_count = x\n',
        "[server:main] trusted_proxy_count: 'x' will not do",
    ),
    'two addresses': (f'{OURS}port = 1\nlisten = *:2\n', '[server:main] listen: it says where to listen'),
    'no proxy': (
        f'{OURS}trusted_proxy_headers = forwarded\n',
        '[server:main] trusted_proxy_headers: it has no meaning',
    ),
}


@pytest.mark.parametrize('name', SERVERS)
def test_unusable_server_is_reported(call: Call, tmp_path: Path, name: str) -> None:
    text, said = SERVERS[name]
    ini = tmp_path / 'site.ini'
    ini.write_text(text)
    done = call('fsp-serve', str(ini))
    assert done.returncode == 1
    assert 'Traceback' not in done.stderr
    assert said in done.stderr


def test_unusable_server_fails_the_doctor(call: Call, tmp_path: Path) -> None:
    ini = tmp_path / 'site.ini'
    ini.write_text(SERVERS['unknown package'][0])
    done = call('fsp-doctor', str(ini), '--no-egnyte')
    assert done.returncode == 2
    assert '[server:main]: "use" names a package that is not installed' in done.stdout


def test_bad_options_of_our_server_end_pserve_with_their_message(call: Call, tmp_path: Path) -> None:
    ini = tmp_path / 'site.ini'
    ini.write_text(SERVERS['host'][0])
    done = call('pserve', str(ini))
    assert done.returncode == 1
    assert SERVERS['host'][1] in done.stderr


@pytest.mark.parametrize('word', ['http_port', '=7001', ' =7001', 'fsp.prefix'])
def test_variable_without_a_name_or_a_value_is_refused(call: Call, tmp_path: Path, word: str) -> None:
    ini = tmp_path / 'site.ini'
    ini.write_text(INI)
    done = call('fsp-serve', str(ini), word)
    assert done.returncode == 2
    assert f'{word!r} is no NAME=VALUE, such as http_port=7001' in done.stderr


def test_unresolvable_host_of_the_environment_is_reported() -> None:
    settings = {'FSP_USERNAME': 'u', 'FSP_PASSWORD': 'p', 'FSP_EGNYTE_URL': 'sandbox:/nowhere'}
    done = run('fsp-serve', FSP_SERVER_HOST='nope.invalid', **settings)
    assert done.returncode == 1
    assert 'Traceback' not in done.stderr
    assert "FSP_SERVER_HOST: 'nope.invalid' will not do" in done.stderr


def test_commands_print_no_warning_about_pkg_resources() -> None:
    """Pyramid imports pkg_resources, which warns."""
    assert run('fsp-serve', '--version', PYTHONWARNINGS='').stderr == ''


def test_import_leaves_the_filters_of_a_host_alone() -> None:
    script = (
        'import warnings, fsp_pyramid\n'
        'assert not [one for one in warnings.filters if one[1] and "pkg_resources" in one[1].pattern]\n'
    )
    subprocess.run([sys.executable, '-c', script], env=environment(PYTHONWARNINGS=''), check=True, timeout=PATIENCE)


def test_reader_that_goes_away_ends_a_command_quietly(tmp_path: Path) -> None:
    ini = tmp_path / 'site.ini'
    ini.write_text(INI)
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, 'wb') as output:
        done = subprocess.run(
            [BIN / 'fsp-doctor', ini, '--no-egnyte', '--json'],
            env=environment(),
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert done.returncode == 141
    assert 'Traceback' not in done.stderr
    assert 'BrokenPipe' not in done.stderr


def test_interrupt_ends_a_command_with_a_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def read(*_arguments: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, 'stdin', SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr('getpass.getpass', read)
    assert hash_password.main([]) == 130
    assert capsys.readouterr().err == 'Interrupted.\n'


@pytest.mark.parametrize('level', ['', 'INFO'])
def test_migrations_are_quiet_unless_the_file_wants_them(tmp_path: Path, level: str) -> None:
    ini = tmp_path / 'site.ini'
    settings = f"""fsp.accounts.mode = oauth
fsp.accounts.keys = {'a' * 43}=
fsp.oauth.key = k
fsp.oauth.secret = s
fsp.public.secret = {'s' * 32}
fsp.database_url = sqlite:///%(here)s/a.sqlite
[server"""
    own = '[logger_alembic]\nlevel = INFO\nhandlers =\nqualname = alembic\n' if level else ''
    text = INI.replace('sandbox:%(here)s/egnyte', 'http://127.0.0.1:1').replace('[server', settings)
    ini.write_text(text + LOGGING.replace('KEYS', 'root, alembic' if level else 'root') + own)
    done = run('fsp-accounts', str(ini), 'list')
    assert (done.returncode, done.stdout) == (0, 'No accounts are connected.\n')
    assert ('alembic' in done.stderr) == bool(level)


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


def test_file_name_that_looks_like_a_url_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path('a:b.ini').write_text(INI)
    with pytest.raises(Failed, match='LoaderNotFound'):
        load_ini('a:b.ini')


def test_application_of_a_command_lives_as_long_as_the_command(tmp_path: Path) -> None:
    ini = tmp_path / 'site.ini'
    ini.write_text(INI)
    with loaded(str(ini)) as found:
        alive = weakref.ref(found['app'])
        gc.collect()
        assert alive() is not None
        assert found['registry'] is found['app'].registry


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
