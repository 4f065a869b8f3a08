"""Transactions of accounts, in our own database and in that of a host."""

import stat
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import zope.sqlalchemy
from pyramid.config import Configurator
from pyramid.request import Request
from sqlalchemy import Engine, event, inspect, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from transaction import TransactionManager
from webtest import TestApp

from fsp_pyramid.accounts.database import Database, HostDatabase
from fsp_pyramid.accounts.encryption import TokenCipher
from fsp_pyramid.accounts.models import AccountRow, State
from fsp_pyramid.accounts.store import AccountStore, Connection
from fsp_pyramid.errors import NotFound

from ..timing import PATIENCE
from .support import (
    ANN,
    GRANT,
    NEW,
    OLD,
    URL,
    Clock,
    Egnyte,
    engine_of,
)

MakeStore = Callable[..., AccountStore]


def test_changes_are_rolled_back_with_the_request(
    store: AccountStore, manager: TransactionManager, ann: Connection
) -> None:
    manager.begin()
    store.connect('shop', 'client-1', 'ben', URL, 'ben', NEW)
    store.connect(*ANN, 'https://other.egnyte.com', 'other', NEW)
    store.set_folder(ann.number, '/Shared')
    store.disconnect(ann.number)
    assert store.by_number(ann.number).state == State.DISCONNECTED
    assert len(store.list_all()) == 2
    manager.abort()
    with manager:
        assert store.find(*ANN) == ann
        assert store.list_all()[1:] == ()


def test_changes_are_visible_after_the_commit(
    store: AccountStore, make_store: MakeStore, manager: TransactionManager
) -> None:
    other, others = make_store(second := TransactionManager(explicit=True)), second
    manager.begin()
    made = store.connect(*ANN, *GRANT)
    with others:
        assert other.find(*ANN) is None
    with pytest.raises(NotFound):
        store.fresh_tokens(made.number, Egnyte().refresh)
    manager.commit()
    with others:
        assert other.find(*ANN) == made
    assert store.fresh_tokens(made.number, Egnyte().refresh) == OLD


def test_request_that_read_may_write_after_another_wrote(
    store: AccountStore, make_store: MakeStore, manager: TransactionManager, ann: Connection
) -> None:
    """SQLite refuses this at once ("database is locked") if a read begins a transaction."""
    second = TransactionManager(explicit=True)
    manager.begin()
    assert store.find(*ANN) == ann
    with second:
        make_store(second).set_folder(ann.number, '/Shared')
    store.disconnect(ann.number)
    manager.commit()
    with manager:
        assert (store.find(*ANN).folder, store.find(*ANN).state) == ('/Shared', State.DISCONNECTED)


def test_cached_rows_of_a_session_are_reloaded(
    database: Database, store: AccountStore, manager: TransactionManager, ann: Connection
) -> None:
    # Another session, because a debugger or a traceback may hold the rows of the first.
    sessions = database.sessions(manager)
    holding = AccountStore(sessions, store._cipher, store._clock)
    with manager:
        held = sessions.joined().get(AccountRow, ann.number)
        store.fresh_tokens(ann.number, Egnyte().refresh, refused=OLD)
        assert holding.list_all()[0].expires_at == NEW.expires_at
        store.expire(ann.number)
        assert holding.find(*ANN).state == State.EXPIRED
        assert held in sessions.joined()


def test_database_is_opened_at_first_use(tmp_path: Path, manager: TransactionManager) -> None:
    database = Database(f'sqlite:///{tmp_path}/a/b/fsp.sqlite')
    sessions = database.sessions(manager)
    assert not (tmp_path / 'a').exists()
    with manager:
        sessions.joined()
    assert stat.S_IMODE((tmp_path / 'a/b/fsp.sqlite').stat().st_mode) == 0o600
    database.close()
    # No server listens there.
    Database('postgresql://fsp:secret@127.0.0.1:1/fsp').sessions(manager)


def test_sqlite_has_wal_and_private_mode(tmp_path: Path, manager: TransactionManager) -> None:
    database = Database(f'sqlite:///{tmp_path}/fsp.sqlite')
    sessions = database.sessions(manager)
    with manager, sessions.own() as own:
        for session in (own, sessions.joined()):
            found = [
                session.scalar(text(f'PRAGMA {name}')) for name in ('journal_mode', 'foreign_keys', 'busy_timeout')
            ]
            assert found == ['wal', 1, 5000]
            assert session.connection().connection.dbapi_connection.isolation_level == 'IMMEDIATE'
    database.close()


def test_more_requests_than_the_default_pool_size(make_store: MakeStore, ann: Connection) -> None:
    """Each request holds a connection and wants a second one; a limited pool would deadlock."""
    requests = 20
    together = threading.Barrier(requests)
    found = []

    def request() -> None:
        manager = TransactionManager(explicit=True)
        store = make_store(manager)
        with manager:
            store.find(*ANN)
            together.wait(PATIENCE)
            found.append(store.fresh_tokens(ann.number, Egnyte().refresh))

    threads = [threading.Thread(target=request) for _ in range(requests)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert found == [OLD] * requests


@pytest.mark.parametrize(
    ('url', 'complaint'),
    [
        ('', 'no URL of a database'),
        ('secret', 'no URL of a database'),
        ('postgresql:/fsp:secret@host/fsp', 'no URL of a database'),
        ('postgresql://fsp:secret@host:secret/fsp', 'no URL of a database'),
        ('mysql://fsp:secret@host/fsp', 'mysql is not supported'),
        ('oracle://fsp:secret@host/fsp', 'oracle is not supported'),
        ('nonsense://fsp:secret@host/fsp', 'nonsense is not supported'),
        ('postgresql+nonsense://fsp:secret@host/fsp', r'postgresql\+nonsense is not installed'),
        ('postgresql+pg8000://fsp:secret@host/fsp', r'postgresql\+pg8000 is not installed'),
        ('postgresql+psycopg_async://fsp:secret@host/fsp', 'psycopg_async is not supported'),
        ('sqlite://', 'SQLite needs a file'),
        ('sqlite:///:memory:?key=secret', 'SQLite needs a file'),
        ('sqlite:///file:secret?mode=memory&uri=true', 'SQLite needs a file'),
    ],
)
def test_bad_url_is_reported_without_the_url(url: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=f'^fsp.database_url: .*{complaint}') as caught:
        Database(url)
    assert 'secret' not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_missing_driver_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'psycopg', None)
    with pytest.raises(ValueError, match=r'^fsp.database_url: .* not installed \(pip install psycopg\)'):
        Database('postgresql://fsp:secret@host/fsp')


class HostBase(DeclarativeBase):
    pass


class Customer(HostBase):
    __tablename__ = 'customers'

    name: Mapped[str] = mapped_column(primary_key=True)


def plain(engine: Engine) -> None:
    """Return SQLAlchemy's default engine."""


def with_recipe(engine: Engine) -> None:
    """Return an engine with SQLAlchemy's documented recipe for transactions of SQLite."""
    if engine.dialect.name == 'sqlite':
        event.listen(engine, 'connect', lambda connection, _: setattr(connection, 'isolation_level', None))
        event.listen(engine, 'begin', lambda connection: connection.exec_driver_sql('BEGIN') and None)


def repeatable(engine: Engine) -> None:
    """Return an engine for PostgreSQL with serializable transactions, which fail on conflicts."""
    if engine.dialect.name == 'postgresql':
        engine.update_execution_options(isolation_level='REPEATABLE READ')


@pytest.fixture(params=[plain, with_recipe, repeatable])
def host_engine(request: pytest.FixtureRequest, tmp_path: Path, url: str) -> Iterator[Engine]:
    (tmp_path / 'var').mkdir(exist_ok=True)
    engine = engine_of(url)
    request.param(engine)
    HostBase.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def host(host_engine: Engine) -> Iterator[HostDatabase]:
    host = HostDatabase()
    yield host
    host.close()


@pytest.fixture
def app(host: HostDatabase, host_engine: Engine, clock: Clock, keys: tuple[str, ...]) -> TestApp:
    """Give a host with a session joined to ``request.tm``, as in Pyramid's cookiecutters."""

    def dbsession(request: Request) -> Session:
        session = Session(host_engine)
        zope.sqlalchemy.register(session, transaction_manager=request.tm)
        return session

    def sign_up(request: Request) -> str:
        store = AccountStore(host.sessions(lambda: request.dbsession), TokenCipher(keys), clock)
        found = store.find(*ANN)
        if 'refresh' in request.params:
            store.fresh_tokens(found.number, Egnyte().refresh, refused=OLD)
        request.dbsession.add(Customer(name='ann'))
        connection = store.connect(*ANN, *GRANT) if found is None else found
        store.set_folder(connection.number, '/Shared')
        if 'fail' in request.params:
            raise RuntimeError
        return 'done'

    with Configurator(settings={'tm.manager_hook': 'pyramid_tm.explicit_manager'}) as config:
        config.include('pyramid_tm')
        config.add_request_method(dbsession, reify=True)
        config.add_route('sign_up', '/')
        config.add_view(sign_up, route_name='sign_up', renderer='string')
    return TestApp(config.make_wsgi_app())


def rows(engine: Engine) -> tuple[list[str], list[tuple[str, str | None]]]:
    with engine.connect() as connection:
        customers = connection.scalars(text('SELECT name FROM customers')).all()
        accounts = connection.execute(text('SELECT state, folder FROM fsp_accounts')).all()
    return list(customers), [tuple(row) for row in accounts]


def test_accounts_join_the_transaction_of_a_host(app: TestApp, host_engine: Engine) -> None:
    with pytest.raises(RuntimeError):
        app.get('/?fail')
    assert rows(host_engine) == ([], [])
    app.get('/')
    assert rows(host_engine) == (['ann'], [('connected', '/Shared')])


def test_refresh_survives_the_abort_of_a_host(
    app: TestApp, host: HostDatabase, host_engine: Engine, clock: Clock, keys: tuple[str, ...]
) -> None:
    app.get('/')
    with host_engine.begin() as connection:
        connection.execute(text('DELETE FROM customers'))
        connection.execute(text('UPDATE fsp_accounts SET folder = NULL'))
    # A host with snapshot isolation cannot change rows that were refreshed since its begin: its own commit fails.
    with pytest.raises((RuntimeError, OperationalError)):
        app.get('/?fail&refresh')
    assert rows(host_engine) == ([], [('connected', None)])
    with Session(host_engine) as session:
        found = AccountStore(host.sessions(lambda: session), TokenCipher(keys), clock).find(*ANN)
    assert found
    assert found.tokens == NEW


def test_threads_of_a_host_refresh_once(
    host: HostDatabase, host_engine: Engine, clock: Clock, keys: tuple[str, ...]
) -> None:
    egnyte = Egnyte(meanwhile=lambda: clock.wait_for(4 + 1))

    def use(action: Callable[[AccountStore], object]) -> object:
        with Session(host_engine) as session, session.begin():
            return action(AccountStore(host.sessions(lambda: session), TokenCipher(keys), clock))

    number = use(lambda store: store.connect(*ANN, *GRANT).number)
    clock.now += 900
    clock.readings = 0
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(use, [lambda store: store.fresh_tokens(number, egnyte.refresh)] * 4))
    assert results == [NEW] * 4
    assert len(egnyte.asked) == 1


def test_host_may_prepare_its_database_at_its_start(host: HostDatabase, host_engine: Engine) -> None:
    host.prepare(host_engine)
    names = inspect(host_engine).get_table_names()
    assert sorted(names) == ['customers', 'fsp_accounts', 'fsp_alembic_version', 'fsp_pace', 'fsp_states']
    assert host.prepare(host_engine) is host.prepare(host_engine)


def test_database_in_memory_is_refused(host: HostDatabase) -> None:
    engine = engine_of('sqlite://')
    with pytest.raises(ValueError, match="the host's database: SQLite needs a file"):
        host.prepare(engine)
    engine.dispose()
