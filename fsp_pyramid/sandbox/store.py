"""The directory on disk: a SQLite database for the tree, and its first set-up."""

import fcntl
import os
import queue
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

from . import provision
from .contents import Contents
from .options import Options

BUSY_SECONDS = 60


class Store:
    """The state of one sandbox. Several of them, also in other processes, may share a directory."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.contents = Contents(options.root)
        self._database = options.root / 'sandbox.sqlite'
        self._opening = threading.Lock()
        self._ready = False
        self._pool = _Pool()

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection for one call. It is in autocommit mode: see :func:`reading`, :func:`writing`."""
        self._set_up()
        pool = self._own_pool()
        db = pool.take() or self._connect()
        try:
            yield db
        finally:
            if db.in_transaction:
                db.rollback()
            pool.put(db)

    def _own_pool(self) -> '_Pool':
        # A connection must not be used on the other side of a fork.
        if self._pool.process != os.getpid():
            self._pool = _Pool()
        return self._pool

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._database, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        db.row_factory = sqlite3.Row
        db.execute('PRAGMA foreign_keys = ON')
        # In WAL mode a killed process loses nothing by this, and a power cut at most the last calls.
        db.execute('PRAGMA synchronous = NORMAL')
        return db

    def _set_up(self) -> None:
        # Somebody may have removed the directory to begin anew.
        if self._ready and self._database.exists():
            return
        with self._opening:
            if self._ready and self._database.exists():
                return
            self._pool.close()
            self._pool = _Pool()
            self.contents.create()
            with _locked(self.options.root / 'lock'):
                db = self._connect()
                try:
                    provision.provision(db, self.contents, self.options)
                finally:
                    db.close()
            self._ready = True


class _Pool:
    """Idle connections of one process. An open one also keeps SQLite from removing the WAL file."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self._idle: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        weakref.finalize(self, _close_all, self._idle)

    def take(self) -> sqlite3.Connection | None:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return None

    def put(self, db: sqlite3.Connection) -> None:
        self._idle.put(db)

    def close(self) -> None:
        _close_all(self._idle)


def _close_all(idle: 'queue.LifoQueue[sqlite3.Connection]') -> None:
    while not idle.empty():
        idle.get_nowait().close()


@contextmanager
def _locked(path: os.PathLike[str]) -> Iterator[None]:
    """Hold a lock against other processes, which the system releases if this one is killed."""
    with open(path, 'ab') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def reading(db: sqlite3.Connection) -> Iterator[None]:
    """One consistent view of the database."""
    db.execute('BEGIN')
    try:
        yield
    finally:
        db.rollback()


@contextmanager
def writing(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, and one writer at a time."""
    db.execute('BEGIN IMMEDIATE')
    try:
        yield
    except BaseException:
        db.rollback()
        raise
    db.commit()
