"""Recovery: find out if a call whose answer got lost took effect, and roll changes back."""

import logging
from typing import Literal

from .. import egnyte, errors
from ..i18n import _
from ..model import (
    Access,
    Change,
    Content,
    Entry,
)
from ..paths import Path, key, text

log = logging.getLogger(__name__)

Verb = Literal['created', 'stored', 'found']

# Tolerance in milliseconds: Egnyte's clock differs from ours, and it reports a file's time in whole seconds.
SLACK = 2000
# Number of items of one path in the trash that are tried: names that are reused often fill the trash.
MOST_RESTORED = 3


class CorruptUpload(errors.SourceFailed):
    """A corrupt version was stored, and could not be removed at once: *change* is to be rolled back."""

    def __init__(self, change: Change) -> None:
        super().__init__(f'"{change.entry.name}" was damaged on its way to Egnyte. Please upload it again.')
        self.change = change


class Recovery:
    """Recovery of one account's files. Methods raise EgnyteError if they fail.

    :param client: client with a wait for the rate limit of its own: the request's may be used up, and may have caused
        the failure
    """

    def __init__(self, client: egnyte.Client) -> None:
        self._client = client

    # Verification of lost calls. *began* is the time of the call, in UNIX milliseconds by our clock.

    def find_upload(
        self, path: Path, content: Content, over: Entry | None, began: int
    ) -> tuple[egnyte.Stored, Verb] | None:
        """Return the version that an upload made although its answer got lost; None if it made none."""
        try:
            file = self._client.stat_file(text(path))
        except egnyte.NotFound:
            return None
        if over is not None and file.version_id == over.version_id:
            return None
        # Only a whole file can have become a version, so wait for its end.
        if file.size != content.size or file.checksum.lower() != self._client.checksum(content):
            return None
        verb = _made_by_us(path, file.modified, began, 'stored')
        return verb and (egnyte.Stored(file.file_id, file.version_id, file.checksum, file.modified), verb)

    def find_folder(self, path: Path, began: int) -> tuple[str, Verb] | None:
        """Return the id of the folder that a call made although its answer got lost; None if it made none."""
        try:
            folder = self._client.list_folder(text(path)).folder
        except egnyte.NotFound:
            return None
        verb = _made_by_us(path, folder.modified, began, 'created')
        return verb and (folder.folder_id, verb)

    def folder_id(self, path: Path) -> str:
        """Return the id of a created folder, if Egnyte's answer lacked it."""
        return self._client.list_folder(text(path)).folder.folder_id

    def is_at(self, file_id: str, path: Path) -> bool:
        """Ask if the file is at *path* now. Raises NotFound if it does not exist."""
        return _names(self._client.stat_file_by_id(file_id).path) == key(path)

    def is_gone(self, item_id: str, is_directory: bool) -> bool:
        """Ask if the file or folder does not exist any more."""
        try:
            if is_directory:
                self._client.count_items(item_id)
            else:
                self._client.stat_file_by_id(item_id)
        except egnyte.NotFound as error:
            return error.authentic
        return False

    # Rollback

    def remove_corrupt(self, path: Path, corrupted: egnyte.Corrupted) -> None:
        """Delete a corrupt version. Raises CorruptUpload if that fails."""
        try:
            self._client.delete_file(corrupted.file_id, corrupted.version_id)
        except egnyte.EgnyteError as error:
            log.warning('a corrupt version of %s could not be removed at once: %s', text(path), error)
            entry = Entry(
                path,
                is_directory=False,
                id=corrupted.file_id,
                modified=0,
                access=Access.FULL,
                version_id=corrupted.version_id,
            )
            raise CorruptUpload(Change('stored', entry)) from corrupted

    def roll_back(self, change: Change) -> None:
        """Roll *change* back as IStorage.revert does, while its directories are locked."""
        if change.verb == 'deleted':
            self._restore(change)
            return
        try:
            match change.verb:
                case 'created':
                    self._remove_empty(change.entry.path, change.entry.id or '')
                    if change.with_parent:
                        self._remove_parent(change)
                case 'stored':
                    self._client.delete_file(change.entry.id or '', change.entry.version_id)
                case 'moved':
                    self._move_back(change)
        except egnyte.NotFound:
            log.info('%s was gone already when it was to be rolled back', text(change.entry.path))

    def _remove_empty(self, path: Path, folder_id: str) -> None:
        if self._client.count_items(folder_id):
            log.info('%s is not deleted: it is not empty any more', text(path))
        else:
            self._client.delete_folder(folder_id)

    def _remove_parent(self, change: Change) -> None:
        """Remove the parent directory if it is empty, and not older than the call that created the directory."""
        found = self._client.list_folder(text(change.entry.path[:-1]))
        if not (found.folders or found.files) and found.folder.created >= change.at - SLACK:
            self._client.delete_folder(found.folder.folder_id)

    def _move_back(self, change: Change) -> None:
        if change.before is None:
            return
        try:
            is_there = self.is_at(change.entry.id or '', change.entry.path)
        except egnyte.NotFound as error:
            # Moves go by path: if a colleague had replaced the listed file, the new one was moved.
            is_there = error.authentic
        if is_there:
            self._client.move(text(change.entry.path), text(change.before.path))

    def _restore(self, change: Change) -> None:
        # The trash has ids of its own, and may hold more items of that path: the time of deletion identifies ours.
        entry = change.entry
        wanted = entry.is_directory, key(entry.path)
        items = [item for item in self._client.trash() if (item.is_folder, _names(item.path)) == wanted]
        items.sort(key=lambda item: abs(item.deleted - change.at))
        for item in items[:MOST_RESTORED]:
            self._client.restore(item.item_id)
            if self._is_restored(entry):
                return
        raise errors.NotFound(_('not-in-trash', '"${name}" is not in the trash.', name=entry.name))

    def _is_restored(self, entry: Entry) -> bool:
        """Return whether the item at the path is *entry* or equal to it; any other one goes back into the trash."""
        if entry.is_directory:
            found = self._client.list_folder(text(entry.path))
            # Ours was empty. (It is not documented if Egnyte keeps ids in its trash.)
            if found.folder.folder_id == entry.id or not (found.folders or found.files):
                return True
            self._client.delete_folder(found.folder.folder_id)
        else:
            file = self._client.stat_file(text(entry.path))
            if file.file_id == entry.id or file.checksum == entry.checksum:
                return True
            self._client.delete_file(file.file_id)
        log.info('an item at %s that was not deleted by us went back into the trash', text(entry.path))
        return False


def _made_by_us(path: Path, dated: int, began: int, verb: Verb) -> Verb | None:
    """Return *verb* for an item made after *began*, ``found`` if the clocks cannot decide, None for an older one."""
    if dated < began - SLACK:
        return None
    log.info('a call for %s took effect although the connection broke', text(path))
    return verb if dated > began + SLACK else 'found'


def _names(path: str) -> Path:
    return key(path.split('/')[1:])
