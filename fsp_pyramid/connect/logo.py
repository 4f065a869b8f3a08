"""Logo of an application."""

from typing import Any

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response

from ..clients import NAMELESS, find_client
from ..headers import revalidate

HEADERS = {
    'Cache-Control': 'public, max-age=3600',
    'X-Content-Type-Options': 'nosniff',
    # An SVG that is opened as a page runs no scripts, and loads nothing.
    'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
}


def show(_context: Any, request: Request) -> Response:
    """Return the logo of a client, which is no secret."""
    mount, client = request.matchdict['mount'], request.matchdict['client']
    try:
        settings = find_client(request.registry, mount, '' if client == NAMELESS else client).settings
    except LookupError:
        raise HTTPNotFound from None
    if settings.logo is None:
        raise HTTPNotFound
    logo = settings.logo
    response = Response(logo.content, content_type=logo.media_type)
    response.charset = None  # an SVG declares its own
    response.etag = logo.digest
    response.headers.update(HEADERS)
    revalidate(request, response)
    return response
