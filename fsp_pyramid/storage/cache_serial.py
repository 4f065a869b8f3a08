"""What is remembered as JSON, and back. The names of fields are left out: thousands of entries repeat them."""

import json
from dataclasses import replace
from typing import Any

from dogpile.cache.api import CantDeserializeException

from ..model import Access, Entry, Listing
from ..paths import Path
from .cache_entries import CachedListing

# The number is to be raised when what is written changes: processes of two versions may share one Redis.
KEPT, PLAIN = 'kept 2', 'plain'


def dump(value: Any) -> bytes:
    """A Kept, or whatever JSON has."""
    tagged = [KEPT, _kept(value)] if isinstance(value, CachedListing) else [PLAIN, value]
    return json.dumps(tagged, ensure_ascii=False, separators=(',', ':')).encode('utf-8', 'surrogatepass')


def load(data: bytes) -> Any:
    """What :func:`dump` wrote. Raises CantDeserializeException for anything else: it counts as not there."""
    try:
        kind, value = json.loads(data)
        return {KEPT: _read_kept, PLAIN: lambda plain: plain}[kind](value)
    except (ValueError, TypeError, LookupError) as error:
        raise CantDeserializeException from error


def _kept(kept: CachedListing) -> list[Any]:
    listing = kept.listing
    told = listing and [listing.entry.path, _row(listing.entry), [_row(item) for item in listing.items]]
    return [kept.asked, kept.generations, told]


def _read_kept(data: list[Any]) -> CachedListing:
    asked, generations, told = data
    if told is None:
        return CachedListing(asked, tuple(generations), None)
    names, row, rows = told
    path = tuple(names)
    listing = Listing(_entry(path, row), tuple([_entry((*path, row[0]), row) for row in rows]))
    return CachedListing(asked, tuple(generations), listing)


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
    known = Entry(path, bool(is_directory), entry_id, modified, Access(access), size, version_id, checksum, item_count)
    return replace(known, locked=True) if locked else known
