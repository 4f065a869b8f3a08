"""SQLite pool: its connections keep little in memory, because there are as many as requests at once."""

from contextlib import ExitStack
from pathlib import Path

from fsp_pyramid.content.sqlite_pool import SQLitePool

SCHEMA = 'CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, text TEXT);'


def test_connections_keep_half_a_megabyte_of_pages(tmp_path: Path) -> None:
    pool = SQLitePool(lambda: tmp_path / 'a.sqlite', SCHEMA)
    with ExitStack() as stack:
        connections = [stack.enter_context(pool.connection()) for _ in range(8)]
        assert len({*map(id, connections)}) == 8
        # Negative: in KB, instead of in pages.
        assert [one.execute('PRAGMA cache_size').fetchone() for one in connections] == [(-512,)] * 8
