"""``/pubapi/v1/notes``."""

from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request

from .. import notes
from ..incoming import json_object, moment, number
from ..routing import add_resource
from ..store import reading, writing

PAGE = 100


def create(request: Request) -> dict[str, Any]:
    """Create a note on a file."""
    request.response.status_code = 201
    with writing(request.call.db):
        return notes.create(request.call, json_object(request))


def list_notes(request: Request) -> dict[str, Any]:
    """Return a page of notes."""
    start, end = moment(request, 'start_time'), moment(request, 'end_time')
    with reading(request.call.db):
        found = notes.listed(request.call, request.GET.get('file'), request.GET.get('folder'), start, end)
    offset, count = number(request, 'offset'), number(request, 'count', PAGE)
    page = found[offset : offset + count]
    return {'notes': page, 'total_results': len(found), 'offset': offset, 'count': len(page)}


def read(request: Request) -> dict[str, Any]:
    """One note."""
    with reading(request.call.db):
        return notes.find(request.call, request.matchdict['id'])


def delete(request: Request) -> dict[str, Any]:
    """Delete a note."""
    with writing(request.call.db):
        notes.remove(request.call, request.matchdict['id'])
    return {}


def includeme(config: Configurator) -> None:
    """Register the views of notes."""
    add_resource(config, 'notes', '/pubapi/v1/notes', GET=list_notes, POST=create)
    add_resource(config, 'note', '/pubapi/v1/notes/{id}', GET=read, DELETE=delete)
