"""The database of accounts: one of our own by URL, or that of the host application.

Two kinds of sessions: *joined* ones take part in the request's transaction; *own* ones are short transactions that last
whatever becomes of the request.
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
from .models import AccountRow

# Seconds that a transaction waits for one that writes; a refresh waits for Egnyte meanwhile.
PATIENCE = 5
# Seconds that connecting to a server may take.
CONNECT = 3
# Threads that look accounts up at once, a matter of milliseconds while all is well; and that may wait for each other in
# transactions of their own. Further ones wait for so many seconds.
LOOKING, OWN, WAIT = 3, 8, 2.0
MANY = 1000
# SQLSTATEs (https://www.postgresql.org/docs/current/errcodes-appendix.html): lock_not_available and query_canceled, and
# the classes of a server that is not there: connection, resources, operator's intervention (shutdown), system.
PGSQL_LATE, PGSQL_DOWN = {'55P03', '57014'}, ('08', '53', '57P', '58')
# https://sqlite.org/rescode.html
SQLITE_LOCKED = {'SQLITE_BUSY', 'SQLITE_BUSY_SNAPSHOT'}
SQLITE_DOWN = ('SQLITE_CANTOPEN', 'SQLITE_IOERR', 'SQLITE_FULL', 'SQLITE_READONLY')


class UnreachableError(Exception):
    """The database does not answer, or its disk does not."""


class Guard:
    """What all requests share that use one database: a circuit breaker, and limits for threads that wait for it.

    :param of_host: whether joined sessions are a host's, which sees conflicts as they are: it may try again
    """

    def __init__(self, of_host: bool) -> None:
        self._of_host = of_host
        self._breaker = CircuitBreaker(
            'the database of accounts', (UnreachableError,), consequence='refusing what needs it for a few seconds'
        )
        self._looking, self._own = Bulkhead(LOOKING, MANY, WAIT), Bulkhead(OWN, MANY, WAIT)

    def looking(self) -> AbstractContextManager[None]:
        """A look in the request's transaction. Raises Busy."""
        return self._guarded(self._looking, conflicts=not self._of_host)

    def changing(self) -> AbstractContextManager[None]:
        """A change in the request's transaction, which may wait for others. Raises Busy."""
        return self._guarded(self._own, conflicts=not self._of_host)

    def own(self) -> AbstractContextManager[None]:
        """A transaction that may wait for others, and for Egnyte. Raises Busy."""
        return self._guarded(self._own, conflicts=True)

    @contextmanager
    def _guarded(self, limiter: Bulkhead, conflicts: bool) -> Iterator[None]:
        try:
            with limiter.slot(), self._breaker.asking(), _classified(conflicts):
                yield
        except CircuitOpen as error:
            raise Busy(
                'The connected accounts cannot be looked up at the moment. Please try again in a few seconds.',
                retry_after=PAUSE,
            ) from error
        except BulkheadFull as error:
            raise _busy() from error


class Sessions:
    """The sessions of one request; not for several threads.

    :param joined: the session that takes part in the request's transaction
    :param prepare: makes an engine's database ready and gives the engine for own transactions
    """

    def __init__(self, joined: Callable[[], Session], prepare: Callable[[Engine], Engine], guard: Guard) -> None:
        self._joined, self._prepare, self._guard = joined, prepare, guard

    def joined(self) -> Session:
        """The session of the request's transaction. Who ends that transaction ends what was done here."""
        session = self._joined()
        self._prepare(engine_of(session))
        return session

    @contextmanager
    def looking(self) -> Iterator[Session]:
        """The session of :meth:`joined`, for one look. Raises Busy where the database does not answer."""
        with self._guard.looking():
            yield self.joined()

    @contextmanager
    def changing(self) -> Iterator[Session]:
        """The session of :meth:`joined`, for one change. Raises Busy as :meth:`own` does."""
        with self._guard.changing():
            yield self.joined()

    @contextmanager
    def own(self) -> Iterator[Session]:
        """A session of its own: committed at the end, rolled back by an exception.

        Raises Busy where the database does not answer, and after 5 seconds where others hold what it wants to change.
        On SQLite that is the whole database, and one of them may be the request itself: do this before the request
        changes anything.
        """
        with self._guard.own():
            engine = self._prepare(engine_of(self._joined()))
            with Session(engine) as session, session.begin():
                if engine.dialect.name == 'postgresql':
                    _set_up_postgresql(session)
                yield session


class HostDatabase:
    """The tables of accounts in the database of a host application, one for the application.

    Own transactions use the same database through connections of their own, so a database in memory will not do; one
    of SQLite is switched to WAL, in which reading requests and writing ones do not lock each other out. What the host
    compares its own models with has to leave out the tables ``fsp_*`` (alembic: ``include_name``).
    """

    def __init__(self, of_host: bool = True) -> None:
        self._lock, self._guard = threading.Lock(), Guard(of_host)
        self._own: dict[Engine, Engine] = {}

    def sessions(self, session: Callable[[], Session]) -> Sessions:
        """*session* gives the host's session, which the host has joined to its transaction."""
        return Sessions(session, self.prepare, self._guard)

    def prepare(self, engine: Engine) -> Engine:
        """Create or upgrade the tables, once; the result is for own transactions.

        The first request does this. A host on SQLite, or one whose user of the database may change nothing while
        requests run, calls it at its start.
        """
        own = self._own.get(engine)
        if own is not None:
            return own
        # Only one thread makes the tables; a database that hangs meanwhile holds up the others no longer than this.
        if not self._lock.acquire(timeout=WAIT):
            raise BulkheadFull
        try:
            if engine not in self._own:
                own = own_engine(engine, PATIENCE)
                upgrade(own)
                self._own[engine] = own
            return self._own[engine]
        finally:
            self._lock.release()

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
        self._engine = make_engine(url, 'fsp.database_url', PATIENCE, CONNECT)
        self._tables = HostDatabase(of_host=False)

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


@contextmanager
def _classified(conflicts: bool) -> Iterator[None]:
    """Let errors of the database become UnreachableError or, where *conflicts* are meant as well, Busy.

    Others, such as a deadlock, stay as they are.
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
        # A connection that never was has no SQLSTATE.
        unconnected = not code and not name
        if unconnected or error.connection_invalidated or code.startswith(PGSQL_DOWN) or name.startswith(SQLITE_DOWN):
            raise UnreachableError from error
        raise


def _busy() -> Busy:
    return Busy('The accounts are busy. Please try again in a few seconds.', retry_after=1)
