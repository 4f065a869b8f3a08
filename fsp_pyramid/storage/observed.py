"""Layer that reports to an observer which versions files have, and what their content is."""

import time
from collections.abc import Callable

from ..interfaces import IObserver, IStorage
from ..model import (
    Change,
    Content,
    Entry,
    Listing,
)
from ..paths import Path
from .layer import StorageLayer


class ObservedStorage(StorageLayer):
    """Report to *observer* all files that *storage* lists or changes.

    :param clock: UNIX time in seconds
    """

    def __init__(self, storage: IStorage, observer: IObserver, clock: Callable[[], float] = time.time) -> None:
        super().__init__(storage)
        self._observer, self._clock = observer, clock

    def list_directory(self, path: Path, fresh: bool = False) -> Listing:
        """Report the files in the listing."""
        asked = self._clock()
        listing = self._storage.list_directory(path, fresh)
        self._observer.listed([item for item in listing.items if not item.is_directory], asked)
        return listing

    def stat_file(self, path: Path) -> Entry:
        """Report the file."""
        asked = self._clock()
        entry = self._storage.stat_file(path)
        self._observer.listed([entry], asked)
        return entry

    def find_file(self, file_id: str) -> Entry:
        """Report the file."""
        asked = self._clock()
        entry = self._storage.find_file(file_id)
        self._observer.listed([entry], asked)
        return entry

    def store_file(self, path: Path, content: Content, over: Entry | None = None) -> tuple[Entry, Change]:
        """Report the new version."""
        with self._observer.changing(over):
            entry, change = self._storage.store_file(path, content, over)
            self._observer.stored(entry, content)
        return entry, change

    def delete(self, entry: Entry) -> Change:
        """Report the deletion."""
        with self._observer.changing(_file(entry)):
            change = self._storage.delete(entry)
            if not entry.is_directory:
                self._observer.deleted(entry)
        return change

    def move_file(self, entry: Entry, path: Path) -> tuple[Entry, Change]:
        """Report the new path."""
        with self._observer.changing(entry):
            moved, change = self._storage.move_file(entry, path)
            self._observer.moved(moved)
        return moved, change

    def revert(self, change: Change) -> None:
        """Report that the file's version is unknown, even if this fails."""
        with self._observer.changing(_file(change.entry)):
            try:
                self._storage.revert(change)
            finally:
                if not change.entry.is_directory:
                    self._observer.invalidated(change.entry)


def _file(entry: Entry) -> Entry | None:
    return None if entry.is_directory else entry
