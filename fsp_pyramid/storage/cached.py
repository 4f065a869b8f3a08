"""What was seen a moment ago: listings, kept for a short time and patched by our own writes."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TypeVar

from zope.interface import implementer

from ..errors import FSPError, NotFound
from ..interfaces import IStorage
from ..model import Change, Content, Download, Entry, Listing
from ..paths import Path, fold, key
from .locks import Locks

# As many as a busy process looks at within the ttl; the oldest go first.
MAX_LISTINGS = 2000

Key = tuple[str, Path]
T = TypeVar('T')


class Shelf:
    """Listings by account and path, shared by the threads of a process. None stands for "there is no such directory".

    :param ttl: seconds that a listing is believed; 0 to keep none
    """

    def __init__(self, ttl: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._ttl, self._clock = ttl, clock
        self._lock = threading.Lock()
        self._values: OrderedDict[Key, tuple[float, Listing | None]] = OrderedDict()
        self._writes: dict[str, int] = {}

    def get(self, key: Key) -> Listing | None:
        """What is known. Raises KeyError where nothing is."""
        with self._lock:
            return self._get(key)

    def _get(self, key: Key) -> Listing | None:
        until, listing = self._values[key]
        if until <= self._clock():
            del self._values[key]
            raise KeyError(key)
        return listing

    def writes(self, account: str) -> int:
        """A number that every write of the account changes."""
        with self._lock:
            return self._writes.get(account, 0)

    def learn(self, key: Key, listing: Listing | None, writes: int) -> None:
        """Keep what Egnyte answered, unless we wrote since *writes* was read: the answer may be older than that."""
        with self._lock:
            if self._writes.get(key[0], 0) == writes:
                self._put(key, listing)

    def _put(self, key: Key, listing: Listing | None) -> None:
        self._values.pop(key, None)
        if self._ttl > 0:
            self._values[key] = self._clock() + self._ttl, listing
        if len(self._values) > MAX_LISTINGS:
            self._values.popitem(last=False)

    def patch(self, key: Key, change: Callable[[Listing], Listing | None]) -> None:
        """A write happened: change the listing, if it is kept; it gets no older by that. None drops it."""
        with self._lock:
            self._writes[key[0]] = self._writes.get(key[0], 0) + 1
            try:
                listing = self._get(key)
            except KeyError:
                return
            changed = listing and change(listing)
            if changed is None:
                del self._values[key]
            else:
                self._values[key] = self._values[key][0], changed

    def put(self, key: Key, listing: Listing) -> None:
        """Keep a listing that we made ourselves."""
        with self._lock:
            self._put(key, listing)

    def drop_below(self, key: Key) -> None:
        """Forget the directory and all that is in it."""
        account, path = key
        with self._lock:
            for other in [k for k in self._values if k[0] == account and k[1][: len(path)] == path]:
                del self._values[other]


@implementer(IStorage)
class CachedStorage:
    """Answers from the shelf what it can, and asks below for the rest, one caller at a time for each listing.

    :param account: the key of the account that *storage* belongs to: permissions differ, so nothing is shared
    """

    def __init__(self, storage: IStorage, shelf: Shelf, locks: Locks, account: str) -> None:
        self._storage, self._shelf, self._locks, self._account = storage, shelf, locks, account

    def _key(self, path: Path) -> Key:
        return self._account, key(path)

    def list_directory(self, path: Path, fresh: bool = False) -> Listing:
        """See IStorage: asks nobody as long as the listing, or its parent's that lacks it, is remembered."""
        listing = None if fresh else self._known(path)
        if listing is None:
            with self._locks.hold((self._account, 'listing', key(path))):
                listing = (None if fresh else self._known(path)) or self._ask(path)
        return replace(listing, items=tuple(self._counted(item) for item in listing.items))

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

    def create_directory(self, path: Path) -> tuple[Entry, Change]:
        """See IStorage."""
        entry, change = self._writing(path, lambda: self._storage.create_directory(path))
        self._replace(path[:-1], new=entry)
        self._shelf.put(self._key(entry.path), Listing(entry, ()))
        return entry, change

    def store_file(self, path: Path, content: Content, over: Entry | None = None) -> tuple[Entry, Change]:
        """See IStorage."""
        entry, change = self._writing(path, lambda: self._storage.store_file(path, content, over))
        self._replace(path[:-1], old=over, new=entry)
        return entry, change

    def delete(self, entry: Entry) -> Change:
        """See IStorage."""
        change = self._writing(entry.path, lambda: self._storage.delete(entry))
        self._replace(entry.path[:-1], old=entry)
        if entry.is_directory:
            self._shelf.drop_below(self._key(entry.path))
        return change

    def move_file(self, entry: Entry, path: Path) -> tuple[Entry, Change]:
        """See IStorage."""
        moved, change = self._writing(path, lambda: self._storage.move_file(entry, path))
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
                self._shelf.patch(self._key(entry.path[:-1]), lambda _listing: None)

    def _writing(self, path: Path, write: Callable[[], T]) -> T:
        """Do it; if that fails, what we believed of the directory may be wrong."""
        try:
            return write()
        except FSPError:
            self._shelf.patch(self._key(path[:-1]), lambda _listing: None)
            raise

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
