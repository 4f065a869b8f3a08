"""A PostgreSQL that hangs: every wait for it ends."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from fsp_pyramid.database import postgresql as module
from fsp_pyramid.database.engines import make_engine

from ..services import HangingDatabase, hanging_database


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is waited for in these tests never comes, or comes at once."""
    monkeypatch.setattr(module, 'ANSWER', 2)


@pytest.fixture
def database() -> Iterator[HangingDatabase]:
    with hanging_database() as database:
        yield database


@pytest.fixture
def engine(database: HangingDatabase) -> Iterator[Engine]:
    engine = make_engine(database.url, 'fsp.database_url', 2)
    yield engine
    engine.dispose()


def settings(engine: Engine) -> dict[str, str]:
    names = ('statement_timeout', 'lock_timeout', 'tcp_keepalives_idle', 'tcp_user_timeout')
    with engine.connect() as connection:
        return {name: connection.scalar(text(f'SHOW {name}')) for name in names[:2]}


def test_a_statement_ends(database: HangingDatabase, engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text('SELECT 1'))
        database.hang()
        with pytest.raises(OperationalError) as caught:
            connection.execute(text('SELECT 1'))
        assert caught.value.connection_invalidated


def test_a_commit_ends(database: HangingDatabase, engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text('SELECT 1'))
        database.hang()
        with pytest.raises(OperationalError):
            connection.commit()


def test_connections_that_were_kept_and_new_ones_end(database: HangingDatabase, engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text('SELECT 1'))
    database.hang()
    with pytest.raises(OperationalError), engine.connect():
        pass
    fresh = make_engine(database.url, 'fsp.database_url', 2)
    with pytest.raises(OperationalError), fresh.connect():
        pass
    database.wake()
    with engine.connect() as connection:
        assert connection.scalar(text('SELECT 1')) == 1


def test_the_server_ends_what_takes_long(engine: Engine) -> None:
    assert settings(engine) == {'statement_timeout': '7s', 'lock_timeout': '5s'}


@pytest.mark.parametrize('value', ['0', '1min'])
def test_what_the_operator_set_wins(database: HangingDatabase, value: str) -> None:
    option = f'-c%20statement_timeout%3D{value}'
    engine = make_engine(f'{database.url}%20{option}', 'fsp.database_url', 2)
    assert settings(engine) == {'statement_timeout': value, 'lock_timeout': '5s'}
    engine.dispose()


def test_libpq_is_told_of_the_network(database: HangingDatabase) -> None:
    engine = make_engine(f'{database.url}&tcp_user_timeout=77&connect_timeout=9', 'fsp.database_url', 2)
    with engine.connect() as connection:
        info = connection.connection.dbapi_connection.info.get_parameters()
    found = {name: info[name] for name in ('keepalives_idle', 'tcp_user_timeout', 'connect_timeout')}
    assert found == {'keepalives_idle': '10', 'tcp_user_timeout': '77', 'connect_timeout': '9'}
    engine.dispose()
