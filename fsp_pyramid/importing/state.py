"""State of an import: a SQLite file that says what is done, by source and by content, so that a run can be repeated."""

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import NamedTuple, Self

_SCHEMA = """
CREATE TABLE IF NOT EXISTS import (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS asset (
    source TEXT NOT NULL,
    directory TEXT NOT NULL,
    status TEXT NOT NULL,
    path TEXT NOT NULL DEFAULT '',
    sha512 TEXT NOT NULL DEFAULT '',
    size INTEGER NOT NULL DEFAULT 0,
    url TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (source, directory)
);
CREATE INDEX IF NOT EXISTS asset_content ON asset (directory, sha512);
"""


class StateError(Exception):
    """The state file cannot be used; the message names it."""


class Asset(NamedTuple):
    """Record of an asset.

    :param source: its URL, or the path of a file
    :param directory: where it is imported to
    :param status: ``storing`` from before the upload on, then ``moved`` or ``present`` (the same content was there), or
        ``failed``
    :param path: of the file, as the File Manager shows it
    :param sha512: of the content, in hex
    :param size: in bytes
    :param url: the public URL; '' until it is stored
    :param reason: of the failure
    """

    source: str
    directory: str
    status: str
    path: str = ''
    sha512: str = ''
    size: int = 0
    url: str = ''
    reason: str = ''

    @property
    def is_done(self) -> bool:
        """Return True if it is stored."""
        return self.status in {'moved', 'present'}


class State:
    """State file, for one process at a time.

    :param path: of the file, or ``:memory:``
    :param import_: what the import is for; a file of another import is refused

    Raises StateError, as all methods do for errors of the disk.
    """

    def __init__(self, path: FilePath | str, import_: Mapping[str, str]) -> None:
        self._path = path
        try:
            self._connection = sqlite3.connect(path, timeout=0, isolation_level=None)
            # Exclusive from the first write to the end of the process, killed or not.
            self._connection.execute('PRAGMA locking_mode = EXCLUSIVE')
            self._connection.execute('PRAGMA synchronous = FULL')
            self._connection.executescript(f'BEGIN EXCLUSIVE; {_SCHEMA} COMMIT;')
            self._check(dict(import_))
        except sqlite3.Error as error:
            raise self._error(error) from error

    def _error(self, error: sqlite3.Error) -> StateError:
        if getattr(error, 'sqlite_errorname', '').startswith('SQLITE_BUSY'):
            return StateError(f'{self._path} is used by another run. Wait for its end.')
        return StateError(f'The state file {self._path} cannot be used: {error}.')

    def _check(self, wanted: dict[str, str]) -> None:
        found = dict(self._connection.execute('SELECT key, value FROM import'))
        if not found:
            self._connection.executemany('INSERT INTO import VALUES (?, ?)', wanted.items())
        elif found != wanted:
            changed = ', '.join(sorted(key for key in found | wanted if found.get(key) != wanted.get(key)))
            raise StateError(
                f'The state file {self._path} is of an import with other values of: {changed}. Repeat these, or name '
                'another file with --state.'
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._connection.close()

    def get(self, source: str, directory: str) -> Asset | None:
        """Return what is known of an asset."""
        return self._one('source = ? AND directory = ?', source, directory)

    def by_content(self, directory: str, sha512: str) -> Asset | None:
        """Return an asset with that content that is stored in the directory."""
        return self._one("directory = ? AND sha512 = ? AND url != ''", directory, sha512)

    def put(self, asset: Asset) -> None:
        """Record an asset: on the disk when this returns."""
        try:
            self._connection.execute('INSERT OR REPLACE INTO asset VALUES (?, ?, ?, ?, ?, ?, ?, ?)', asset)
        except sqlite3.Error as error:
            raise self._error(error) from error

    def __iter__(self) -> Iterator[Asset]:
        for row in self._connection.execute('SELECT * FROM asset ORDER BY rowid'):
            yield Asset(*row)

    def _one(self, condition: str, *values: str) -> Asset | None:
        try:
            row = self._connection.execute(f'SELECT * FROM asset WHERE {condition} LIMIT 1', values).fetchone()  # noqa: S608
        except sqlite3.Error as error:
            raise self._error(error) from error
        return Asset(*row) if row else None
