"""Connections to PostgreSQL with time-outs for every way to hang.

There are three: a network that drops packets (ended by TCP settings), a server that works on a statement for too long
or waits for a lock (ended by its own time-outs), and a server that is stopped while its kernel goes on acknowledging.
libpq has no time-out for the last one, so connections of psycopg 3 get a deadline for each answer.
"""

import time
from collections.abc import Generator
from typing import Any, TypeVar

from sqlalchemy import URL, Engine, create_engine, event

# Seconds: limits for the wait for a lock, for a statement, and for its answer. Each is longer than the one before, so
# that the most specific error comes first.
LOCK, STATEMENT, ANSWER = 5, 7, 9
# For libpq, whose names these are; seconds, and milliseconds for the last one.
TCP = {
    'keepalives': 1,
    'keepalives_idle': 10,
    'keepalives_interval': 3,
    'keepalives_count': 3,
    'tcp_user_timeout': 10_000,
}
# Sets only what the operator has not set in the URL, for the role, the database or the server.
SET_TIMEOUT = "SELECT set_config(name, %s, false) FROM pg_settings WHERE name = %s AND source = 'default'"

R = TypeVar('R')


def make_postgresql(url: URL, connect_timeout: int) -> Engine:
    """Return an engine with a limit for each wait. Options in *url* win over ours.

    :param connect_timeout: seconds for connecting
    """
    # Unlimited overflow: a request holds a connection and wants a second one, so a full pool would wait for itself.
    options: dict[str, Any] = {'hide_parameters': True, 'max_overflow': -1, 'pool_pre_ping': True}
    if not url.get_driver_name().startswith('psycopg'):
        return create_engine(url, **options)
    arguments = {name: value for name, value in _arguments(connect_timeout).items() if name not in url.query}
    engine = create_engine(url, connect_args=arguments, **options)
    if not engine.dialect.is_async:
        if url.get_driver_name() == 'psycopg':
            _set_deadline(engine)
        event.listen(engine, 'connect', _set_timeouts)
    return engine


def _arguments(connect_timeout: int) -> dict[str, int]:
    return {'connect_timeout': connect_timeout, **TCP}


def _set_timeouts(connection: Any, record: Any) -> None:
    del record
    # Not in the startup packet: PgBouncer refuses options there.
    with connection.cursor() as cursor:
        for name, seconds in (('lock_timeout', LOCK), ('statement_timeout', STATEMENT)):
            cursor.execute(SET_TIMEOUT, (f'{seconds}s', name))
    connection.commit()


def _set_deadline(engine: Engine) -> None:
    from psycopg import Connection, OperationalError

    class DeadlineConnection(Connection[Any]):
        """Connection that closes itself when an answer is late: it cannot be used any more."""

        def wait(self, gen: Generator[Any, Any, R], *arguments: Any, **options: Any) -> R:
            def timed() -> Generator[Any, Any, R]:
                end, ready = time.monotonic() + ANSWER, None
                try:
                    while True:
                        state = next(gen) if ready is None else gen.send(ready)
                        ready = yield state
                        if not ready and time.monotonic() >= end:
                            late.append(True)
                            raise OperationalError(f'no answer within {ANSWER} seconds')
                except StopIteration as stop:
                    return stop.value

            late: list[bool] = []
            try:
                return super().wait(timed(), *arguments, **options)
            finally:
                if late:
                    self.close()

    def connect(_dialect: Any, _record: Any, arguments: Any, options: Any) -> Any:
        return DeadlineConnection.connect(*arguments, **options)

    event.listen(engine, 'do_connect', connect)
