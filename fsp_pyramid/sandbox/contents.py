"""Contents of files: one file on disk for each version, named by its ``entry_id``.

A content is written under another name and renamed before its version is committed, so every version that is in the
database is complete, whenever the process was killed. Nothing is synced: a sandbox may lose its last files in a crash
of the machine, and what else is to be written to the same disk must not slow it down.
"""

import hashlib
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple
from uuid import uuid4

from .errors import missing

BLOCK = 64 * 1024
# Parts of a chunked upload live that long at Egnyte; nothing else is in the making for longer.
STALE_SECONDS = 24 * 60 * 60


class Received(NamedTuple):
    """A body that came in, and is on disk under a name of its own."""

    path: Path
    size: int
    checksum: str


class Contents:
    """The contents below one root."""

    def __init__(self, root: Path) -> None:
        self._kept = root / 'contents'
        self._incoming = root / 'incoming'

    def create(self) -> None:
        """Make the directories."""
        self._kept.mkdir(parents=True, exist_ok=True)
        self._incoming.mkdir(exist_ok=True)

    def path(self, entry_id: str) -> Path:
        """Return the path of the content of a version or a chunk."""
        return self._kept / entry_id

    @contextmanager
    def receive(self, blocks: Iterable[bytes]) -> Iterator[Received]:
        """Write a body to disk, hashing it on the way; unless it is kept, it is gone afterwards."""
        path = self._incoming / uuid4().hex
        digest, size = hashlib.sha512(), 0
        try:
            with path.open('wb') as file:
                for block in blocks:
                    digest.update(block)
                    size += file.write(block)
            yield Received(path, size, digest.hexdigest())
        finally:
            path.unlink(missing_ok=True)

    def keep(self, received: Received, entry_id: str) -> None:
        """Give a received body its place, for good. To be called before its version is committed."""
        received.path.rename(self.path(entry_id))

    def copy(self, entry_id: str, new_entry_id: str) -> None:
        """Store the content of a copied version; contents never change, so both may be one."""
        os.link(self.path(entry_id), self.path(new_entry_id))

    def open(self, entry_id: str) -> IO[bytes]:
        """Return a content to be read. 404 if it was deleted a moment ago."""
        try:
            return self.path(entry_id).open('rb')
        except FileNotFoundError as error:
            raise missing() from error

    def read(self, entry_ids: Iterable[str]) -> Iterator[bytes]:
        """Several contents, one after the other."""
        for entry_id in entry_ids:
            with self.open(entry_id) as file:
                yield from blocks(file)

    def discard(self, entry_ids: Iterable[str]) -> None:
        """Remove contents whose versions are gone."""
        for entry_id in entry_ids:
            self.path(entry_id).unlink(missing_ok=True)

    def sweep(self, db: sqlite3.Connection) -> None:
        """Remove what a killed process left behind: bodies without a version."""
        known = {row[0] for row in db.execute('SELECT entry_id FROM versions')}
        known |= {row[0] for row in db.execute('SELECT content FROM chunks')}
        oldest = time.time() - STALE_SECONDS
        for directory in (self._incoming, self._kept):
            for path in directory.iterdir():
                # Another process may be at it right now, or remove it before us.
                with suppress(FileNotFoundError):
                    if path.name not in known and path.stat().st_mtime < oldest:
                        path.unlink()


def blocks(file: IO[bytes]) -> Iterator[bytes]:
    """Yield a file's bytes from where it stands, a block at a time."""
    while block := file.read(BLOCK):
        yield block
