"""Responses to listings: a body depends on the listing and on a few more values, and is rendered once for them."""

import json
import threading
from collections.abc import Hashable
from contextlib import suppress
from typing import Any, NamedTuple

from cachetools import LRUCache
from zope.interface import implementer

from ..interfaces import IRenderedListings
from ..media_types import UNKNOWN, is_typeless
from ..model import Entry, Listing
from ..storage.cache_backends import ENTRY_SIZE
from .metadata import metadata, metadata_of_all
from .request import RequestContext

# Bytes of a body's key, version and record in the cache, as measured.
OVERHEAD = 1000


class Rendered(NamedTuple):
    """A body, the version of its listing, and the files whose types were not known at that time."""

    version: Hashable
    body: bytes
    typeless: tuple[Entry, ...]


@implementer(IRenderedListings)
class RenderedListings:
    """Bodies of listings, one for each directory and form; the least recently used ones are evicted first.

    :param max_size: bytes of all bodies
    """

    def __init__(self, max_size: int) -> None:
        self._guard = threading.Lock()
        self._rendered: LRUCache[Hashable, Rendered] = LRUCache(max_size, getsizeof=_size)

    def get(self, key: Hashable) -> Rendered | None:
        """Return what was rendered for *key*; None if there is nothing."""
        with self._guard:
            return self._rendered.get(key)

    def put(self, key: Hashable, rendered: Rendered) -> None:
        """Keep a body, unless it is larger than all of them may be."""
        with self._guard, suppress(ValueError):
            self._rendered[key] = rendered


def _size(rendered: Rendered) -> int:
    return len(rendered.body) + OVERHEAD + ENTRY_SIZE * len(rendered.typeless)


def listing_body(listing: Listing, fsp: RequestContext, *, only_directories: bool) -> bytes:
    """Return the body of the response to a listing: the one of an earlier request if that would be the same."""
    cache = fsp.mount.rendered_listings
    directory = listing.entry.id, listing.entry.path, listing.variant
    key = fsp.account.key, directory, fsp.public_urls.base, only_directories
    found = None if listing.version is None else cache.get(key)
    # The type of a file becomes known when its content is fetched, without a change to the listing.
    if (
        found is None
        or found.version != listing.version
        or (found.typeless and {*fsp.types(found.typeless)} != {UNKNOWN})
    ):
        found = _render(listing, fsp, only_directories=only_directories)
        if listing.version is not None:
            cache.put(key, found)
    return found.body


def _render(listing: Listing, fsp: RequestContext, *, only_directories: bool) -> Rendered:
    items = [item for item in listing.items if item.is_directory or not only_directories]
    files = [item for item in items if not item.is_directory]
    types = fsp.types(files)
    data = {'meta': metadata(listing.entry, fsp), 'items': metadata_of_all(items, types, fsp)}
    # A known type belongs to a content, and does not change.
    pairs = zip(files, types, strict=True)
    typeless = tuple(file for file, type_ in pairs if type_ == UNKNOWN and is_typeless(file.name))
    return Rendered(listing.version, json.dumps(envelope(data)).encode(), typeless)


def envelope(data: Any) -> dict[str, Any]:
    """Return the envelope of a success."""
    return {'status': 'success', 'data': data}
