"""Public content: a file, or its thumbnail, by its signed link and without credentials."""

import logging
from typing import Any

from pyramid.response import Response

from ..content.links import BadLink
from ..content.service import CachedContent
from ..errors import (
    EgnyteUnavailable,
    Forbidden,
    FSPError,
    MethodNotAllowed,
    NoRoom,
    NotFound,
    excerpt,
)
from ..imaging.render import CONTENT_TYPE, placeholder
from ..interfaces import IPublic
from ..media_types import ACTIVE, type_of_name
from ..telemetry import cause_suffix, log_level, to_fsp_error
from .delivery import HEADERS, deliver

log = logging.getLogger(__name__)

UNKNOWN_TYPE = 'application/octet-stream'
# Seconds for which caches may show what they have: while they ask for the next version, and while we do not answer.
WHILE_ASKING, IN_TROUBLE = 60, 30 * 86400
FOREVER = 'public, max-age=31536000, immutable'


def serve(request: Any) -> Response:
    """The content of a file. The name in the URL is decoration."""
    place = request.registry.getUtility(IPublic)
    try:
        link = place.signer.verify(request.matchdict['token'])
    except BadLink:
        raise _not_found() from None
    found = place.content_service.content(request, link)
    caching = f'public, max-age={place.max_age}'
    return deliver(request, place, found, _type(found, request.matchdict['name']), caching + _leeway())


def serve_thumbnail(request: Any) -> Response:
    """The thumbnail of a file; a placeholder while it is on its way."""
    place, digits = request.registry.getUtility(IPublic), request.matchdict['digits']
    try:
        link = place.signer.verify_thumbnail(request.matchdict['token'], digits)
    except BadLink:
        return serve(request)  # the name of a file's link may begin with twelve digits
    found = place.content_service.thumbnail(request, link, digits)
    request.fsp_stats.metrics.thumbnail('placeholder' if found is None else 'picture')
    if found is None:
        return _placeholder()
    caching = FOREVER if found.final else f'public, max-age={place.max_age}{_leeway()}'
    return deliver(request, place, found, found.mime_type, caching)


def _leeway() -> str:
    return f', stale-while-revalidate={WHILE_ASKING}, stale-if-error={IN_TROUBLE}'


def _placeholder() -> Response:
    response = Response(placeholder(), content_type=CONTENT_TYPE)
    response.headers.update(HEADERS)
    response.headers['Cache-Control'] = 'no-store'
    return response


def method_not_allowed(request: Any) -> None:
    """Whatever is neither GET nor HEAD."""
    raise MethodNotAllowed(f'Files have no method {excerpt(request.method)} here.', ('GET', 'HEAD'))


def error(exception: Exception, request: Any) -> Response:
    """A short text: who reads it has followed a link, or looks at a picture that is missing."""
    answer = to_fsp_error(exception)
    request.fsp_stats.code = answer.code
    _log(exception, answer, request)
    response = Response(_text(answer), status=answer.status, content_type='text/plain')
    response.headers.update({**HEADERS, 'Cache-Control': 'no-store', **answer.headers})
    if answer.status == EgnyteUnavailable.status:
        response.headers.setdefault('Retry-After', str(EgnyteUnavailable.retry_after))
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
    if not expected and isinstance(answer, NoRoom):
        log.error('%s public content: a disk fails: %s', request.method, exception)
        return
    log.log(
        log_level(answer),
        '%s public content: %d/%d %s%s',
        excerpt(request.method),
        answer.status,
        answer.code,
        answer.title,
        cause_suffix(exception.__cause__) if expected else '',
        exc_info=None if expected else exception,
    )


def _not_found() -> NotFound:
    return NotFound('There is no such file.')


def _type(found: CachedContent, name: str) -> str:
    """What the file's own name says. Where that says nothing: the picture that its content shows, Egnyte's word, and
    what else its content shows.

    Egnyte's word makes nothing active of a file whose name does not. A name in the URL proves nothing, but may say
    which kind of picture it is where nobody else does.
    """
    told = found.mime_type.partition(';')[0].strip()
    if found.name and told in ACTIVE:
        told = ''
    picture = found.shown if found.shown.startswith('image/') else ''
    for type_ in (type_of_name(found.name), picture, told, found.shown):
        if type_ not in {'', UNKNOWN_TYPE}:
            return type_
    guessed = type_of_name(name)
    return guessed if guessed.startswith('image/') and not found.name else UNKNOWN_TYPE
