"""Pages for whatever goes wrong below the connect prefix."""

from typing import Any

from pyramid.httpexceptions import HTTPNotFound
from pyramid.response import Response

from ..errors import FSPError
from ..protocol.error_views import log_answer, translated
from .context import ConnectContext, PageError
from .rendering import render


def failed(exception: Exception, request: Any) -> Response:
    """Any exception. What is not the user's doing ends with a support id, which stands in our log as well."""
    home = request.context.home if isinstance(getattr(request, 'context', None), ConnectContext) else ''
    if isinstance(exception, PageError):
        return _page(request, exception.status, exception.title, exception.details, home)
    if isinstance(exception, HTTPNotFound):
        return _page(request, 404, 'There is no such page', 'Open it again from the application that you came from.')
    if isinstance(exception, UnicodeDecodeError):  # of the query
        return undecodable(exception, request)
    answer = exception if isinstance(exception, FSPError) else translated(exception)
    support_id = request.fsp.support_id
    request.fsp.code = answer.code
    # Not the path: it holds the link.
    log_answer(exception, answer, request, support_id, request.matched_route.name)
    response = _page(request, answer.status, answer.title, answer.details, home, support_id)
    response.headers.update(answer.headers)
    return response


def undecodable(_exception: Exception, request: Any) -> Response:
    """A URL that is no UTF-8: Pyramid finds that out before it knows of routes."""
    return _page(request, 400, 'This link does not work', 'It is damaged. Open the page again from your application.')


def unknown(_context: Any, _request: Any) -> None:
    """Any other method or form."""
    raise HTTPNotFound


def _page(request: Any, status: int, title: str, details: str, home: str = '', support_id: str = '') -> Response:
    return render(request, 'failed', status, title=title, details=details, home=home, support_id=support_id)
