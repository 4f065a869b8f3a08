"""What was seen a moment ago: listings, kept for a short time and patched by our own writes."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import takewhile
from typing import TypeVar

from zope.interface import implementer

from ..errors import FSPError, NotFound
from ..interfaces import IStorage
from ..model import Change, Content, Download, Entry, Listing
from ..paths import Path, fold, key
from .shelf import Key, Shelf

T = TypeVar('T')


@implementer(IStorage)
class CachedStorage:
    """Answers from the shelf what it can, and asks below for the rest, one for all who want to know the same.

    :param account: whose files *storage* has: permissions differ, so that others' listings say nothing about them
    """

    def __init__(self, storage: IStorage, shelf: Shelf, account: str) -> None:
        self._storage, self._shelf, self._account = storage, shelf, account

    def _key(self, path: Path) -> Key:
        return self._account, key(path)

    def list_directory(self, path: Path, fresh: bool = False) -> Listing:
        """See IStorage: asks nobody as long as the listing, or its parent's that lacks it, is remembered."""
        listing = self._ask(path) if fresh else self._known(path) or self._share(path)
        known = tuple(self._counted(item) for item in takewhile(lambda item: item.is_directory, listing.items))
        if known == listing.items[: len(known)]:  # most often: thousands of files need not be copied
            return listing
        return replace(listing, items=known + listing.items[len(known) :])

    def _share(self, path: Path) -> Listing:
        # Who comes after a write of ours does not take an answer that was asked for before it.
        question = self._key(path), self._shelf.writes(self._account)
        return self._shelf.flights.share(question, lambda: self._known(path) or self._ask(path))

    def _known(self, path: Path) -> Listing | None:
        """The listing as it is remembered, None if it is not. Raises NotFound for what is known to be missing."""
        try:
            listing = self._shelf.get(self._key(path))
        except KeyError:
            try:
                item = self._known_item(path)
            except KeyError:
                return None
            if item is not None and item.is_directory:
                return None
            listing = None
        if listing is None:
            raise _missing(path)
        return listing

    def _known_item(self, path: Path) -> Entry | None:
        """What the parent's listing has of that name. Raises KeyError if that is not remembered."""
        if not path:
            raise KeyError(path)
        parent = self._shelf.get(self._key(path[:-1]))
        return parent and parent.find(path[-1])

    def _ask(self, path: Path) -> Listing:
        writes = self._shelf.writes(self._account)
        try:
            listing = self._storage.list_directory(path, fresh=True)
        except NotFound:
            self._shelf.learn(self._key(path), None, writes)
            raise
        self._shelf.learn(self._key(path), listing, writes)
        return listing

    def _counted(self, item: Entry) -> Entry:
        """*item* with its item count, where it was listed itself: Egnyte tells counts for nothing less."""
        known = self.known_directory(item.path) if item.is_directory else None
        return item if known is None else replace(item, item_count=known.item_count)

    def known_directory(self, path: Path) -> Entry | None:
        """See IStorage."""
        try:
            listing = self._shelf.get(self._key(path))
        except KeyError:
            return None
        return listing and listing.entry

    def stat_file(self, path: Path) -> Entry:
        """See IStorage: asks nobody if the parent's listing is remembered."""
        try:
            item = self._known_item(path)
        except KeyError:
            return self._storage.stat_file(path)
        if item is None or item.is_directory:
            raise _missing(path)
        return item

    def find_file(self, file_id: str) -> Entry:
        """See IStorage: always asks, because listings are kept by path."""
        return self._storage.find_file(file_id)

    def create_directory(self, path: Path) -> tuple[Entry, Change]:
        """See IStorage."""
        writes = self._shelf.writes(self._account)
        entry, change = self._writing(lambda: self._storage.create_directory(path), path)
        parent = self.known_directory(path[:-1])
        if parent is not None:
            entry = replace(entry, access=parent.access)
        self._shelf.learn(self._key(entry.path), Listing(entry, ()), writes)
        for depth in range(len(path) - 1):  # parents that were missing came with it
            self._shelf.patch(self._key(path[:depth]), lambda above, name=path[depth]: above.find(name) and above)
        self._replace(path[:-1], new=entry)
        return entry, change

    def store_file(self, path: Path, content: Content, over: Entry | None = None) -> tuple[Entry, Change]:
        """See IStorage."""
        entry, change = self._writing(lambda: self._storage.store_file(path, content, over), path)
        self._replace(path[:-1], old=over, new=entry)
        return entry, change

    def delete(self, entry: Entry) -> Change:
        """See IStorage."""
        change = self._writing(lambda: self._storage.delete(entry), entry.path)
        self._replace(entry.path[:-1], old=entry)
        if entry.is_directory:
            self._shelf.drop_below(self._key(entry.path))
        return change

    def move_file(self, entry: Entry, path: Path) -> tuple[Entry, Change]:
        """See IStorage."""
        moved, change = self._writing(lambda: self._storage.move_file(entry, path), entry.path, path)
        self._replace(entry.path[:-1], old=entry)
        self._replace(path[:-1], new=moved)
        return moved, change

    def open_file(self, file_id: str, byte_range: tuple[int, int | None] | None = None) -> Download:
        """See IStorage: contents are not kept here."""
        return self._storage.open_file(file_id, byte_range)

    def hold(self, *paths: Path) -> AbstractContextManager[None]:
        """See IStorage."""
        return self._storage.hold(*paths)

    def revert(self, change: Change) -> None:
        """See IStorage: what it touched is asked for anew, because others may have written in between."""
        try:
            self._storage.revert(change)
        finally:
            for entry in filter(None, (change.entry, change.before)):
                self._shelf.drop_below(self._key(entry.path))
                self._forget(entry.path[:-1])

    def _writing(self, write: Callable[[], T], *paths: Path) -> T:
        """Do it; if that fails, what we believed of the directories of *paths* may be wrong."""
        try:
            return write()
        except FSPError:
            for path in paths:
                self._forget(path[:-1])
            raise

    def _forget(self, path: Path) -> None:
        self._shelf.patch(self._key(path), lambda _listing: None)

    def _replace(self, path: Path, *, old: Entry | None = None, new: Entry | None = None) -> None:
        """Take *old* out of the listing of *path* and put *new* into it."""
        gone = {fold(entry.name) for entry in (old, new) if entry is not None}

        def change(listing: Listing) -> Listing:
            items = [item for item in listing.items if fold(item.name) not in gone]
            if new is not None:
                items.append(replace(new, access=listing.entry.access))
            items.sort(key=lambda item: item.order)
            return Listing(replace(listing.entry, item_count=len(items)), tuple(items))

        self._shelf.patch(self._key(path), change)


def _missing(path: Path) -> NotFound:
    return NotFound(f'"{path[-1] if path else "/"}" does not exist. Refresh the file manager.')
