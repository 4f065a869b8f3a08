"""``/pubapi/v1/links``."""

from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request

from .. import links
from ..incoming import json_object, moment, number
from ..routing import add_resource
from ..store import reading, writing

FILTERS = ('path', 'username', 'type', 'accessibility')


def create(request: Request) -> dict[str, Any]:
    """Return a link, or one for each recipient."""
    with writing(request.call.db):
        return links.create(request.call, json_object(request))


def list_links(request: Request) -> dict[str, Any]:
    """Return the ids of links."""
    after, before = moment(request, 'created_after'), moment(request, 'created_before')
    filters = {name: request.GET[name] for name in FILTERS if request.GET.get(name)}
    with reading(request.call.db):
        ids = links.listed(request.call, filters, after, before)
    offset, count = number(request, 'offset'), number(request, 'count')
    page = ids[offset : offset + count if count else None]
    return {'ids': page, 'offset': offset, 'count': count and len(page), 'total_count': len(ids)}


def read(request: Request) -> dict[str, Any]:
    """One link."""
    with reading(request.call.db):
        return links.find(request.call, request.matchdict['id'])


def delete(request: Request) -> dict[str, Any]:
    """Delete a link."""
    with writing(request.call.db):
        links.remove(request.call, request.matchdict['id'])
    return {}


def includeme(config: Configurator) -> None:
    """Register the views. ``settings`` is a reserved word, see :mod:`.settings`."""
    add_resource(config, 'links', '/pubapi/v1/links', GET=list_links, POST=create)
    add_resource(config, 'link', '/pubapi/v1/links/{id}', GET=read, DELETE=delete)
