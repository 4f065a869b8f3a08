"""Exception views below the connect prefix: every error becomes a page."""

import logging

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response

from ..telemetry import log_error, to_fsp_error
from .context import ConnectContext, PageError
from .rendering import render

log = logging.getLogger(__name__)


def failed(exception: Exception, request: Request) -> Response:
    """Return the page of an error. For errors that users cannot fix, it has a support id, which the log repeats."""
    home = request.context.home if isinstance(getattr(request, 'context', None), ConnectContext) else ''
    if isinstance(exception, PageError):
        return _page(request, exception.status, exception.title, exception.details, home)
    if isinstance(exception, HTTPNotFound):
        return _page(request, 404, 'There is no such page', 'Open it again from the application that you came from.')
    if isinstance(exception, UnicodeDecodeError):  # of the query
        return undecodable(exception, request)
    answer, stats = to_fsp_error(exception), request.fsp_stats
    stats.code = answer.code
    # Not the path: it holds the link.
    log_error(log, exception, answer, request, request.matched_route.name)
    response = _page(request, answer.status, answer.title, answer.details, home, stats.support_id)
    response.headers.update(answer.headers)
    return response


def undecodable(_exception: Exception, request: Request) -> Response:
    """Answer a URL that is not UTF-8. Pyramid raises for it before it matches routes."""
    return _page(request, 400, 'This link does not work', 'It is damaged. Open the page again from your application.')


def unknown(_context: object, _request: Request) -> None:
    """Refuse any other method or form."""
    raise HTTPNotFound


def _page(request: Request, status: int, title: str, details: str, home: str = '', support_id: str = '') -> Response:
    return render(request, 'failed', status, title=title, details=details, home=home, support_id=support_id)
