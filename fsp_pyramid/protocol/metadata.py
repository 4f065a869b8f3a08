"""Metadata of files and directories in the protocol's fields."""

from collections.abc import Iterable
from typing import Any

from .. import paths
from ..model import Access, Entry
from .request import RequestContext

DIRECTORY_TYPE = 'application/directory'
ROOT_NAME = 'root'


def metadata(entry: Entry, fsp: RequestContext) -> dict[str, Any]:
    """Return the fields of the protocol, exactly typed. URLs are computed and cost no call."""
    return _metadata(entry, DIRECTORY_TYPE if entry.is_directory else fsp.types([entry])[0], fsp)


def metadata_of_all(entries: Iterable[Entry], types: Iterable[str], fsp: RequestContext) -> list[dict[str, Any]]:
    """Return the fields of each entry; *types* are those of the files among them."""
    following = iter(types)
    return [_metadata(entry, DIRECTORY_TYPE if entry.is_directory else next(following), fsp) for entry in entries]


def _metadata(entry: Entry, mime_type: str, fsp: RequestContext) -> dict[str, Any]:
    meta: dict[str, Any] = {
        'mime-type': mime_type,
        'name': entry.name or ROOT_NAME,
        'path': paths.text(entry.path, directory=entry.is_directory),
        'last-modified': entry.modified,
        'size': entry.size,
        'permissions': 'rw' if entry.access >= Access.EDIT else 'ro',
    }
    if entry.is_directory:
        meta['item-count'], meta['extra'] = entry.item_count, {}
        return meta
    meta['public-url'] = fsp.public_url(entry)
    if thumbnail := fsp.thumbnail_url(entry, mime_type):
        meta['thumbnail'] = thumbnail
    meta['extra'] = {'can-move': entry.access >= Access.FULL}
    return meta
