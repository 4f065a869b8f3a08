"""Hanging database below a server of four threads: requests that do not need it are answered."""

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography.fernet import Fernet

from ..services import HangingDatabase, hanging_database
from .envelope import caller
from .processes import (
    Answer,
    Server,
    run,
    serving,
)

INI = """
[DEFAULT]
http_port = 6543

[app:main]
use = egg:fsp-pyramid
fsp.clients = site users
fsp.client.site.username = site
fsp.client.site.password = secret
fsp.client.site.egnyte.url = sandbox:{egnyte}
fsp.client.users.username = users
fsp.client.users.password = secret
fsp.client.users.accounts.mode = oauth
fsp.client.users.oauth.key = key
fsp.client.users.oauth.secret = secret
fsp.egnyte.url = http://127.0.0.1:1
fsp.folders = / /Shared/Brand
fsp.accounts.keys = {key}
fsp.public.secret = {secret}
fsp.pace.backend = {pace}
fsp.database_url = {database}
tm.manager_hook = pyramid_tm.explicit_manager

[server:main]
use = egg:waitress
host = 127.0.0.1
get port = http_port
threads = 4

[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = WARNING
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
level = NOTSET
formatter = plain
[formatter_plain]
format = %(levelname)s %(message)s
"""


@pytest.fixture
def database() -> Iterator[HangingDatabase]:
    with hanging_database() as database:
        yield database


@pytest.fixture
def write_ini(tmp_path: Path, seeded: Path, database: HangingDatabase) -> Callable[[str], Path]:
    """Write the ini file of a site with one client with a token, and one whose users connect accounts."""

    def write(pace: str) -> Path:
        shutil.copytree(seeded, tmp_path / 'egnyte')
        path = tmp_path / 'site.ini'
        path.write_text(
            INI.format(
                egnyte=tmp_path / 'egnyte',
                key=Fernet.generate_key().decode(),
                secret='s' * 32,
                pace=pace,
                database=database.url.replace('%', '%%'),
            )
        )
        return path

    return write


def ask(server: Server, target: str, username: str = 'site') -> Answer:
    (answer,) = server.ask(f'GET {target}', headers=caller('demo', username, 'secret'))
    return answer


@contextmanager
def asking(server: Server, times: int) -> Iterator[list[Answer]]:
    """Send concurrent requests of users with accounts; the list of answers is complete after the context."""
    answers: list[Answer] = []
    threads = [threading.Thread(target=lambda: answers.append(ask(server, '/fsp/', 'users'))) for _ in range(times)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        for thread in threads:
            thread.join()


@pytest.mark.parametrize(('backend', 'from_the_start'), [('memory', True), ('database', False)])
def test_hanging_database_does_not_block_unrelated_requests(
    write_ini: Callable[[str], Path], database: HangingDatabase, backend: str, from_the_start: bool
) -> None:
    with serving(write_ini(backend)) as server:
        if from_the_start:
            database.hang()
        else:
            assert ask(server, '/fsp/', 'users').status == 403  # answer of the database: no account is connected
        listing = json.loads(ask(server, '/fsp/').body)
        picture = next(urlsplit(item['public-url']).path for item in listing['data']['items'] if 'public-url' in item)
        assert ask(server, picture).status == 200
        database.hang()
        with asking(server, 12) as answers:
            for _ in range(3):
                assert ask(server, '/fsp-ops/health').status == 200
                assert ask(server, '/fsp/').status == 200
                assert ask(server, picture).status == 200
            ready = ask(server, '/fsp-ops/ready')
            assert ready.status == 503
            failed = {check['name'] for check in json.loads(ready.body)['checks'] if not check['ok']}
            assert 'database' in failed
        for answer in answers:
            assert (answer.status, json.loads(answer.body)['code']) == (503, 3904)
            assert int(answer.headers['Retry-After']) > 0
        database.wake()
        pause = threading.Event()
        while ask(server, '/fsp/', 'users').status == 503:
            pause.wait(0.2)
        assert ask(server, '/fsp/', 'users').status == 403
        assert 'Traceback' not in server.log
        assert server.log.count('the database of accounts does not answer') == 1
        assert server.log.count('the database of accounts is back') == 1


def test_accounts_command_reports_hanging_database(write_ini: Callable[[str], Path], database: HangingDatabase) -> None:
    ini = write_ini('memory')
    assert run('fsp-accounts', ini, 'list').returncode == 0
    database.hang()
    done = run('fsp-accounts', ini, 'list')
    assert done.returncode == 1
    assert 'fsp.database_url' in done.stderr
    assert 'Traceback' not in done.stderr
