"""Keeps the cache directory within its bounds: what was not used for longest goes first."""

import fcntl
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from .directory import (
    COPIES,
    PARTS,
    THUMBNAILS,
    CacheDirectory,
)
from .index import Index

log = logging.getLogger(__name__)

# It is swept to this share of its size, so that it does not have to be swept after each new file.
FULL = 0.9
# Seconds after which a part that nobody completed is left over from a process that was killed.
LEFT_OVER = 86400.0


class _File(NamedTuple):
    used: float
    size: int
    kind: str
    key: str


class Sweeper:
    """Sweeps a cache directory, one process at a time.

    :param size: in bytes, of contents and thumbnails together
    :param age: seconds after which goes what was not used; 0 for never
    :param clock: UNIX time in seconds
    """

    def __init__(
        self, place: CacheDirectory, index: Index, size: int, age: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._directory, self._index, self._size, self._age, self._clock = place, index, size, age, clock

    def sweep(self) -> int:
        """Remove what is too old or too much; the number of files that went. Does nothing where another one sweeps.

        Raises OSError and sqlite3.Error.
        """
        with open(self._directory.root / 'sweep.lock', 'wb') as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return 0
            return self._sweep(self._clock())

    def _sweep(self, now: float) -> int:
        self._remove_left_over(now)
        oldest = now - self._age if self._age else 0.0
        files = sorted(self._files())
        total, target = sum(file.size for file in files), self._size
        if total > self._size:
            target = int(self._size * FULL)
        going = []
        for file in files:
            if file.used >= oldest and total <= target:
                break
            going.append(file)
            total -= file.size
        # The index first: what it names is looked for, and what it does not name is in nobody's way.
        self._index.remove([file.key for file in going if file.kind == COPIES])
        self._index.forget_before(oldest)
        for file in going:
            self._directory.remove(file.kind, file.key)
        if going:
            log.info('%d files went from the cache directory, %d bytes are left', len(going), total)
        return len(going)

    def _files(self) -> list[_File]:
        found = []
        for kind in (COPIES, THUMBNAILS):
            for path, key in self._directory.files(kind):
                with suppress(FileNotFoundError):
                    known = path.stat()
                    found.append(_File(known.st_atime, known.st_size, kind, key))
        return found

    def _remove_left_over(self, now: float) -> None:
        self._directory.remove_dead_processes()
        for path, _ in self._directory.files(PARTS):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < now - LEFT_OVER:
                    path.unlink()
