"""The database of accounts: one of our own by URL, or that of the host application.

Two kinds of sessions: *joined* ones take part in the request's transaction; *own* ones are short transactions that last
whatever becomes of the request.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import zope.sqlalchemy
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from transaction.interfaces import ITransactionManager

from ..database.engines import make_engine, own_engine
from ..database.migrations import upgrade
from ..errors import Busy
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
                own = own_engine(engine, PATIENCE)
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
        self._engine = make_engine(url, 'fsp.database_url', PATIENCE)
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


def _set_up_postgresql(session: Session) -> None:
    # Whoever waited for a lock has to see what the one before did, whatever isolation a host prefers.
    connection = session.connection(execution_options={'isolation_level': 'READ COMMITTED'})
    connection.execute(text(f"SET LOCAL lock_timeout = '{PATIENCE}s'"))


def _is_locked(error: Any) -> bool:
    state = getattr(error, 'sqlstate', None) or getattr(error, 'sqlite_errorname', None)
    return state == PGSQL_LOCK_TIMEOUT or state in SQLITE_LOCKED
