"""When something went wrong: what became of a call whose answer got lost, and how a change is taken back."""

import logging
from typing import Literal

from .. import egnyte, errors
from ..model import (
    Access,
    Change,
    Content,
    Entry,
)
from ..paths import Path, key, text

log = logging.getLogger(__name__)

Verb = Literal['created', 'stored', 'found']

# Milliseconds: Egnyte's clock is not ours, and it tells a file's time in whole seconds.
SLACK = 2000
# Names that are used again and again fill the trash: so many items are tried before a person has to look.
MOST_RESTORED = 3


class CorruptUpload(errors.SourceFailed):
    """A damaged version was stored, and could not be removed at once. *change* is to be taken back."""

    def __init__(self, change: Change) -> None:
        super().__init__(f'"{change.entry.name}" was damaged on its way to Egnyte. Please upload it again.')
        self.change = change


class Recovery:
    """Looks into an account's files and mends them. Raises EgnyteError where that fails.

    :param client: with patience of its own: the request's may be used up, and that may be the very trouble
    """

    def __init__(self, client: egnyte.Client) -> None:
        self._client = client

    # What became of a call? *began* is when it was made, in UNIX milliseconds by our clock.

    def find_upload(
        self, path: Path, content: Content, over: Entry | None, began: int
    ) -> tuple[egnyte.Stored, Verb] | None:
        """The version that an upload made although its answer got lost; None if it made none."""
        try:
            file = self._client.stat_file(text(path))
        except egnyte.NotFound:
            return None
        if over is not None and file.version_id == over.version_id:
            return None
        # Only a whole file can have become a version: its end is waited for.
        if file.size != content.size or file.checksum.lower() != self._client.checksum(content):
            return None
        verb = _made_by_us(path, file.modified, began, 'stored')
        return verb and (egnyte.Stored(file.file_id, file.version_id, file.checksum, file.modified), verb)

    def find_folder(self, path: Path, began: int) -> tuple[str, Verb] | None:
        """The id of the folder that a call made although its answer got lost; None if it made none."""
        try:
            folder = self._client.list_folder(text(path)).folder
        except egnyte.NotFound:
            return None
        verb = _made_by_us(path, folder.modified, began, 'created')
        return verb and (folder.folder_id, verb)

    def folder_id(self, path: Path) -> str:
        """The id of a folder that was created, where Egnyte did not tell it."""
        return self._client.list_folder(text(path)).folder.folder_id

    def is_at(self, file_id: str, path: Path) -> bool:
        """Whether the file is at *path* right now. Raises NotFound where it is nowhere."""
        return _names(self._client.stat_file_by_id(file_id).path) == key(path)

    # Taking back

    def remove_damaged(self, path: Path, damaged: egnyte.Corrupted) -> None:
        """Delete a damaged version. Raises LeftBehind if that cannot be done now."""
        try:
            self._client.delete_file(damaged.file_id, damaged.version_id)
        except egnyte.EgnyteError as error:
            log.warning('a damaged version of %s could not be removed at once: %s', text(path), error)
            entry = Entry(
                path,
                is_directory=False,
                id=damaged.file_id,
                modified=0,
                access=Access.FULL,
                version_id=damaged.version_id,
            )
            raise CorruptUpload(Change('stored', entry)) from damaged

    def take_back(self, change: Change) -> None:
        """See IStorage.revert; the directories are held."""
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
            log.info('%s was gone already when it was to be taken back', text(change.entry.path))

    def _remove_empty(self, path: Path, folder_id: str) -> None:
        if self._client.count_items(folder_id):
            log.info('%s is kept: somebody has put something into it', text(path))
        else:
            self._client.delete_folder(folder_id)

    def _remove_parent(self, change: Change) -> None:
        """Remove the directory above if it is empty, and not older than the call that created *change*'s."""
        found = self._client.list_folder(text(change.entry.path[:-1]))
        if not (found.folders or found.files) and found.folder.created >= change.at - SLACK:
            self._client.delete_folder(found.folder.folder_id)

    def _move_back(self, change: Change) -> None:
        if change.before is not None and self.is_at(change.entry.id or '', change.entry.path):
            self._client.move(text(change.entry.path), text(change.before.path))

    def _restore(self, change: Change) -> None:
        # The trash has ids of its own, and may hold others of that path: ours was deleted when we deleted it.
        entry = change.entry
        wanted = entry.is_directory, key(entry.path)
        items = [item for item in self._client.trash() if (item.is_folder, _names(item.path)) == wanted]
        items.sort(key=lambda item: abs(item.deleted - change.at))
        for item in items[:MOST_RESTORED]:
            self._client.restore(item.item_id)
            if self._is_restored(entry):
                return
        raise errors.NotFound(f'"{entry.name}" is not in the trash.')

    def _is_restored(self, entry: Entry) -> bool:
        """Whether what is at its path now is *entry*, or is like it; something else goes back into the trash."""
        if entry.is_directory:
            found = self._client.list_folder(text(entry.path))
            # Ours was empty. (Whether a real Egnyte keeps ids in its trash is not documented.)
            if found.folder.folder_id == entry.id or not (found.folders or found.files):
                return True
            self._client.delete_folder(found.folder.folder_id)
        else:
            file = self._client.stat_file(text(entry.path))
            if file.file_id == entry.id or file.checksum == entry.checksum:
                return True
            self._client.delete_file(file.file_id)
        log.info('what somebody else deleted at %s went back into the trash', text(entry.path))
        return False


def _made_by_us(path: Path, dated: int, began: int, verb: Verb) -> Verb | None:
    """*verb* for what was made since we began, ``found`` where the clocks cannot tell, None for what is older."""
    if dated < began - SLACK:
        return None
    log.info('a call for %s took effect although the connection broke', text(path))
    return verb if dated > began + SLACK else 'found'


def _names(path: str) -> Path:
    return key(path.split('/')[1:])
