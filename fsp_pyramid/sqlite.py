"""Write-ahead logging of SQLite files that several processes and threads open at once."""

import sqlite3
import time

# Seconds between two attempts.
_PAUSE = 0.01


def use_wal(connection: sqlite3.Connection, timeout: float) -> None:
    """Switch the file to write-ahead logging, and wait for other connections that do the same.

    SQLite calls no busy handler here, because the switch upgrades a read lock
    (https://www.sqlite.org/c3ref/busy_handler.html). Without a loop, some of the processes that are the first to open a
    file fail at once.

    :param timeout: seconds

    Raises sqlite3.OperationalError if the file is still locked then.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            connection.execute('PRAGMA journal_mode = WAL')
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith('SQLITE_BUSY') or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)
        else:
            return
