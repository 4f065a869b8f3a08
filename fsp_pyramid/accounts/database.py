"""Database of accounts: our own by URL, or that of the host application.

There are two kinds of sessions: *joined* ones take part in the request's transaction; *own* ones are short transactions
that commit independently of the request.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import zope.sqlalchemy
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.orm import Session
from transaction.interfaces import ITransactionManager

from ..concurrency.bulkhead import Bulkhead, BulkheadFull
from ..concurrency.circuit_breaker import PAUSE, CircuitBreaker, CircuitOpen
from ..database.engines import make_engine, own_engine
from ..database.migrations import upgrade
from ..errors import Busy
from ..i18n import _
from .models import AccountRow

# Seconds that a transaction waits for a lock; a refresh of tokens holds one while Egnyte answers.
LOCK_TIMEOUT = 5
# Seconds.
CONNECT_TIMEOUT = 3
# Bulkheads: threads that read at once, which normally takes milliseconds, and threads in transactions that may wait for
# each other. Further threads wait WAIT seconds, at most QUEUE of them.
READERS, OWN, WAIT = 3, 8, 2.0
QUEUE = 1000
# SQLSTATEs (https://www.postgresql.org/docs/current/errcodes-appendix.html): lock_not_available and query_canceled, and
# the classes of an unavailable server: connection, resources, operator intervention (shutdown), system.
PGSQL_LATE, PGSQL_DOWN = {'55P03', '57014'}, ('08', '53', '57P', '58')
# https://sqlite.org/rescode.html
SQLITE_LOCKED = {'SQLITE_BUSY', 'SQLITE_BUSY_SNAPSHOT'}
SQLITE_DOWN = ('SQLITE_CANTOPEN', 'SQLITE_IOERR', 'SQLITE_FULL', 'SQLITE_READONLY')


class UnreachableError(Exception):
    """The database or its disk does not answer."""


class Guard:
    """Circuit breaker and bulkheads of one database, shared by all requests.

    :param of_host: whether joined sessions are a host's: it gets conflicts unchanged, because it may retry
    """

    def __init__(self, of_host: bool) -> None:
        self._of_host = of_host
        self._breaker = CircuitBreaker(
            'the database of accounts', (UnreachableError,), consequence='refusing what needs it for a few seconds'
        )
        self._readers, self._own = Bulkhead(READERS, QUEUE, WAIT), Bulkhead(OWN, QUEUE, WAIT)

    def reading(self) -> AbstractContextManager[None]:
        """Guard a read in the request's transaction. Raises Busy."""
        return self._guarded(self._readers, conflicts=not self._of_host)

    def writing(self) -> AbstractContextManager[None]:
        """Guard a write in the request's transaction, which may wait for other transactions. Raises Busy."""
        return self._guarded(self._own, conflicts=not self._of_host)

    def own(self) -> AbstractContextManager[None]:
        """Guard an own transaction, which may wait for other transactions and for Egnyte. Raises Busy."""
        return self._guarded(self._own, conflicts=True)

    @contextmanager
    def _guarded(self, limiter: Bulkhead, conflicts: bool) -> Iterator[None]:
        try:
            with limiter.slot(), self._breaker.guard(), _classified(conflicts):
                yield
        except CircuitOpen as error:
            raise Busy(
                _(
                    'accounts-away',
                    'The connected accounts cannot be looked up at the moment. Please try again in a few seconds.',
                ),
                retry_after=PAUSE,
            ) from error
        except BulkheadFull as error:
            raise _busy() from error


class Sessions:
    """Sessions of one request. Not thread-safe.

    :param joined: returns the session that takes part in the request's transaction
    :param prepare: creates the tables in an engine's database and returns the engine for own transactions
    """

    def __init__(self, joined: Callable[[], Session], prepare: Callable[[Engine], Engine], guard: Guard) -> None:
        self._joined, self._prepare, self._guard = joined, prepare, guard

    def joined(self) -> Session:
        """Return the session that takes part in the request's transaction."""
        session = self._joined()
        self._prepare(engine_of(session))
        return session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give the session of :meth:`joined` for one read. Raises Busy if the database does not answer."""
        with self._guard.reading():
            yield self.joined()

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give the session of :meth:`joined` for one write. Raises Busy as :meth:`own` does."""
        with self._guard.writing():
            yield self.joined()

    @contextmanager
    def own(self) -> Iterator[Session]:
        """Give a session with a transaction of its own: committed at the end, rolled back by an exception.

        Raises Busy if the database does not answer, and after 5 seconds if another transaction holds a lock. On SQLite
        the lock is the whole database, and its holder may be the request itself: use this before the request writes.
        """
        with self._guard.own():
            engine = self._prepare(engine_of(self._joined()))
            with Session(engine) as session, session.begin():
                if engine.dialect.name == 'postgresql':
                    _set_up_postgresql(session)
                yield session


class HostDatabase:
    """Tables of accounts in the database of a host application; one object for the application.

    Own transactions use the same database through connections of their own, so a database in memory is not supported;
    SQLite is switched to WAL, in which readers and writers do not block each other. If the host compares its own models
    with the database, it has to leave out the tables ``fsp_*`` (alembic: ``include_name``).
    """

    def __init__(self, of_host: bool = True) -> None:
        self._lock, self._guard = threading.Lock(), Guard(of_host)
        self._own: dict[Engine, Engine] = {}

    def sessions(self, session: Callable[[], Session]) -> Sessions:
        """Return the sessions of a request; *session* returns the host's, which is joined to its transaction."""
        return Sessions(session, self.prepare, self._guard)

    def prepare(self, engine: Engine) -> Engine:
        """Create or upgrade the tables once, and return the engine for own transactions.

        The first request does this. A host on SQLite, or one that may not change tables while requests run, calls it at
        its start.
        """
        own = self._own.get(engine)
        if own is not None:
            return own
        # Only one thread creates the tables; if the database hangs meanwhile, the others wait no longer than this.
        if not self._lock.acquire(timeout=WAIT):
            raise BulkheadFull
        try:
            if engine not in self._own:
                own = own_engine(engine, LOCK_TIMEOUT)
                upgrade(own)
                self._own[engine] = own
            return self._own[engine]
        finally:
            self._lock.release()

    def probe(self, engine: Engine) -> None:
        """Run a query on the database of *engine*, as a request would. Raises the errors of SQLAlchemy."""
        with self.prepare(engine).connect() as connection:
            connection.execute(text('SELECT 1'))

    def close(self) -> None:
        """Close the idle connections. The next use opens new ones."""
        for engine, own in self._own.items():
            engine.dispose()
            own.dispose()


class Database:
    """Database of our own; one object for the application. The first use opens and creates it.

    :param url: ``sqlite:////var/lib/fsp/fsp.sqlite``, ``postgresql://user:password@host/name``

    Raises ValueError, which names the setting and never shows the URL.
    """

    def __init__(self, url: str) -> None:
        self._engine = make_engine(url, 'fsp.database_url', LOCK_TIMEOUT, CONNECT_TIMEOUT)
        self._tables = HostDatabase(of_host=False)

    def sessions(self, manager: ITransactionManager) -> Sessions:
        """Return sessions whose joined one takes part in the transactions of *manager* (``request.tm``)."""
        session = Session(self._engine)
        zope.sqlalchemy.register(session, transaction_manager=manager)
        return self._tables.sessions(lambda: session)

    def probe(self) -> None:
        """Run a query, as a request would. Raises the errors of SQLAlchemy."""
        self._tables.probe(self._engine)

    def close(self) -> None:
        """Close the idle connections. The next use opens new ones."""
        self._tables.close()


def engine_of(session: Session) -> Engine:
    """Return the engine of the tables of accounts in *session*."""
    return session.get_bind(AccountRow).engine


def _set_up_postgresql(session: Session) -> None:
    # After waiting for a lock, the transaction must see the changes of the last holder, despite the host's isolation.
    connection = session.connection(execution_options={'isolation_level': 'READ COMMITTED'})
    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}s'"))


@contextmanager
def _classified(conflicts: bool) -> Iterator[None]:
    """Translate errors of an unavailable database to UnreachableError and, if asked to, *conflicts* to Busy.

    Other errors, such as a deadlock, stay as they are.
    """
    try:
        yield
    except PoolExhausted as error:  # a host's pool has no connection left
        raise _busy() from error
    except OperationalError as error:
        code = getattr(error.orig, 'sqlstate', None) or getattr(error.orig, 'pgcode', None) or ''
        name = getattr(error.orig, 'sqlite_errorname', '')
        if conflicts and (code in PGSQL_LATE or name in SQLITE_LOCKED):
            raise _busy() from error
        # A failed attempt to connect has no SQLSTATE.
        unconnected = not code and not name
        if unconnected or error.connection_invalidated or code.startswith(PGSQL_DOWN) or name.startswith(SQLITE_DOWN):
            raise UnreachableError from error
        raise


def _busy() -> Busy:
    return Busy(_('accounts-busy', 'The accounts are busy. Please try again in a few seconds.'), retry_after=1)
