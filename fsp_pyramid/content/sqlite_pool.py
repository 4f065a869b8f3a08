"""Connection pool of an SQLite file that may be deleted or corrupt: a corrupt one is removed and created again."""

import logging
import os
import sqlite3
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from ..disk import disk_errors_of
from ..sqlite import use_wal

log = logging.getLogger(__name__)

# Seconds that a process waits for another one that writes.
BUSY_TIMEOUT = 10.0
# KB of pages that a connection keeps. The kernel keeps them as well, and look-ups are as fast as with SQLite's 2,000.
CACHE_SIZE = 512


class SQLitePool:
    """Connections to one file, each for one thread at a time. The constructor does no I/O.

    :param path: returns the path of the file; its directory is created
    :param schema: statements that create what does not exist yet
    """

    def __init__(self, path: Callable[[], Path], schema: str) -> None:
        self._path, self._schema = path, schema
        self._idle: deque[_Connection] = deque()
        weakref.finalize(self, _close_all, self._idle)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit what the block writes, or roll it back on an error."""
        with self.connection() as connection:
            connection.execute('BEGIN IMMEDIATE')
            with connection:  # commits, or rolls back
                yield connection

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Borrow a connection. The pool keeps as many as were needed at once. Raises OSError and sqlite3.Error."""
        path = self._path()
        with disk_errors_of(path):
            borrowed = self._pop_idle(path) or self._open(path)
            try:
                yield borrowed.sqlite
            except sqlite3.DatabaseError as error:
                if _is_corrupt(error) and _is_at(path, borrowed.file):
                    _remove(path, error)
                raise
            finally:
                self._idle.append(borrowed)

    def _pop_idle(self, path: Path) -> '_Connection | None':
        """Take an idle connection to the file at *path*; close those to a file that was deleted meanwhile."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            if _is_at(path, connection.file):
                return connection
            connection.sqlite.close()

    def _open(self, path: Path) -> '_Connection':
        with suppress(FileExistsError):  # a file; the error of SQLite counts as one of the disk
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            connection = _connect(path, self._schema)
        except sqlite3.DatabaseError as error:
            if not _is_corrupt(error):  # locked, or no space: the contents are not at fault
                raise
            _remove(path, error)
            connection = _connect(path, self._schema)
        return _Connection(connection, path.stat())


class _Connection(NamedTuple):
    sqlite: sqlite3.Connection
    file: os.stat_result


def _is_at(path: Path, file: os.stat_result) -> bool:
    try:
        return os.path.samestat(file, os.stat(path))
    except (FileNotFoundError, NotADirectoryError):
        return False


def _is_corrupt(error: sqlite3.DatabaseError) -> bool:
    name = getattr(error, 'sqlite_errorname', None) or ''
    return name == 'SQLITE_NOTADB' or name.startswith('SQLITE_CORRUPT')


def _remove(path: Path, error: sqlite3.DatabaseError) -> None:
    log.warning('%s is corrupt and is created again: %s', path, error)
    for suffix in ('', '-wal', '-shm'):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _connect(path: Path, schema: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)
    try:
        use_wal(connection, BUSY_TIMEOUT)
        # A crash of the machine may lose the last writes, which cost a call to learn again.
        connection.execute('PRAGMA synchronous = NORMAL')
        connection.execute(f'PRAGMA cache_size = -{CACHE_SIZE}')
        connection.executescript(schema)
    except BaseException:
        connection.close()
        raise
    return connection


def _close_all(idle: deque[_Connection]) -> None:
    while idle:
        idle.pop().sqlite.close()
