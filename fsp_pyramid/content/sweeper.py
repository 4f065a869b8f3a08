"""Eviction: keep the cache directory within its bounds, least recently used files first."""

import fcntl
import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NamedTuple

from .directory import (
    COPIES,
    PARTS,
    THUMBNAILS,
    USE_INTERVAL,
    CacheDirectory,
)
from .index import Index

log = logging.getLogger(__name__)

# Share of its size to which the cache is swept, so that not every new file causes another sweep.
TARGET = 0.9
# Seconds after which a partial file counts as left by a killed process.
ABANDONED_AFTER = 86400.0
# Seconds between two times at which a process prunes the index, which goes through all of its records.
PRUNE_INTERVAL = 3600.0


class _File(NamedTuple):
    used: float
    size: int
    kind: str
    key: str

    @property
    def hour(self) -> int:
        """Hour of its last use, which is recorded no more precisely."""
        return int(self.used // USE_INTERVAL)


class Sweeper:
    """Evict files of a cache directory; one process at a time.

    :param size: in bytes, of contents and thumbnails together
    :param age: seconds without use after which a file is removed; 0 for never
    :param clock: UNIX time in seconds
    """

    def __init__(
        self, directory: CacheDirectory, index: Index, size: int, age: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._directory, self._index, self._size, self._age, self._clock = directory, index, size, age, clock
        self._next_pruning = 0.0

    def sweep(self) -> int:
        """Remove files that are too old or too many, and return their number; 0 while another process sweeps.

        Raises OSError and sqlite3.Error.
        """
        with open(self._directory.root / 'sweep.lock', 'wb') as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return 0
            return self._sweep(self._clock())

    def _sweep(self, now: float) -> int:
        self._remove_abandoned(now)
        oldest = now - self._age if self._age else 0.0
        sizes = self._sizes()
        total, target = sum(sizes.values()), self._size
        if total > self._size:
            target = int(self._size * TARGET)
        evicted = []
        for file in self._candidates(sizes, oldest, total - target):
            if file.used >= oldest and total <= target:
                break
            evicted.append(file)
            total -= file.size
        # The index first: a file that it names is looked for, and one that it does not name does no harm.
        self._index.remove_copies([file.key for file in evicted if file.kind == COPIES])
        if now >= self._next_pruning:
            self._next_pruning = now + PRUNE_INTERVAL
            self._index.prune(oldest)
        for file in evicted:
            self._directory.remove(file.kind, file.key)
        if evicted:
            log.info('%d files were evicted from the cache directory, %d bytes are left', len(evicted), total)
        return len(evicted)

    def _sizes(self) -> Counter[int]:
        """Return the bytes of the files by the hour of their last use: a list of all files could fill the memory."""
        sizes = Counter[int]()
        for file in self._files():
            sizes[file.hour] += file.size
        return sizes

    def _candidates(self, sizes: Counter[int], oldest: float, excess: int) -> list[_File]:
        """Return files, least recently used first: all unused since *oldest*, and at least *excess* bytes.

        :param sizes: see :meth:`_sizes`
        """
        last = None
        for hour in sorted(sizes):
            if hour * USE_INTERVAL >= oldest and excess <= 0:
                break
            last = hour
            excess -= sizes[hour]
        return [] if last is None else sorted(file for file in self._files() if file.hour <= last)

    def _files(self) -> Iterator[_File]:
        for kind in (COPIES, THUMBNAILS):
            for entry, key in self._directory.files(kind):
                with suppress(FileNotFoundError):
                    status = entry.stat()
                    yield _File(status.st_atime, status.st_size, kind, key)

    def _remove_abandoned(self, now: float) -> None:
        self._directory.remove_dead_processes()
        for entry, _ in self._directory.files(PARTS):
            with suppress(FileNotFoundError):
                if entry.stat().st_mtime < now - ABANDONED_AFTER:
                    os.unlink(entry)
