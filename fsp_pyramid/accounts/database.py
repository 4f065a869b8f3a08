"""The database of accounts: one of our own by URL, or that of the host application.

Two kinds of sessions: *joined* ones take part in the request's transaction; *own* ones are short transactions that last
whatever becomes of the request.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import zope.sqlalchemy
from sqlalchemy import URL, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session
from transaction.interfaces import ITransactionManager

from ..errors import Busy
from .migrations import upgrade
from .models import AccountRow

# Seconds that a transaction waits for one that writes; a refresh waits for Egnyte meanwhile.
PATIENCE = 30
PGSQL_LOCK_TIMEOUT = '55P03'
SQLITE_LOCKED = {'SQLITE_BUSY', 'SQLITE_BUSY_SNAPSHOT'}


class Sessions:
    """The sessions of one request; not for several threads.

    :param joined: the session that takes part in the request's transaction
    :param prepare: makes an engine's database ready and gives the engine for own transactions
    """

    def __init__(self, joined: Callable[[], Session], prepare: Callable[[Engine], Engine]) -> None:
        self._joined, self._prepare = joined, prepare

    def joined(self) -> Session:
        """The session of the request's transaction. Who ends that transaction ends what was done here."""
        session = self._joined()
        self._prepare(engine_of(session))
        return session

    @contextmanager
    def own(self) -> Iterator[Session]:
        """A session of its own: committed at the end, rolled back by an exception.

        Raises Busy after 30 seconds where others hold what it wants to change. On SQLite that is the whole database,
        and one of them may be the request itself: do this before the request changes anything.
        """
        engine = self._prepare(engine_of(self._joined()))
        try:
            with Session(engine) as session, session.begin():
                if engine.dialect.name == 'postgresql':
                    _set_up_postgresql(session)
                yield session
        except OperationalError as error:
            if not _is_locked(error.orig):
                raise
            raise Busy('The accounts are busy. Please try again in a few seconds.', retry_after=1) from error


class HostDatabase:
    """The tables of accounts in the database of a host application, one for the application.

    Own transactions use the same database through connections of their own, so a database in memory will not do; one
    of SQLite is switched to WAL, in which reading requests and writing ones do not lock each other out. What the host
    compares its own models with has to leave out the tables ``fsp_*`` (alembic: ``include_name``).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._own: dict[Engine, Engine] = {}

    def sessions(self, session: Callable[[], Session]) -> Sessions:
        """*session* gives the host's session, which the host has joined to its transaction."""
        return Sessions(session, self.prepare)

    def prepare(self, engine: Engine) -> Engine:
        """Create or upgrade the tables, once; the result is for own transactions.

        The first request does this. A host on SQLite, or one whose user of the database may change nothing while
        requests run, calls it at its start.
        """
        with self._lock:
            if engine not in self._own:
                own = _own_engine(engine)
                upgrade(own)
                self._own[engine] = own
            return self._own[engine]

    def probe(self, engine: Engine) -> None:
        """Ask the database of *engine* something, as a request would. Raises what it says."""
        with self.prepare(engine).connect() as connection:
            connection.execute(text('SELECT 1'))

    def close(self) -> None:
        """Close the connections that are not in use. The next use opens new ones."""
        for engine, own in self._own.items():
            engine.dispose()
            own.dispose()


class Database:
    """A database of our own, one for the application. Nothing is opened or created before it is used.

    :param url: ``sqlite:////var/lib/fsp/fsp.sqlite``, ``postgresql://user:password@host/name``

    Raises ValueError, which names the setting and never shows the URL.
    """

    def __init__(self, url: str) -> None:
        self._engine = _make_engine(url, 'fsp.database_url')
        self._tables = HostDatabase()

    def sessions(self, manager: ITransactionManager) -> Sessions:
        """Sessions whose joined one takes part in the transactions of *manager* (``request.tm``)."""
        session = Session(self._engine)
        zope.sqlalchemy.register(session, transaction_manager=manager)
        return self._tables.sessions(lambda: session)

    def probe(self) -> None:
        """See HostDatabase."""
        self._tables.probe(self._engine)

    def close(self) -> None:
        """See HostDatabase."""
        self._tables.close()


def engine_of(session: Session) -> Engine:
    """The engine behind the accounts of *session*."""
    return session.get_bind(AccountRow).engine


def _own_engine(engine: Engine) -> Engine:
    if engine.dialect.name == 'sqlite':
        own = _make_engine(engine.url, "the host's database")
        path = Path(own.url.database)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Users' names are in it, so it is for us only. SQLite's other files get the same mode.
        path.touch(0o600)
        return own
    return engine


def _make_engine(url: str | URL, name: str) -> Engine:
    # No complaint is raised "from" another one: SQLAlchemy's may show the URL, with its password.
    try:
        url = make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError(f'{name}: this is no URL of a database (postgresql://user:password@host/name)') from None
    try:
        if url.get_backend_name() == 'sqlite':
            return _make_sqlite(url, name)
        if url.get_backend_name() == 'postgresql':
            engine = create_engine(url, hide_parameters=True, max_overflow=-1, pool_pre_ping=True)
            if not engine.dialect.is_async:
                return engine
    except (ImportError, NoSuchModuleError):
        raise ValueError(f'{name}: the driver for {url.drivername} is not installed (pip install psycopg)') from None
    raise ValueError(f'{name}: {url.drivername} is not supported; use sqlite or postgresql')


def _make_sqlite(url: URL, name: str) -> Engine:
    if not url.database or url.database.startswith((':memory:', 'file:')):
        raise ValueError(f'{name}: SQLite needs a file (sqlite:////path), because a database in memory is not shared')
    # SQLAlchemy's recipe begins every transaction alike, reading ones too. The driver's own mode begins at the first
    # statement that writes, and IMMEDIATE waits there, where an upgraded transaction would fail at once.
    engine = create_engine(
        url.set(drivername='sqlite'),
        hide_parameters=True,
        max_overflow=-1,
        connect_args={'timeout': PATIENCE, 'isolation_level': 'IMMEDIATE'},
    )
    event.listen(engine, 'connect', _set_up_sqlite)
    return engine


def _set_up_sqlite(connection: Any, record: Any) -> None:
    del record
    connection.execute('PRAGMA foreign_keys = ON')
    connection.execute('PRAGMA journal_mode = WAL')


def _set_up_postgresql(session: Session) -> None:
    # Whoever waited for a lock has to see what the one before did, whatever isolation a host prefers.
    connection = session.connection(execution_options={'isolation_level': 'READ COMMITTED'})
    connection.execute(text(f"SET LOCAL lock_timeout = '{PATIENCE}s'"))


def _is_locked(error: Any) -> bool:
    state = getattr(error, 'sqlstate', None) or getattr(error, 'sqlite_errorname', None)
    return state == PGSQL_LOCK_TIMEOUT or state in SQLITE_LOCKED
