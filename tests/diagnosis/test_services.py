"""Redis, databases and connected accounts."""

from pathlib import Path

import psycopg
import pytest
import redis as redis_py
import transaction
from cryptography.fernet import Fernet
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.orm import Session

from fsp_pyramid.accounts.database import Database
from fsp_pyramid.accounts.encryption import TokenCipher
from fsp_pyramid.accounts.store import AccountStore
from fsp_pyramid.diagnosis import redis_server as redis_checks
from fsp_pyramid.egnyte import Tokens

from .. import services
from ..ports import free_port
from .conftest import Make, found, said

KEY, OTHER_KEY = Fernet.generate_key().decode(), Fernet.generate_key().decode()
NOW = 1_800_000_000.0


def oauth(url: str, key: str = KEY) -> dict[str, str]:
    return {
        'accounts__mode': 'oauth',
        'accounts__keys': key,
        'oauth__key': 'key',
        'oauth__secret': 'secret-of-the-key',
        'egnyte__url': 'https://127.0.0.1:1',
        'database_url': url,
    }


# Redis


def test_redis_is_skipped_without_a_backend(make: Make) -> None:
    assert said(make(), 'redis') == ['skipped redis.reachable: no backend is redis']


def test_redis_answers(make: Make, redis_server: services.RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    installation = make(cache__backend='redis', redis_url=redis_server.patient_url)
    version = redis_server.client().info('server')['redis_version']
    assert said(installation, 'redis') == [
        'ok redis.reachable: answers',
        f'ok redis.version: Redis {version}',
        'ok redis.memory: noeviction, no limit',
    ]
    client = redis_server.client()
    client.config_set('maxmemory', '100mb')
    client.config_set('maxmemory-policy', 'allkeys-lru')
    monkeypatch.setattr(redis_checks, 'OLDEST', (99, 0))
    try:
        assert [result.level for result in found(installation, 'redis')] == ['ok', 'warning', 'warning']
    finally:
        client.config_set('maxmemory', '0')
        client.config_set('maxmemory-policy', 'noeviction')


def test_missing_redis_is_a_failure(make: Make) -> None:
    (result,) = found(make(pace__backend='redis', redis_url=f'redis://:hush@127.0.0.1:{free_port()}/0'), 'redis')
    assert (result.level, result.found) == ('failure', f'no answer: {redis_py.ConnectionError.__name__}')


# Databases


def test_new_sqlite_file_is_not_created(make: Make, tmp_path: Path) -> None:
    path = tmp_path / 'accounts.sqlite'
    assert said(make(**oauth(f'sqlite:///{path}')), 'database') == [
        'ok database.reachable: the first request creates the file'
    ]
    assert not path.exists()
    (tmp_path / 'file').touch()
    (result,) = found(make(**oauth(f'sqlite:///{tmp_path}/file/accounts.sqlite')), 'database')
    assert (result.level, result.found) == ('failure', f'{tmp_path / "file"} is no directory')


def test_missing_postgresql_is_a_failure(make: Make) -> None:
    url = f'postgresql+psycopg://u:hush@127.0.0.1:{free_port()}/x'
    (result,) = found(make(**oauth(url)), 'database')
    assert (result.level, result.found) == ('failure', f'no answer: {psycopg.OperationalError.__name__}')


def test_postgresql_without_tables(make: Make) -> None:
    with services.postgresql() as url:
        first, second, third = said(make(pace__backend='database', database_url=url), 'database')
        assert first == 'ok database.reachable: answers'
        assert second.startswith('ok database.version: postgresql ')
        assert third == 'ok database.migrations: no tables yet: the first request creates them'
        engine = create_engine(url)
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM pg_tables WHERE tablename LIKE 'fsp_%' "
                                          'AND schemaname = current_schema()')) == 0  # fmt: skip
        engine.dispose()


@pytest.mark.parametrize(('revision', 'level'), [('0001', 'warning'), ('9999', 'failure')])
def test_other_migrations_are_reported(make: Make, tmp_path: Path, revision: str, level: str) -> None:
    path = tmp_path / 'accounts.sqlite'
    connect(path)
    engine = create_engine(f'sqlite:///{path}')
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE fsp_alembic_version SET version_num = '{revision}'"))
    engine.dispose()
    (result,) = found(make(**oauth(f'sqlite:///{path}')), 'database.migrations')
    assert result.level == level


def host_session(request: Path) -> Session:
    """Return a session of a host, whose database the test tells in place of a request."""
    return Session(create_engine(f'sqlite:///{request}', poolclass=NullPool))


def test_database_of_a_host(make: Make, tmp_path: Path) -> None:
    path = tmp_path / 'host.sqlite'
    connect(path)
    settings = oauth('') | {'accounts__session': f'{__name__}.host_session'}
    texts = [*said(make(request=path, **settings), 'database'), *said(make(request=path, **settings), 'accounts.keys')]
    assert texts[0] == 'ok database.reachable: answers'
    assert texts[2].startswith('ok database.migrations: up to date ')
    assert texts[3] == 'ok accounts.keys: the keys decrypt all stored tokens'
    assert said(make(**settings), 'database') == [
        "skipped database.reachable: the host's database is known in a request only"
    ]


# Accounts


def connect(path: Path, key: str = KEY) -> None:
    """Connect one account, and let another one expire."""
    database = Database(f'sqlite:///{path}')
    store = AccountStore(database.sessions(transaction.manager), TokenCipher((key,)), lambda: NOW)
    for uid in ('u1', 'u2'):
        store.connect('fsp', 'shop', uid, 'https://acme.egnyte.com', uid, Tokens(f'access-{uid}', None, 1.0))
    transaction.commit()
    store.expire(2)
    transaction.abort()
    database.close()


def test_accounts_are_counted(make: Make, tmp_path: Path) -> None:
    path = tmp_path / 'accounts.sqlite'
    connect(path)
    assert said(make(**oauth(f'sqlite:///{path}')), 'accounts') == [
        'ok accounts.keys: the keys decrypt all stored tokens',
        'warning accounts.states: 1 connected, 1 expired, 0 disconnected',
    ]


def test_lost_key_is_a_failure(make: Make, tmp_path: Path) -> None:
    path = tmp_path / 'accounts.sqlite'
    connect(path, OTHER_KEY)
    (result,) = found(make(**oauth(f'sqlite:///{path}')), 'accounts.keys')
    assert (result.level, result.found) == (
        'failure', 'no key of fsp.accounts.keys decrypts the tokens of account 1'
    )  # fmt: skip
    (result,) = found(make(**oauth(f'sqlite:///{path}', f'{KEY} {OTHER_KEY}')), 'accounts.keys')
    assert result.level == 'ok'
