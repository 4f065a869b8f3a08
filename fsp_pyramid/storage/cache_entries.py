"""Values of the listing cache, and their JSON. Field names are left out: thousands of entries would repeat them."""

import json
import re
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from ..model import Access, Entry, Listing
from ..paths import Path

# Raise the number when the format changes: processes of two versions may share one Redis.
LISTING, PLAIN = 'kept 3', 'plain'
# Processes of version 0.1 read and write values of dogpile.cache, which begin with metadata and a separator. They write
# the time into the number, and ignore ours, which is the version of the listing.
HEADER = b'{"ct":%d,"v":2}|'
NO_VERSION = 0
FIRST_VERSION = 10**17
VERSIONED = re.compile(rb'\{"ct":(\d{18}),"v":2\}\|')
HEADER_SIZE = len(HEADER % FIRST_VERSION)


@dataclass(frozen=True, slots=True)
class CachedListing:
    """A listing, or None for "there is no such directory".

    :param as_of: time at which Egnyte was asked for it, UNIX seconds
    :param generations: generations of the directory and of those above it at that time; the listing is void when one of
        them has changed
    :param asked: path that Egnyte was asked for, which may differ from the directory's in the composition of
        characters; ``()`` if Egnyte was not asked
    """

    as_of: float
    generations: tuple[str, ...]
    listing: Listing | None
    asked: Path = ()


def new_version() -> int:
    """Return a random number of 18 digits: the version of a listing that is stored."""
    return FIRST_VERSION + uuid4().int % (9 * FIRST_VERSION)


def dump(value: Any) -> bytes:
    """Return the stored form of a CachedListing, or of any value that JSON can represent."""
    is_listing = isinstance(value, CachedListing)
    tagged = [LISTING, _dump_listing(value)] if is_listing else [PLAIN, value]
    version = value.listing.version if is_listing and value.listing else None
    data = json.dumps(tagged, ensure_ascii=False, separators=(',', ':'))
    return HEADER % (version or NO_VERSION) + data.encode('utf-8', 'surrogatepass')


def load(data: bytes) -> Any:
    """Return the value that :func:`dump` was given; None for data of another format, which counts as missing."""
    try:
        kind, value = json.loads(data.partition(b'|')[2])
        return _load_listing(value, stored_version(data)) if kind == LISTING else {PLAIN: value}[kind]
    except (ValueError, TypeError, LookupError):
        return None


def stored_version(header: bytes) -> int | None:
    """Return the version in the first HEADER_SIZE bytes of a stored form; None if it has none."""
    found = VERSIONED.match(header)
    return int(found[1]) if found else None


def _dump_listing(cached: CachedListing) -> list[Any]:
    listing = cached.listing
    rows = listing and [listing.entry.path, _row(listing.entry), [_row(item) for item in listing.items]]
    return [cached.as_of, cached.generations, cached.asked, rows]


def _load_listing(data: list[Any], version: int | None) -> CachedListing:
    as_of, generations, asked, found = data
    if found is None:
        return CachedListing(as_of, tuple(generations), None, tuple(asked))
    names, row, rows = found
    path = tuple(names)
    listing = Listing(_entry(path, row), tuple([_entry((*path, row[0]), row) for row in rows]), version)
    return CachedListing(as_of, tuple(generations), listing, tuple(asked))


def _row(entry: Entry) -> list[Any]:
    return [
        entry.name,
        int(entry.is_directory),
        entry.id,
        entry.modified,
        int(entry.access),
        entry.size,
        entry.version_id,
        entry.checksum,
        entry.item_count,
        int(entry.locked),
    ]


def _entry(path: Path, row: list[Any]) -> Entry:
    _, is_directory, entry_id, modified, access, size, version_id, checksum, item_count, locked = row
    return Entry(
        path,
        bool(is_directory),
        entry_id,
        modified,
        Access(access),
        size,
        version_id,
        checksum,
        item_count,
        locked=bool(locked),
    )
