"""Tests of ``fsp-doctor``: broken installations, and what it says of them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest
import transaction
from cryptography.fernet import Fernet

from fsp_pyramid.accounts.database import Database
from fsp_pyramid.accounts.encryption import TokenCipher
from fsp_pyramid.accounts.store import AccountStore
from fsp_pyramid.diagnosis.assumptions import calls_needed
from fsp_pyramid.egnyte import Tokens
from fsp_pyramid.scripts.doctor import main
from fsp_pyramid.settings import KEYS, variable
from fsp_pyramid.testing import Sandbox

from ..ports import free_port
from ..sandbox.servers import serving

HUSH = 'hush-Zq8-lk2V_0pXy7Rt4mNc'
KEY = Fernet.generate_key().decode()
INI = {
    'use': 'egg:fsp-pyramid',
    'fsp.username': 'bridge',
    'fsp.password': HUSH,
    'fsp.egnyte.url': '{egnyte}',
    'fsp.egnyte.token': 'sandbox',
    'fsp.folders': '/ /Shared/Beefree/{{uid}}',
    'fsp.public.secret': 'hush-c1f7a9e04b6d82533e9f7a1c5b80d264',
    'fsp.public.cache_dir': '{here}/cache',
    'fsp.public.cache_size': '1 MB',
    'fsp.require_https': 'true',
    'tm.manager_hook': 'pyramid_tm.explicit_manager',
}
SERVER = {
    'use': 'egg:waitress#main',
    'host': '127.0.0.1',
    'threads': '32',
    'connection_limit': '200',
    'asyncore_use_poll': 'true',
    'trusted_proxy': '127.0.0.1',
    'trusted_proxy_headers': 'x-forwarded-for x-forwarded-proto',
}
OAUTH = {
    'fsp.egnyte.token': '',
    'fsp.accounts.mode': 'oauth',
    'fsp.accounts.keys': KEY,
    'fsp.oauth.key': 'key',
    'fsp.oauth.secret': 'hush-of-the-key',
    'fsp.folders': '/ {{folder}}',
    'fsp.database_url': 'sqlite:///{here}/accounts.sqlite',
}


@dataclass(frozen=True)
class Broken:
    """A broken installation.

    :param said: lines of the report, or parts of them
    :param app: changes of the section of the application
    :param server: changes of the section of the server
    :param nginx: nginx' configuration
    :param environ: variables
    """

    said: tuple[str, ...]
    app: dict[str, str] = field(default_factory=dict)
    server: dict[str, str] = field(default_factory=dict)
    nginx: str = ''
    environ: dict[str, str] = field(default_factory=dict)


BROKEN = {
    'percent sign': Broken(
        ('settings.file', 'fsp.password: in an ini file a percent sign in a value is written twice: %%.'),
        {'fsp.password': f'50%{HUSH}'},
    ),
    'misspelt setting': Broken(
        (
            'settings.valid fsp.egnyte.tokn: there is no such setting; did you mean fsp.egnyte.token?',
            'settings.valid fsp.egnyte.token is missing',
        ),
        {'fsp.egnyte.tokn': HUSH, 'fsp.egnyte.token': ''},
    ),
    'misspelt variable': Broken(
        ('WARNING settings.variables the environment variable FSP_EGNYTE_TOKN is no setting',),
        environ={'FSP_EGNYTE_TOKN': HUSH},
    ),
    'folder of all users': Broken(
        ('WARNING settings.folders fsp: /all/ and /: /all/ shows the folders of all users',),
        {'fsp.folders': '\n / /Shared/Beefree/{{uid}}\n /all/ /Shared/Beefree ro'},
    ),
    'processes without shared state': Broken(
        ('WARNING settings.processes 2 processes, and fsp.cache.backend and fsp.pace.backend = memory',),
        nginx='upstream fsp { server 127.0.0.1:6543; server 127.0.0.1:6544; }',
    ),
    'impatient proxy': Broken(
        ('FAILURE settings.timeouts fsp: fsp.egnyte.max_wait is 90 s; the proxy gives up after 60 s (its time-out)',),
        {'fsp.egnyte.max_wait': '90'},
        nginx='http { }',
    ),
    'no trusted proxy': Broken(
        ('FAILURE server.proxy fsp.require_https = true without trusted_proxy: every request is refused',),
        server={'trusted_proxy': '', 'trusted_proxy_headers': ''},
    ),
    'other number of threads': Broken(
        ('FAILURE server.threads the server has 8 threads, fsp.threads is 32',), server={'threads': '8'}
    ),
    'option that the server does not have': Broken(
        ('settings.valid [server:main] conection_limit: waitress has no such option; did you mean connection_limit?',),
        server={'use': 'egg:fsp-pyramid', 'threads': '', 'conection_limit': '500'},
    ),
    'proxy trusted from everywhere': Broken(
        ('WARNING server.proxy trusted_proxy = *: any caller that can connect can claim TLS and another address',),
        server={'use': 'egg:fsp-pyramid', 'threads': ''},
        environ={'FSP_SERVER_TRUSTED_PROXY': '*'},
    ),
    'shipped password': Broken(
        ('FAILURE secrets.password fsp: the password is one of the shipped files or of the documentation',),
        {'fsp.password': 'beefree'},
    ),
    'Egnyte out of reach': Broken(
        ('FAILURE egnyte.reachable', '127.0.0.1:{closed}: no connection: ConnectionRefusedError -> allow connections'),
        {'fsp.egnyte.url': 'http://127.0.0.1:{closed}'},
    ),
    'revoked token': Broken(
        ('FAILURE egnyte.token fsp: Egnyte refuses it: ',), {'fsp.egnyte.token': f'{HUSH}-revoked'}
    ),
    'missing read-only folder': Broken(
        ('FAILURE folders.access fsp /: /Shared/Bran is not there, or demo may not see it',),
        {'fsp.folders': '/ /Shared/Bran ro'},
    ),
    'Redis down': Broken(
        ('FAILURE redis.reachable no answer: ConnectionError -> start it, or correct fsp.redis_url',),
        {'fsp.cache.backend': 'redis', 'fsp.redis_url': f'redis://:{HUSH}@127.0.0.1:{{closed}}/0'},
    ),
    'database down': Broken(
        ('FAILURE database.reachable fsp.database_url: no answer: OperationalError',),
        {'fsp.pace.backend': 'database', 'fsp.database_url': f'postgresql+psycopg://u:{HUSH}@127.0.0.1:{{closed}}/x'},
    ),
    'lost key': Broken(
        ('FAILURE accounts.keys no key of fsp.accounts.keys decrypts the tokens of account 1',), OAUTH
    ),
    'cache that nginx cannot read': Broken(
        ('FAILURE directories.sendfile nobody, the user of nginx, may not enter /',),
        {'fsp.public.sendfile': 'nginx'},
        nginx='user nobody;',
    ),
    'public base without TLS': Broken(
        ('FAILURE public.base http://127.0.0.1:{closed}/fsp-public is not https',
         'WARNING public.answers http://127.0.0.1:{closed}/fsp-public: nothing answers'),
        {'fsp.public.base_url': 'http://127.0.0.1:{closed}/fsp-public'},
    ),
}  # fmt: skip


class Site(NamedTuple):
    """An installation that is written to an ini file."""

    here: Path
    names: dict[str, str]

    def write(self, broken: Broken | None = None) -> list[str]:
        """Write the files. Return the arguments of the command."""
        app, server, nginx = (broken.app, broken.server, broken.nginx) if broken else ({}, {}, '')
        lines = [
            '[app:main]',
            *(f'{key} = {value.format(**self.names)}' for key, value in (INI | app).items() if value),
        ]
        lines += ['[server:main]', *(f'{key} = {value}' for key, value in (SERVER | server).items() if value)]
        # Without handlers: those of other tests stay as they are.
        logging = '[loggers]\nkeys = root\n[handlers]\nkeys =\n[formatters]\nkeys =\n[logger_root]\nhandlers =\n'
        ini = self.here / 'site.ini'
        ini.write_text('\n'.join([*lines, logging]))
        ini.chmod(0o600)
        if not nginx:
            return [str(ini)]
        (self.here / 'nginx.conf').write_text(nginx)
        return [str(ini), '--nginx', str(self.here / 'nginx.conf')]


@pytest.fixture
def site(tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    for key in KEYS:
        monkeypatch.delenv(variable(key), raising=False)
    (tmp_path / 'cache').mkdir(mode=0o700)
    for path in ('/Shared/Beefree', '/Shared/Brand'):
        sandbox.api('POST', f'/pubapi/v1/fs{path}', json={'action': 'add_folder'})
    sandbox.forget_calls()
    with serving(tmp_path / 'egnyte') as url:
        yield Site(tmp_path, {'egnyte': url, 'here': str(tmp_path), 'closed': str(free_port())})


def connect(path: Path) -> None:
    database = Database(f'sqlite:///{path}')
    store = AccountStore(database.sessions(transaction.manager), TokenCipher((Fernet.generate_key().decode(),)), float)
    store.connect('fsp', 'shop', 'u1', 'https://acme.egnyte.com', 'u1', Tokens('access', None, None))
    transaction.commit()
    database.close()


@pytest.mark.parametrize('name', BROKEN)
def test_broken_installation_is_explained(
    name: str, site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = BROKEN[name]
    for key, value in broken.environ.items():
        monkeypatch.setenv(key, value)
    if name == 'lost key':
        connect(site.here / 'accounts.sqlite')
    status = main(site.write(broken))
    output = capsys.readouterr()
    report = re.sub(' +', ' ', output.out)
    worst = 'FAILURE' if status == 2 else 'WARNING'
    assert status in {1, 2}
    first, *_ = [line for line in output.out.splitlines() if not line.endswith(' at most.')]
    assert first.startswith(worst), 'the worst comes first'
    for text in broken.said:
        assert text.format(**site.names) in report
    assert HUSH not in output.out + output.err


def test_right_installation_has_a_status_of_zero_but_for_its_base(
    site: Site, capsys: pytest.CaptureFixture[str], sandbox: Sandbox
) -> None:
    arguments = site.write()
    assert main(arguments) == 1
    calls, first, *_, counts = re.sub(' +', ' ', capsys.readouterr().out).splitlines()
    assert calls == f'{arguments[0]}: 2 calls to Egnyte at most.'
    assert sandbox.calls == ['GET /pubapi/v1/userinfo', 'GET /pubapi/v1/fs/Shared/Beefree']
    # A test has no server with TLS and a trusted certificate.
    assert first.startswith('WARNING public.base fsp.public.base_url is not set')
    assert re.fullmatch(r'\d+ ok, 1 warning, 0 failures, \d+ skipped\.', counts)


def test_own_server_has_the_threads_of_the_settings(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    own = {'use': 'egg:fsp-pyramid', 'threads': '', 'trusted_proxy_headers': ''}
    assert main([*site.write(Broken((), {'fsp.threads': '20'}, own)), '--no-egnyte']) == 1
    report = re.sub(' +', ' ', capsys.readouterr().out)
    assert 'ok server.threads 20 threads, as in fsp.threads\n' in report
    assert 'ok server.proxy headers of 127.0.0.1 are trusted\n' in report


def test_sandbox_of_ones_own_is_ok(site: Site, tmp_path: Path) -> None:
    site.names['egnyte'] = f'sandbox:{tmp_path / "egnyte"}'
    assert main([*site.write()]) == 0


def test_no_egnyte_makes_no_call(site: Site, capsys: pytest.CaptureFixture[str], sandbox: Sandbox) -> None:
    main([*site.write(), '--no-egnyte'])
    output = capsys.readouterr().out
    assert ': 0 calls to Egnyte at most.' in output
    assert sandbox.calls == []
    assert 'egnyte.' not in output.replace('fsp.egnyte.', '')


def test_json(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*site.write(BROKEN['shipped password']), '--json']) == 2
    output = capsys.readouterr()
    report = json.loads(output.out)
    assert report['counts']['failure'] == 1
    (bad,) = [result for result in report['results'] if result['level'] == 'failure']
    assert bad == {
        'id': 'secrets.password',
        'level': 'failure',
        'subject': 'fsp',
        'found': 'the password is one of the shipped files or of the documentation',
        'remedy': 'write another one into fsp.password and into the console of Beefree',
    }
    assert output.err.endswith(': 2 calls to Egnyte at most.\n')


def test_unloadable_file_is_json_as_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / 'absent.ini'), '--json']) == 2
    (result,) = json.loads(capsys.readouterr().out)['results']
    assert (result['id'], result['found']) == ('settings.file', f'There is no file {tmp_path / "absent.ini"}.')


def test_application_that_fails_is_no_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ini = tmp_path / 'site.ini'
    ini.write_text('[app:main]\nuse = call:os.path:join\n')
    assert main([str(ini)]) == 2
    assert 'the application cannot be loaded: TypeError' in capsys.readouterr().out


def test_application_by_name(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    ini, *_ = site.write()
    path = Path(ini)
    path.write_text(path.read_text().replace('[app:main]', '[app:bridge]'))
    assert main([ini, '--no-egnyte']) == 2
    assert "No section 'main'" in capsys.readouterr().out
    assert main([ini, '--no-egnyte', '--name', 'bridge']) == 1


@pytest.mark.parametrize('arguments', [['--nginx', '/no/such/file'], ['--proxy-timeout', '0']])
def test_bad_arguments(site: Site, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*site.write(), *arguments])
    assert caught.value.code == 2
    assert arguments[0] in capsys.readouterr().err


# --probe


def test_probe_tells_its_calls_and_leaves_nothing(
    site: Site, capsys: pytest.CaptureFixture[str], sandbox: Sandbox
) -> None:
    arguments = site.write()
    # The sandbox has no limits, which is different from Egnyte.
    assert main([*arguments, '--probe']) == 1
    calls, *lines = capsys.readouterr().out.splitlines()
    assert calls == (
        f'{arguments[0]}: {calls_needed()} calls to Egnyte at most, at its pace, as fsp in a new folder below '
        '/Shared/Beefree, which is removed.'
    )
    assert lines[0].startswith('DIFFERENT limits.allotted ')
    assert lines[-1] == f'66 assumptions (1 different, 6 not tried, 59 confirmed), {len(sandbox.calls)} calls.'
    assert sandbox.api('GET', '/pubapi/v1/fs/Shared/Beefree').json()['folders'] == []


def test_probe_as_json_in_a_folder(site: Site, capsys: pytest.CaptureFixture[str], sandbox: Sandbox) -> None:
    arguments = [*site.write(), '--probe', '--json', '--folder', '/Shared/Brand/']
    assert main(arguments) == 1
    output = capsys.readouterr()
    report = json.loads(output.out)
    assert (report['removed'], report['interrupted'], len(report['assumptions'])) == (True, False, 66)
    assert 'below /Shared/Brand,' in output.err
    assert any('/Shared/Brand/fsp-probe-' in call for call in sandbox.calls)
    assert HUSH not in output.out + output.err


@pytest.mark.parametrize(
    ('app', 'arguments', 'said'),
    [
        ({'fsp.folders': '/ /Shared/Bran'}, (), '/Shared/Bran: the folder is not there, or the user may not see it'),
        ({'fsp.folders': '/ /Shared/Brand ro'}, (), 'The probe needs a client with a token'),
        (OAUTH, ('--folder', '/Shared/Brand'), 'The probe needs a client with a token'),
        ({'fsp.egnyte.token': 'wrong'}, (), '/Shared/Beefree: the folder is not there, or the user may not see it'),
    ],
)
def test_probe_without_a_place_changes_nothing(
    site: Site,
    capsys: pytest.CaptureFixture[str],
    sandbox: Sandbox,
    app: dict[str, str],
    arguments: list[str],
    said: str,
) -> None:
    assert main([*site.write(Broken((), app)), '--probe', *arguments]) == 2
    assert capsys.readouterr().err.startswith(said)
    assert not [call for call in sandbox.calls if not call.startswith('GET ')]


def test_folder_for_the_probe_is_a_path_at_egnyte(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ('/', '/etc', '/Shared/../Private'):
        with pytest.raises(SystemExit):
            main([*site.write(), '--probe', '--folder', folder])
        assert 'write a path at Egnyte' in capsys.readouterr().err
