"""What a caller may do: the protocol's operations, each of them a look before the deed.

The rules about names, permissions and missing directories live here, once, over any IStorage.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from functools import partial
from typing import TypeVar

from .. import paths
from ..concurrency.locks import Held
from ..errors import (
    Conflict,
    Forbidden,
    FSPError,
    Locked,
    NameTaken,
    NotEmpty,
    NotFound,
    excerpt,
)
from ..interfaces import IStorage
from ..model import (
    Access,
    Change,
    Content,
    Entry,
    Listing,
    Strategy,
)
from ..paths import Path, composed
from .conflicts import name_taken, place, unguessable_name
from .name_rules import check_name

T = TypeVar('T')


class _BrokenOff(Exception):
    """A change of several calls failed after the first one. It is not decided anew, or its first call would stay."""

    def __init__(self, reason: FSPError) -> None:
        super().__init__(reason)
        self.reason = reason


# Beefree uploads into these without asking whether they are there.
IMPLIED = {('editor_images',), ('favicon_images',)}


class Operations:
    """The files of one caller. Paths are as the caller writes them; errors are those of :mod:`fsp_pyramid.errors`.

    :param storage: with what the caller sees, and nothing else
    """

    def __init__(self, storage: IStorage) -> None:
        self._storage = storage

    def list_directory(self, path: Path, fresh: bool = False) -> Listing:
        """Return the directory and its items; *fresh* bypasses the listing cache. Raises NotFound."""
        return self._storage.list_directory(path, fresh)

    def stat_file(self, path: Path) -> Entry:
        """The file. Raises NotFound."""
        return self._storage.stat_file(path)

    def create_directory(self, path: Path) -> Entry:
        """Create a directory in one that exists and may be written to. Raises NameTaken, Forbidden, NameNotAllowed."""
        path = _new(path)
        if path:
            check_name(path[-1])

        def decide(fresh: bool, _held: Held) -> Callable[[], tuple[Entry, Change]]:
            parent = self._directory(path[:-1], fresh)
            taken = parent.find(path[-1]) if path else parent.entry
            if taken is not None:
                raise name_taken(taken, Strategy.REFUSE)
            return lambda: self._put(parent, lambda: self._storage.create_directory(_in(parent, path[-1])))

        return self._settle(decide, path[:-1])[0]

    def delete_directory(self, path: Path) -> None:
        """Delete an empty directory. Raises NotFound, NotEmpty, Forbidden."""
        with self._storage.lock(path[:-1], path):
            # What is in it is always asked afresh: Egnyte deletes a folder with all that is in it.
            listing = self._storage.list_directory(path, fresh=True)
            if not listing.entry.fixed:
                self._check_removable(listing.entry)
            if listing.items and not listing.entry.fixed:
                raise NotEmpty(f'"{listing.entry.name}" is not empty. Delete what is in it first.')
            self._storage.delete(listing.entry)

    def upload(self, path: Path, strategy: Strategy, fetch: Callable[[], AbstractContextManager[Content]]) -> Entry:
        """Store what *fetch* brings at *path*, or at a free name beside it if *strategy* is KEEP.

        What can be refused is refused before the content is fetched. *fetch* returns when the rest of it is near: the
        directory is held from then on, and it may be stored while it still comes. Raises
        NameNotAllowed, Forbidden, Conflict, NameTaken, DirectoryInTheWay, Locked, and what *fetch* and reading its
        content raise.
        """
        path = _new(path)
        check_name(path[-1])
        target = self._upload_directory(path[:-1], fresh=False)
        place(target, path[-1], strategy)
        # Who creates a directory changes what the one above holds: it must not go for being empty meanwhile.
        directories = {path[:-1]} if target.entry.id else {path[:-1], path[:-2]}
        with fetch() as content:
            return self._store(path, directories, strategy, content)

    def _store(
        self, path: Path, directories: Iterable[Path], strategy: Strategy, content: Content, shared: bool = True
    ) -> Entry:
        """Store *content* while *directories* are held; *shared* as for :func:`.naming.place`.

        A lock that got lost meanwhile was no lock: another process may have counted the same name, and the file that
        came later is a version of the other one. So ours is taken back, and stored under a name of its own.
        """

        def decide(fresh: bool, held: Held) -> Callable[[], tuple[Entry, Change, Held]]:
            parent = self._upload_directory(path[:-1], fresh)
            counted = strategy is Strategy.KEEP and shared and held.is_shared()
            name, over = place(parent, path[-1], strategy, shared=counted)
            put = partial(self._put, parent, lambda: self._storage.store_file(_in(parent, name), content, over))
            return lambda: (*put(), held if counted else Held())

        entry, change, relied_on = self._settle(decide, *directories)
        if relied_on.is_shared():
            return entry
        with suppress(FSPError):  # it stays a version then
            self._storage.revert(change)
        return self._store(path, directories, strategy, content, shared=False)

    def delete_file(self, path: Path) -> None:
        """Delete a file. Raises NotFound, Forbidden, Locked."""

        def decide(fresh: bool, _held: Held) -> Callable[[], Change]:
            entry = self._file(path, fresh)
            self._check_removable(entry)
            return lambda: self._storage.delete(entry)

        self._settle(decide, path[:-1])

    def move_file(self, path: Path, directory: Path, strategy: Strategy) -> Entry:
        """Move a file into *directory*, under its name or, if *strategy* is KEEP, under a free one.

        A file that is there already stays as it is. Raises NotFound, Forbidden, Conflict, DirectoryInTheWay, Locked.
        """

        def decide(fresh: bool, held: Held) -> Callable[[], Entry]:
            entry = self._file(path, fresh)
            self._check_removable(entry)
            target = self._directory(directory, fresh)
            there = target.find(entry.name)
            if there is not None and there.id == entry.id:
                return lambda: there
            shared = strategy is not Strategy.KEEP or held.is_shared()
            name, over = place(target, entry.name, strategy, shared)
            if over is None:
                return lambda: self._put(target, lambda: self._storage.move_file(entry, _in(target, name)))[0]
            self._check_removable(over)
            if entry.locked or over.locked:
                if not fresh:  # the lock may be gone since the listing was seen
                    return decide(True, held)
                name = (entry if entry.locked else over).name
                raise Locked(f'"{name}" is locked by somebody at Egnyte. Ask them to unlock it, or try again later.')
            return lambda: self._put(target, lambda: self._replace(entry, over))[0]

        try:
            return self._settle(decide, path[:-1], directory)
        except _BrokenOff as error:
            raise error.reason from error.reason.__cause__

    def _replace(self, entry: Entry, over: Entry) -> tuple[Entry, Change]:
        """Move *entry* into the place of *over*: move that one aside, move *entry*, delete the other one last.

        A deletion can be rolled back by administrators only: no one else may restore from the trash. All that comes
        before it can be moved back by whoever may move. A process that dies in between leaves both files, the one
        of them under a name like ``pizza_3f9c2a1b.jpg`` at worst.
        """
        aside, _ = self._storage.move_file(over, (*over.path[:-1], unguessable_name(over.name)))
        try:
            moved = self._storage.move_file(entry, over.path)
        except (Conflict, NotFound) as error:
            raise _BrokenOff(error) from error
        with suppress(NotFound):  # it is gone already
            self._storage.delete(aside)
        return moved

    def _settle(self, decide: Callable[[bool, Held], Callable[[], T]], *directories: Path) -> T:
        """Look and decide, then do it, while nobody else changes *directories*.

        *decide* is told whether to look afresh, and with which locks, and returns the deed. Where Egnyte finds that
        the look was out of date (a cached listing, another process, two who create one folder), it is decided anew,
        once.
        """
        with self._storage.lock(*directories) as held:
            deed = decide(False, held)
            try:
                return deed()
            except (Conflict, NameTaken, NotFound):
                return decide(True, held)()

    def _put(self, target: Listing, put: Callable[[], tuple[Entry, Change]]) -> tuple[Entry, Change]:
        """Put something into *target*, which may have been promised only; it is shown with the access of *target*."""
        if target.entry.id is None:
            self._storage.create_directory(target.entry.path)
        entry, change = put()
        return replace(entry, access=target.entry.access), change

    def _file(self, path: Path, fresh: bool) -> Entry:
        """The file by its directory's listing: what follows the change asks for that listing anyway."""
        try:
            entry = self._storage.list_directory(path[:-1], fresh).find(path[-1])
        except NotFound:
            entry = None
        if entry is None or entry.is_directory:
            raise NotFound(f'There is no file "{excerpt(path[-1])}". Refresh the file manager.')
        return entry

    def _directory(self, path: Path, fresh: bool) -> Listing:
        """The directory that something is to be put into. Raises Forbidden if it is missing, as the protocol wants."""
        try:
            listing = self._storage.list_directory(path, fresh)
        except NotFound:
            raise Forbidden(f'The folder "{excerpt(paths.text(path, directory=True))}" does not exist.') from None
        self._check_writable(listing.entry)
        return listing

    def _upload_directory(self, path: Path, fresh: bool) -> Listing:
        """The same for an upload: two directories are there as soon as they are needed."""
        if paths.key(path) not in IMPLIED:
            return self._directory(path, fresh)
        try:
            listing = self._storage.list_directory(path, fresh)
        except NotFound:
            listing = self._implied(path)
        self._check_writable(listing.entry)
        return listing

    def _implied(self, path: Path) -> Listing:
        # Asking for the parent would cost a call. What is not known of it, Egnyte says when the directory is created.
        parent = self._storage.peek_directory(path[:-1])
        access = Access.FULL if parent is None else parent.access
        return Listing(Entry(path, is_directory=True, id=None, modified=0, access=access), ())

    @staticmethod
    def _check_writable(entry: Entry) -> None:
        if entry.access < Access.EDIT:
            raise Forbidden(f'"{entry.name or "/"}" is read-only: nothing can be added, changed or deleted there.')

    @staticmethod
    def _check_removable(entry: Entry) -> None:
        """Raise Forbidden for what its folder's permissions let nobody delete or move (Egnyte wants Full for both)."""
        Operations._check_writable(entry)
        if entry.access < Access.FULL:
            raise Forbidden(
                f'"{entry.name or "/"}" can be neither deleted nor moved: your permissions at Egnyte let you add and '
                'change files there, and no more. Ask the owner of the folder for full access.'
            )


def _in(listing: Listing, name: str) -> Path:
    return (*listing.entry.path, name)


def _new(path: Path) -> Path:
    """The path of something new, whose name is stored composed, as most systems write it."""
    return (*path[:-1], *map(composed, path[-1:]))
