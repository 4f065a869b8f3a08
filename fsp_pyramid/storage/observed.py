"""Lets somebody know what is seen and done: which version a file has, and what its content is."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from zope.interface import implementer

from ..concurrency.locks import Held
from ..interfaces import IObserver, IStorage
from ..model import (
    Change,
    Content,
    Download,
    Entry,
    Listing,
)
from ..paths import Path


@implementer(IStorage)
class ObservedStorage:
    """Tells *observer* of all files that *storage* shows or changes.

    :param clock: UNIX time in seconds
    """

    def __init__(self, storage: IStorage, observer: IObserver, clock: Callable[[], float] = time.time) -> None:
        self._storage, self._observer, self._clock = storage, observer, clock

    def list_directory(self, path: Path, fresh: bool = False) -> Listing:
        """See IStorage."""
        asked = self._clock()
        listing = self._storage.list_directory(path, fresh)
        self._observer.listed([item for item in listing.items if not item.is_directory], asked)
        return listing

    def peek_directory(self, path: Path) -> Entry | None:
        """See IStorage."""
        return self._storage.peek_directory(path)

    def stat_file(self, path: Path) -> Entry:
        """See IStorage."""
        asked = self._clock()
        entry = self._storage.stat_file(path)
        self._observer.listed([entry], asked)
        return entry

    def find_file(self, file_id: str) -> Entry:
        """See IStorage."""
        asked = self._clock()
        entry = self._storage.find_file(file_id)
        self._observer.listed([entry], asked)
        return entry

    def create_directory(self, path: Path, with_parent: bool = False) -> tuple[Entry, Change]:
        """See IStorage."""
        return self._storage.create_directory(path, with_parent)

    def store_file(self, path: Path, content: Content, over: Entry | None = None) -> tuple[Entry, Change]:
        """See IStorage."""
        with self._observer.changing(over):
            entry, change = self._storage.store_file(path, content, over)
            self._observer.stored(entry, content)
        return entry, change

    def delete(self, entry: Entry) -> Change:
        """See IStorage."""
        with self._observer.changing(_file(entry)):
            change = self._storage.delete(entry)
            if not entry.is_directory:
                self._observer.deleted(entry)
        return change

    def move_file(self, entry: Entry, path: Path) -> tuple[Entry, Change]:
        """See IStorage."""
        with self._observer.changing(entry):
            moved, change = self._storage.move_file(entry, path)
            self._observer.moved(moved)
        return moved, change

    def open_file(self, file_id: str, byte_range: tuple[int, int | None] | None = None) -> Download:
        """See IStorage."""
        return self._storage.open_file(file_id, byte_range)

    def lock(self, *paths: Path) -> AbstractContextManager[Held]:
        """See IStorage."""
        return self._storage.lock(*paths)

    def revert(self, change: Change) -> None:
        """See IStorage."""
        with self._observer.changing(_file(change.entry)):
            try:
                self._storage.revert(change)
            finally:
                if not change.entry.is_directory:
                    self._observer.invalidated(change.entry)


def _file(entry: Entry) -> Entry | None:
    return None if entry.is_directory else entry
