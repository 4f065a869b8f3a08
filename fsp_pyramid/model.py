"""The nouns of the bridge: what storage gives, what views show, and what accounts know."""

import re
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import BinaryIO, Literal, Protocol

from .paths import Path, fold

# Of the ids that Beefree sends: client id and uid.
ID_FORMAT = re.compile(r'[A-Za-z0-9_-]{1,200}')


class Access(IntEnum):
    """What the caller may do in a directory: look, add and change as well, delete and move as well."""

    VIEW = 1
    EDIT = 2
    FULL = 3


class Strategy(Enum):
    """What to do when the name of a file is taken."""

    KEEP = 'keep'  # take the next free name
    REPLACE = 'replace'
    ASK = 'ask'  # 409: Beefree shows its dialog
    REFUSE = 'error'  # 403


@dataclass(frozen=True, slots=True)
class Entry:
    """One file or directory as a listing tells of it.

    :param id: a directory's or a file's id at Egnyte, stable over rename, move and new versions. None for a directory
        that is shown before Egnyte has it: the folder of a new uid, or one that only holds mounts.
    :param modified: UNIX time in milliseconds; 0 when it is not known
    :param access: of the directory that this is, or of the directory that holds this file
    :param size: in bytes; 0 for directories
    :param version_id: of the file's current version
    :param checksum: lower-case hex SHA-512 of a file that was not uploaded in chunks
    :param item_count: how many files and directories it holds; 0 when that is not known
    :param fixed: the configuration put it there: it can be neither deleted nor moved
    :param locked: a file was locked at Egnyte, by somebody or by the caller, when it was listed
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
        """The last name of the path; the empty string for the root."""
        return self.path[-1] if self.path else ''

    @property
    def order(self) -> tuple[bool, str, str]:
        """Where it stands in a listing: directories first, each kind by name, case-insensitive."""
        return (not self.is_directory, fold(self.name), self.name)


@dataclass(frozen=True, slots=True)
class Listing:
    """A directory, and what is in it in the order of :attr:`Entry.order`."""

    entry: Entry
    items: tuple[Entry, ...]

    def find(self, name: str) -> Entry | None:
        """The item of that name, in any spelling of it."""
        wanted = fold(name)
        return next((item for item in self.items if fold(item.name) == wanted), None)


@dataclass(frozen=True, slots=True)
class Change:
    """What a method of IStorage did, with all that is needed to take it back.

    :param verb: ``found`` if it may be somebody else's: the connection broke, and what was wanted is there. It is never
        taken back.
    :param entry: what is there now; for ``deleted``, what was there
    :param before: for ``moved``, the file where it was
    :param at: for ``deleted``, when Egnyte had done it, for ``created``, when it was asked, in UNIX milliseconds by our
        clock
    :param with_parent: for ``created``, whether the directory above may have been created with it, and goes with it
    """

    verb: Literal['created', 'stored', 'deleted', 'moved', 'found']
    entry: Entry
    before: Entry | None = None
    at: int = 0
    with_parent: bool = False

    @property
    def directories(self) -> frozenset[Path]:
        """Those whose contents it changed, and itself where it is one."""
        places = [self.entry.path[:-1]]
        if self.before is not None:
            places.append(self.before.path[:-1])
        if self.entry.is_directory:
            places.append(self.entry.path)
        return frozenset(places)


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes to store: a seekable file, read from its beginning as often as needed.

    They may still be on their way. Who reads what has not come yet waits for it, and gets an FSPError if it never will.

    :param size: in bytes, known before they are there
    :param digest: gets the SHA-512 when all is there, or that FSPError
    """

    file: BinaryIO
    size: int
    digest: Future[str]

    @property
    def complete(self) -> bool:
        """Whether nobody has to wait any more."""
        return self.digest.done()

    @property
    def sha512(self) -> str:
        """In lower-case hex. Waits for the last byte; raises the FSPError with which the source ended before it."""
        return self.digest.result()


class Download(Protocol):
    """A file's content on its way out. Close it, or the connection to Egnyte stays taken."""

    size: int | None
    mime_type: str
    version_id: str
    checksum: str  # as Egnyte tells it, '' where it does not
    modified: int  # UNIX milliseconds

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None:
        """Give the connection back, read to the end or not."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls.

    :param client: the configured client whose credentials came, '' for the one without a name
    :param client_id: which integrator application, from X-BEE-ClientId
    :param uid: which user of it, from X-BEE-Uid
    """

    client: str
    client_id: str
    uid: str


@dataclass(frozen=True, slots=True)
class Account:
    """An account at Egnyte.

    :param key: names it in public links and in caches
    :param url: of its domain, ``https://acme.egnyte.com``
    :param token: secret
    :param username: its user at Egnyte, '' where that is not known
    :param folder: where its user wants files to be
    """

    key: str
    url: str
    token: str = field(repr=False)
    username: str = ''
    folder: Path = ()
