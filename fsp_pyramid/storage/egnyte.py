"""The lowest layer: IStorage over Egnyte's API, paths being Egnyte's own.

It looks after trouble: where a connection broke in the middle of a call that must not be made twice, it asks Egnyte
whether the call took effect before it makes it again.
"""

import logging
import time
from contextlib import AbstractContextManager
from dataclasses import replace

from zope.interface import implementer

from .. import egnyte, errors
from ..interfaces import IStorage
from ..model import Access, Change, Content, Download, Entry, Listing
from ..paths import Path, key, text
from .locks import Locks
from .names import check_path
from .translation import translated

log = logging.getLogger(__name__)

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
    """

    def __init__(self, client: egnyte.Client, locks: Locks, account: str) -> None:
        self._client, self._locks, self._account = client, locks, account

    def list_directory(self, path: Path, fresh: bool = False) -> Listing:
        """See IStorage: a call for each 1,000 items."""
        del fresh  # nothing is remembered here
        with translated(path):
            found = self._client.list_folder(text(path))
        access = _access(found.folder.permission)
        here = _spelling(path, found.folder.path)
        items = [_directory_entry((*here, folder.name), folder, access) for folder in found.folders]
        # The level that a listing tells is the folder's, and its items' until they are visited.
        items += [_file_entry((*here, file.name), file, access) for file in found.files]
        entry = _directory_entry(here, found.folder, access)
        return Listing(replace(entry, item_count=len(items)), tuple(sorted(items, key=lambda item: item.order)))

    def known_directory(self, path: Path) -> Entry | None:
        """See IStorage: nothing is remembered here."""
        del path
        return None

    def stat_file(self, path: Path) -> Entry:
        """See IStorage: one call."""
        with translated(path):
            file = self._client.stat_file(text(path))
        return _file_entry(_spelling(path, file.path), file, _access(file.permission))

    def create_directory(self, path: Path) -> tuple[Entry, Change]:
        """See IStorage: one call, if the parents are there or Egnyte creates them."""
        check_path(path)
        with translated(path):
            folder_id = self._create(path)
        entry = Entry(path, is_directory=True, id=folder_id, modified=_now(), access=Access.FULL)
        return entry, Change('created', entry)

    def _create(self, path: Path) -> str:
        try:
            folder_id = self._client.create_folder(text(path))
        except egnyte.NotFound:
            if len(path) <= 1:
                raise
            self._create(path[:-1])
            folder_id = self._client.create_folder(text(path))
        except egnyte.Unreachable:
            folder_id = self._folder_id(path) or self._client.create_folder(text(path))
        return folder_id or self._folder_id(path)

    def _folder_id(self, path: Path) -> str:
        try:
            return self._client.list_folder(text(path)).folder.folder_id
        except egnyte.NotFound:
            return ''

    def store_file(self, path: Path, content: Content, over: Entry | None = None) -> tuple[Entry, Change]:
        """See IStorage: one call, or one for each chunk of a large file."""
        check_path(path)
        with translated(path):
            try:
                stored = self._upload(path, content, over)
            except egnyte.Corrupted as error:
                self._client.delete_file(error.file_id, error.version_id)
                raise
        entry = Entry(
            path,
            is_directory=False,
            id=stored.file_id,
            modified=stored.modified or _now(),
            access=Access.FULL if over is None else over.access,
            size=content.size,
            version_id=stored.version_id,
            checksum=stored.checksum,
        )
        return entry, Change('stored', entry)

    def _upload(self, path: Path, content: Content, over: Entry | None) -> egnyte.Stored:
        arguments = text(path), content.file, content.size, content.sha512
        try:
            return self._client.upload(*arguments)
        except egnyte.Unreachable:
            return self._find_upload(path, content, over) or self._client.upload(*arguments)

    def _find_upload(self, path: Path, content: Content, over: Entry | None) -> egnyte.Stored | None:
        """The version that an upload made although its answer got lost."""
        try:
            file = self._client.stat_file(text(path))
        except egnyte.NotFound:
            return None
        if file.checksum != content.sha512 or (over is not None and file.version_id == over.version_id):
            return None
        log.info('an upload of %s took effect although the connection broke', text(path))
        return egnyte.Stored(file.file_id, file.version_id, file.checksum, file.modified)

    def delete(self, entry: Entry) -> Change:
        """See IStorage: one call, by id."""
        assert entry.id is not None, 'a directory that is not there cannot be deleted'  # noqa: S101 - invariant
        with translated(entry.path):
            if entry.is_directory:
                self._client.delete_folder(entry.id)
            else:
                self._client.delete_file(entry.id)
        return Change('deleted', entry)

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
            if not self._is_at(entry.id, path):
                self._client.move(text(entry.path), text(path))

    def _is_at(self, file_id: str | None, path: Path) -> bool:
        file = self._client.stat_file_by_id(file_id or '')
        return key(file.path.split('/')[1:]) == key(path)

    def open_file(self, file_id: str, byte_range: tuple[int, int | None] | None = None) -> Download:
        """See IStorage: one call."""
        with translated(()):
            return self._client.download(file_id, byte_range)

    def hold(self, *paths: Path) -> AbstractContextManager[None]:
        """See IStorage: holds among the threads of this process."""
        return self._locks.hold(*((self._account, 'folder', key(path)) for path in paths))

    def revert(self, change: Change) -> None:
        """See IStorage: one call for a version, two for anything else."""
        entry = change.entry
        with translated(entry.path):
            if change.verb == 'deleted':
                self._restore(entry)
                return
            try:
                if change.verb == 'created':
                    self._revert_created(entry)
                elif change.verb == 'stored':
                    self._client.delete_file(entry.id or '', entry.version_id)
                else:
                    self._revert_moved(change)
            except egnyte.NotFound:
                log.info('%s was gone already when it was to be taken back', text(entry.path))

    def _revert_created(self, entry: Entry) -> None:
        if self._client.count_items(entry.id or ''):
            log.info('%s is kept: somebody has put something into it', text(entry.path))
        else:
            self._client.delete_folder(entry.id or '')

    def _revert_moved(self, change: Change) -> None:
        if change.before is not None and self._is_at(change.entry.id, change.entry.path):
            self._client.move(text(change.entry.path), text(change.before.path))

    def _restore(self, entry: Entry) -> None:
        # The trash has ids of its own, so that what we deleted is the newest of that kind and path.
        candidates = [
            item
            for item in self._client.trash()
            if item.is_folder == entry.is_directory and key(item.path.split('/')[1:]) == key(entry.path)
        ]
        if not candidates:
            raise errors.NotFound(f'"{entry.name}" is not in the trash.')
        self._client.restore(max(candidates, key=lambda item: item.deleted).item_id)


def _now() -> int:
    return int(time.time() * 1000)


def _access(level: str | None) -> Access:
    return LEVELS.get(level or '', Access.FULL)


def _spelling(asked: Path, told: str) -> Path:
    """The path in the spelling that is stored, where it is told."""
    stored = tuple(told.split('/')[1:])
    return stored if key(stored) == key(asked) else asked


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
    )
