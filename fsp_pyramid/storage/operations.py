"""The protocol's operations, each of which reads and decides before it writes.

The rules about names, permissions and missing directories are here, once, over any IStorage.
"""

import logging
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import TypeVar

from .. import paths
from ..concurrency.locks import LockHandle
from ..errors import (
    Busy,
    Conflict,
    Forbidden,
    FSPError,
    NameTaken,
    NotEmpty,
    NotFound,
    QuotaUsedUp,
    excerpt,
)
from ..i18n import _
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
from .conflicts import name_taken, overwritten, resolve_conflict, unguessable_name
from .egnyte_errors import is_unanswered
from .name_rules import check_name
from .refusals import directory_busy, locked, no_such_file

T = TypeVar('T')

log = logging.getLogger(__name__)


class _PartialChange(Exception):
    """A change of several calls failed after the first one. It is not retried, or the first call would stay."""

    def __init__(self, reason: FSPError) -> None:
        super().__init__(reason)
        self.reason = reason


# Beefree uploads into these directories even if they do not exist.
IMPLIED = {('editor_images',), ('favicon_images',)}


class Operations:
    """Files of one caller. Paths are the caller's; errors are those of :mod:`fsp_pyramid.errors`.

    :param storage: storage limited to the caller's view
    """

    def __init__(self, storage: IStorage) -> None:
        self._storage = storage

    def list_directory(self, path: Path, fresh: bool = False) -> Listing:
        """Return the directory and its items; *fresh* bypasses the listing cache. Raises NotFound."""
        return self._storage.list_directory(path, fresh)

    def stat_file(self, path: Path) -> Entry:
        """Return the file. Raises NotFound."""
        return self._storage.stat_file(path)

    def create_directory(self, path: Path) -> Entry:
        """Create a directory in one that exists and may be written to. Raises NameTaken, Forbidden, NameNotAllowed."""
        path = _new(path)
        if path:
            check_name(path[-1])

        def decide(fresh: bool, _lock: LockHandle) -> Callable[[], tuple[Entry, Change]]:
            parent = self._directory(path[:-1], fresh)
            taken = parent.find(path[-1]) if path else parent.entry
            if taken is not None:
                raise name_taken(taken, Strategy.REFUSE)
            return lambda: self._put(parent, lambda: self._storage.create_directory(_in(parent, path[-1])))

        return self._settle(decide, path[:-1])[0]

    def delete_directory(self, path: Path) -> None:
        """Delete an empty directory. Raises NotFound, NotEmpty, Forbidden."""
        with self._storage.lock(path[:-1], path) as lock:
            # Emptiness is never read from the cache: Egnyte deletes a folder with all its contents.
            listing = self._storage.list_directory(path, fresh=True)
            if not listing.entry.fixed:
                self._check_removable(listing.entry)
            if listing.items and not listing.entry.fixed:
                raise NotEmpty(
                    _('not-empty', '"${name}" is not empty. Delete what is in it first.', name=listing.entry.name)
                )
            if not lock.is_exclusive():  # another process may be storing a file in it, which would go with it
                raise directory_busy()
            self._storage.delete(listing.entry)

    def upload(self, path: Path, strategy: Strategy, fetch: Callable[[], AbstractContextManager[Content]]) -> Entry:
        """Store the content of *fetch* at *path*, or at a free name beside it if *strategy* is KEEP.

        Most refusals come before the content is fetched. *fetch* returns when the content is complete or about to be:
        only then the directory is locked, and the content may be stored while its end is still downloaded. Raises
        NameNotAllowed, Forbidden, Conflict, NameTaken, DirectoryInTheWay, Locked, and the errors of *fetch* and of
        reading its content.
        """
        path = _new(path)
        check_name(path[-1])
        target = self._upload_directory(path[:-1], fresh=False)
        resolve_conflict(target, path[-1], strategy)
        # A new directory changes the one above, which must not be deleted as empty meanwhile.
        directories = {path[:-1]} if target.entry.id else {path[:-1], path[:-2]}
        with fetch() as content:
            return self._store(path, directories, strategy, content)

    def _store(
        self, path: Path, directories: Iterable[Path], strategy: Strategy, content: Content, repeated: bool = False
    ) -> Entry:
        """Store *content* while *directories* are locked.

        If a lock is lost meanwhile, another process may have chosen the same name, and the later file became a version
        of the earlier one. The same happens if Egnyte takes the name for that of a listed file, and we do not. So our
        upload is rolled back and repeated, once: with KEEP under an unguessable name.
        """

        def decide(fresh: bool, lock: LockHandle) -> Callable[[], tuple[Entry, Change, LockHandle, Entry | None]]:
            parent = self._upload_directory(path[:-1], fresh)
            exclusive = lock.is_exclusive() and not (repeated and strategy is Strategy.KEEP)
            name, over = resolve_conflict(parent, path[-1], strategy, exclusive)
            target = _in(parent, name)
            # To rename and to roll back, Egnyte demands Full.
            asks = strategy in {Strategy.ASK, Strategy.REFUSE} and parent.entry.access is Access.FULL
            if asks and not exclusive:
                put = partial(self._store_unless_taken, target, content, strategy)
            else:
                put = partial(self._storage.store_file, target, content, over)
            needed = lock if exclusive and (asks or strategy is Strategy.KEEP) else LockHandle()

            def write() -> tuple[Entry, Change, LockHandle, Entry | None]:
                entry, change = self._put(parent, put)
                return entry, change, needed, overwritten(parent, entry, strategy)

            return write

        entry, change, lock, taken = self._settle(decide, *directories)
        if taken is None and (repeated or lock.is_exclusive()):
            return entry
        with suppress(FSPError):  # if that fails, it remains as a version
            self._storage.revert(change)
        if taken is not None and strategy is not Strategy.KEEP:
            raise name_taken(taken, strategy)
        return self._store(path, directories, strategy, content, repeated=True)

    def _store_unless_taken(self, path: Path, content: Content, strategy: Strategy) -> tuple[Entry, Change]:
        """Store a new file without a lock: under an unguessable name first, because Egnyte renames over no other file.

        Raises Conflict or NameTaken, after which the first change is to be rolled back.
        """
        entry, _ = self._storage.store_file((*path[:-1], unguessable_name(path[-1])), content)
        try:
            return self._storage.move_file(entry, path)
        except Conflict as error:
            raise _PartialChange(name_taken(entry._replace(path=path), strategy)) from error
        except NotFound as error:
            raise _PartialChange(error) from error

    def delete_file(self, path: Path) -> None:
        """Delete a file. Raises NotFound, Forbidden, Locked."""

        def decide(fresh: bool, _lock: LockHandle) -> Callable[[], Change]:
            entry = self._file(path, fresh)
            self._check_removable(entry)
            return lambda: self._storage.delete(entry)

        self._settle(decide, path[:-1])

    def move_file(self, path: Path, directory: Path, strategy: Strategy) -> Entry:
        """Move a file into *directory*, under its name or, if *strategy* is KEEP, under a free one.

        A file that is in *directory* already stays as it is. Raises NotFound, Forbidden, Conflict, DirectoryInTheWay,
        Locked.
        """

        def decide(fresh: bool, lock: LockHandle) -> Callable[[], Entry]:
            entry = self._file(path, fresh)
            self._check_removable(entry)
            target = self._directory(directory, fresh)
            existing = target.find(entry.name)
            if existing is not None and existing.id == entry.id:
                return lambda: existing
            exclusive = strategy is not Strategy.KEEP or lock.is_exclusive()
            name, over = resolve_conflict(target, entry.name, strategy, exclusive)
            if over is None:
                return lambda: self._put(target, lambda: self._storage.move_file(entry, _in(target, name)))[0]
            self._check_removable(over)
            if entry.locked or over.locked:
                if not fresh:  # the file may have been unlocked since it was listed
                    return decide(True, lock)
                name = (entry if entry.locked else over).name
                raise locked(name)
            return lambda: self._put(target, lambda: self._replace(entry, over))[0]

        return self._settle(decide, path[:-1], directory)

    def _replace(self, entry: Entry, over: Entry) -> tuple[Entry, Change]:
        """Replace *over* by *entry*: move *over* aside, move *entry*, delete *over* last.

        Only administrators can roll a deletion back, because it needs the trash; moves can be rolled back by all users
        that may move. A process that dies in between leaves both files, at worst one of them under a name like
        ``pizza_3f9c2a1b.jpg``.
        """
        aside, _ = self._storage.move_file(over, (*over.path[:-1], unguessable_name(over.name)))
        try:
            moved = self._storage.move_file(entry, over.path)
        except (Conflict, NotFound) as error:
            raise _PartialChange(error) from error
        try:
            self._storage.delete(aside)
        except Busy:  # it was not called
            raise
        except FSPError as error:
            # It may be deleted in spite of the error, now or later: rolled-back moves would leave nothing in its place.
            # Without calls left, nothing can be rolled back.
            if is_unanswered(error) or isinstance(error, QuotaUsedUp):
                _log_left(aside, error)
            elif self._is_there(aside):
                raise _PartialChange(error) from error
        return moved

    def _is_there(self, entry: Entry) -> bool:
        """Return whether Egnyte lists the file; False if it does not answer."""
        try:
            return self._storage.list_directory(entry.path[:-1], fresh=True).find(entry.name) is not None
        except FSPError as error:
            _log_left(entry, error)
            return False

    def _settle(self, decide: Callable[[bool, LockHandle], Callable[[], T]], *directories: Path) -> T:
        """Lock *directories*, decide on a write, and make it.

        *decide* gets a flag (bypass the cache?) and the lock, and returns the write. If Egnyte's answer shows that the
        decision was based on outdated listings (a cached one, another process, two callers that create one folder),
        decide and write once more. If the lock is lost before the write, another process may have it now and have
        decided, too: wait for the lock and decide once more.
        """
        try:
            with self._storage.lock(*directories) as lock:
                write = decide(False, lock)
                if not lock.was_lost():
                    return self._written(write, decide, lock)
            with self._storage.lock(*directories) as lock:
                return self._written(decide(False, lock), decide, lock)
        except _PartialChange as error:
            raise error.reason from error.reason.__cause__

    @staticmethod
    def _written(write: Callable[[], T], decide: Callable[[bool, LockHandle], Callable[[], T]], lock: LockHandle) -> T:
        try:
            return write()
        except (Conflict, NameTaken, NotFound):
            return decide(True, lock)()

    def _put(self, target: Listing, put: Callable[[], tuple[Entry, Change]]) -> tuple[Entry, Change]:
        """Call *put*, after creating *target* if it has no id yet. The entry gets the access of *target*."""
        if target.entry.id is None:
            self._storage.create_directory(target.entry.path)
        entry, change = put()
        return entry._replace(access=target.entry.access), change

    def _file(self, path: Path, fresh: bool) -> Entry:
        """Find the file in its directory's listing: the file manager asks for that listing after the change anyway."""
        try:
            entry = self._storage.list_directory(path[:-1], fresh).find(path[-1])
        except NotFound:
            entry = None
        if entry is None or entry.is_directory:
            raise no_such_file(path)
        return entry

    def _directory(self, path: Path, fresh: bool) -> Listing:
        """Return a directory to write to. Raises Forbidden if it is missing, as the protocol demands."""
        try:
            listing = self._storage.list_directory(path, fresh)
        except NotFound:
            raise Forbidden(
                _(
                    'folder-missing',
                    'The folder "${folder}" does not exist.',
                    folder=excerpt(paths.text(path, directory=True)),
                )
            ) from None
        self._check_writable(listing.entry)
        return listing

    def _upload_directory(self, path: Path, fresh: bool) -> Listing:
        """Return a directory to upload to. Two directories are created when they are needed."""
        if paths.key(path) not in IMPLIED:
            return self._directory(path, fresh)
        try:
            listing = self._storage.list_directory(path, fresh)
        except NotFound:
            listing = self._implied(path)
        self._check_writable(listing.entry)
        return listing

    def _implied(self, path: Path) -> Listing:
        # Listing the parent would cost a call; if we lack permission there, Egnyte refuses to create the directory.
        parent = self._storage.peek_directory(path[:-1])
        access = Access.FULL if parent is None else parent.access
        return Listing(Entry(path, is_directory=True, id=None, modified=0, access=access), ())

    @staticmethod
    def _check_writable(entry: Entry) -> None:
        if entry.access < Access.EDIT:
            raise Forbidden(
                _(
                    'read-only',
                    '"${name}" is read-only: nothing can be added, changed or deleted there.',
                    name=entry.name or '/',
                )
            )

    @staticmethod
    def _check_removable(entry: Entry) -> None:
        """Raise Forbidden unless the folder's permissions allow deletion and moves (Egnyte demands Full for both)."""
        Operations._check_writable(entry)
        if entry.access < Access.FULL:
            raise Forbidden(
                _(
                    'not-removable',
                    '"${name}" can be neither deleted nor moved: your permissions at Egnyte let you add and change '
                    'files there, and no more. Ask the owner of the folder for full access.',
                    name=entry.name or '/',
                )
            )


def _log_left(entry: Entry, error: FSPError) -> None:
    log.warning('the file that a move replaced may be left at %s: %s', paths.text(entry.path), error.title)


def _in(listing: Listing, name: str) -> Path:
    return (*listing.entry.path, name)


def _new(path: Path) -> Path:
    """Return the path of a new item with its name composed, as most systems write it."""
    return (*path[:-1], *map(composed, path[-1:]))
