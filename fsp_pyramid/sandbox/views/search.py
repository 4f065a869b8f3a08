"""``/pubapi/v1/search`` and ``/pubapi/v2/search``."""

from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request

from ..errors import invalid
from ..incoming import json_object, moment, number
from ..routing import add_resource
from ..search import SHORTEST, Query, search
from ..store import reading

PAGE, LARGEST_PAGE = 20, 100


def search_v1(request: Request) -> dict[str, Any]:
    """Search by parameters; times are ISO 8601."""
    query = Query(
        text=request.GET.get('query', ''),
        folder=request.GET.get('folder') or '/',
        kind=request.GET.get('type', 'ALL').upper(),
        all_words=request.GET.get('query_operator', '').upper() == 'ALL',
        modified_after=moment(request, 'modified_after'),
        modified_before=moment(request, 'modified_before'),
    )
    page = _page(request, query, number(request, 'offset'), number(request, 'count', PAGE))
    del page['hasMore']
    return page


def search_v2(request: Request) -> dict[str, Any]:
    """Search by a JSON body; times are UNIX milliseconds."""
    body = json_object(request)
    numbers = {name: body.get(name) for name in ('offset', 'count', 'modified_after', 'modified_before')}
    for name, value in numbers.items():
        if value is not None and (not isinstance(value, int) or value < 0):
            raise invalid(name, 'Must be a whole number')
    query = Query(
        text=str(body.get('query') or ''),
        folder=str(body.get('folder') or '/'),
        kind=str(body.get('type') or 'ALL').upper(),
        all_words=str(body.get('query_operator')).upper() == 'ALL',
        modified_after=numbers['modified_after'],
        modified_before=numbers['modified_before'],
    )
    return _page(request, query, numbers['offset'] or 0, numbers['count'] or PAGE)


def _page(request: Request, query: Query, offset: int, count: int) -> dict[str, Any]:
    if len(query.text) < SHORTEST:
        raise invalid('query', f'Must have at least {SHORTEST} characters')
    with reading(request.call.db):
        found = search(request.call, query)
    page = found[offset : offset + min(count, LARGEST_PAGE)]
    return {
        'results': page,
        'total_count': len(found),
        'offset': offset,
        'count': len(page),
        'hasMore': offset + len(page) < len(found),
    }


def includeme(config: Configurator) -> None:
    """Both versions."""
    add_resource(config, 'search.v1', '/pubapi/v1/search', GET=search_v1)
    add_resource(config, 'search.v2', '/pubapi/v2/search', POST=search_v2)
