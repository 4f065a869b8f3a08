"""Exception views of a mount: every error becomes the protocol's envelope and a log line."""

import logging

from pyramid.request import Request
from pyramid.response import Response

from ..errors import BadRequest, MethodNotAllowed, excerpt
from ..i18n import Translator
from ..i18n.negotiation import header_language, translator_of
from ..sources import SourceError
from ..telemetry import log_error, raw_path, to_fsp_error, with_support_id
from .resources import Directory, File

log = logging.getLogger(__name__)


def error(exception: Exception, request: Request) -> Response:
    """Return the envelope of an error. Its details end with a support id, which the log repeats."""
    answer, stats = to_fsp_error(exception), request.fsp_stats
    stats.code = answer.code
    if isinstance(exception.__cause__, SourceError):
        stats.metrics.source_refused(type(exception.__cause__).__name__)
    log_error(log, exception, answer, request, raw_path(request))
    translate = _translator(request)
    body = {
        'status': 'error',
        'code': answer.code,
        'message': translate(answer.title),
        'details': translate(with_support_id(answer.details, stats.support_id)),
    }
    response = Response(json_body=body, status=answer.status)
    response.headers.update(answer.headers)
    response.content_language = translate.language
    return response


def _translator(request: Request) -> Translator:
    """Return the translator for the language that the request asks for, else for that of its client."""
    identity = request.fsp.identity if request.matched_route else None
    language = request.fsp.settings.language if identity else ''
    return translator_of(request, (header_language(request),), language)


def undecodable(_exception: Exception, request: Request) -> Response:
    """Answer a URL that is not UTF-8. Pyramid raises for it before it matches routes."""
    return error(BadRequest('The path of this request is not valid: it is no UTF-8.'), request)


def method_not_allowed(context: Directory | File, request: Request) -> None:
    """Refuse all methods without a view, for callers with valid credentials."""
    allowed = ('GET', 'HEAD', 'POST', 'DELETE') + (() if isinstance(context, Directory) else ('PATCH',))
    kind = 'folder' if isinstance(context, Directory) else 'file'
    raise MethodNotAllowed(f'A {kind} has no method {excerpt(request.method)}.', allowed)
