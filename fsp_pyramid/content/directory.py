"""The cache directory: where which file is, and how one comes into being without ever being seen half-written.

Below the directory are ``copies`` (contents), ``thumbnails`` and ``parts`` (what is not complete yet), each of them
spread over 256 folders, and the index. A file's time of modification is the one that it has at Egnyte, so that a web
server which sends it says so; its time of access is when it was used last, set by us because disks often do not.
"""

import fcntl
import os
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ..disk import located

COPIES, THUMBNAILS, PARTS = 'copies', 'thumbnails', 'parts'
# The files by whose locks processes show that they live.
PROCESSES = 'processes'
# Seconds. A use is noted once in that time: a picture that is in fashion is not written to at each look.
NOTED = 3600.0
# How temporary directories are called, and for how many seconds nobody else touches them.
TEMPORARY, LEFT_ALONE = 'fsp-cache-', 60.0
# Bytes of a disk: with less nothing is fetched, because it could not be kept.
LEAST_ROOM = 32 << 20


class CacheDirectory:
    """See the module. Making one does no I/O.

    :param directory: '' for a temporary one, which goes with the process
    """

    def __init__(self, directory: str) -> None:
        self._directory, self._lock = directory, threading.Lock()
        self._root: Path | None = None
        self._process: BinaryIO | None = None

    @property
    def root(self) -> Path:
        """The directory, created when it is needed first. Raises OSError where it cannot be."""
        with self._lock:
            if self._root is None:
                self._root = self._made()
            return self._root

    def _made(self) -> Path:
        if not self._directory:
            root, lock = _temporary()
            weakref.finalize(self, _remove, root, lock)
            return root
        root = Path(self._directory)
        root.mkdir(parents=True, exist_ok=True)
        return root

    def process(self) -> str:
        """The name of this process, under which :meth:`lives` finds it as long as it lives. Raises OSError."""
        directory = self.root / PROCESSES
        with self._lock:
            if self._process is None or not _is_at(self._process, Path(self._process.name)):
                directory.mkdir(exist_ok=True)
                self._process = (directory / os.urandom(8).hex()).open('xb')
                fcntl.flock(self._process, fcntl.LOCK_EX)
                weakref.finalize(self, _end_process, self._process)
            return Path(self._process.name).name

    def lives(self, process: str) -> bool:
        """Whether a process that uses the directory still lives: its lock ends with it, however it ends.

        Removes the file of one that does not.
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
        """Remove what processes left that do not live any more."""
        for path in (self.root / PROCESSES).glob('*'):
            self.lives(path.name)

    def has_room(self) -> bool:
        """Whether there is room for another file, as far as one can tell."""
        return shutil.disk_usage(self.root).free > LEAST_ROOM

    def path(self, kind: str, key: str) -> Path:
        """Where the file of that key is, or would be."""
        return self.root / kind / key[:2] / key[2:]

    def relative(self, file: BinaryIO) -> str:
        """The path of an open file below the directory, for a web server."""
        return Path(file.name).relative_to(self.root).as_posix()

    def files(self, kind: str) -> Iterator[tuple[Path, str]]:
        """All files of that kind, with their keys."""
        for folder in sorted((self.root / kind).glob('??')):
            for path in folder.iterdir():
                yield path, folder.name + path.name

    def put(self, kind: str, key: str, content: BinaryIO | bytes, modified: int = 0) -> None:
        """Write a file in one step, as far as others can see.

        :param content: bytes, or a file that is read from where it stands
        :param modified: UNIX milliseconds
        """
        with self.draft(f'{key}{os.urandom(8).hex()}') as draft:
            if isinstance(content, bytes):
                draft.file.write(content)
            else:
                shutil.copyfileobj(content, draft.file, 1 << 18)
            draft.publish(kind, key, modified)

    @contextmanager
    def draft(self, name: str) -> Iterator['PartialFile']:
        """A file in ``parts``, empty, which nobody else writes to; removed at the end unless it was published.

        Raises BlockingIOError where another process, or another thread, has it. If a process is killed, the next one
        begins the file anew.
        """
        path = self.path(PARTS, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with located(self.root), _claimed(path) as file:
            try:
                yield PartialFile(self, path, file)
            finally:
                if _is_at(file, path):
                    path.unlink()

    def remove(self, kind: str, key: str) -> None:
        """Remove the file, if it is there. Who is reading it can go on."""
        with suppress(FileNotFoundError):
            self.path(kind, key).unlink()


class PartialFile(NamedTuple):
    """A file that is being written."""

    place: CacheDirectory
    path: Path
    file: BinaryIO

    def publish(self, kind: str, key: str, modified: int = 0) -> None:
        """Give the file, which is complete now, its name. *modified* is in UNIX milliseconds."""
        self.file.flush()
        now = time.time()
        os.utime(self.file.fileno(), (now, modified / 1000 or now))
        path = self.place.path(kind, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(self.path, path)


def _temporary() -> tuple[Path, BinaryIO]:
    """A temporary directory, and the lock that shows that its process lives. What killed processes left goes."""
    root = Path(tempfile.mkdtemp(prefix=TEMPORARY))
    lock = (root / 'lock').open('wb')
    fcntl.flock(lock, fcntl.LOCK_EX)
    for other in root.parent.glob(f'{TEMPORARY}*'):
        # A moment ago its lock may not have been there yet; and others may be somebody else's.
        with suppress(OSError):
            if other.stat().st_mtime < time.time() - LEFT_ALONE:
                with (other / 'lock').open('wb') as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(other)
    return root, lock


def _remove(root: Path, lock: BinaryIO) -> None:
    shutil.rmtree(root, ignore_errors=True)
    lock.close()


def _end_process(file: BinaryIO) -> None:
    Path(file.name).unlink(missing_ok=True)
    file.close()


@contextmanager
def _claimed(path: Path) -> Iterator[BinaryIO]:
    while True:
        with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), 'r+b') as file:
            # The lock goes with the process, however it ends.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not _is_at(file, path):  # somebody has just published or removed it
                continue
            file.truncate()
            yield file
            return


def _is_at(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def note_use(file: BinaryIO) -> None:
    """The file was used, and is not among the first to go."""
    known = os.fstat(file.fileno())
    now = time.time()
    if now - known.st_atime > NOTED:
        with suppress(OSError):  # it is another user's, or the disk is read-only: it is good enough to be served
            os.utime(file.fileno(), (now, known.st_mtime))
