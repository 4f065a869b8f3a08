"""The lowest layer: IStorage over Egnyte's API, paths being Egnyte's own.

It looks after trouble: where a connection broke in the middle of a call that must not be made twice, it asks Egnyte
whether the call took effect before it makes it again (:mod:`.recovery`).
"""

import time
from collections.abc import Callable, Hashable, Iterable
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from itertools import islice, product
from typing import TypeVar

from zope.interface import implementer

from .. import egnyte, errors
from ..concurrency.locks import Held, KeyedLocks
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
    composed,
    decomposed,
    key,
    text,
)
from .egnyte_errors import translated
from .name_rules import check_path
from .recovery import Recovery, Verb

T = TypeVar('T')

# Of the forms of a path that Egnyte may have: two names that are composed or not, or one that is partly composed.
MOST_FORMS = 4

# Source: Egnyte's table of permission levels. Where none is told (/Private, older servers) its refusals decide.
LEVELS = {
    'None': Access.VIEW,
    'Nav': Access.VIEW,
    'Viewer Only': Access.VIEW,
    'Viewer': Access.VIEW,
    'Editor': Access.EDIT,
}


@implementer(IStorage)
class EgnyteStorage:
    """One account's files.

    :param locks: shared by all storages of the account in this process
    :param account: the account's key, in which the locks differ from those of other accounts
    :param patient: another client of the account, for what must not fail because the calls before it had to wait: to
        see what became of a call, and to take changes back. Without it *client* does that, too.
    :param clock: UNIX time in seconds
    """

    def __init__(
        self,
        client: egnyte.Client,
        locks: KeyedLocks,
        account: str,
        patient: egnyte.Client | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client, self._locks, self._account, self._clock = client, locks, account, clock
        self._recovery = Recovery(patient or client)

    def _now(self) -> int:
        return int(self._clock() * 1000)

    def list_directory(self, path: Path, fresh: bool = False) -> Listing:
        """See IStorage: a call for each 1,000 items."""
        del fresh  # nothing is remembered here
        with translated(path):
            found = _in_any_form(self._client.list_folder, path)
        access = _access(found.folder.permission)
        here = _spelling(path, found.folder.path)
        items = [_directory_entry((*here, folder.name), folder, access) for folder in found.folders]
        # The level that a listing tells is the folder's, and its items' until they are visited.
        items += [_file_entry((*here, file.name), file, access) for file in found.files]
        entry = _directory_entry(here, found.folder, access)
        return Listing(replace(entry, item_count=len(items)), tuple(sorted(items, key=lambda item: item.order)))

    def peek_directory(self, path: Path) -> Entry | None:
        """See IStorage: nothing is remembered here."""
        del path
        return None

    def stat_file(self, path: Path) -> Entry:
        """See IStorage: one call."""
        with translated(path):
            file = _in_any_form(self._client.stat_file, path)
        return _file_entry(_spelling(path, file.path), file, _access(file.permission))

    def find_file(self, file_id: str) -> Entry:
        """See IStorage: one call."""
        with translated(()):
            file = self._client.stat_file_by_id(file_id)
        return _file_entry(tuple(file.path.split('/')[1:]), file, _access(file.permission))

    def create_directory(self, path: Path, with_parent: bool = False) -> tuple[Entry, Change]:
        """See IStorage: one call, if the parents are there or Egnyte creates them."""
        check_path(path)
        began = self._now()
        try:
            with translated(path):
                folder_id, verb = self._create(path)
        except errors.Conflict as error:
            raise errors.NameTaken(error.details) from error.__cause__
        entry = Entry(path, is_directory=True, id=folder_id, modified=self._now(), access=Access.FULL)
        return entry, Change(verb, entry, at=began, with_parent=with_parent)

    def _create(self, path: Path) -> tuple[str, Verb]:
        try:
            return self._create_last(path)
        except egnyte.NotFound:
            if len(path) <= 1:
                raise
        with suppress(egnyte.AlreadyExists):  # somebody else was faster
            self._create(path[:-1])
        return self._create_last(path)

    def _create_last(self, path: Path) -> tuple[str, Verb]:
        began = self._now()
        try:
            return self._client.create_folder(text(path)) or self._recovery.folder_id(path), 'created'
        except egnyte.Unreachable:
            found = self._recovery.find_folder(path, began)
        return found or (self._client.create_folder(text(path)) or self._recovery.folder_id(path), 'created')

    def store_file(self, path: Path, content: Content, over: Entry | None = None) -> tuple[Entry, Change]:
        """See IStorage: one call, or one for each chunk of a large file."""
        check_path(path)
        with translated(path):
            try:
                stored, verb = self._upload(path, content, over)
            except egnyte.Corrupted as error:
                self._recovery.remove_damaged(path, error)
                raise
        entry = Entry(
            path,
            is_directory=False,
            id=stored.file_id,
            modified=stored.modified or self._now(),
            access=Access.FULL if over is None else over.access,
            size=content.size,
            version_id=stored.version_id,
            checksum=stored.checksum,
        )
        return entry, Change(verb, entry)

    def _upload(self, path: Path, content: Content, over: Entry | None) -> tuple[egnyte.Stored, Verb]:
        began = self._now()
        try:
            return self._client.upload(text(path), content), 'stored'
        except egnyte.Unreachable:
            found = self._recovery.find_upload(path, content, over, began)
        return found or (self._client.upload(text(path), content), 'stored')

    def delete(self, entry: Entry) -> Change:
        """See IStorage: one call, by id. What somebody has moved elsewhere since it was listed is deleted there."""
        assert entry.id is not None, 'a directory that is not there cannot be deleted'  # noqa: S101 - invariant
        with translated(entry.path):
            if entry.is_directory:
                self._client.delete_folder(entry.id)
            else:
                self._client.delete_file(entry.id)
        return Change('deleted', entry, at=self._now())

    def move_file(self, entry: Entry, path: Path) -> tuple[Entry, Change]:
        """See IStorage: one call. It goes by path, because Egnyte has no other way."""
        check_path(path)
        with translated(path):
            self._move(entry, path)
        moved = replace(entry, path=path)
        return moved, Change('moved', moved, before=entry)

    def _move(self, entry: Entry, path: Path) -> None:
        try:
            self._client.move(text(entry.path), text(path))
        except egnyte.Unreachable:
            if not self._recovery.is_at(entry.id or '', path):
                self._client.move(text(entry.path), text(path))

    def open_file(self, file_id: str, byte_range: tuple[int, int | None] | None = None) -> Download:
        """See IStorage: one call."""
        with translated(()):
            return self._client.download(file_id, byte_range)

    def lock(self, *paths: Path) -> AbstractContextManager[Held]:
        """See IStorage: holds among the threads of this process."""
        return self._locks.lock(*self._lock_keys(paths))

    def _lock_keys(self, paths: Iterable[Path]) -> list[Hashable]:
        return [(self._account, 'folder', key(path)) for path in paths]

    def revert(self, change: Change) -> None:
        """See IStorage: one call for a version, two to four for anything else."""
        with self._locks.lock(*self._lock_keys(change.directories), urgent=True), translated(change.entry.path):
            self._recovery.take_back(change)


def _access(level: str | None) -> Access:
    return LEVELS.get(level or '', Access.FULL)


def _in_any_form(look: Callable[[str], T], path: Path) -> T:
    """Return what *look* finds at *path*, or else at a path whose names are composed in another way.

    Whether the forms are one name for Egnyte is not documented. No call more for names without composed characters.
    """
    try:
        return look(text(path))
    except egnyte.NotFound:
        forms = product(*(dict.fromkeys((name, composed(name), decomposed(name))) for name in path))
        for other in islice(forms, 1, MOST_FORMS):
            with suppress(egnyte.NotFound):
                return look(text(other))
        raise


def _spelling(asked: Path, told: str) -> Path:
    """Return the path in the spelling that is stored, where it is told.

    Raises NotFound for another name, which Egnyte takes for the same one and we do not.
    """
    stored = tuple(told.split('/')[1:])
    if key(stored) == key(asked):
        return stored
    if len(stored) == len(asked):
        raise errors.NotFound(f'"{asked[-1]}" does not exist. Refresh the file manager.')
    return asked


def _directory_entry(path: Path, folder: egnyte.Folder, access: Access) -> Entry:
    return Entry(path, is_directory=True, id=folder.folder_id, modified=folder.modified, access=access)


def _file_entry(path: Path, file: egnyte.File, access: Access) -> Entry:
    return Entry(
        path,
        is_directory=False,
        id=file.file_id,
        modified=file.modified,
        access=access,
        size=file.size,
        version_id=file.version_id,
        checksum=file.checksum,
        locked=file.locked,
    )
