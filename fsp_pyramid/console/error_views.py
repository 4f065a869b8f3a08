"""Exception views of the console: a page, or the protocol's envelope for its script."""

import logging

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response

from ..connect.context import PageError
from ..connect.rendering import HEADERS
from ..i18n import _
from ..telemetry import log_error, to_fsp_error, with_support_id
from . import login, relay
from .access import LoginRequired
from .rendering import render, translator

log = logging.getLogger(__name__)


def failed(exception: Exception, request: Request) -> Response:
    """Answer an exception. Errors that users cannot fix have a support id, which the log repeats."""
    is_script = request.matched_route.name in {relay.ROUTE, relay.UPLOAD_ROUTE}
    if isinstance(exception, LoginRequired) and not is_script:
        return login.ask(request)
    if isinstance(exception, PageError):
        return _answer(request, is_script, exception.status, exception.title, exception.details)
    if isinstance(exception, HTTPNotFound):
        title = _('console-not-found-title', 'There is no such page')
        details = _('console-not-found', 'The address has changed, or is mistyped.')
        return _answer(request, is_script, 404, title, details)
    if isinstance(exception, UnicodeDecodeError):  # of the query
        return undecodable(exception, request)
    answer, stats = to_fsp_error(exception), request.fsp_stats
    stats.code = answer.code
    log_error(log, exception, answer, request, request.matched_route.name)
    details = with_support_id(answer.details, stats.support_id)
    return _answer(request, is_script, answer.status, answer.title, details)


def undecodable(_exception: Exception, request: Request) -> Response:
    """Answer a URL that is not UTF-8. Pyramid raises for it before it matches routes."""
    title = _('console-undecodable-title', 'This address does not work')
    return _answer(request, False, 400, title, _('console-undecodable', 'It is damaged: it is no UTF-8.'))


def unknown(_context: object, _request: Request) -> None:
    """Refuse any other method."""
    raise HTTPNotFound


def _answer(request: Request, is_script: bool, status: int, title: str, details: str) -> Response:
    if is_script:
        translate = translator(request)
        body = {'status': 'error', 'message': translate(title), 'details': translate(details)}
        response = Response(json_body=body, status=status)
        response.content_language = translate.language
        response.headers.update(HEADERS)
        return response
    return render(request, 'failed', status, title=title, details=details)
