"""Engines: for a database of our own by its URL, and for own transactions in the database of a host."""

from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from .postgresql import make_postgresql


def make_engine(url: str | URL, name: str, patience: int, connect: int | None = None) -> Engine:
    """An engine whose transactions on SQLite are the driver's, and write from their first statement on.

    :param name: of the setting that the URL is from
    :param patience: seconds that a transaction waits for one that writes (SQLite)
    :param connect: seconds that connecting to the server may take (PostgreSQL); *patience* by default

    Raises ValueError, which names the setting and never shows the URL.
    """
    # No complaint is raised "from" another one: SQLAlchemy's may show the URL, with its password.
    try:
        url = make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError(f'{name}: this is no URL of a database (postgresql://user:password@host/name)') from None
    try:
        if url.get_backend_name() == 'sqlite':
            return _make_sqlite(url, name, patience)
        if url.get_backend_name() == 'postgresql':
            engine = make_postgresql(url, connect or patience)
            if not engine.dialect.is_async:
                return engine
    except (ImportError, NoSuchModuleError):
        raise ValueError(f'{name}: the driver for {url.drivername} is not installed (pip install psycopg)') from None
    raise ValueError(f'{name}: {url.drivername} is not supported; use sqlite or postgresql')


def own_engine(engine: Engine, patience: int) -> Engine:
    """The engine for own transactions in the database of *engine*. SQLite's file is created, for our eyes only."""
    if engine.dialect.name == 'sqlite':
        own = make_engine(engine.url, "the host's database", patience)
        path = Path(own.url.database)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Users' names are in it, so it is for us only. SQLite's other files get the same mode.
        path.touch(0o600)
        return own
    return engine


def _make_sqlite(url: URL, name: str, patience: int) -> Engine:
    if not url.database or url.database.startswith((':memory:', 'file:')):
        raise ValueError(f'{name}: SQLite needs a file (sqlite:////path), because a database in memory is not shared')
    # SQLAlchemy's recipe begins every transaction alike, reading ones too. The driver's own mode begins at the first
    # statement that writes, and IMMEDIATE waits there, where an upgraded transaction would fail at once.
    engine = create_engine(
        url.set(drivername='sqlite'),
        hide_parameters=True,
        max_overflow=-1,
        connect_args={'timeout': patience, 'isolation_level': 'IMMEDIATE'},
    )
    event.listen(engine, 'connect', _set_up_sqlite)
    return engine


def _set_up_sqlite(connection: Any, record: Any) -> None:
    del record
    connection.execute('PRAGMA foreign_keys = ON')
    connection.execute('PRAGMA journal_mode = WAL')
