"""What a caller may do: the protocol's operations, each of them a look before the deed.

The rules about names, permissions and missing directories live here, once, over any IStorage.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager

from .. import paths
from ..errors import Forbidden, NotEmpty, NotFound
from ..interfaces import IStorage
from ..model import Access, Content, Entry, Listing, Strategy
from ..paths import Path
from .names import check_name
from .naming import name_taken, place

# Beefree uploads into these without asking whether they are there.
IMPLIED = {('editor_images',), ('favicon_images',)}


class Operations:
    """The files of one caller. Paths are as the caller writes them; errors are those of :mod:`fsp_pyramid.errors`.

    :param storage: with what the caller sees, and nothing else
    """

    def __init__(self, storage: IStorage) -> None:
        self._storage = storage

    def list_directory(self, path: Path) -> Listing:
        """The directory and its items. Raises NotFound."""
        return self._storage.list_directory(path)

    def stat_file(self, path: Path) -> Entry:
        """The file. Raises NotFound."""
        return self._storage.stat_file(path)

    def create_directory(self, path: Path) -> Entry:
        """Create a directory in one that exists and may be written to. Raises NameTaken, Forbidden, NameNotAllowed."""
        if path:
            check_name(path[-1])
        with self._storage.hold(path[:-1]):
            parent = self._parent(path)
            taken = parent.find(path[-1]) if path else parent.entry
            if taken is not None:
                raise name_taken(taken, Strategy.REFUSE)
            self._make_ready(parent)
            entry, _ = self._storage.create_directory(_in(parent, path[-1]))
            return entry

    def delete_directory(self, path: Path) -> None:
        """Delete an empty directory. Raises NotFound, NotEmpty, Forbidden."""
        with self._storage.hold(path[:-1], path):
            # What is in it is always asked afresh: Egnyte deletes a folder with all that is in it.
            listing = self._storage.list_directory(path, fresh=True)
            if not listing.entry.fixed:
                self._check_writable(listing.entry)
            if listing.items and not listing.entry.fixed:
                raise NotEmpty(f'"{listing.entry.name}" is not empty. Delete what is in it first.')
            self._storage.delete(listing.entry)

    def upload(self, path: Path, strategy: Strategy, fetch: Callable[[], AbstractContextManager[Content]]) -> Entry:
        """Store what *fetch* brings at *path*, or at a free name beside it if *strategy* is KEEP.

        What can be refused is refused before the content is fetched. Raises NameNotAllowed, Forbidden, Conflict,
        NameTaken, DirectoryInTheWay, Locked, and what *fetch* raises.
        """
        check_name(path[-1])
        place(self._upload_directory(path), path[-1], strategy)
        with fetch() as content, self._storage.hold(path[:-1]):
            parent = self._upload_directory(path)
            name, over = place(parent, path[-1], strategy)
            self._make_ready(parent)
            entry, _ = self._storage.store_file(_in(parent, name), content, over)
            return entry

    def delete_file(self, path: Path) -> None:
        """Delete a file. Raises NotFound, Forbidden, Locked."""
        with self._storage.hold(path[:-1]):
            entry = self._file(path)
            self._check_writable(entry)
            self._storage.delete(entry)

    def move_file(self, path: Path, directory: Path, strategy: Strategy) -> Entry:
        """Move a file into *directory*, under its name or, if *strategy* is KEEP, under a free one.

        A file that is there already stays as it is. Raises NotFound, Forbidden, Conflict, DirectoryInTheWay, Locked.
        """
        with self._storage.hold(path[:-1], directory):
            entry = self._file(path)
            self._check_writable(entry)
            target = self._directory(directory)
            there = target.find(entry.name)
            if there is not None and there.id == entry.id:
                return there
            name, over = place(target, entry.name, strategy)
            self._make_ready(target)
            if over is not None:
                self._storage.delete(over)
            moved, _ = self._storage.move_file(entry, _in(target, name))
            return moved

    def _file(self, path: Path) -> Entry:
        """The file by its directory's listing: what follows the change asks for that listing anyway."""
        try:
            entry = self._storage.list_directory(path[:-1]).find(path[-1])
        except NotFound:
            entry = None
        if entry is None or entry.is_directory:
            raise NotFound(f'There is no file "{path[-1]}". Refresh the file manager.')
        return entry

    def _parent(self, path: Path) -> Listing:
        return self._directory(path[:-1])

    def _directory(self, path: Path) -> Listing:
        """The directory that something is to be put into. Raises Forbidden if it is missing, as the protocol wants."""
        try:
            listing = self._storage.list_directory(path)
        except NotFound:
            raise Forbidden(f'The folder "{paths.text(path, directory=True)}" does not exist.') from None
        self._check_writable(listing.entry)
        return listing

    def _upload_directory(self, path: Path) -> Listing:
        """The same for an upload: two directories are there as soon as they are needed."""
        if paths.key(path[:-1]) not in IMPLIED:
            return self._parent(path)
        try:
            listing = self._storage.list_directory(path[:-1])
        except NotFound:
            entry = Entry(path[:-1], is_directory=True, id=None, modified=0, access=Access.FULL)
            return Listing(entry, ())
        self._check_writable(listing.entry)
        return listing

    def _make_ready(self, listing: Listing) -> None:
        """Create a directory that was promised and is not there yet, for what is to be put into it."""
        if listing.entry.id is None:
            self._storage.create_directory(listing.entry.path)

    @staticmethod
    def _check_writable(entry: Entry) -> None:
        if entry.access < Access.EDIT:
            raise Forbidden(f'"{entry.name or "/"}" is read-only: nothing can be added, changed or deleted there.')


def _in(listing: Listing, name: str) -> Path:
    return (*listing.entry.path, name)
