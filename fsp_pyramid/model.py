"""Value types of storage, views and accounts."""

import re
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import BinaryIO, Literal, NamedTuple, Protocol

from .paths import Path, fold

# Of the ids that Beefree sends: client id and uid.
ID_FORMAT = re.compile(r'[A-Za-z0-9_-]{1,200}')


class Access(IntEnum):
    """Permission of the caller in a directory: read; add and change, too; delete and move, too."""

    VIEW = 1
    EDIT = 2
    FULL = 3


class Strategy(Enum):
    """Strategy for a file whose name is taken."""

    KEEP = 'keep'  # take the next free name
    REPLACE = 'replace'
    ASK = 'ask'  # 409: Beefree shows its dialog
    REFUSE = 'error'  # 403


class Entry(NamedTuple):
    """One file or directory in a listing.

    :param id: a directory's or a file's id at Egnyte, stable over rename, move and new versions. None for a directory
        that is shown before Egnyte has it: the folder of a new uid, or one that only contains mapped folders.
    :param modified: UNIX time in milliseconds; 0 if unknown
    :param access: permission in this directory, or in this file's directory
    :param size: in bytes; 0 for directories
    :param version_id: id of the file's current version
    :param checksum: lower-case hex SHA-512 of a file that was not uploaded in chunks
    :param item_count: number of files and directories in it; 0 if unknown
    :param fixed: exists by configuration: it can be neither deleted nor moved
    :param locked: the file was locked at Egnyte, by any user, when it was listed
    """

    path: Path
    is_directory: bool
    id: str | None
    modified: int
    access: Access
    size: int = 0
    version_id: str | None = None
    checksum: str | None = None
    item_count: int = 0
    fixed: bool = False
    locked: bool = False

    @property
    def name(self) -> str:
        """Last name of the path; the empty string for the root."""
        return self.path[-1] if self.path else ''

    def at(self, path: Path, access: Access, *, fixed: bool) -> 'Entry':
        """Return the entry with another path, permission and flag. Faster than ``_replace``."""
        return Entry(
            path,
            self.is_directory,
            self.id,
            self.modified,
            access,
            self.size,
            self.version_id,
            self.checksum,
            self.item_count,
            fixed,
            self.locked,
        )

    @property
    def order(self) -> tuple[bool, str, str]:
        """Sort key in a listing: directories first, each kind by name, case-insensitive."""
        return (not self.is_directory, fold(self.name), self.name)


class Listing:
    """A directory, and its items in the order of :attr:`Entry.order`. Not to be changed.

    :param items: the items, or a function that returns them when they are read: thousands take time to make, and a
        response that was rendered before needs none of them
    :param version: equal for two listings only if they have the same entry and items; None where that is unknown
    :param variant: differs for callers who see different items in one directory
    """

    __slots__ = ('_items', 'entry', 'variant', 'version')

    def __init__(
        self,
        entry: Entry,
        items: tuple[Entry, ...] | Callable[[], tuple[Entry, ...]],
        version: Hashable = None,
        variant: Hashable = None,
    ) -> None:
        self.entry, self._items, self.version, self.variant = entry, items, version, variant

    @property
    def items(self) -> tuple[Entry, ...]:
        """The files and directories in it."""
        if not isinstance(self._items, tuple):
            self._items = self._items()
        return self._items

    def __repr__(self) -> str:
        return f'Listing({self.entry!r}, {self.items!r})'

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Listing) and (self.entry, self.items) == (other.entry, other.items)

    __hash__ = None  # type: ignore[assignment]  # of a value of thousands of entries

    def named(self, name: str) -> list[Entry]:
        """Return the items of that name, in any spelling."""
        folded = fold(name)
        return [item for is_file in (False, True) for item in self._run((is_file, folded))]

    def _run(self, wanted: tuple[bool, str]) -> Iterator[Entry]:
        """Iterate over the items whose order begins with *wanted*: few look-ups in thousands of items."""
        items = self.items
        for index in range(bisect_left(items, wanted, key=lambda item: item.order[:2]), len(items)):
            if items[index].order[:2] != wanted:
                return
            yield items[index]

    def find(self, name: str) -> Entry | None:
        """Return the item of that name: in this spelling if there is one, else in any other."""
        found = self.named(name)
        return next((item for item in found if item.name == name), found[0] if found else None)


@dataclass(frozen=True, slots=True)
class Change:
    """A change by a method of IStorage, with all data for its rollback.

    :param verb: ``found`` if another user may have made the change: the connection broke, and the wanted item exists.
        It is never rolled back.
    :param entry: the item after the change; for ``deleted``, the item before it
    :param before: for ``moved``, the file before the move
    :param at: for ``deleted``, the time after the call, for ``created``, the time before it, in UNIX milliseconds by
        our clock
    :param with_parent: for ``created``, the directory above may have been created with it, and is rolled back with it
    """

    verb: Literal['created', 'stored', 'deleted', 'moved', 'found']
    entry: Entry
    before: Entry | None = None
    at: int = 0
    with_parent: bool = False

    @property
    def directories(self) -> frozenset[Path]:
        """The directories whose items it changed, and the entry itself if it is a directory."""
        paths = [self.entry.path[:-1]]
        if self.before is not None:
            paths.append(self.before.path[:-1])
        if self.entry.is_directory:
            paths.append(self.entry.path)
        return frozenset(paths)


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes to store: a seekable file, read from its beginning as often as needed.

    The download may be in progress. Reading waits for missing bytes, and raises an FSPError if they never come.

    :param size: in bytes, known before the download is complete
    :param digest: future of the SHA-512, or of that FSPError
    """

    file: BinaryIO
    size: int
    digest: Future[str]

    @property
    def complete(self) -> bool:
        """True if reading needs no wait any more."""
        return self.digest.done()

    @property
    def sha512(self) -> str:
        """SHA-512 in lower-case hex. Waits for the last byte; raises the FSPError if the download failed."""
        return self.digest.result()


class Download(Protocol):
    """Content of a file as a stream. The consumer closes it, or the connection to Egnyte stays occupied."""

    size: int | None
    mime_type: str
    version_id: str
    checksum: str  # from Egnyte's answer; '' if it has none
    modified: int  # UNIX milliseconds

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None:
        """Release the connection, read to the end or not."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Identity of a caller.

    :param client: name of the configured client whose credentials were sent, '' for the one without a name
    :param client_id: integrator application, from X-BEE-ClientId
    :param uid: user of the application, from X-BEE-Uid
    """

    client: str
    client_id: str
    uid: str


@dataclass(frozen=True, slots=True)
class Account:
    """An account at Egnyte.

    :param key: its name in public links and in caches
    :param url: URL of its domain, ``https://acme.egnyte.com``
    :param token: secret
    :param username: its user at Egnyte, '' if unknown
    :param folder: the user's choice for the folder of the files
    """

    key: str
    url: str
    token: str = field(repr=False)
    username: str = ''
    folder: Path = ()
