"""``/pubapi/v1/events``."""

from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response

from .. import events
from ..errors import invalid
from ..incoming import flag, number
from ..routing import add_resource
from ..store import reading

PAGE, LARGEST_PAGE = 50, 100


def cursor(request: Request) -> dict[str, Any]:
    """Answer with the first and the last id of the events."""
    with reading(request.call.db):
        return events.cursor(request.call)


def list_events(request: Request) -> Any:
    """Return the events after an id; 204 if there are none."""
    if not request.GET.get('id'):
        raise invalid('id', 'Is missing')
    count = number(request, 'count', PAGE)
    if not 1 <= count <= LARGEST_PAGE:
        raise invalid('count', f'Must be 1 to {LARGEST_PAGE}')
    with reading(request.call.db):
        found = events.after(request.call, number(request, 'id'), count, request.GET, reverse=flag(request, 'reverse'))
    if not found:
        return Response(status=204)
    ids = [event['id'] for event in found]
    return {'latest_id': max(ids), 'oldest_id': min(ids), 'count': len(found), 'events': found}


def includeme(config: Configurator) -> None:
    """Cursor and list."""
    add_resource(config, 'events.cursor', '/pubapi/v1/events/cursor', GET=cursor)
    add_resource(config, 'events', '/pubapi/v1/events', GET=list_events)
