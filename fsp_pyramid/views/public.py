"""Public content: a file, or its thumbnail, by its signed link and without credentials."""

import logging
import re
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any, BinaryIO
from urllib.parse import quote

from pyramid.response import Response

from ..errors import Forbidden, FSPError, InternalError, MethodNotAllowed, NotFound
from ..interfaces import IPublic
from ..public.desk import Found
from ..public.links import BadLink
from ..public.thumbnails import CONTENT_TYPE, placeholder
from ..sources.types import type_of_name
from .errors import because, level

log = logging.getLogger(__name__)

UNKNOWN_TYPE = 'application/octet-stream'
BLOCK = 64 * 1024
# Where a web server in front finds the cache directory: see deploy/nginx.conf.
SENDFILE = '/fsp-cache/'
# Seconds for which caches may show what they have: while they ask for the next version, and while we do not answer.
WHILE_ASKING, IN_TROUBLE = 60, 30 * 86400
FOREVER = 'public, max-age=31536000, immutable'
# What is served here belongs to users: no page of theirs may act in our name.
HEADERS = {
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "sandbox; default-src 'none'",
    'Cross-Origin-Resource-Policy': 'cross-origin',
    'Access-Control-Allow-Origin': '*',  # editors draw pictures on a canvas
}
# A picture that is made of these is none without them.
SVG_POLICY = f"{HEADERS['Content-Security-Policy']}; style-src 'unsafe-inline'; img-src data:"
SVG = 'image/svg+xml'
# Pages are for nobody to open here; and Chromium shows no PDF in a sandbox, so that a download is the way to read it.
DOWNLOADS = frozenset({'text/html', 'application/xhtml+xml', 'text/xml', 'application/xml', 'application/pdf'})


class Body:
    """The bytes of a file that may still be growing, or a part of them. The server closes it."""

    def __init__(self, file: BinaryIO, size: int | None = None) -> None:
        self._file, self._left = file, size

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        block = self._file.read(BLOCK if self._left is None else min(BLOCK, self._left))
        if not block:
            raise StopIteration
        if self._left is not None:
            self._left -= len(block)
        return block

    def app_iter_range(self, start: int, stop: int) -> 'Body':
        """The bytes from *start* to before *stop*: WebOb asks for them."""
        self._file.seek(start)
        return Body(self._file, stop - start)

    def close(self) -> None:
        """Nobody reads any more."""
        self._file.close()


def serve(request: Any) -> Response:
    """The content of a file. The name in the URL is decoration."""
    place = request.registry.getUtility(IPublic)
    try:
        link = place.signer.verify(request.matchdict['token'])
    except BadLink:
        raise _not_found() from None
    found = place.desk.content(request, link)
    caching = f'public, max-age={place.max_age}'
    return _answer(request, place, found, _type(found, request.matchdict['name']), caching + _leeway())


def serve_thumbnail(request: Any) -> Response:
    """The thumbnail of a file; a placeholder while it is on its way."""
    place, digits = request.registry.getUtility(IPublic), request.matchdict['digits']
    try:
        link = place.signer.verify_thumbnail(request.matchdict['token'], digits)
    except BadLink:
        raise _not_found() from None
    found = place.desk.thumbnail(request, link, digits)
    if found is None:
        return _placeholder()
    caching = FOREVER if found.final else f'public, max-age={place.max_age}{_leeway()}'
    return _answer(request, place, found, found.mime_type, caching)


def _leeway() -> str:
    return f', stale-while-revalidate={WHILE_ASKING}, stale-if-error={IN_TROUBLE}'


def _placeholder() -> Response:
    response = Response(placeholder(), content_type=CONTENT_TYPE)
    response.headers.update(HEADERS)
    response.headers['Cache-Control'] = 'no-store'
    return response


def _answer(request: Any, place: IPublic, found: Found, mime_type: str, caching: str) -> Response:
    response = Response(app_iter=Body(found.file), conditional_response=True, etag=found.etag)
    response.headers.update(HEADERS)
    if mime_type == SVG:
        response.headers['Content-Security-Policy'] = SVG_POLICY
    response.content_type = mime_type
    response.charset = None  # WebOb would claim UTF-8 for text of whatever encoding
    response.content_length = found.size
    response.accept_ranges = 'bytes'
    response.headers['Last-Modified'] = formatdate(found.modified / 1000, usegmt=True)
    response.headers['Cache-Control'] = caching
    response.headers['Content-Disposition'] = _disposition(
        'attachment' if mime_type in DOWNLOADS else 'inline', found.name
    )
    if found.age is not None:
        response.age = max(int(found.age), 0)
    if _is_known(request, response):
        found.file.close()
        return _not_modified(response)
    if ',' in request.headers.get('Range', ''):
        # WebOb would answer the first of several ranges; all of the file is what RFC 9110 allows instead.
        del request.headers['Range']
    if place.sendfile == 'nginx' and found.path is not None:
        return _sent_by_nginx(response, found)
    return response


def _is_known(request: Any, response: Response) -> bool:
    """Whether the caller has this version already, as RFC 9110 (13.2.2) wants it to be found out."""
    tags = request.headers.get('If-None-Match')
    if tags is not None:
        # WebOb takes "*" for nothing.
        return tags.strip() == '*' or response.etag in request.if_none_match
    since = request.if_modified_since
    return since is not None and response.last_modified <= since


def _not_modified(response: Response) -> Response:
    response.status_int, response.app_iter, response.content_length = 304, [], None
    del response.content_type
    return response


def _sent_by_nginx(response: Response, found: Found) -> Response:
    found.file.close()
    response.conditional_response = False
    response.app_iter, response.content_length = [], 0
    response.headers['X-Accel-Redirect'] = SENDFILE + quote(found.path)
    return response


def _disposition(kind: str, name: str) -> str:
    """With the real name in both forms of RFC 6266, if it is known: that in the URL may be anything."""
    if not name:
        return kind
    plain = re.sub(r'[^ -~]|["\\\\%]', '_', name)
    return f'{kind}; filename="{plain}"; filename*=UTF-8\'\'{quote(name, safe="")}'


def method_not_allowed(request: Any) -> None:
    """Whatever is neither GET nor HEAD."""
    raise MethodNotAllowed(f'Files have no method {request.method} here.', ('GET', 'HEAD'))


def error(exception: Exception, request: Any) -> Response:
    """A short text: who reads it has followed a link, or looks at a picture that is missing."""
    answer = exception if isinstance(exception, FSPError) else InternalError()
    request.fsp.code = answer.code
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


def _type(found: Found, name: str) -> str:
    """What the file's own name says; Egnyte's word where that says nothing, or is not known.

    A name in the URL proves nothing, but may say which kind of picture it is where nobody else does.
    """
    told = found.mime_type.partition(';')[0].strip()
    for type_ in (type_of_name(found.name), told):
        if type_ not in {'', UNKNOWN_TYPE}:
            return type_
    guessed = type_of_name(name)
    return guessed if guessed.startswith('image/') else UNKNOWN_TYPE
