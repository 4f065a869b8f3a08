"""Public views: a file, or its thumbnail, by its signed link and without credentials."""

import logging

from pyramid.request import Request
from pyramid.response import Response

from ..content.cache import CachedContent
from ..content.links import BadLink
from ..content.revalidation import FileGone
from ..errors import (
    EgnyteUnavailable,
    Forbidden,
    FSPError,
    MethodNotAllowed,
    NoRoom,
    NotFound,
    excerpt,
)
from ..imaging.contract import CONTENT_TYPE
from ..imaging.placeholder import placeholder
from ..interfaces import IPublic
from ..media_types import ACTIVE, UNKNOWN, type_of_name
from ..telemetry import cause_suffix, log_level, to_fsp_error
from .delivery import HEADERS, deliver, is_cached_by_nginx
from .origin import RequestOrigin

log = logging.getLogger(__name__)

# Seconds for which caches may serve a stale response: while they revalidate it, and while we do not answer.
STALE_WHILE_REVALIDATE, STALE_IF_ERROR = 60, 30 * 86400
# Seconds for which a version that may be outdated is fresh: nginx and some CDNs ignore its Age.
OUTDATED_MAX_AGE = 5
# Header for nginx alone. Seconds for which it keeps that a file is gone: in the place of the file, which it would serve
# again while we do not answer.
FOR_NGINX, GONE_FOR = 'X-Accel-Expires', 5
FOREVER = 'public, max-age=31536000, immutable'


def serve(request: Request) -> Response:
    """Return the content of a file. The name in the URL is decoration."""
    public = request.registry.getUtility(IPublic)
    try:
        link = public.signer.verify(request.matchdict['token'])
    except BadLink:
        raise _not_found() from None
    # A call to Egnyte takes part in the visitor's transaction; without one it has a request and transaction of its own.
    visitor = request if 'tm.active' in request.environ else None
    content = public.content_service.open(
        RequestOrigin(request.registry, link, visitor, request.fsp_stats.count_call),
    )
    max_age = public.max_age if content.age is None else min(public.max_age, OUTDATED_MAX_AGE)
    mime_type, caching = _content_type(content), _revalidated_after(max_age)
    if mime_type:
        return deliver(request, public, content, mime_type, caching)
    # nginx caches by the token, and the next reader may come with another name.
    return _uncached(deliver(request, public, content, _type_of_url(content, request.matchdict['name']), caching))


def serve_thumbnail(request: Request) -> Response:
    """Return the thumbnail of a file; a placeholder while it is being made."""
    public, digits = request.registry.getUtility(IPublic), request.matchdict['digits']
    try:
        link = public.signer.verify_thumbnail(request.matchdict['token'], digits)
    except BadLink:
        # The name of a file's link may begin with twelve digits; nginx would keep a copy for each of them.
        return _uncached(serve(request))
    content = public.content_service.thumbnail(RequestOrigin(request.registry, link), digits)
    request.fsp_stats.metrics.thumbnail('placeholder' if content is None else 'picture')
    if content is None:
        return _placeholder()
    caching = FOREVER if content.final else _revalidated_after(public.max_age)
    response = deliver(request, public, content, content.mime_type, caching)
    # Browsers keep it; nginx asks again whether the file is still there.
    response.headers[FOR_NGINX] = str(public.max_age)
    return response


def _uncached(response: Response) -> Response:
    """Keep a response out of nginx's cache, whose key leaves the name in the URL out."""
    response.headers[FOR_NGINX] = '0'
    return response


def _revalidated_after(max_age: int) -> str:
    """Return the Cache-Control of a content that may change."""
    stale = f'stale-while-revalidate={STALE_WHILE_REVALIDATE}, stale-if-error={STALE_IF_ERROR}'
    return f'public, max-age={max_age}, {stale}'


def _placeholder() -> Response:
    response = Response(placeholder(), content_type=CONTENT_TYPE)
    response.headers.update(HEADERS)
    response.headers['Cache-Control'] = 'no-store'
    return response


def method_not_allowed(request: Request) -> None:
    """Refuse all methods but GET and HEAD."""
    raise MethodNotAllowed(f'Files have no method {excerpt(request.method)} here.', ('GET', 'HEAD'))


def error(exception: Exception, request: Request) -> Response:
    """Return a short text, for a person who followed a link, or a picture that is missing."""
    answer = to_fsp_error(exception)
    request.fsp_stats.code = answer.code
    _log(exception, answer, request)
    response = Response(_text(answer), status=answer.status, content_type='text/plain')
    # nginx keeps no response with "no-store", and adds that itself where there is no Cache-Control.
    for_nginx = isinstance(exception, FileGone) and is_cached_by_nginx(request)
    caching = {FOR_NGINX: str(GONE_FOR)} if for_nginx else {'Cache-Control': 'no-store'}
    response.headers.update(HEADERS | caching | answer.headers)
    if answer.status == EgnyteUnavailable.status:
        response.headers.setdefault('Retry-After', str(EgnyteUnavailable.retry_after))
    return response


def _text(answer: FSPError) -> str:
    """Return the text for readers: accounts, folders and remedies concern only users of the file manager."""
    if isinstance(answer, NotFound):
        answer = _not_found()
    if isinstance(answer, NotFound | MethodNotAllowed):
        return f'{answer.title}. {answer}'
    return Forbidden.title if answer.status == Forbidden.status else answer.title


def _log(exception: Exception, answer: FSPError, request: Request) -> None:
    # Without the path: the link alone permits to read the file.
    expected = exception is answer
    if not expected and isinstance(answer, NoRoom):
        log.error('%s public content: a disk fails: %s', excerpt(request.method), exception)
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
    return NotFound()


def _content_type(content: CachedContent) -> str:
    """Return the type of a content, '' where nothing implies one.

    The file's own name decides. If it implies no type: a sniffed picture type, Egnyte's type, any other sniffed type.
    Egnyte's type makes a file active only if its name does.
    """
    egnyte_type = content.mime_type.partition(';')[0].strip()
    if content.name and egnyte_type in ACTIVE:
        egnyte_type = ''
    picture_type = content.sniffed_type if content.sniffed_type.startswith('image/') else ''
    types = (type_of_name(content.name), picture_type, egnyte_type, content.sniffed_type)
    return next((type_ for type_ in types if type_ not in {'', UNKNOWN}), '')


def _type_of_url(content: CachedContent, url_name: str) -> str:
    """Return the type that the name in the URL implies: of a picture, and of a file whose own name is not known."""
    type_ = type_of_name(url_name)
    return type_ if type_.startswith('image/') and not content.name else UNKNOWN
