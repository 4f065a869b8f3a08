"""Time-outs for a PostgreSQL that hangs."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from fsp_pyramid.database import postgresql as module
from fsp_pyramid.database.engines import make_engine

from ..services import HangingDatabase, hanging_database


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the time-outs: answers in these tests come at once or never."""
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


def test_statement_times_out(database: HangingDatabase, engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text('SELECT 1'))
        database.hang()
        with pytest.raises(OperationalError) as caught:
            connection.execute(text('SELECT 1'))
        assert caught.value.connection_invalidated


def test_commit_times_out(database: HangingDatabase, engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text('SELECT 1'))
        database.hang()
        with pytest.raises(OperationalError):
            connection.commit()


def test_pooled_and_new_connections_time_out(database: HangingDatabase, engine: Engine) -> None:
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


def test_server_cancels_slow_statements(engine: Engine) -> None:
    assert settings(engine) == {'statement_timeout': '7s', 'lock_timeout': '5s'}


@pytest.mark.parametrize('value', ['0', '1min'])
def test_settings_of_the_operator_win(database: HangingDatabase, value: str) -> None:
    option = f'-c%20statement_timeout%3D{value}'
    engine = make_engine(f'{database.url}%20{option}', 'fsp.database_url', 2)
    assert settings(engine) == {'statement_timeout': value, 'lock_timeout': '5s'}
    engine.dispose()


def test_libpq_gets_keepalive_settings(database: HangingDatabase) -> None:
    engine = make_engine(f'{database.url}&tcp_user_timeout=77&connect_timeout=9', 'fsp.database_url', 2)
    with engine.connect() as connection:
        info = connection.connection.dbapi_connection.info.get_parameters()
    found = {name: info[name] for name in ('keepalives_idle', 'tcp_user_timeout', 'connect_timeout')}
    assert found == {'keepalives_idle': '10', 'tcp_user_timeout': '77', 'connect_timeout': '9'}
    engine.dispose()
