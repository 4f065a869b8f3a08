"""Exception views below the connect prefix: every error becomes a page."""

import logging

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response

from ..i18n import _
from ..telemetry import log_error, to_fsp_error
from .context import BROKEN_LINK, ConnectContext, PageError
from .rendering import render

log = logging.getLogger(__name__)


def failed(exception: Exception, request: Request) -> Response:
    """Return the page of an error. For errors that users cannot fix, it has a support id, which the log repeats."""
    context = getattr(request, 'context', None)
    visit = context if isinstance(context, ConnectContext) else None
    if isinstance(exception, PageError):
        return _page(request, exception.status, exception.title, exception.details, visit, of_error=exception.visit)
    if isinstance(exception, HTTPNotFound):
        return _page(
            request,
            404,
            _('connect-no-page-title', 'There is no such page'),
            _('connect-no-page', 'Open the page again from the application that you came from.'),
            visit,
        )
    if isinstance(exception, UnicodeDecodeError):  # of the query
        return undecodable(exception, request)
    answer, stats = to_fsp_error(exception), request.fsp_stats
    stats.code = answer.code
    # Not the path: it holds the link.
    log_error(log, exception, answer, request, request.matched_route.name)
    response = _page(request, answer.status, answer.title, answer.details, visit, support_id=stats.support_id)
    response.headers.update(answer.headers)
    return response


def undecodable(_exception: Exception, request: Request) -> Response:
    """Answer a URL that is not UTF-8. Pyramid raises for it before it matches routes."""
    details = _('connect-link-damaged', 'The link is damaged. Open the page again from your application.')
    return _page(request, 400, BROKEN_LINK, details)


def unknown(_context: object, _request: Request) -> None:
    """Refuse any other method or form."""
    raise HTTPNotFound


def _page(
    request: Request,
    status: int,
    title: str,
    details: str,
    visit: ConnectContext | None = None,
    *,
    of_error: ConnectContext | None = None,
    support_id: str = '',
) -> Response:
    """Return the page of an error.

    :param visit: the user whose page failed, and can be opened again
    :param of_error: the user of a link that opens no page any more
    """
    return render(
        request,
        'failed',
        status,
        visit=visit or of_error,
        title=title,
        details=details,
        home=visit.home if visit else '',
        support_id=support_id,
    )
