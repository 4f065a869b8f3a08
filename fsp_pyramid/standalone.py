"""The application of an ini file outside of our prefixes: short answers that repeat nothing of the request."""

import logging
from typing import Any

from pyramid.exceptions import URLDecodeError
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED

from .errors import excerpt
from .protocol.error_views import path_of
from .telemetry import NoContext

ROUTE = 'fsp_elsewhere'
log = logging.getLogger(__name__)


def add_elsewhere(config: Any) -> None:
    """Answer every URL that no other route matches. Call it last; an application that includes us never does."""
    # A route of its own: Pyramid's traversal keeps the names of up to 1,000 paths in a cache, however long they are.
    config.add_route(ROUTE, '/{path:(?s:.*)}', factory=lambda _request: NoContext())
    config.add_view(not_found, route_name=ROUTE, permission=NO_PERMISSION_REQUIRED, require_csrf=False)
    config.add_exception_view(undecodable, context=URLDecodeError)


def not_found(_request: Any) -> Response:
    """Return the answer of a URL where nothing is."""
    return _answer(404, 'There is nothing here.')


def undecodable(_exception: Exception, request: Any) -> Response:
    """Answer a URL that is no UTF-8: Pyramid finds that out before it matches routes."""
    log.info('%s %s: 400, the path is no UTF-8', excerpt(request.method), path_of(request))
    return _answer(400, 'The path of this request is no UTF-8.')


def _answer(status: int, text: str) -> Response:
    response = Response(text, status=status, content_type='text/plain', charset='utf-8')
    response.headers['Cache-Control'] = 'no-store'
    return response
