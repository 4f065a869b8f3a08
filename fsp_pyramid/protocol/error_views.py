"""Whatever goes wrong below a mount, in the protocol's envelope and in our log."""

import logging
from typing import Any

from pyramid.httpexceptions import HTTPException
from pyramid.response import Response

from ..disk import is_trouble
from ..errors import (
    BadRequest,
    Forbidden,
    FSPError,
    InternalError,
    MethodNotAllowed,
    NoRoom,
    NotFound,
    excerpt,
)
from ..sources import SourceError
from .resources import Directory

log = logging.getLogger(__name__)


def error(exception: Exception, request: Any) -> Response:
    """The envelope for any exception. Its details end with a support id, which stands in our log as well."""
    answer = exception if isinstance(exception, FSPError) else translated(exception)
    support_id = request.fsp.support_id
    request.fsp.code = answer.code
    if isinstance(exception.__cause__, SourceError):
        request.fsp.metrics.source_refused(type(exception.__cause__).__name__)
    log_answer(exception, answer, request, support_id, path_of(request))
    body = {
        'status': 'error',
        'code': answer.code,
        'message': answer.title,
        'details': f'{answer.details} (support id {support_id})'.lstrip(),
    }
    response = Response(json_body=body, status=answer.status)
    response.headers.update(answer.headers)
    return response


def path_of(request: Any) -> str:
    """Return the path for the log, as it came: its bytes may be no text. File names are no secrets, queries may be."""
    return excerpt(request.environ.get('PATH_INFO', '').encode('unicode_escape').decode())


def undecodable(_exception: Exception, request: Any) -> Response:
    """A URL that is no UTF-8: Pyramid finds that out before it knows of routes."""
    return error(BadRequest('The path of this request is not valid: it is no UTF-8.'), request)


def method_not_allowed(context: Any, request: Any) -> None:
    """What is left of the methods, for known callers."""
    allowed = ('GET', 'HEAD', 'POST', 'DELETE') + (() if isinstance(context, Directory) else ('PATCH',))
    kind = 'folder' if isinstance(context, Directory) else 'file'
    raise MethodNotAllowed(f'A {kind} has no method {excerpt(request.method)}.', allowed)


def translated(exception: Exception) -> FSPError:
    """What the caller is told of an exception that is not ours."""
    if isinstance(exception, HTTPException):  # the host's tweens and subscribers may raise those
        classes = {401: Forbidden, 403: Forbidden, 404: NotFound}
        default = BadRequest if exception.code < 500 else InternalError
        return classes.get(exception.code, default)(str(exception.detail or exception.title))
    return NoRoom() if is_trouble(exception) else InternalError()


def log_answer(exception: Exception, answer: FSPError, request: Any, support_id: str, place: str) -> None:
    """Note in our log what *exception* was, and what the caller was told. *place* is a path or the like."""
    expected = isinstance(exception, FSPError | HTTPException)
    if not expected and isinstance(answer, NoRoom):
        log.error('support id %s: %s %s: a disk fails: %s', support_id, request.method, place, exception)
        return
    log.log(
        level(answer),
        'support id %s: %s %s: %d/%d %s%s',
        support_id,
        excerpt(request.method),
        place,
        answer.status,
        answer.code,
        answer.title,
        because(exception.__cause__) if expected else '',
        exc_info=None if expected else exception,
    )


def level(answer: FSPError) -> int:
    """Our own failures are errors; Egnyte's are warnings; the caller's are no more than news."""
    if isinstance(answer, InternalError):
        return logging.ERROR
    return logging.WARNING if answer.status >= 500 else logging.INFO


def because(cause: BaseException | None) -> str:
    """What Egnyte, or a source, said to us, for the end of a line of the log."""
    # A source's text is for users and says little; its reason is for the log.
    return '' if cause is None else f' ({type(cause).__name__}: {getattr(cause, "reason", cause)})'
