"""What is known of files and what is kept of them: an SQLite file in the cache directory, shared by processes.

It is a cache as well: who deletes it loses nothing but calls to Egnyte.
"""

import hashlib
import logging
import os
import sqlite3
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import NamedTuple

from ..disk import is_disk_error, located
from ..model import Entry
from .directory import CacheDirectory

log = logging.getLogger(__name__)

# Seconds that a process waits for another one that writes.
PATIENCE = 10.0
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
# Seconds by which clocks of machines may differ. What was seen later than now was seen before the clock was set back.
FUTURE = 60.0
# What was asked for later is right; what we did counts from when it was done.
LEARN = """
INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET version_id = excluded.version_id, checksum = excluded.checksum, size = excluded.size,
    modified = excluded.modified, seen = excluded.seen,
    name = CASE excluded.name WHEN '' THEN name ELSE excluded.name END
WHERE excluded.seen >= seen OR seen > ?
"""
ADD = 'INSERT OR REPLACE INTO copies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'
# Seconds for which a file stays in doubt: a change that nobody finished may still take effect at Egnyte.
DOUBT = 600.0
SETTLE = "DELETE FROM intents WHERE domain = ? AND file_id = ? AND (process = ? OR (process = '' AND at <= ?))"
SUSPECT = "INSERT INTO intents VALUES (?, ?, '', ?) ON CONFLICT DO UPDATE SET at = max(at, excluded.at)"
DOUBT_INTENT = """
INSERT OR REPLACE INTO intents SELECT domain, file_id, '', ? FROM intents
WHERE domain = ? AND file_id = ? AND process = ?
"""
FORGET_TYPES = """
DELETE FROM types WHERE content NOT IN (
    SELECT coalesce(nullif(checksum, ''), version_id) FROM versions UNION
    SELECT coalesce(nullif(checksum, ''), version_id) FROM copies
)
"""
PERMIT = 'DELETE FROM refusals WHERE account = ? AND file_id = ?'


@dataclass(frozen=True, slots=True)
class Version:
    """The current version of a file, as far as we know.

    :param version_id: '' for a file that was deleted
    :param checksum: as Egnyte tells it, '' where it does not
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
    def gone(self) -> bool:
        """Whether the file was deleted."""
        return not self.version_id


@dataclass(frozen=True, slots=True)
class Copy:
    """A version's content that is kept here.

    :param account: for whom it was fetched: others have to ask for themselves
    :param modified: UNIX milliseconds
    :param mime_type: as Egnyte told it
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
        """Names its file: 40 hex digits."""
        return key_of(self.account, self.file_id, self.version_id)


@contextmanager
def log_cache_errors() -> Iterator[None]:
    """Let trouble with the disk cost a call later, and nothing now."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if is_disk_error(error):
            log.error(  # noqa: TRY400 - a traceback tells no more
                'the directory of public files (fsp.public.cache_dir, or TMPDIR) cannot be written to: %s', error
            )
            return
        log.exception('the cache directory (fsp.public.cache_dir) cannot be written to')


def content_of(item: Version | Copy | Entry) -> str:
    """What names the content: its checksum, or its version where Egnyte tells no checksum."""
    return item.checksum or item.version_id or ''


def key_of(*parts: str) -> str:
    """A name for files on disk: 40 hex digits."""
    return hashlib.sha256('\0'.join(parts).encode()).hexdigest()[:40]


class Index:
    """See the module. Making one does no I/O; every method may raise OSError and sqlite3.Error.

    :param place: in whose directory it is
    :param clock: UNIX time in seconds
    """

    def __init__(self, place: CacheDirectory, clock: Callable[[], float] = time.time) -> None:
        self._directory, self._clock = place, clock
        self._idle: deque[_Connected] = deque()
        weakref.finalize(self, _close, self._idle)

    def version(self, domain: str, file_id: str) -> Version | None:
        """The current version of a file of that domain, None where nothing is known."""
        row = self._row('SELECT * FROM versions WHERE domain = ? AND file_id = ?', domain, file_id)
        return Version(*row[1:]) if row else None

    def learn(
        self, domain: str, versions: Iterable[Version], account: str = '', made: bool = False, doubt: float = DOUBT
    ) -> None:
        """Remember what was seen, where nothing later is known. *account* is who saw it, and so may read it.

        :param made: this process made the versions, as it intended
        :param doubt: seconds by which a version has to be newer than a doubt to end it
        """
        versions = tuple(versions)
        with self._writing() as connection:
            future = self._clock() + FUTURE
            connection.executemany(LEARN, ((domain, *astuple(version), future) for version in versions))
            if connection.execute('SELECT 1 FROM refusals WHERE account = ? LIMIT 1', (account,)).fetchone():
                connection.executemany(PERMIT, ((account, version.file_id) for version in versions))
            if connection.execute('SELECT 1 FROM intents LIMIT 1').fetchone():
                process = self._directory.process() if made else None
                settled = ((domain, version.file_id, process, version.seen - doubt) for version in versions)
                connection.executemany(SETTLE, settled)

    def rename(self, domain: str, file_id: str, name: str) -> None:
        """This process gave the file another name, as it intended; its content is what it was."""
        with self._writing() as connection:
            connection.execute('UPDATE versions SET name = ? WHERE domain = ? AND file_id = ?', (name, domain, file_id))
            connection.execute(SETTLE, (domain, file_id, self._directory.process(), 0))

    def doubt(self, domain: str, file_id: str) -> None:
        """What is known of the file may be wrong: it counts as seen at time 0."""
        with self._writing() as connection:
            values = domain, file_id
            connection.execute("DELETE FROM versions WHERE domain = ? AND file_id = ? AND version_id = ''", values)
            connection.execute('UPDATE versions SET seen = 0 WHERE domain = ? AND file_id = ?', values)

    def intend(self, domain: str, file_id: str) -> None:
        """This process is going to change the file. If it dies before it has learnt the outcome, that is in doubt."""
        values = domain, file_id, self._directory.process(), self._clock()
        with self._writing() as connection:
            connection.execute('INSERT OR REPLACE INTO intents VALUES (?, ?, ?, ?)', values)

    def give_up(self, domain: str, file_id: str) -> None:
        """This process changes the file no more: what it intended and did not learn is in doubt."""
        self._move_intent(domain, file_id, self._directory.process())

    def suspect(self, domain: str, file_id: str, at: float) -> None:
        """Another machine intended to change the file at that time, and its outcome is not known."""
        with self._writing() as connection:
            connection.execute(SUSPECT, (domain, file_id, at))

    def doubted_since(self, domain: str, file_id: str) -> float | None:
        """Since when the outcome of a change is in doubt, in UNIX seconds; None where none is."""
        query = 'SELECT process, at FROM intents WHERE domain = ? AND file_id = ?'
        with self._connected() as connection:
            rows = connection.execute(query, (domain, file_id)).fetchall()
        doubts = [at for process, at in rows if not process]
        for process, _ in rows:
            if process and not self._directory.lives(process):
                doubts.append(self._move_intent(domain, file_id, process))
        return max(doubts, default=None)

    def _move_intent(self, domain: str, file_id: str, process: str) -> float:
        """Let what a process intended be in doubt from now on."""
        now, key = self._clock(), (domain, file_id, process)
        with self._writing() as connection:
            connection.execute(DOUBT_INTENT, (now, *key))
            connection.execute('DELETE FROM intents WHERE domain = ? AND file_id = ? AND process = ?', key)
        return now

    def copy(self, account: str, file_id: str, version_id: str) -> Copy | None:
        """The copy of that version."""
        row = self._row('SELECT * FROM copies WHERE key = ?', key_of(account, file_id, version_id))
        return Copy(*row[1:]) if row else None

    def last_copy(self, account: str, file_id: str) -> Copy | None:
        """The copy of whatever version that was kept last."""
        query = 'SELECT * FROM copies WHERE account = ? AND file_id = ? ORDER BY stored DESC LIMIT 1'
        row = self._row(query, account, file_id)
        return Copy(*row[1:]) if row else None

    def add(self, copy: Copy) -> None:
        """A copy is kept now; so the account may read the file."""
        with self._writing() as connection:
            connection.execute(ADD, (copy.key, *astuple(copy)))
            connection.execute(PERMIT, (copy.account, copy.file_id))

    def remove(self, keys: Iterable[str]) -> None:
        """These copies are not kept any more."""
        with self._writing() as connection:
            connection.executemany('DELETE FROM copies WHERE key = ?', ((key,) for key in keys))

    def learn_type(self, content: str, mime_type: str) -> None:
        """Remember the mime type that a content shows. *content* is named as by :func:`content_of`."""
        with self._writing() as connection:
            connection.execute('INSERT OR IGNORE INTO types VALUES (?, ?)', (content, mime_type))

    def types(self, contents: Iterable[str]) -> dict[str, str]:
        """The mime types of those contents of which one was learnt."""
        with self._connected() as connection:
            found = (
                connection.execute('SELECT content, mime_type FROM types WHERE content = ?', (content,)).fetchone()
                for content in contents
            )
            return dict(row for row in found if row)

    def refuse(self, account: str, file_id: str, at: float) -> None:
        """Egnyte does not show the file to the account (any more)."""
        with self._writing() as connection:
            connection.execute('INSERT OR REPLACE INTO refusals VALUES (?, ?, ?)', (account, file_id, at))

    def refused_at(self, account: str, file_id: str) -> float | None:
        """When Egnyte refused it, in UNIX seconds; None if it did not."""
        row = self._row('SELECT at FROM refusals WHERE account = ? AND file_id = ?', account, file_id)
        return row[0] if row else None

    def forget_before(self, seconds: float) -> None:
        """Drop what was seen before that time and is of no use any more."""
        with self._writing() as connection:
            connection.execute(
                'DELETE FROM versions WHERE seen < ? AND file_id NOT IN (SELECT file_id FROM copies)', (seconds,)
            )
            connection.execute('DELETE FROM refusals WHERE at < ?', (seconds,))
            connection.execute('DELETE FROM intents WHERE at < ?', (seconds,))
            connection.execute(FORGET_TYPES)

    def _row(self, query: str, *values: str) -> tuple | None:
        with self._connected() as connection:
            return connection.execute(query, values).fetchone()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._connected() as connection:
            connection.execute('BEGIN IMMEDIATE')
            with connection:  # commits, or rolls back
                yield connection

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """A connection for one thread at a time. As many are kept as were needed at once."""
        path = self._directory.root / 'index.sqlite'
        with located(path.parent):
            connected = self._idle_at(path) or self._open(path)
            with self._lending(connected, path):
                yield connected.connection

    @contextmanager
    def _lending(self, connected: '_Connected', path: Path) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if _is_broken(error) and _is_at(path, connected.file):
                _remove(path, error)
            raise
        finally:
            self._idle.append(connected)

    def _idle_at(self, path: Path) -> '_Connected | None':
        """A connection to the file that is there: somebody may have deleted the one that it was opened for."""
        while True:
            try:
                connected = self._idle.pop()
            except IndexError:
                return None
            if _is_at(path, connected.file):
                return connected
            connected.connection.close()

    def _open(self, path: Path) -> '_Connected':
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            connection = _connect(path)
        except sqlite3.DatabaseError as error:
            if not _is_broken(error):  # locked, or no place: it is none of its contents
                raise
            _remove(path, error)
            connection = _connect(path)
        return _Connected(connection, path.stat())


class _Connected(NamedTuple):
    connection: sqlite3.Connection
    file: os.stat_result


def _is_at(path: Path, file: os.stat_result) -> bool:
    try:
        return os.path.samestat(file, path.stat())
    except FileNotFoundError:
        return False


def _is_broken(error: sqlite3.DatabaseError) -> bool:
    name = getattr(error, 'sqlite_errorname', None) or ''
    return name == 'SQLITE_NOTADB' or name.startswith('SQLITE_CORRUPT')


def _remove(path: Path, error: sqlite3.DatabaseError) -> None:
    log.warning('%s is begun anew: %s', path, error)
    for suffix in ('', '-wal', '-shm'):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        connection.execute('PRAGMA journal_mode = WAL')
        # A crash of the machine may lose the last writes, which cost a call to learn again.
        connection.execute('PRAGMA synchronous = NORMAL')
        connection.executescript(SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


def _close(idle: deque[_Connected]) -> None:
    while idle:
        idle.pop().connection.close()
