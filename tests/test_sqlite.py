"""Write-ahead logging: connections that open a new file at once wait for each other."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from fsp_pyramid.content.sqlite_pool import SQLitePool
from fsp_pyramid.database.engines import make_engine
from fsp_pyramid.sqlite import use_wal

from .timing import PATIENCE

THREADS, FILES = 8, 50


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    yield connection
    connection.close()


def test_switch_waits_for_a_writer(tmp_path: Path) -> None:
    with opened(tmp_path / 'a') as writer, opened(tmp_path / 'a') as connection:
        writer.execute('BEGIN IMMEDIATE')
        statements = []

        def finish_at_the_third(statement: str) -> None:
            statements.append(statement)
            if len(statements) == 3:
                writer.execute('COMMIT')

        connection.set_trace_callback(finish_at_the_third)
        use_wal(connection, PATIENCE)
        assert statements == ['PRAGMA journal_mode = WAL'] * 3
        assert connection.execute('PRAGMA journal_mode').fetchone() == ('wal',)


def test_switch_gives_up_after_its_timeout(tmp_path: Path) -> None:
    with opened(tmp_path / 'a') as writer, opened(tmp_path / 'a') as connection:
        writer.execute('BEGIN IMMEDIATE')
        with pytest.raises(sqlite3.OperationalError, match='locked'):
            use_wal(connection, 0.05)


def test_switch_reports_other_errors_at_once(tmp_path: Path) -> None:
    (tmp_path / 'a').write_bytes(b'no database' * 100)
    with opened(tmp_path / 'a') as connection, pytest.raises(sqlite3.DatabaseError, match='not a database'):
        use_wal(connection, PATIENCE)


def open_pool(path: Path) -> None:
    with SQLitePool(lambda: path, 'CREATE TABLE IF NOT EXISTS t (a);').transaction() as connection:
        connection.execute('INSERT INTO t VALUES (1)')


def open_engine(path: Path) -> None:
    engine = make_engine(f'sqlite:///{path}', 'fsp.accounts.url', 5)
    with engine.connect():
        pass
    engine.dispose()


@pytest.mark.parametrize('open_file', [open_pool, open_engine])
def test_threads_open_new_files_at_once(tmp_path: Path, open_file: Callable[[Path], None]) -> None:
    barrier = threading.Barrier(THREADS)

    def open_at_once(path: Path) -> None:
        barrier.wait(PATIENCE)
        open_file(path)

    with ThreadPoolExecutor(THREADS) as threads:
        for number in range(FILES):
            list(threads.map(open_at_once, [tmp_path / str(number)] * THREADS))
