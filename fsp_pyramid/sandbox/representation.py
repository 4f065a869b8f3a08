"""Files and folders as JSON.

Egnyte spells a folder's time ``lastModified``, in milliseconds, and a file's ``last_modified``, as
RFC 1123 text.
"""

import mimetypes
from typing import Any

from .call import Call
from .times import http_date
from .tree import Node
from .versions import Version, history

FOLDER_OPTIONS = {
    'public_links': 'files_folders',
    'allow_links': True,
    'restrict_move_delete': False,
}


def mime_type(name: str) -> str:
    """Return the type that a file's name promises."""
    return mimetypes.guess_type(name, strict=False)[0] or 'application/octet-stream'


def folder_json(node: Node) -> dict[str, Any]:
    """Return a folder as it stands in a listing."""
    return {
        'name': node.name,
        'lastModified': node.touched,
        'uploaded': node.created,
        'path': node.path,
        'folder_id': node.guid,
        'parent_id': node.parent_guid,
        'is_folder': True,
    }


def folder_details(node: Node) -> dict[str, Any]:
    """Return a folder by itself, without its content."""
    return folder_json(node) | FOLDER_OPTIONS | node.options


def file_json(call: Call, node: Node) -> dict[str, Any]:
    """Return a file as it stands in a listing."""
    return {
        'checksum': node.checksum,
        'size': node.size,
        'path': node.path,
        'name': node.name,
        'locked': call.is_locked(node),
        'is_folder': False,
        'entry_id': node.entry_id,
        'group_id': node.guid,
        'parent_id': node.parent_guid,
        'uploaded': node.uploaded,
        'last_modified': http_date(node.modified or 0),
        'uploaded_by': node.uploaded_by,
        'num_versions': node.num_versions,
    }


def file_details(call: Call, node: Node, entry_id: str | None = None) -> dict[str, Any]:
    """Return a file by itself with its other versions, or one version of it."""
    *older, current = history(call.db, node)
    wanted = next((v for v in (*older, current) if v.entry_id == entry_id), current)
    result = file_json(call, node) | _version_values(wanted)
    if older:
        result['versions'] = [_version_values(v) | {'is_folder': False} for v in older]
    return result


def _version_values(version: Version) -> dict[str, Any]:
    return {
        'checksum': version.checksum,
        'size': version.size,
        'entry_id': version.entry_id,
        'uploaded': version.uploaded,
        'last_modified': http_date(version.modified),
        'uploaded_by': version.uploaded_by,
    }
