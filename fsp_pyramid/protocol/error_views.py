"""Exception views of a mount: every error becomes the protocol's envelope and a log line."""

import logging

from pyramid.request import Request
from pyramid.response import Response

from ..errors import BadRequest, MethodNotAllowed, excerpt
from ..sources import SourceError
from ..telemetry import log_error, raw_path, to_fsp_error
from .resources import Directory, File

log = logging.getLogger(__name__)


def error(exception: Exception, request: Request) -> Response:
    """Return the envelope of an error. Its details end with a support id, which the log repeats."""
    answer, stats = to_fsp_error(exception), request.fsp_stats
    stats.code = answer.code
    if isinstance(exception.__cause__, SourceError):
        stats.metrics.source_refused(type(exception.__cause__).__name__)
    log_error(log, exception, answer, request, raw_path(request))
    body = {
        'status': 'error',
        'code': answer.code,
        'message': answer.title,
        'details': f'{answer.details} (support id {stats.support_id})'.lstrip(),
    }
    response = Response(json_body=body, status=answer.status)
    response.headers.update(answer.headers)
    return response


def undecodable(_exception: Exception, request: Request) -> Response:
    """Answer a URL that is not UTF-8. Pyramid raises for it before it matches routes."""
    return error(BadRequest('The path of this request is not valid: it is no UTF-8.'), request)


def method_not_allowed(context: Directory | File, request: Request) -> None:
    """Refuse all methods without a view, for callers with valid credentials."""
    allowed = ('GET', 'HEAD', 'POST', 'DELETE') + (() if isinstance(context, Directory) else ('PATCH',))
    kind = 'folder' if isinstance(context, Directory) else 'file'
    raise MethodNotAllowed(f'A {kind} has no method {excerpt(request.method)}.', allowed)
