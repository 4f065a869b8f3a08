"""Directories: list, create, delete."""

from typing import Any

from ..events import DirectoryCreated, DirectoryDeleted
from ..representation import metadata, metadata_of_all
from ..resources import Directory

FLAGS = 'X-BEE-fsp-flags'


def list_directory(context: Directory, request: Any) -> dict[str, Any]:
    """``GET /dir/``; with the flag ``move`` only the directories in it, for Beefree's dialog."""
    listing = request.fsp.storage.list_directory(context.path)
    only_directories = 'move' in request.headers.get(FLAGS, '').lower().replace(',', ' ').split()
    return {
        'meta': metadata(listing.entry, request.fsp),
        'items': metadata_of_all(
            [item for item in listing.items if item.is_directory or not only_directories], request.fsp
        ),
    }


def create_directory(context: Directory, request: Any) -> dict[str, Any]:
    """``POST /dir/``"""
    entry = request.fsp.storage.create_directory(context.path)
    request.registry.notify(DirectoryCreated(request, entry))
    request.response.status_int = 201
    return {'meta': metadata(entry, request.fsp)}


def delete_directory(context: Directory, request: Any) -> None:
    """``DELETE /dir/``"""
    request.fsp.storage.delete_directory(context.path)
    request.registry.notify(DirectoryDeleted(request, context.path))
