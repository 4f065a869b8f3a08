"""Base class of storage layers."""

from contextlib import AbstractContextManager

from zope.interface import implementer

from ..concurrency.locks import LockHandle
from ..interfaces import IStorage
from ..model import (
    Change,
    Content,
    Download,
    Entry,
    Listing,
)
from ..paths import Path


@implementer(IStorage)
class StorageLayer:
    """Pass every method through to the storage below; subclasses override the methods that they change.

    :param storage: the layer below
    """

    def __init__(self, storage: IStorage) -> None:
        self._storage = storage

    def list_directory(self, path: Path, fresh: bool = False) -> Listing:
        """Pass through."""
        return self._storage.list_directory(path, fresh)

    def peek_directory(self, path: Path) -> Entry | None:
        """Pass through."""
        return self._storage.peek_directory(path)

    def stat_file(self, path: Path) -> Entry:
        """Pass through."""
        return self._storage.stat_file(path)

    def find_file(self, file_id: str) -> Entry:
        """Pass through."""
        return self._storage.find_file(file_id)

    def create_directory(self, path: Path, with_parent: bool = False) -> tuple[Entry, Change]:
        """Pass through."""
        return self._storage.create_directory(path, with_parent)

    def store_file(self, path: Path, content: Content, over: Entry | None = None) -> tuple[Entry, Change]:
        """Pass through."""
        return self._storage.store_file(path, content, over)

    def delete(self, entry: Entry) -> Change:
        """Pass through."""
        return self._storage.delete(entry)

    def move_file(self, entry: Entry, path: Path) -> tuple[Entry, Change]:
        """Pass through."""
        return self._storage.move_file(entry, path)

    def open_file(self, file_id: str, byte_range: tuple[int, int | None] | None = None) -> Download:
        """Pass through."""
        return self._storage.open_file(file_id, byte_range)

    def lock(self, *paths: Path) -> AbstractContextManager[LockHandle]:
        """Pass through."""
        return self._storage.lock(*paths)

    def revert(self, change: Change) -> None:
        """Pass through."""
        self._storage.revert(change)
