"""``/pubapi/v1/fs``: reading metadata, and the actions on files and folders."""

from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request

from .. import changes, folder_options, locks
from ..call import Call
from ..errors import missing, refused
from ..folder_options import allowed_links
from ..grants import folder_grants
from ..incoming import (
    flag,
    json_object,
    number,
    text,
)
from ..permissions import Level
from ..placing import make_folder
from ..representation import (
    file_details,
    file_json,
    folder_details,
    folder_json,
)
from ..routing import ANY_PATH, add_resource
from ..statistics import statistics
from ..store import reading, writing
from ..tree import SORT_COLUMNS, Node
from ..versions import find as find_version

PAGE = 1000
DIRECTIONS = {'ascending': False, 'asc': False, 'descending': True, 'desc': True}
MOVE_KEYS = {'action', 'destination', 'permissions'}


def read(request: Request) -> dict[str, Any]:
    """Return a file, or a folder with its content."""
    with reading(request.call.db):
        return describe(request, request.call.find(request.matchdict['path']))


def read_by_id(request: Request) -> dict[str, Any]:
    """Return the item by ``group_id`` or ``folder_id``."""
    with reading(request.call.db):
        return describe(request, _by_id(request))


def describe(request: Request, node: Node) -> dict[str, Any]:
    """Return the fields of *node* that the query asks for."""
    call: Call = request.call
    entry_id = request.GET.get('entry_id')
    if node.is_file:
        if entry_id and find_version(call.db, node, entry_id) is None:
            raise missing()
        result = file_details(call, node, entry_id)
    else:
        result = folder_details(node)
        if flag(request, 'list_content', default=True):
            result |= _content(request, node)
        if flag(request, 'includeStats'):
            result['folderStats'] = statistics(call, node)
        if flag(request, 'perms') and call.access.level(node) is Level.OWNER:
            result['permissions'] = folder_grants(call, node)
    return result | _extras(request, node, call.access.level(node))


def _extras(request: Request, node: Node, level: Level) -> dict[str, Any]:
    """Return the fields of an item, alone or in a listing, that come only on request."""
    result: dict[str, Any] = {}
    if flag(request, 'include_perm'):
        result['permission'] = level.label
    if flag(request, 'list_custom_metadata'):
        result['custom_metadata'] = []
    if flag(request, 'include_locks') and node.is_file:
        collaboration = flag(request, 'include_collaboration')
        if info := locks.describe(request.call, node, collaboration=collaboration):
            result['lock_info'] = info
    if flag(request, 'allowed_link_types') and not node.is_file:
        result |= allowed_links(node)
    return result


def _content(request: Request, folder: Node) -> dict[str, Any]:
    call: Call = request.call
    level = call.access.level(folder)  # of all files in it
    sort = request.GET.get('sort_by', 'name')
    direction = request.GET.get('sort_direction', 'ascending')
    if sort not in SORT_COLUMNS or direction not in DIRECTIONS:
        raise refused(400, 'Unknown sort_by or sort_direction')
    count, offset = min(number(request, 'count'), PAGE), number(request, 'offset')
    nodes, total = call.tree.children(
        folder,
        **call.access.listed(folder),
        sort=sort,
        descending=DIRECTIONS[direction],
        # Left out, it means everything; what Egnyte does about 0 was seen only in old captures.
        count=count or -1,
        offset=offset,
    )
    return {
        'count': count,
        'offset': offset,
        'total_count': total,
        'folders': [
            folder_json(node) | _extras(request, node, call.access.level(node)) for node in nodes if not node.is_file
        ],
        'files': [file_json(call, node) | _extras(request, node, level) for node in nodes if node.is_file],
    }


def act(request: Request) -> Any:
    """Create a folder, or move, copy, lock or unlock an item."""
    body = json_object(request)
    action = ACTIONS.get(text(body, 'action'))
    if action is None:
        raise refused(400, 'Unknown action')
    with writing(request.call.db):
        return action(request, body)


def _add_folder(request: Request, body: dict[str, Any]) -> dict[str, str]:
    _know(body, {'action'})
    request.response.status_code = 201
    return {'folder_id': make_folder(request.call, request.matchdict['path']).guid}


def _move(request: Request, body: dict[str, Any]) -> dict[str, Any]:
    return _relocate(request, body, changes.move)


def _copy(request: Request, body: dict[str, Any]) -> dict[str, Any]:
    return _relocate(request, body, changes.copy)


def _relocate(request: Request, body: dict[str, Any], change: Any) -> dict[str, Any]:
    _know(body, MOVE_KEYS)
    permissions = body.get('permissions')
    if permissions not in {None, 'keep_original', 'inherit_from_parent'}:
        raise refused(400, 'Unknown value of permissions')
    source = request.call.find(request.matchdict['path'])
    change(request.call, source, text(body, 'destination'), permissions)
    return {}


def _know(body: dict[str, Any], keys: set[str]) -> None:
    """Egnyte refuses properties that it does not know."""
    if unknown := sorted(set(body) - keys):
        raise refused(400, f'Unrecognized property: {unknown[0]}')


def _lock(request: Request, body: dict[str, Any]) -> dict[str, Any]:
    _know(body, {'action', 'lock_token', 'lock_timeout', 'collaboration'})
    return locks.lock(request.call, request.call.find(request.matchdict['path']), body)


def _unlock(request: Request, body: dict[str, Any]) -> dict[str, Any]:
    _know(body, {'action', 'lock_token'})
    locks.unlock(request.call, request.call.find(request.matchdict['path']), body.get('lock_token'))
    return {}


ACTIONS = {'add_folder': _add_folder, 'move': _move, 'copy': _copy, 'lock': _lock, 'unlock': _unlock}


def configure(request: Request) -> dict[str, Any]:
    """Change a folder's options."""
    call: Call = request.call
    changed = folder_options.parse(json_object(request))
    with writing(call.db):
        node = call.find(request.matchdict['path'])
        folder_options.change(call, node, changed)
        return folder_details(call.find(node.path))


def delete(request: Request) -> dict[str, Any]:
    """Delete an item by path, or one version of a file."""
    return _delete(request, lambda: request.call.find(request.matchdict['path']))


def delete_by_id(request: Request) -> dict[str, Any]:
    """Delete an item, or one version of a file, by id."""
    return _delete(request, lambda: _by_id(request))


def _delete(request: Request, find: Any) -> dict[str, Any]:
    call: Call = request.call
    with writing(call.db):
        gone = changes.delete(call, find(), request.GET.get('entry_id'))
    call.contents.discard(gone)
    return {}


def read_statistics(request: Request) -> dict[str, int]:
    """Answer with the statistics of a folder."""
    with reading(request.call.db):
        return statistics(request.call, request.call.by_guid(request.matchdict['guid'], is_file=False))


def read_parents(request: Request) -> dict[str, Any]:
    """Return the folders above a folder, the root first."""
    call: Call = request.call
    with reading(call.db):
        node = call.by_guid(request.matchdict['guid'], is_file=False)
        return {'self': folder_json(node), 'parents': [folder_json(parent) for parent in call.tree.parents(node)]}


def _by_id(request: Request, level: Level = Level.NAV) -> Node:
    is_file = request.matchdict['kind'] == 'file'
    return request.call.by_guid(request.matchdict['guid'], is_file=is_file, level=level)


def includeme(config: Configurator) -> None:
    """Register the views. The catch-all path comes last: ``ids``, ``trash`` and ``settings`` are reserved words."""
    prefix = '/pubapi/v1/fs'
    add_resource(config, 'fs.id', prefix + '/ids/{kind:file|folder}/{guid}', GET=read_by_id, DELETE=delete_by_id)
    add_resource(config, 'fs.statistics', prefix + '/ids/folder/{guid}/stats', GET=read_statistics)
    add_resource(config, 'fs.parents', prefix + '/ids/folder/{guid}/parents', GET=read_parents)
    add_resource(config, 'fs', prefix + ANY_PATH, GET=read, POST=act, PATCH=configure, DELETE=delete)
