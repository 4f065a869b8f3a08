"""Engines for our own database by its URL, and for own transactions in the database of a host."""

from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from ..sqlite import use_wal
from .postgresql import make_postgresql


def make_engine(url: str | URL, name: str, lock_timeout: int, connect_timeout: int | None = None) -> Engine:
    """Return an engine for *url*. On SQLite the driver begins transactions, and its first write takes the lock.

    :param name: name of the setting with the URL, for messages
    :param lock_timeout: seconds that a transaction waits for another writer (SQLite)
    :param connect_timeout: seconds for connecting to the server (PostgreSQL); *lock_timeout* by default

    Raises ValueError, which names the setting and never shows the URL.
    """
    # Errors have no cause: the text of SQLAlchemy's may show the URL with its password.
    try:
        url = make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError(f'{name}: this is no URL of a database (postgresql://user:password@host/name)') from None
    try:
        if url.get_backend_name() == 'sqlite':
            return _make_sqlite(url, name, lock_timeout)
        if url.get_backend_name() == 'postgresql':
            if url.drivername == 'postgresql':
                url = url.set(drivername='postgresql+psycopg')  # SQLAlchemy 2.0 means psycopg2
            engine = make_postgresql(url, connect_timeout or lock_timeout)
            if not engine.dialect.is_async:
                return engine
    except (ImportError, NoSuchModuleError):
        raise ValueError(f'{name}: the driver for {url.drivername} is not installed (pip install psycopg)') from None
    raise ValueError(f'{name}: {url.drivername} is not supported; use sqlite or postgresql')


def own_engine(engine: Engine, lock_timeout: int) -> Engine:
    """Return an engine for own transactions in the database of *engine*. Create SQLite's file, for its owner only."""
    if engine.dialect.name == 'sqlite':
        own = make_engine(engine.url, "the host's database", lock_timeout)
        path = Path(own.url.database or '')
        path.parent.mkdir(parents=True, exist_ok=True)
        # It holds users' names. SQLite's other files get the same mode.
        path.touch(0o600)
        return own
    return engine


def _make_sqlite(url: URL, name: str, lock_timeout: int) -> Engine:
    if not url.database or url.database.startswith((':memory:', 'file:')):
        raise ValueError(f'{name}: SQLite needs a file (sqlite:////path), because a database in memory is not shared')
    # SQLAlchemy's recipe locks in every transaction, also in one that reads. The driver begins at the first statement
    # that writes, and IMMEDIATE waits for the lock there, where an upgraded transaction would fail at once.
    engine = create_engine(
        url.set(drivername='sqlite'),
        hide_parameters=True,
        max_overflow=-1,
        connect_args={'timeout': lock_timeout, 'isolation_level': 'IMMEDIATE'},
    )

    def set_up(connection: Any, record: Any) -> None:
        del record
        connection.execute('PRAGMA foreign_keys = ON')
        use_wal(connection, lock_timeout)

    event.listen(engine, 'connect', set_up)
    return engine
