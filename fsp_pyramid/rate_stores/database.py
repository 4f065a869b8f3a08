"""Rate store in the database of accounts, in statements of its own: never in a request's transaction."""

import queue
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from alembic.util import CommandError
from pyramid.threadlocal import get_current_request
from sqlalchemy import Connection, Engine, delete, event, func, literal, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from ..concurrency.worker_pool import WorkerPool
from ..database.engines import make_engine, own_engine
from ..database.inserts import INSERT
from ..database.migrations import upgrade
from ..egnyte import RateStoreError
from ..egnyte.rate_store import LIFETIME
from .compare_and_swap import CompareAndSwapStore
from .models import PaceRow

# Seconds to wait for a connection or a lock, and for an answer. A request waits meanwhile, and goes on without.
WAIT, ANSWER = 2, 3.0
# Concurrent statements. Those of a server that hangs stay in their threads until their connections time out; a host's
# connections may have no time-out.
THREADS = 16

T = TypeVar('T')


class DatabaseRateStore(CompareAndSwapStore):
    """Rate store in PostgreSQL or SQLite. The constructor does no I/O: the first use creates the table.

    The time is PostgreSQL's, for several machines, or with SQLite this machine's.

    :param engine: returns the engine of the database; raises RateStoreError while it is unknown
    """

    def __init__(self, engine: Callable[[], Engine]) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._background = WorkerPool(THREADS, 10 * THREADS)
        self._ready: Engine | None = None

    def close(self) -> None:
        """Close the idle connections. The next use opens new ones."""
        if self._ready is not None:
            self._ready.dispose()

    def _read(self, key: str) -> tuple[str, float]:
        record = select(PaceRow.record).where(PaceRow.key == key).scalar_subquery()

        def read(connection: Connection) -> tuple[str, float]:
            is_sqlite = connection.dialect.name == 'sqlite'
            clock = literal(0.0) if is_sqlite else func.extract('epoch', func.clock_timestamp())
            text, now = connection.execute(select(record, clock)).one()
            return text or '', time.time() if is_sqlite else float(now)

        return self._in_time(read)

    def _swap(self, key: str, before: str, after: str, now: float) -> bool:
        def swap(connection: Connection) -> bool:
            if before:
                found = (PaceRow.key == key) & (PaceRow.record == before)
                changed = update(PaceRow).where(found).values(record=after, changed_at=now)
                return connection.execute(changed).rowcount == 1
            connection.execute(delete(PaceRow).where(PaceRow.changed_at < now - LIFETIME))
            insert = INSERT[connection.dialect.name](PaceRow).values(key=key, record=after, changed_at=now)
            return connection.scalar(insert.on_conflict_do_nothing().returning(PaceRow.key)) is not None

        return self._in_time(swap)

    def _in_time(self, ask: Callable[[Connection], T]) -> T:
        """Return the result of *ask*. Raises RateStoreError, also if the server is silent on an open connection.

        No driver has a time-out for that, so *ask* runs in another thread.
        """
        try:
            # Here, because the engine of a host depends on the request.
            engine = self._engine() if self._ready is None else self._ready

            def run() -> T:
                with self._prepared(engine).connect() as connection:
                    return ask(connection)

            return self._background.submit(object(), run).result(ANSWER)
        except (TimeoutError, queue.Full) as error:
            raise RateStoreError('the database does not answer') from error
        except (SQLAlchemyError, CommandError, OSError) as error:
            raise RateStoreError(f'the database: {type(error).__name__}') from error
        except ValueError as error:  # a host's database that cannot be shared; the message is our own
            raise RateStoreError(str(error)) from error

    def _prepared(self, engine: Engine) -> Engine:
        # In a thread of ours, because this may create the tables, on a server that hangs.
        with self._lock:
            if self._ready is None:
                own = own_engine(engine, WAIT)
                upgrade(own)
                if own.dialect.name == 'sqlite':
                    event.listen(own, 'connect', _on_connect('PRAGMA synchronous = NORMAL'))
                    own.dispose()  # the connection of the upgrade lacks the pragma
                # Each statement is a transaction, despite the isolation level of a host.
                self._ready = own.execution_options(isolation_level='AUTOCOMMIT')
            return self._ready


def engine_by_url(url: str) -> Callable[[], Engine]:
    """Return the source of our own database's engine. Raises ValueError, which names the setting, not the URL."""
    engine = make_engine(url, 'fsp.database_url', WAIT)
    if engine.dialect.name == 'postgresql':
        event.listen(engine, 'connect', _on_connect('SET synchronous_commit TO off'))
    return lambda: engine


def _on_connect(statement: str) -> Callable[..., None]:
    """Return a listener that runs *statement*, which relaxes durability: after a crash Egnyte tells the count again."""

    def set_up(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(statement)
        cursor.close()
        connection.commit()

    return set_up


def engine_of_host(session: Callable[..., Session]) -> Callable[[], Engine]:
    """Return the source of the engine of the host's database, which the first request tells."""

    def engine() -> Engine:
        request = get_current_request()
        if request is None:
            raise RateStoreError("the host's database is known when there was a request")
        return session(request).get_bind(PaceRow).engine

    return engine
