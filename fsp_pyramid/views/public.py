"""Public content: a file by its signed link, without credentials."""

import logging
from typing import Any

from pyramid.response import Response

from ..errors import Forbidden, FSPError, InternalError, MethodNotAllowed, NotFound
from ..interfaces import IPublic
from ..model import Download
from ..public.content import open_link
from ..sources.types import type_of_name
from .errors import because, level

log = logging.getLogger(__name__)

UNKNOWN_TYPE = 'application/octet-stream'
# What is served here belongs to users: no page of theirs may act in our name.
HEADERS = {
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    'Cross-Origin-Resource-Policy': 'cross-origin',
}


def serve(request: Any) -> Response:
    """Stream the current content of the file from Egnyte. The name in the URL is decoration."""
    place = request.registry.getUtility(IPublic)
    download = open_link(request, place, request.matchdict['token'])
    response = Response(app_iter=download, conditional_response=True, etag=download.version_id)
    response.headers.update(HEADERS)
    response.content_type = _type(download, request.matchdict['name'])
    response.charset = None  # WebOb would claim UTF-8 for text of whatever encoding
    response.content_length = download.size
    response.headers['Last-Modified'] = download.modified
    response.cache_control = f'public, max-age={place.max_age}'
    return response


def method_not_allowed(request: Any) -> None:
    """Whatever is neither GET nor HEAD."""
    raise MethodNotAllowed(f'Files have no method {request.method} here.', ('GET', 'HEAD'))


def error(exception: Exception, request: Any) -> Response:
    """A short text: who reads it has followed a link, or looks at a picture that is missing."""
    answer = exception if isinstance(exception, FSPError) else InternalError()
    _log(exception, answer, request)
    response = Response(_text(answer), status=answer.status, content_type='text/plain')
    response.headers.update({**HEADERS, **answer.headers})
    return response


def _text(answer: FSPError) -> str:
    """Accounts, folders and remedies are for users of the file manager; readers can do nothing about them."""
    if isinstance(answer, NotFound):
        answer = _not_found()
    if isinstance(answer, NotFound | MethodNotAllowed):
        return f'{answer.title}. {answer.details}'
    return Forbidden.title if answer.status == Forbidden.status else answer.title


def _log(exception: Exception, answer: FSPError, request: Any) -> None:
    # Without the path: whoever knows the link may read the file.
    expected = exception is answer
    log.log(
        level(answer),
        '%s public content: %d/%d %s%s',
        request.method,
        answer.status,
        answer.code,
        answer.title,
        because(exception.__cause__) if expected else '',
        exc_info=None if expected else exception,
    )


def undecodable(_exception: Exception, request: Any) -> Response:
    """A URL that is no UTF-8 is none of ours."""
    return error(_not_found(), request)


def _not_found() -> NotFound:
    return NotFound('There is no such file.')


def _type(download: Download, name: str) -> str:
    """Egnyte's word; where it has none for it, a picture's name may say which kind of picture it is."""
    told, guessed = download.mime_type.partition(';')[0].strip(), type_of_name(name)
    return guessed if told in {'', UNKNOWN_TYPE} and guessed.startswith('image/') else told or UNKNOWN_TYPE
