"""The top layer: map FSP paths to paths at Egnyte, by the folder mappings of the caller."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace

from ..concurrency.locks import LockHandle
from ..errors import (
    Forbidden,
    FSPError,
    NotFound,
    excerpt,
)
from ..i18n import _, with_value
from ..interfaces import IStorage
from ..model import (
    Access,
    Change,
    Content,
    Entry,
    Listing,
)
from ..paths import (
    Path,
    fold,
    key,
    text,
)
from .layer import StorageLayer
from .mappings import FolderMapping
from .refusals import missing, no_such_file


class MappedStorage(StorageLayer):
    """The caller's view: the mapped folders, and nothing above or beside them.

    :param mappings: folder mappings without placeholders
    :param own_account: the account is the caller's own: refusals name the folder at Egnyte, because the caller can ask
        its owner for permission
    """

    def __init__(self, storage: IStorage, mappings: Iterable[FolderMapping], *, own_account: bool = False) -> None:
        super().__init__(storage)
        self._own_account = own_account
        # The longest first: of two that show a file, the more specific one names it.
        self._mappings = {
            key(mapping.directory): mapping
            for mapping in sorted(mappings, key=lambda mapping: len(mapping.directory), reverse=True)
        }
        # The mapped folders as Egnyte spells them, as far as its answers have shown.
        self._spellings: dict[FolderMapping, Path] = {}
        # Directories that exist by configuration, in the spelling of the highest mapping.
        self._fixed: dict[Path, Path] = {(): ()}
        for mapping in reversed(self._mappings.values()):
            for depth, name in enumerate(mapping.directory, 1):
                path = key(mapping.directory[:depth])
                self._fixed.setdefault(path, (*self._fixed[path[:-1]], name))

    def _mapping(self, path: Path) -> FolderMapping | None:
        """Return the mapping of the longest directory that *path* is, or is in."""
        wanted = key(path)
        above = (wanted[:depth] for depth in range(len(wanted), -1, -1))
        return next((self._mappings[directory] for directory in above if directory in self._mappings), None)

    def _down(self, path: Path) -> Path:
        """Return the path at Egnyte. Raises NotFound if no mapping covers it."""
        mapping = self._mapping(path)
        if mapping is None:
            raise NotFound(_('no-such-folder', 'There is no folder "${name}".', name=excerpt(path[0]) if path else '/'))
        return self._spellings.get(mapping, mapping.folder) + path[len(mapping.directory) :]

    def _writable(self, path: Path) -> Path:
        """Return the path at Egnyte of an item that is to be changed. Raises Forbidden."""
        mapping = self._mapping(path)
        if mapping is None or mapping.read_only:
            raise Forbidden(_('folder-read-only', 'This folder is read-only.'))
        return self._down(path)

    def _up(self, entry: Entry, mapping: FolderMapping) -> Entry:
        """Return an entry of the layer below with the caller's path and access."""
        depth = len(mapping.folder)
        self._spellings[mapping] = entry.path[:depth]
        return self._shown(entry, self._fixed[key(mapping.directory)] + entry.path[depth:], mapping)

    def _shown(self, entry: Entry, path: Path, mapping: FolderMapping) -> Entry:
        access = Access.VIEW if mapping.read_only else entry.access
        return entry.at(path, access, fixed=entry.is_directory and key(path) in self._fixed)

    def _up_listing(self, listing: Listing, mapping: FolderMapping, inner: Sequence[Entry]) -> Listing:
        """Return a listing of the layer below as the caller sees it, with the mapped directories *inner*."""
        entry, hidden = self._up(listing.entry, mapping), {fold(item.name) for item in inner}
        version = listing.version and (listing.version, entry, tuple(inner), mapping.read_only)

        def items() -> tuple[Entry, ...]:
            shown = [self._shown(item, (*entry.path, item.name), mapping) for item in listing.items]
            if not inner:
                return tuple(shown)
            shown = [*inner, *(item for item in shown if fold(item.name) not in hidden)]
            return tuple(sorted(shown, key=lambda item: item.order))

        if inner:
            count = len(listing.items) + len(inner) - sum(len(listing.named(name)) for name in hidden)
            entry = entry._replace(item_count=count)
        return Listing(entry, items, version, tuple(item.id for item in inner))

    def list_directory(self, path: Path, fresh: bool = False) -> Listing:
        """Add the mapped directories, which hide items of the same names.

        The root and the mapped folders are listed before they exist at Egnyte: empty, and without an id.
        """
        wanted = key(path)
        inner = [self._fixed_entry(fixed) for folded, fixed in self._fixed.items() if fixed and folded[:-1] == wanted]
        mapping = self._mapping(path)
        if mapping is not None:
            with suppress(NotFound), self._callers_names(path):
                return self._up_listing(self._storage.list_directory(self._down(path), fresh), mapping, inner)
        inner.sort(key=lambda item: item.order)
        return Listing(self._missing_entry(path)._replace(item_count=len(inner)), tuple(inner))

    def _fixed_entry(self, path: Path) -> Entry:
        """Return the entry of a fixed directory, without a call: most fields are unknown before it was listed."""
        mapping = self._mapping(path)
        known = mapping and self._storage.peek_directory(self._down(path))
        if mapping and known:
            return self._up(known, mapping)._replace(path=path)
        access = Access.VIEW if mapping is None or mapping.read_only else Access.FULL
        return Entry(path, is_directory=True, id=None, modified=0, access=access, fixed=True)

    def _missing_entry(self, path: Path) -> Entry:
        """Return the entry of a fixed directory that Egnyte does not have. Raises NotFound for any other directory."""
        if key(path) not in self._fixed:
            raise missing(path)
        return self._fixed_entry(self._fixed[key(path)])._replace(id=None)

    @contextmanager
    def _callers_names(self, path: Path) -> Iterator[None]:
        """Put the caller's name for a mapped folder into errors from below: it has another name at Egnyte."""
        try:
            yield
        except FSPError as error:
            mapping = self._mapping(path)
            if mapping is None or len(mapping.directory) < len(path):
                raise
            if self._own_account and isinstance(error, Forbidden):
                raise _no_permission(mapping) from error.__cause__
            own_name = path[-1] if path else '/'
            raise error.saying(with_value(error.details, mapping.folder[-1], own_name)) from error.__cause__

    def peek_directory(self, path: Path) -> Entry | None:
        """Return an entry for every directory that exists by configuration."""
        if key(path) in self._fixed:
            return self._fixed_entry(self._fixed[key(path)])
        mapping = self._mapping(path)
        known = mapping and self._storage.peek_directory(self._down(path))
        return self._up(known, mapping) if mapping and known else None

    def stat_file(self, path: Path) -> Entry:
        """Raise NotFound outside of the mapped folders, too."""
        mapping = self._mapping(path)
        if mapping is None or key(path) in self._fixed:
            raise no_such_file(path)
        return self._up(self._storage.stat_file(self._down(path)), mapping)

    def find_file(self, file_id: str) -> Entry:
        """Raise NotFound for a file outside of the mapped folders, too."""
        entry = self._storage.find_file(file_id)
        folded = key(entry.path)
        for mapping in self._mappings.values():
            if folded[: len(mapping.folder)] == key(mapping.folder):
                found = self._up(entry, mapping)
                if self._mapping(found.path) is mapping:  # else another mapping hides it
                    return found
        raise NotFound

    def create_directory(self, path: Path, with_parent: bool = False) -> tuple[Entry, Change]:
        """Raise Forbidden in a read-only mapping, too."""
        mapping = self._mapping(path)
        # Egnyte creates a missing mapped folder together with an item in it, without saying so.
        with_parent = with_parent or (mapping is not None and len(path) == len(mapping.directory) + 1)
        with self._callers_names(path):
            return self._changed(path, self._storage.create_directory(self._writable(path), with_parent))

    def store_file(self, path: Path, content: Content, over: Entry | None = None) -> tuple[Entry, Change]:
        """Raise Forbidden in a read-only mapping, too."""
        below = over and over._replace(path=self._down(over.path))
        return self._changed(path, self._storage.store_file(self._writable(path), content, below))

    def delete(self, entry: Entry) -> Change:
        """Raise Forbidden in a read-only mapping, and for the root and the mapped directories, too."""
        if entry.fixed:
            raise Forbidden(
                _('folder-fixed', 'This folder belongs to the set-up of the file manager and cannot be deleted.')
            )
        below = entry._replace(path=self._writable(entry.path))
        return replace(self._storage.delete(below), entry=entry)

    def move_file(self, entry: Entry, path: Path) -> tuple[Entry, Change]:
        """Raise Forbidden if either mapping is read-only, too."""
        below = entry._replace(path=self._writable(entry.path))
        moved, change = self._changed(path, self._storage.move_file(below, self._writable(path)))
        return moved, replace(change, before=entry)

    def _changed(self, path: Path, result: tuple[Entry, Change]) -> tuple[Entry, Change]:
        entry, change = result
        entry = entry._replace(path=path)
        return entry, replace(change, entry=entry)

    def lock(self, *paths: Path) -> AbstractContextManager[LockHandle]:
        """Lock the directories that are mapped."""
        return self._storage.lock(*(self._down(path) for path in paths if self._mapping(path)))

    def revert(self, change: Change) -> None:
        """Roll the change back at Egnyte's paths."""
        before = change.before and change.before._replace(path=self._down(change.before.path))
        entry = change.entry._replace(path=self._down(change.entry.path))
        self._storage.revert(replace(change, entry=entry, before=before))


def _no_permission(mapping: FolderMapping) -> Forbidden:
    return Forbidden(
        _(
            'mapping-forbidden',
            'Your Egnyte account may not do this in the folder "${folder}". Ask an owner of that folder, or the '
            'administrator of your Egnyte, for permission.',
            folder=excerpt(text(mapping.folder)),
        )
    )
