"""Index of the content cache: versions, copies, refusals, intents and types, in an SQLite file that processes share.

It is a cache as well: deleting it costs nothing but calls to Egnyte.
"""

import hashlib
import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import islice
from typing import Any, NamedTuple

from ..disk import is_disk_error
from ..model import Entry
from .directory import CacheDirectory
from .sqlite_pool import SQLitePool

log = logging.getLogger(__name__)

SCHEMA = """
CREATE TABLE IF NOT EXISTS versions (
    domain TEXT, file_id TEXT, version_id TEXT, checksum TEXT, size INTEGER, modified INTEGER, name TEXT, seen REAL,
    PRIMARY KEY (domain, file_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS copies (
    key TEXT PRIMARY KEY, account TEXT, file_id TEXT, version_id TEXT, checksum TEXT, size INTEGER, modified INTEGER,
    mime_type TEXT, stored REAL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS copies_of_file ON copies (account, file_id, stored);
CREATE TABLE IF NOT EXISTS refusals (
    account TEXT, file_id TEXT, at REAL,
    PRIMARY KEY (account, file_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS intents (
    domain TEXT, file_id TEXT, process TEXT, at REAL,
    PRIMARY KEY (domain, file_id, process)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS types (
    content TEXT PRIMARY KEY, mime_type TEXT
) WITHOUT ROWID;
"""
# Seconds by which clocks of machines may differ. A later time than that was recorded before the clock was set back.
CLOCK_SKEW = 60.0
# The version that was asked for later is right; one that we made counts from when it was made.
RECORD_VERSION = """
INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET version_id = excluded.version_id, checksum = excluded.checksum, size = excluded.size,
    modified = excluded.modified, seen = excluded.seen,
    name = CASE excluded.name WHEN '' THEN name ELSE excluded.name END
WHERE excluded.seen >= seen OR seen > ?
"""
ADD_COPY = 'INSERT OR REPLACE INTO copies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'
# Seconds for which a file stays uncertain: a change whose process died may still take effect at Egnyte.
UNCERTAIN_FOR = 600.0
# An intent without a process stands for a change with an unknown outcome.
SETTLE = "DELETE FROM intents WHERE domain = ? AND file_id = ? AND (process = ? OR (process = '' AND at <= ?))"
MARK_UNCERTAIN = "INSERT INTO intents VALUES (?, ?, '', ?) ON CONFLICT DO UPDATE SET at = max(at, excluded.at)"
ABANDON_INTENT = """
INSERT OR REPLACE INTO intents SELECT domain, file_id, '', ? FROM intents
WHERE domain = ? AND file_id = ? AND process = ?
"""
USELESS_VERSIONS = """
SELECT domain, file_id, seen FROM versions WHERE seen < ? AND file_id NOT IN (SELECT file_id FROM copies)
"""
USELESS_TYPES = """
SELECT content FROM types WHERE content NOT IN (
    SELECT coalesce(nullif(checksum, ''), version_id) FROM versions UNION ALL
    SELECT coalesce(nullif(checksum, ''), version_id) FROM copies
)
"""
# Records that are deleted in one transaction: other processes wait for its end.
BATCH = 1000
# Parameters of a statement. SQLite before 3.32 has no more than 999.
PARAMETERS = 500
# Of a domain (twice), an account and a file: refusal, intents, version and its copy.
KNOWN = """
SELECT refusals.at, EXISTS (SELECT 1 FROM intents WHERE domain = ? AND intents.file_id = asked.file_id),
    versions.file_id, versions.version_id, versions.checksum, versions.size, versions.modified, versions.name,
    versions.seen, copies.account, copies.file_id, copies.version_id, copies.checksum, copies.size, copies.modified,
    copies.mime_type, copies.stored
FROM (SELECT ? AS domain, ? AS account, ? AS file_id) AS asked
LEFT JOIN versions ON versions.domain = asked.domain AND versions.file_id = asked.file_id
LEFT JOIN refusals ON refusals.account = asked.account AND refusals.file_id = asked.file_id
LEFT JOIN copies ON copies.account = asked.account AND copies.file_id = asked.file_id
    AND copies.version_id = versions.version_id
"""
CLEAR_REFUSAL = 'DELETE FROM refusals WHERE account = ? AND file_id = ?'


class Version(NamedTuple):
    """The current version of a file, as far as we know.

    :param version_id: '' for a file that was deleted
    :param checksum: from Egnyte, '' where it gives none
    :param modified: UNIX milliseconds
    :param name: of the file, '' where it is not known
    :param seen: UNIX seconds: when we asked for it, or when we had written it
    """

    file_id: str
    version_id: str
    checksum: str
    size: int
    modified: int
    name: str
    seen: float

    @property
    def is_deleted(self) -> bool:
        """True if the file was deleted."""
        return not self.version_id


class Copy(NamedTuple):
    """Content of a version in the cache directory.

    :param account: that fetched it; the others have to ask Egnyte themselves
    :param modified: UNIX milliseconds
    :param mime_type: from Egnyte
    :param stored: UNIX seconds
    """

    account: str
    file_id: str
    version_id: str
    checksum: str
    size: int
    modified: int
    mime_type: str
    stored: float

    @property
    def key(self) -> str:
        """Name of its file: 40 hex digits."""
        return key_of(self.account, self.file_id, self.version_id)


@contextmanager
def log_cache_errors() -> Iterator[None]:
    """Log errors of the disk and the index instead of raising them: they cost a call later."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if is_disk_error(error):
            log.error(  # noqa: TRY400 - the message says all that a traceback would
                'the directory of public files (fsp.public.cache_dir, or TMPDIR) cannot be written to: %s', error
            )
            return
        log.exception('the cache directory (fsp.public.cache_dir) cannot be written to')


def content_key(item: Version | Copy | Entry) -> str:
    """Return the name of the content: its checksum, or its version where Egnyte gives no checksum."""
    return item.checksum or item.version_id or ''


def key_of(*parts: str) -> str:
    """Return a name for files on disk: 40 hex digits."""
    return hashlib.sha256('\0'.join(parts).encode()).hexdigest()[:40]


class Known(NamedTuple):
    """Records of a file as an account sees it.

    :param refused_at: UNIX seconds at which Egnyte refused the file to the account; None if it did not
    :param has_intents: see :meth:`Index.uncertain_since`
    :param copy: of the version
    """

    version: Version | None
    refused_at: float | None
    has_intents: bool
    copy: Copy | None


class Index:
    """Index of a cache directory. The constructor does no I/O; all methods may raise OSError and sqlite3.Error.

    Versions belong to a domain, because an id names one file for all of its accounts; copies and refusals belong to an
    account.

    :param clock: UNIX time in seconds
    """

    def __init__(self, directory: CacheDirectory, clock: Callable[[], float] = time.time) -> None:
        self._directory, self._clock = directory, clock
        self._pool = SQLitePool(cache(lambda: directory.root / 'index.sqlite'), SCHEMA)

    def known(self, domain: str, account: str, file_id: str) -> Known:
        """Return all that is known of a file, from one statement."""
        row = self._row(KNOWN, domain, domain, account, file_id)
        assert row is not None, 'the statement has a row for each file'  # noqa: S101 - invariant
        refused_at, has_intents = row[:2]
        version, copy = row[2 : 2 + len(Version._fields)], row[2 + len(Version._fields) :]
        return Known(
            Version(*version) if version[0] is not None else None,
            refused_at,
            bool(has_intents),
            Copy(*copy) if copy[0] is not None else None,
        )

    def version(self, domain: str, file_id: str) -> Version | None:
        """Return the current version of a file, None where nothing is known."""
        row = self._row('SELECT * FROM versions WHERE domain = ? AND file_id = ?', domain, file_id)
        return Version(*row[1:]) if row else None

    def record_versions(
        self,
        domain: str,
        versions: Iterable[Version],
        account: str = '',
        made: bool = False,
        margin: float = UNCERTAIN_FOR,
    ) -> None:
        """Record versions, unless later ones are known, and clear refusals of *account*, which has seen the files.

        :param made: this process made the versions, which settles its intents
        :param margin: seconds by which a version has to be newer than a change with an unknown outcome to settle it
        """
        versions = tuple(versions)
        with self._pool.transaction() as connection:
            future = self._clock() + CLOCK_SKEW
            connection.executemany(RECORD_VERSION, ((domain, *version, future) for version in versions))
            if connection.execute('SELECT 1 FROM refusals WHERE account = ? LIMIT 1', (account,)).fetchone():
                connection.executemany(CLEAR_REFUSAL, ((account, version.file_id) for version in versions))
            if connection.execute('SELECT 1 FROM intents LIMIT 1').fetchone():
                process = self._directory.process_id() if made else None
                settled = ((domain, version.file_id, process, version.seen - margin) for version in versions)
                connection.executemany(SETTLE, settled)

    def rename(self, domain: str, file_id: str, name: str) -> None:
        """Record that this process renamed the file, and settle its intent; the content is unchanged."""
        with self._pool.transaction() as connection:
            connection.execute('UPDATE versions SET name = ? WHERE domain = ? AND file_id = ?', (name, domain, file_id))
            connection.execute(SETTLE, (domain, file_id, self._directory.process_id(), 0))

    def invalidate(self, domain: str, file_id: str) -> None:
        """Let the version of the file count as seen at time 0, so that it is revalidated."""
        with self._pool.transaction() as connection:
            values = domain, file_id
            connection.execute("DELETE FROM versions WHERE domain = ? AND file_id = ? AND version_id = ''", values)
            connection.execute('UPDATE versions SET seen = 0 WHERE domain = ? AND file_id = ?', values)

    def record_intent(self, domain: str, file_id: str) -> None:
        """Record that this process is going to change the file: if it dies meanwhile, the outcome is uncertain."""
        values = domain, file_id, self._directory.process_id(), self._clock()
        with self._pool.transaction() as connection:
            connection.execute('INSERT OR REPLACE INTO intents VALUES (?, ?, ?, ?)', values)

    def abandon_intent(self, domain: str, file_id: str) -> bool:
        """End the intent of this process: unless it was settled, its outcome is uncertain. Return whether it is."""
        return self._abandon(domain, file_id, self._directory.process_id(), self._clock())

    def mark_uncertain(self, domain: str, file_id: str, at: float) -> None:
        """Record that another machine intended to change the file at that time, with an unknown outcome."""
        with self._pool.transaction() as connection:
            connection.execute(MARK_UNCERTAIN, (domain, file_id, at))

    def uncertain_since(self, domain: str, file_id: str) -> float | None:
        """Return since when the outcome of a change is unknown, in UNIX seconds; None if there is none."""
        query = 'SELECT process, at FROM intents WHERE domain = ? AND file_id = ?'
        with self._pool.connection() as connection:
            rows = connection.execute(query, (domain, file_id)).fetchall()
        times = [at for process, at in rows if not process]
        for process, _ in rows:
            if process and not self._directory.is_alive(process):
                times.append(now := self._clock())
                self._abandon(domain, file_id, process, now)
        return max(times, default=None)

    def _abandon(self, domain: str, file_id: str, process: str, now: float) -> bool:
        """Turn the intent of a process, if there is one, into an unknown outcome from now on."""
        key = domain, file_id, process
        with self._pool.transaction() as connection:
            connection.execute(ABANDON_INTENT, (now, *key))
            removed = connection.execute('DELETE FROM intents WHERE domain = ? AND file_id = ? AND process = ?', key)
        return removed.rowcount > 0

    def copy(self, account: str, file_id: str, version_id: str) -> Copy | None:
        """Return the copy of that version."""
        row = self._row('SELECT * FROM copies WHERE key = ?', key_of(account, file_id, version_id))
        return Copy(*row[1:]) if row else None

    def last_copy(self, account: str, file_id: str) -> Copy | None:
        """Return the copy of any version that was stored last."""
        query = 'SELECT * FROM copies WHERE account = ? AND file_id = ? ORDER BY stored DESC LIMIT 1'
        row = self._row(query, account, file_id)
        return Copy(*row[1:]) if row else None

    def add_copy(self, copy: Copy) -> None:
        """Record a copy, and clear a refusal: the account may read the file."""
        with self._pool.transaction() as connection:
            connection.execute(ADD_COPY, (copy.key, *copy))
            connection.execute(CLEAR_REFUSAL, (copy.account, copy.file_id))

    def remove_copies(self, keys: Iterable[str]) -> None:
        """Remove the records of these copies."""
        self._delete('DELETE FROM copies WHERE key = ?', ((key,) for key in keys))

    def record_type(self, content: str, mime_type: str) -> None:
        """Record the sniffed mime type of a content, which is named by :func:`content_key`."""
        with self._pool.transaction() as connection:
            connection.execute('INSERT OR IGNORE INTO types VALUES (?, ?)', (content, mime_type))

    def types(self, contents: Iterable[str]) -> dict[str, str]:
        """Return the mime types of those contents that have one."""
        found, names = dict[str, str](), iter(contents)
        with self._pool.connection() as connection:
            while some := list(islice(names, PARAMETERS)):
                wanted = ', '.join('?' * len(some))
                found |= connection.execute(f'SELECT content, mime_type FROM types WHERE content IN ({wanted})', some)  # noqa: S608
        return found

    def record_refusal(self, account: str, file_id: str, at: float) -> None:
        """Record that Egnyte does not show the file to the account (any more)."""
        with self._pool.transaction() as connection:
            connection.execute('INSERT OR REPLACE INTO refusals VALUES (?, ?, ?)', (account, file_id, at))

    def prune(self, before: float) -> None:
        """Delete records from before that time that are of no use any more. Reads all records, and blocks no writer."""
        with self._pool.transaction() as connection:  # few records
            connection.execute('DELETE FROM refusals WHERE at < ?', (before,))
            connection.execute('DELETE FROM intents WHERE at < ?', (before,))
        with self._pool.connection() as connection:
            rows = connection.execute(USELESS_VERSIONS, (before,))
            self._delete('DELETE FROM versions WHERE domain = ? AND file_id = ? AND seen = ?', rows)
            self._delete('DELETE FROM types WHERE content = ?', connection.execute(USELESS_TYPES))

    def _delete(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Execute *statement* for each row, in short transactions. The rows may come from another connection."""
        rows = iter(rows)
        while batch := list(islice(rows, BATCH)):
            with self._pool.transaction() as connection:
                connection.executemany(statement, batch)

    def _row(self, query: str, *values: str) -> tuple | None:
        with self._pool.connection() as connection:
            return connection.execute(query, values).fetchone()
