"""The lowest layer: IStorage over Egnyte's API, with Egnyte's own paths.

If a connection breaks during a call that must not be made twice, it asks Egnyte whether the call took effect before it
repeats it (:mod:`.recovery`).
"""

import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from itertools import islice, product
from typing import TypeVar

from zope.interface import implementer

from .. import egnyte, errors
from ..concurrency.locks import KeyedLocks, LockHandle, LockUnavailable
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
from .egnyte_errors import as_fsp_errors
from .name_rules import check_path
from .recovery import Recovery, Verb
from .refusals import directory_busy, missing

T = TypeVar('T')

# Number of forms of a path that are tried: two names that are composed or not, or one that is partly composed.
MOST_FORMS = 4

# Source: Egnyte's table of permission levels. If an answer has none (/Private, older servers), its refusals decide.
LEVELS = {
    'None': Access.VIEW,
    'Nav': Access.VIEW,
    'Viewer Only': Access.VIEW,
    'Viewer': Access.VIEW,
    'Editor': Access.EDIT,
}


@implementer(IStorage)
class EgnyteStorage:
    """Files of one account.

    :param locks: locks, shared by all storages of the Egnyte
    :param domain: name or URL of the Egnyte, whose paths the locks name: its accounts may share directories
    :param recovery_client: client of the account for calls that must not fail because earlier calls used up the wait
        for the rate limit: verification of a lost call, and rollback. *client* by default.
    :param clock: UNIX time in seconds
    """

    def __init__(
        self,
        client: egnyte.Client,
        locks: KeyedLocks,
        domain: str,
        recovery_client: egnyte.Client | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client, self._locks, self._domain, self._clock = client, locks, domain, clock
        self._recovery = Recovery(recovery_client or client)

    def _now(self) -> int:
        return int(self._clock() * 1000)

    def list_directory(self, path: Path, fresh: bool = False) -> Listing:
        """Make one call for each 1,000 items."""
        del fresh  # there is no cache here
        with as_fsp_errors(path):
            found = _in_any_form(self._client.list_folder, path)
        access = access_of(found.folder.permission)
        here = _spelling(path, found.folder.path)
        items = [_directory_entry((*here, folder.name), folder, access) for folder in found.folders]
        # A listing has the level of the folder only; it stands for the items until they are listed.
        items += [_file_entry((*here, file.name), file, access) for file in found.files]
        entry = _directory_entry(here, found.folder, access)
        return Listing(entry._replace(item_count=len(items)), tuple(sorted(items, key=lambda item: item.order)))

    def peek_directory(self, path: Path) -> Entry | None:
        """Return None: there is no cache here."""
        del path
        return None

    def stat_file(self, path: Path) -> Entry:
        """Make one call."""
        with as_fsp_errors(path):
            file = _in_any_form(self._client.stat_file, path)
        return _file_entry(_spelling(path, file.path), file, access_of(file.permission))

    def find_file(self, file_id: str) -> Entry:
        """Make one call."""
        with as_fsp_errors(()):
            file = self._client.stat_file_by_id(file_id)
        return _file_entry(tuple(file.path.split('/')[1:]), file, access_of(file.permission))

    def create_directory(self, path: Path, with_parent: bool = False) -> tuple[Entry, Change]:
        """Make one call if the parents exist or Egnyte creates them."""
        check_path(path)
        began = self._now()
        try:
            with as_fsp_errors(path):
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
        with suppress(egnyte.AlreadyExists):  # another caller was faster
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
        """Make one call, or one for each chunk of a large file."""
        check_path(path)
        with as_fsp_errors(path):
            try:
                stored, verb = self._upload(path, content, over)
            except egnyte.Corrupted as error:
                self._recovery.remove_corrupt(path, error)
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
        """Make one call, by id. A file that was moved since it was listed is deleted where it is now."""
        assert entry.id is not None, 'a directory without an id does not exist'  # noqa: S101 - invariant
        with as_fsp_errors(entry.path):
            self._delete(entry.id, entry.is_directory)
        return Change('deleted', entry, at=self._now())

    def _delete(self, item_id: str, is_directory: bool) -> None:
        try:
            if is_directory:
                self._client.delete_folder(item_id)
            else:
                self._client.delete_file(item_id)
        except egnyte.Unreachable:
            if not self._recovery.is_gone(item_id, is_directory):
                raise

    def move_file(self, entry: Entry, path: Path) -> tuple[Entry, Change]:
        """Make one call. It goes by path, because Egnyte offers no move by id."""
        check_path(path)
        with as_fsp_errors(path):
            self._move(entry, path)
        moved = entry._replace(path=path)
        return moved, Change('moved', moved, before=entry)

    def _move(self, entry: Entry, path: Path) -> None:
        try:
            self._client.move(text(entry.path), text(path))
        except egnyte.Unreachable:
            if not self._recovery.is_at(entry.id or '', path):
                self._client.move(text(entry.path), text(path))

    def open_file(self, file_id: str, byte_range: tuple[int, int | None] | None = None) -> Download:
        """Make one call."""
        with as_fsp_errors(()):
            return self._client.download(file_id, byte_range)

    def lock(self, *paths: Path) -> AbstractContextManager[LockHandle]:
        """Lock the directories for the threads or processes that share the locks."""
        return self._lock(paths)

    @contextmanager
    def _lock(self, paths: Iterable[Path], *, urgent: bool = False) -> Iterator[LockHandle]:
        keys: list[Hashable] = [(self._domain, 'folder', key(path)) for path in paths]
        with ExitStack() as stack:
            try:
                handle = stack.enter_context(self._locks.lock(*keys, urgent=urgent))
            except LockUnavailable as error:
                raise directory_busy() from error
            yield handle

    def revert(self, change: Change) -> None:
        """Make one call for a version, two to four for anything else."""
        with self._lock(change.directories, urgent=True), as_fsp_errors(change.entry.path):
            self._recovery.roll_back(change)


def access_of(level: str | None) -> Access:
    """Return the permission that a level of Egnyte's grants; None for an answer without one."""
    return LEVELS.get(level or '', Access.FULL)


def _in_any_form(find: Callable[[str], T], path: Path) -> T:
    """Return the result of *find* at *path*, or else at a path whose names are composed in another way.

    Egnyte does not document if it takes the forms for one name. Names without composed characters cost one call.
    """
    try:
        return find(text(path))
    except egnyte.NotFound:
        forms = product(*(dict.fromkeys((name, composed(name), decomposed(name))) for name in path))
        for other in islice(forms, 1, MOST_FORMS):
            with suppress(egnyte.NotFound):
                return find(text(other))
        raise


def _spelling(asked: Path, answered: str) -> Path:
    """Return the path in the spelling that is stored, if Egnyte's answer has it.

    Raises NotFound for another name, which Egnyte takes for the same one and we do not.
    """
    stored = tuple(answered.split('/')[1:])
    if key(stored) == key(asked):
        return stored
    if len(stored) == len(asked):
        raise missing(asked)
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
