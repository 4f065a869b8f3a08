"""``/pubapi/v1/fs/trash`` and ``/pubapi/v2/fs/trash``."""

from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request

from .. import trash
from ..call import Call
from ..errors import ApiError, invalid, refused
from ..incoming import json_object, number
from ..routing import add_resource
from ..store import reading, writing

PAGE = 50
MOST_IDS = 10


def list_v1(request: Request) -> dict[str, Any]:
    """Return a page, and the number of all items."""
    with reading(request.call.db):
        listing = _page(request)
        return listing | {'total_count': trash.count_all(request.call)}


def list_v2(request: Request) -> dict[str, Any]:
    """Return a page, and whether there are more."""
    with reading(request.call.db):
        listing = _page(request)
        seen = listing['offset'] + len(listing['items'])
        return listing | {'has_more': seen < trash.count_all(request.call)}


def _page(request: Request) -> dict[str, Any]:
    trash.require_access(request.call)
    sort = request.GET.get('sort_by', 'date_deleted')
    if sort not in trash.SORT_COLUMNS:
        raise refused(400, 'Unknown sort_by')
    offset = number(request, 'offset')
    descending = not request.GET.get('sort_direction', 'desc').startswith('asc')
    items = trash.page(request.call, sort, number(request, 'count', PAGE), offset, descending=descending)
    return {'count': len(items), 'offset': offset, 'items': items}


def total(request: Request) -> dict[str, int]:
    """Return the number of all items."""
    trash.require_access(request.call)
    return {'totalCount': trash.count_all(request.call)}


def act(request: Request) -> dict[str, Any]:
    """Restore or purge some items: 200, or 207 with the outcome of each if one failed."""
    call: Call = request.call
    trash.require_access(call)
    body = json_object(request)
    action = ACTIONS.get(str(body.get('action')).upper())
    ids = body.get('ids')
    if action is None:
        raise invalid('action', 'RESTORE or PURGE')
    if not isinstance(ids, list) or not 1 <= len(ids) <= MOST_IDS:
        raise invalid('ids', f'Must be a list of 1 to {MOST_IDS} ids')
    outcomes = [_outcome(call, action, str(id_)) for id_ in ids]
    if all(outcome['code'] == '200' for outcome in outcomes):
        return {'resources': []}
    request.response.status_code = 207
    return {'resources': outcomes}


def _outcome(call: Call, action: Any, guid: str) -> dict[str, str]:
    try:
        with writing(call.db):
            gone = action(call, guid)
    except ApiError as error:
        description = error.body['errorMessage'] if isinstance(error.body, dict) else error.body
        return {'id': guid, 'code': str(error.status), 'descriptions': description}
    call.contents.discard(gone or ())
    return {'id': guid, 'code': '200'}


ACTIONS = {'RESTORE': trash.restore, 'PURGE': trash.purge}


def includeme(config: Configurator) -> None:
    """Both versions of the listing, and the actions."""
    add_resource(config, 'trash.v1', '/pubapi/v1/fs/trash', GET=list_v1, POST=act)
    add_resource(config, 'trash.v2', '/pubapi/v2/fs/trash', GET=list_v2)
    add_resource(config, 'trash.total', '/pubapi/v2/fs/trash/totalcount', GET=total)
