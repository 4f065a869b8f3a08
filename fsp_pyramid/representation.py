"""From what storage knows of a file or directory to Beefree's metadata."""

from typing import Any

from . import paths
from .model import Access, Entry
from .request import RequestContext
from .sources.types import type_of_name

DIRECTORY_TYPE = 'application/directory'
ROOT_NAME = 'root'


def metadata(entry: Entry, fsp: RequestContext) -> dict[str, Any]:
    """The fields of the protocol, exactly typed. URLs are computed, never asked for."""
    meta = {
        'mime-type': DIRECTORY_TYPE if entry.is_directory else type_of_name(entry.name),
        'name': entry.name or ROOT_NAME,
        'path': paths.text(entry.path, directory=entry.is_directory),
        'last-modified': entry.modified,
        'size': entry.size,
        'permissions': 'rw' if entry.access >= Access.EDIT else 'ro',
    }
    if entry.is_directory:
        return meta | {'item-count': entry.item_count, 'extra': {}}
    thumbnail = fsp.thumbnail_url(entry)
    return (
        meta
        | {'public-url': fsp.public_url(entry)}
        | ({'thumbnail': thumbnail} if thumbnail else {})
        | {'extra': {'can-move': entry.access >= Access.FULL}}
    )
