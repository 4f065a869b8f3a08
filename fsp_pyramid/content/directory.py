"""Cache directory: layout of the files, atomic publication, and locks that show live processes.

Below the directory are ``copies`` (contents), ``thumbnails`` and ``parts`` (incomplete files), each of them spread over
256 folders, and the index. A file's mtime is the one that it has at Egnyte, so that a web server that sends it
announces that date; its atime is the last use, set by us because disks often do not record it.
"""

import fcntl
import io
import os
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from ..disk import disk_errors_of

COPIES, THUMBNAILS, PARTS = 'copies', 'thumbnails', 'parts'
# Folder of lock files, one for each live process.
PROCESSES = 'processes'
# Seconds. The atime of a file is updated at most once in this time, so that popular files are not written at each use.
USE_INTERVAL = 3600.0
# Prefix of temporary directories, and seconds for which other processes leave a new one alone.
TEMPORARY, GRACE = 'fsp-cache-', 60.0
# Bytes. With less free space nothing is fetched, because it could not be kept.
LEAST_SPACE = 32 << 20


class CacheDirectory:
    """Files of the content cache. The constructor does no I/O.

    :param directory: '' for a temporary one, which is removed at the end of the process
    """

    def __init__(self, directory: str) -> None:
        self._directory, self._lock = directory, threading.Lock()
        self._root: Path | None = None
        self._process_lock: BinaryIO | None = None

    @property
    def root(self) -> Path:
        """The directory, created on first use. Raises OSError."""
        with self._lock:
            if self._root is None:
                self._root = self._create()
            return self._root

    def _create(self) -> Path:
        if not self._directory:
            root, lock = _create_temporary()
            weakref.finalize(self, _remove_temporary, root, lock)
            return root
        root = Path(self._directory)
        with suppress(FileExistsError):  # a file; its use will fail with an error of the disk
            root.mkdir(mode=0o750, parents=True, exist_ok=True)  # contents are those of users
        return root

    def process_id(self) -> str:
        """Return a random id of this process, for :meth:`is_alive`. Raises OSError."""
        directory = self.root / PROCESSES
        with self._lock:
            if self._process_lock is None or not _is_at(self._process_lock, Path(self._process_lock.name)):
                directory.mkdir(exist_ok=True)
                self._process_lock = (directory / os.urandom(8).hex()).open('xb')
                fcntl.flock(self._process_lock, fcntl.LOCK_EX)
                weakref.finalize(self, _release_process, self._process_lock)
            return Path(self._process_lock.name).name

    def is_alive(self, process: str) -> bool:
        """Return whether a process that uses the directory is alive: the kernel releases its lock at its end.

        Removes the lock file of a dead one.
        """
        path = self.root / PROCESSES / process
        try:
            with path.open('rb') as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def remove_dead_processes(self) -> None:
        """Remove the lock files of dead processes."""
        for path in (self.root / PROCESSES).glob('*'):
            self.is_alive(path.name)

    def has_space(self) -> bool:
        """Return whether the disk has space for another file, by estimate."""
        return shutil.disk_usage(self.root).free > LEAST_SPACE

    def path(self, kind: str, key: str) -> Path:
        """Return the path of the file of that key, which need not exist."""
        return self.root / relative_path(kind, key)

    def open(self, kind: str, key: str) -> io.FileIO:
        """Open a file for reading, without a buffer. Raises FileNotFoundError, OSError."""
        # Not by pathlib, which takes longer than to open the file.
        return open(f'{self.root}/{relative_path(kind, key)}', 'rb', buffering=0)

    def files(self, kind: str) -> Iterator[tuple[os.DirEntry[str], str]]:
        """Iterate over all files of that kind, with their keys."""
        for folder in sorted((self.root / kind).glob('??')):
            with os.scandir(folder) as entries:
                for entry in entries:
                    yield entry, folder.name + entry.name

    def put(self, kind: str, key: str, content: BinaryIO | bytes, modified: int = 0) -> None:
        """Write a file atomically.

        :param content: bytes, or a file that is read from its current position
        :param modified: UNIX milliseconds
        """
        with self._part(f'{key}{os.urandom(8).hex()}') as partial:
            if isinstance(content, bytes):
                partial.file.write(content)
            else:
                _copy(content, partial.file)
            partial.publish(kind, key, modified)

    @contextmanager
    def partial_file(self, name: str) -> Iterator['PartialFile']:
        """Lock *name*, and yield an empty file in ``parts``, which is removed at the end unless it was published.

        Raises BlockingIOError while another process, or another thread, holds the lock. It is held until the end of the
        context, so that its next holder finds what this one records after the publication. The lock of a killed process
        is released, and its file is truncated for the next one.
        """
        # Processes of earlier versions share the directory during an upgrade; they lock this file and write to it.
        path = self.path(PARTS, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with disk_errors_of(self.root), _locked(path):
            try:
                with self._part(f'{name}.part') as partial:
                    yield partial
            finally:
                path.unlink(missing_ok=True)

    @contextmanager
    def _part(self, name: str) -> Iterator['PartialFile']:
        path = self.path(PARTS, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with disk_errors_of(self.root), _opened(path) as file:
            file.truncate()
            try:
                yield PartialFile(self, path, file)
            finally:
                path.unlink(missing_ok=True)

    def remove(self, kind: str, key: str) -> None:
        """Remove the file, if it exists. Open readers can continue."""
        with suppress(FileNotFoundError):
            self.path(kind, key).unlink()


class PartialFile(NamedTuple):
    """A file that is being written."""

    directory: CacheDirectory
    path: Path
    file: BinaryIO

    def publish(self, kind: str, key: str, modified: int = 0) -> None:
        """Rename the complete file to its final path. *modified* is in UNIX milliseconds."""
        self.file.flush()
        now = time.time()
        os.utime(self.file.fileno(), (now, modified / 1000 or now))
        path = self.directory.path(kind, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(self.path, path)


def relative_path(kind: str, key: str) -> str:
    """Return the path of a file below the directory, for a web server that sends it."""
    return f'{kind}/{key[:2]}/{key[2:]}'


def _copy(content: BinaryIO, file: BinaryIO) -> None:
    """Copy with one buffer. shutil.copyfileobj() allocates memory for each block, which takes as long as to read it."""
    source, buffer = cast(io.BufferedIOBase, content), memoryview(bytearray(1 << 18))
    while size := source.readinto(buffer):
        file.write(buffer[:size])


def _create_temporary() -> tuple[Path, BinaryIO]:
    """Create a temporary directory with the lock of its process, and remove those of killed processes."""
    root = Path(tempfile.mkdtemp(prefix=TEMPORARY))
    lock = (root / 'lock').open('wb')
    fcntl.flock(lock, fcntl.LOCK_EX)
    for other in root.parent.glob(f'{TEMPORARY}*'):
        # A new directory may not have its lock yet; and some may be another user's.
        with suppress(OSError):
            if other.stat().st_mtime < time.time() - GRACE:
                with (other / 'lock').open('wb') as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(other)
    return root, lock


def _remove_temporary(root: Path, lock: BinaryIO) -> None:
    shutil.rmtree(root, ignore_errors=True)
    lock.close()


def _release_process(file: BinaryIO) -> None:
    Path(file.name).unlink(missing_ok=True)
    file.close()


def _opened(path: Path) -> BinaryIO:
    return open(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), 'r+b')


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    while True:
        with _opened(path) as file:
            # The kernel releases the lock at the end of the process, even if that is killed.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not _is_at(file, path):  # another thread or process has just removed it
                continue
            yield
            return


def _is_at(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def record_use(file: BinaryIO) -> None:
    """Set the atime of the file, by which the sweeper finds the least recently used ones."""
    status = os.fstat(file.fileno())
    now = time.time()
    if now - status.st_atime > USE_INTERVAL:
        with suppress(OSError):  # a file of another user, or a read-only disk: it can be served all the same
            os.utime(file.fileno(), (now, status.st_mtime))
