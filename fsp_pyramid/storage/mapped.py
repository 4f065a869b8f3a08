"""The top layer: FSP paths become paths at Egnyte, by the mounts of the caller."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

from zope.interface import implementer

from ..concurrency.locks import Held
from ..errors import (
    Forbidden,
    FSPError,
    NotFound,
    excerpt,
)
from ..interfaces import IStorage
from ..model import (
    Access,
    Change,
    Content,
    Download,
    Entry,
    Listing,
)
from ..paths import (
    Path,
    fold,
    key,
    text,
)
from .mappings import FolderMapping


@implementer(IStorage)
class MappedStorage:
    """What one caller sees: the mounted folders, and nothing above or beside them.

    :param mounts: with their placeholders filled in
    :param own_account: the caller's own account at Egnyte: then refusals name the folder at Egnyte, where the caller
        can ask for permission
    """

    def __init__(self, storage: IStorage, mounts: Iterable[FolderMapping], *, own_account: bool = False) -> None:
        self._storage, self._own_account = storage, own_account
        # The longest first, so that the first that fits is the one.
        self._mounts = sorted(mounts, key=lambda mount: len(mount.directory), reverse=True)
        self._translated: dict[Path, tuple[Listing, Listing]] = {}
        # The folders of mounts as Egnyte spells them, as far as that was seen.
        self._spelt: dict[FolderMapping, Path] = {}
        # The directories that are there because the configuration says so, spelt as the highest mount spells them.
        self._fixed: dict[Path, Path] = {(): ()}
        for mount in reversed(self._mounts):
            for depth, name in enumerate(mount.directory, 1):
                place = key(mount.directory[:depth])
                self._fixed.setdefault(place, (*self._fixed[place[:-1]], name))

    def _mount(self, path: Path) -> FolderMapping | None:
        wanted = key(path)
        return next((m for m in self._mounts if wanted[: len(m.directory)] == key(m.directory)), None)

    def _down(self, path: Path) -> Path:
        """The path at Egnyte. Raises NotFound where no mount covers it."""
        mount = self._mount(path)
        if mount is None:
            raise NotFound(f'There is no folder "{excerpt(path[0]) if path else "/"}".')
        return self._spelt.get(mount, mount.folder) + path[len(mount.directory) :]

    def _writable(self, path: Path) -> Path:
        """The path at Egnyte of something that is to be changed. Raises Forbidden."""
        mount = self._mount(path)
        if mount is None or mount.read_only:
            raise Forbidden('This folder is read-only.')
        return self._down(path)

    def _up(self, entry: Entry, mount: FolderMapping) -> Entry:
        """An entry from below as the caller sees it."""
        depth = len(mount.folder)
        self._spelt[mount] = entry.path[:depth]
        path = self._fixed[key(mount.directory)] + entry.path[depth:]
        access = Access.VIEW if mount.read_only else entry.access
        return replace(entry, path=path, access=access, fixed=entry.is_directory and key(path) in self._fixed)

    def list_directory(self, path: Path, fresh: bool = False) -> Listing:
        """See IStorage: with the mounts in it, which hide what has their names.

        The root and the mounted folders are listed before they exist at Egnyte: empty, and without an id.
        """
        inner = [self._entry_of(place) for found, place in self._fixed.items() if place and found[:-1] == key(path)]
        listing = self._list(path, fresh)
        if listing is None:
            listing = Listing(self._promised(path), ())
        elif not inner:
            return listing
        hidden = {fold(item.name) for item in inner}
        items = [*inner, *(item for item in listing.items if fold(item.name) not in hidden)]
        items.sort(key=lambda item: item.order)
        return Listing(replace(listing.entry, item_count=len(items)), tuple(items))

    def _list(self, path: Path, fresh: bool) -> Listing | None:
        mount = self._mount(path)
        if mount is None:
            return None
        try:
            with self._named(path):
                listing = self._storage.list_directory(self._down(path), fresh)
        except NotFound:
            return None
        # Who changes something looks more than once, and thousands of entries take their time.
        before, after = self._translated.get(path, (None, None))
        if before is not listing:
            after = Listing(self._up(listing.entry, mount), tuple(self._up(item, mount) for item in listing.items))
            self._translated[path] = listing, after
        return after

    def _entry_of(self, path: Path) -> Entry:
        """The entry of a fixed directory: nobody is asked, so little is known before it was listed."""
        mount = self._mount(path)
        known = mount and self._storage.peek_directory(self._down(path))
        if mount and known:
            return replace(self._up(known, mount), path=path)
        access = Access.VIEW if mount is None or mount.read_only else Access.FULL
        return Entry(path, is_directory=True, id=None, modified=0, access=access, fixed=True)

    def _promised(self, path: Path) -> Entry:
        """The entry of a fixed directory that Egnyte does not have. Raises NotFound for any other directory."""
        if key(path) not in self._fixed:
            raise NotFound(f'"{excerpt(path[-1])}" does not exist. Refresh the file manager.')
        return replace(self._entry_of(self._fixed[key(path)]), id=None)

    @contextmanager
    def _named(self, path: Path) -> Iterator[None]:
        """Let errors from below call the thing as the caller does: a mount's folder has another name at Egnyte."""
        try:
            yield
        except FSPError as error:
            mount = self._mount(path)
            if mount is None or len(mount.directory) < len(path):
                raise
            if self._own_account and isinstance(error, Forbidden):
                raise _no_permission(mount) from error.__cause__
            details = error.details.replace(f'"{mount.folder[-1]}"', f'"{path[-1] if path else "/"}"')
            raise error.saying(details) from error.__cause__

    def peek_directory(self, path: Path) -> Entry | None:
        """See IStorage: something is always known of a directory that the configuration put there."""
        if key(path) in self._fixed:
            return self._entry_of(self._fixed[key(path)])
        mount = self._mount(path)
        known = mount and self._storage.peek_directory(self._down(path))
        return self._up(known, mount) if mount and known else None

    def stat_file(self, path: Path) -> Entry:
        """See IStorage."""
        mount = self._mount(path)
        if mount is None or key(path) in self._fixed:
            raise NotFound(f'There is no file "{excerpt(path[-1]) if path else "/"}".')
        return self._up(self._storage.stat_file(self._down(path)), mount)

    def find_file(self, file_id: str) -> Entry:
        """See IStorage. Raises NotFound for a file outside of the mounts."""
        entry = self._storage.find_file(file_id)
        place = key(entry.path)
        for mount in self._mounts:
            if place[: len(mount.folder)] == key(mount.folder):
                found = self._up(entry, mount)
                if self._mount(found.path) is mount:  # else another mount hides it
                    return found
        raise NotFound('There is no such file.')

    def create_directory(self, path: Path, with_parent: bool = False) -> tuple[Entry, Change]:
        """See IStorage. Raises Forbidden in a read-only mount."""
        mount = self._mount(path)
        # Egnyte creates the folder of the mount with what is directly in it, if that is missing, and does not tell.
        with_parent = with_parent or (mount is not None and len(path) == len(mount.directory) + 1)
        with self._named(path):
            return self._changed(path, self._storage.create_directory(self._writable(path), with_parent))

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

    def lock(self, *paths: Path) -> AbstractContextManager[Held]:
        """See IStorage."""
        return self._storage.lock(*(self._down(path) for path in paths if self._mount(path)))

    def revert(self, change: Change) -> None:
        """See IStorage."""
        before = change.before and replace(change.before, path=self._down(change.before.path))
        entry = replace(change.entry, path=self._down(change.entry.path))
        self._storage.revert(replace(change, entry=entry, before=before))


def _no_permission(mount: FolderMapping) -> Forbidden:
    return Forbidden(
        f'Your Egnyte account may not do this in the folder "{excerpt(text(mount.folder))}". Ask an owner of that '
        'folder, or the administrator of your Egnyte, for permission.'
    )
