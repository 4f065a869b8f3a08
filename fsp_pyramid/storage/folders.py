"""The top layer: FSP paths become paths at Egnyte, by the mounts of the caller."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import replace

from zope.interface import implementer

from ..errors import Forbidden, NotFound
from ..interfaces import IStorage
from ..model import Access, Change, Content, Download, Entry, Listing
from ..paths import Path, fold, key
from .mounts import FolderMount


@implementer(IStorage)
class FoldersStorage:
    """What one caller sees: the mounted folders, and nothing above or beside them.

    :param mounts: with their placeholders filled in
    """

    def __init__(self, storage: IStorage, mounts: Iterable[FolderMount]) -> None:
        self._storage = storage
        # The longest first, so that the first that fits is the one.
        self._mounts = sorted(mounts, key=lambda mount: len(mount.directory), reverse=True)

    def _mount(self, path: Path) -> FolderMount | None:
        wanted = key(path)
        return next((m for m in self._mounts if wanted[: len(m.directory)] == key(m.directory)), None)

    def _down(self, path: Path) -> Path:
        """The path at Egnyte. Raises NotFound where no mount covers it."""
        mount = self._mount(path)
        if mount is None:
            raise NotFound(f'There is no folder "{path[0] if path else "/"}".')
        return mount.folder + path[len(mount.directory) :]

    def _writable(self, path: Path) -> Path:
        """The path at Egnyte of something that is to be changed. Raises Forbidden."""
        mount = self._mount(path)
        if mount is None or mount.read_only:
            raise Forbidden('This folder is read-only.')
        return self._down(path)

    def _up(self, entry: Entry, mount: FolderMount) -> Entry:
        """An entry from below as the caller sees it."""
        path = mount.directory + entry.path[len(mount.folder) :]
        return replace(
            entry,
            path=path,
            access=Access.VIEW if mount.read_only else entry.access,
            fixed=entry.is_directory and path == mount.directory,
        )

    def list_directory(self, path: Path, fresh: bool = False) -> Listing:
        """See IStorage: with the mounts in it, which hide what has their names.

        The root and the mounted folders are listed before they exist at Egnyte: empty, and without an id.
        """
        mount, inner = self._mount(path), self._mounts_in(path)
        listing = self._list(path, mount, fresh)
        if listing is None:
            entry = self._promised(path, mount, inner)
            items: list[Entry] = []
        else:
            entry = listing.entry
            hidden = {fold(item.name) for item in inner}
            items = [item for item in listing.items if fold(item.name) not in hidden]
        items = sorted((*items, *inner), key=lambda item: item.order)
        entry = replace(entry, item_count=len(items), fixed=entry.fixed or not path)
        return Listing(entry, tuple(items))

    def _list(self, path: Path, mount: FolderMount | None, fresh: bool) -> Listing | None:
        if mount is None:
            return None
        try:
            listing = self._storage.list_directory(self._down(path), fresh)
        except NotFound:
            return None
        return Listing(self._up(listing.entry, mount), tuple(self._up(item, mount) for item in listing.items))

    def _mounts_in(self, path: Path) -> list[Entry]:
        """The mounts directly in *path*, and the first directories on the way to those further down."""
        depth, found = len(path), {}
        for mount in self._mounts:
            if len(mount.directory) > depth and key(mount.directory[:depth]) == key(path):
                place = (*path, mount.directory[depth])
                found.setdefault(key(place), self._entry_of(place))
        return list(found.values())

    def _entry_of(self, path: Path) -> Entry:
        """The entry of a mount in its parent's listing: nobody is asked, so little is known before it was listed."""
        mount = self._mount(path)
        known = mount and self._storage.known_directory(self._down(path))
        if mount and known:
            return replace(self._up(known, mount), fixed=True)
        access = Access.VIEW if mount is None or mount.read_only else Access.FULL
        return Entry(path, is_directory=True, id=None, modified=0, access=access, fixed=True)

    def _promised(self, path: Path, mount: FolderMount | None, inner: list[Entry]) -> Entry:
        """The entry of a directory that is there because the configuration says so. Raises NotFound for any other."""
        if path and not inner and not (mount and len(mount.directory) == len(path)):
            raise NotFound(f'"{path[-1]}" does not exist. Refresh the file manager.')
        return replace(self._entry_of(path), id=None)

    def known_directory(self, path: Path) -> Entry | None:
        """See IStorage."""
        mount = self._mount(path)
        known = mount and self._storage.known_directory(self._down(path))
        return self._up(known, mount) if mount and known else None

    def stat_file(self, path: Path) -> Entry:
        """See IStorage."""
        mount = self._mount(path)
        if mount is None or len(mount.directory) == len(path):
            raise NotFound(f'There is no file "{path[-1] if path else "/"}".')
        return self._up(self._storage.stat_file(self._down(path)), mount)

    def create_directory(self, path: Path) -> tuple[Entry, Change]:
        """See IStorage. Raises Forbidden in a read-only mount."""
        return self._changed(path, self._storage.create_directory(self._writable(path)))

    def store_file(self, path: Path, content: Content, over: Entry | None = None) -> tuple[Entry, Change]:
        """See IStorage. Raises Forbidden in a read-only mount."""
        below = over and replace(over, path=self._down(over.path))
        return self._changed(path, self._storage.store_file(self._writable(path), content, below))

    def delete(self, entry: Entry) -> Change:
        """See IStorage. Raises Forbidden in a read-only mount, and for the root and the mounts themselves."""
        if entry.fixed:
            raise Forbidden('This folder belongs to the set-up of the file manager and cannot be deleted.')
        below = replace(entry, path=self._writable(entry.path))
        return replace(self._storage.delete(below), entry=entry)

    def move_file(self, entry: Entry, path: Path) -> tuple[Entry, Change]:
        """See IStorage. Raises Forbidden where the one or the other mount is read-only."""
        below = replace(entry, path=self._writable(entry.path))
        moved, change = self._changed(path, self._storage.move_file(below, self._writable(path)))
        return moved, replace(change, before=entry)

    def _changed(self, path: Path, result: tuple[Entry, Change]) -> tuple[Entry, Change]:
        entry, change = result
        entry = replace(entry, path=path)
        return entry, replace(change, entry=entry)

    def open_file(self, file_id: str, byte_range: tuple[int, int | None] | None = None) -> Download:
        """See IStorage: an id knows no mounts."""
        return self._storage.open_file(file_id, byte_range)

    def hold(self, *paths: Path) -> AbstractContextManager[None]:
        """See IStorage."""
        return self._storage.hold(*(self._down(path) for path in paths if self._mount(path)))

    def revert(self, change: Change) -> None:
        """See IStorage."""
        before = change.before and replace(change.before, path=self._down(change.before.path))
        entry = replace(change.entry, path=self._down(change.entry.path))
        self._storage.revert(replace(change, entry=entry, before=before))
