"""Content cache: copies on disk, the known version of each file, and its freshness."""

import os
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import BinaryIO, NamedTuple, Protocol, Self

from ..media_types import (
    UNKNOWN,
    is_typeless,
    sniff_file,
    type_by_suffix,
    type_of_content,
)
from ..model import Entry
from .background import BackgroundTasks
from .directory import COPIES, CacheDirectory, PartialFile, record_use, relative_path
from .index import (
    CLOCK_SKEW,
    UNCERTAIN_FOR,
    Copy,
    Index,
    Known,
    Version,
    content_key,
    log_cache_errors,
)
from .origin import Origin
from .sweeper import Sweeper
from .version_feed import Changes, VersionFeed

# Seconds between two revalidations of a file whose version is uncertain.
UNCERTAIN_INTERVAL = 30.0
# Seconds between two sweeps at least, and the reciprocal of the share of the time that those of a large cache may take.
SWEEP_INTERVAL, SWEEP_SHARE = 60.0, 100
# Reciprocal of the share of the cache that a single content may take.
SHARE = 4


class ContentFile(Protocol):
    """A seekable binary file that is read: of the disk, or a reader of a download in progress."""

    @property
    def closed(self) -> bool: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> bool | None: ...

    def read(self, size: int = -1, /) -> bytes: ...

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int: ...

    def tell(self) -> int: ...

    def close(self) -> None: ...


class VersionLookup(NamedTuple):
    """Known state of the current version of a file.

    :param version: None where nothing is known, or where the account was refused the file and has to ask again
    :param is_stale: it is due for revalidation
    :param is_uncertain: a change has an unknown outcome, so that another version may be current
    :param is_missing: the file was deleted, or Egnyte refused it recently
    :param copy: of the version
    """

    version: Version | None
    is_stale: bool
    is_uncertain: bool
    is_missing: bool
    copy: Copy | None = None


class CachedContent(NamedTuple):
    """A content, or a thumbnail, to be served.

    :param file: opened at its beginning; close it. Reading may wait while it is still growing
    :param path: of the complete file below the cache directory, for a web server to send; None while it grows
    :param size: in bytes, None where Egnyte gave none
    :param modified: UNIX milliseconds
    :param mime_type: from Egnyte, '' where it was not asked
    :param name: of the file, '' where it is not known
    :param sniffed_type: the mime type that its content shows; '' for none, and where the name implies the type
    :param age: seconds since this was known to be the current version, if another one may be by now; else None
    :param final: the content at this URL never changes
    :param fetched: this very request fetched it from Egnyte
    """

    file: ContentFile
    path: str | None
    size: int | None
    etag: str
    modified: int
    mime_type: str
    name: str
    sniffed_type: str = ''
    age: float | None = None
    final: bool = False
    fetched: bool = False


class ContentCache:
    """Content cache of one directory. The constructor does no I/O; methods may raise OSError and sqlite3.Error.

    :param directory: path, '' for a temporary one
    :param size: in bytes, of contents and thumbnails together
    :param age: seconds without use after which a file is evicted; 0 for never
    :param revalidate: seconds after which a version is stale; 0 for never
    :param background: runs sweeps
    :param clock: UNIX time in seconds
    """

    def __init__(
        self,
        directory: str,
        size: int,
        age: float,
        revalidate: float,
        version_feed: VersionFeed,
        background: BackgroundTasks,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.clock, self.version_feed = clock, version_feed
        self.directory = CacheDirectory(directory)
        self.index = Index(self.directory, clock)
        self._revalidate, self._largest, self._background = revalidate, size // SHARE, background
        self._sweeper = Sweeper(self.directory, self.index, size, age, clock)
        self._next_sweep = 0.0

    def accepts(self, size: int) -> bool:
        """Return whether a content of *size* bytes is kept; larger ones would evict too many."""
        return size <= self._largest

    # Versions

    def lookup(self, origin: Origin) -> VersionLookup:
        """Return what is known of the current version of a file."""
        known = self._known(origin)
        version, refused = known.version, known.refused_at
        is_missing = (version is not None and version.is_deleted) or (
            refused is not None and not self._is_stale(refused)
        )
        if version is None:
            return VersionLookup(None, is_stale=False, is_uncertain=False, is_missing=is_missing)
        seen = max(version.seen, refused or 0.0)
        is_stale, is_uncertain = self._is_stale(seen), self._is_uncertain(origin, seen, known.has_intents)
        if refused is not None:  # long ago: the account has to ask Egnyte again before it gets a copy
            return VersionLookup(None, is_stale, is_uncertain, is_missing)
        return VersionLookup(version, is_stale, is_uncertain, is_missing, known.copy)

    def _known(self, origin: Origin) -> Known:
        """Return what is known of a file, after recording what other machines did to it."""
        known = self.index.known(origin.domain, origin.account, origin.file_id)
        changes = self.version_feed.changes(origin.domain, origin.file_id)
        if changes is None:
            return known
        with log_cache_errors():
            self._record_changes(origin, known.version, changes)
        return self.index.known(origin.domain, origin.account, origin.file_id)

    def _record_changes(self, origin: Origin, known: Version | None, changes: Changes) -> None:
        seen = known.seen if known else 0.0
        if changes.version is not None and changes.version.seen > seen:
            self.index.record_versions(origin.domain, [changes.version], margin=0)
        for process, at in changes.intents.items():
            if seen < at + UNCERTAIN_FOR and not self.directory.is_alive(process):
                self.index.mark_uncertain(origin.domain, origin.file_id, at)

    def _is_stale(self, seen: float) -> bool:
        """Return whether a time is too long ago; 0 stands for an invalidated version, and the future proves nothing."""
        age = self.clock() - seen
        return not seen or age < -CLOCK_SKEW or 0 < self._revalidate < age

    def _is_uncertain(self, origin: Origin, seen: float, has_intents: bool) -> bool:
        """Return whether a process died while it changed the file, so that Egnyte has to be asked for the outcome."""
        since = None
        with log_cache_errors():
            since = self.index.uncertain_since(origin.domain, origin.file_id) if has_intents else None
        return since is not None and (
            seen < since or seen < min(since + UNCERTAIN_FOR, self.clock() - UNCERTAIN_INTERVAL)
        )

    # Copies

    def current_copy(self, origin: Origin) -> Copy | None:
        """Return the copy of the current version."""
        version = self.index.version(origin.domain, origin.file_id)
        return None if version is None else self.index.copy(origin.account, origin.file_id, version.version_id)

    def existing_copy(self, account: str, file_id: str, version_id: str) -> Copy | None:
        """Return the copy of that version, if its file exists."""
        copy = self.index.copy(account, file_id, version_id)
        return copy if copy and self.directory.path(COPIES, copy.key).exists() else None

    def open_current(self, lookup: VersionLookup) -> CachedContent | None:
        """Open the copy of the version in *lookup*; its age is given if the version is uncertain."""
        version, copy = lookup.version, lookup.copy
        if copy is None or version is None:
            return None
        return self.open(copy, version.name, self.clock() - copy.stored if lookup.is_uncertain else None)

    def open_last(self, origin: Origin, lookup: VersionLookup) -> CachedContent | None:
        """Open the copy that was stored last; its age is given unless it is of the version in *lookup*, and certain.

        It is of that version if another request has completed its download since the look-up.
        """
        version = lookup.version
        copy = version and self.index.last_copy(origin.account, origin.file_id)
        if not version or not copy:
            return None
        is_current = copy.version_id == version.version_id and not lookup.is_uncertain
        return self.open(copy, version.name, None if is_current else self.clock() - copy.stored)

    def open(self, copy: Copy, name: str, age: float | None = None) -> CachedContent | None:
        """Open a copy; None if it was evicted meanwhile."""
        try:
            file = self.directory.open(COPIES, key := copy.key)
        except FileNotFoundError:
            self.index.remove_copies([copy.key])
            return None
        record_use(file)
        return CachedContent(
            file=file,
            path=relative_path(COPIES, key),
            size=copy.size,
            etag=copy.version_id,
            modified=copy.modified,
            mime_type=copy.mime_type,
            name=name,
            sniffed_type=self._type_of_copy(copy, file) if is_typeless(name) else '',
            age=age,
        )

    def publish(self, copy: Copy, partial: PartialFile) -> None:
        """Add a complete download, unless it is too large."""
        if self.accepts(copy.size):
            partial.publish(COPIES, copy.key, copy.modified)
            self._add(copy)

    def store(self, copy: Copy, content: BinaryIO) -> None:
        """Add a content that was uploaded, unless it is too large."""
        if self.accepts(copy.size):
            content.seek(0)
            self.directory.put(COPIES, copy.key, content, copy.modified)
            self._add(copy)

    def _add(self, copy: Copy) -> None:
        self.index.add_copy(copy)
        # The type stays known when the name changes, and applies to all files with this content.
        with log_cache_errors(), open(self.directory.path(COPIES, copy.key), 'rb') as file:
            self._sniff(content_key(copy), file)
        now = time.monotonic()
        if now > self._next_sweep:
            self._next_sweep = now + SWEEP_INTERVAL
            self._background.schedule(('sweep',), self._sweep)

    def _sweep(self) -> None:
        began = time.monotonic()
        self._sweeper.sweep()
        self._next_sweep = max(self._next_sweep, began + SWEEP_SHARE * (time.monotonic() - began))

    def discard(self, account: str, file_id: str, version_id: str) -> None:
        """Remove the copy of that version, if there is one."""
        copy = self.index.copy(account, file_id, version_id)
        if copy is not None:
            self.index.remove_copies([copy.key])
            self.directory.remove(COPIES, copy.key)

    # Types

    def types(self, files: Iterable[Entry]) -> list[str]:
        """Return the mime type of each file: by its name, or by its content if that was in the cache."""
        named = [(file, type_by_suffix(file.name)) for file in files]
        typeless = [content_key(file) for file, type_ in named if type_ is None]
        known: dict[str, str] = {}
        if typeless:
            with log_cache_errors():
                known = self.index.types(typeless)
        return [known.get(content_key(file), UNKNOWN) if type_ is None else type_ for file, type_ in named]

    def _type_of_copy(self, copy: Copy, file: BinaryIO) -> str:
        content = content_key(copy)
        types: dict[str, str] = {}
        with log_cache_errors():
            types = self.index.types([content]) or {content: self._sniff(content, file)}
        return types.get(content, '')

    def _sniff(self, content: str, file: BinaryIO) -> str:
        type_ = sniff(file)
        if type_:
            self.index.record_type(content, type_)
        return type_


class _FullReads:
    """Reads of exactly the wanted size, unless the file ends; those of a growing file may return less."""

    def __init__(self, file: ContentFile) -> None:
        self._file = file

    def read(self, size: int, /) -> bytes:
        data = b''
        while len(data) < size and (block := self._file.read(size - len(data))):
            data += block
        return data


def sniff(file: ContentFile) -> str:
    """Return the mime type that the content of *file* shows, '' for none, and rewind it. It may be growing."""
    try:
        return type_of_content(sniff_file(_FullReads(file))) or ''
    finally:
        file.seek(0)
