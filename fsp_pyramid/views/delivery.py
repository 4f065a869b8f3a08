"""What was found becomes an answer: conditions, ranges, and headers that let nothing act in our name."""

import re
from collections.abc import Callable, Iterator
from email.utils import formatdate
from typing import Any, BinaryIO
from urllib.parse import quote

from pyramid.response import Response

from ..interfaces import IPublic
from ..public.desk import Found

BLOCK = 64 * 1024
# Where a web server in front finds the cache directory: see deploy/nginx.conf.
SENDFILE = '/fsp-cache/'
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
# One range, of numbers that are no attack.
RANGE = re.compile(r'bytes *= *(?:\d{1,18} *- *\d{0,18}|- *[1-9]\d{0,17}) *', re.ASCII | re.IGNORECASE)
# Pages are for nobody to open here; and Chromium shows no PDF in a sandbox, so that a download is the way to read it.
DOWNLOADS = frozenset({'text/html', 'application/xhtml+xml', 'text/xml', 'application/xml', 'application/pdf'})


class Body:
    """The bytes of a file that may still be growing, or a part of them. The server closes it.

    :param size: of the part; None for all that follows
    :param on_end: hears how many bytes were read
    """

    def __init__(self, file: BinaryIO, on_end: Callable[[int], None], size: int | None = None) -> None:
        self._file, self._on_end, self._left = file, on_end, size
        self._read = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        block = self._file.read(BLOCK if self._left is None else min(BLOCK, self._left))
        if not block:
            raise StopIteration
        self._read += len(block)
        if self._left is not None:
            self._left -= len(block)
        return block

    def app_iter_range(self, start: int, stop: int) -> 'Body':
        """The bytes from *start* to before *stop*: WebOb asks for them."""
        self._file.seek(start)
        return Body(self._file, self._on_end, stop - start)

    def close(self) -> None:
        """Nobody reads any more."""
        if not self._file.closed:
            self._file.close()
            self._on_end(self._read)


def deliver(request: Any, place: IPublic, found: Found, mime_type: str, caching: str) -> Response:
    """The answer with what was found, or with the part of it that is asked for, or that the caller has it already.

    :param caching: the value of Cache-Control
    """
    count = request.fsp.meter.served
    body = Body(found.file, lambda size: count(_outcome(found), size))
    response = Response(app_iter=body, conditional_response=True, etag=found.etag)
    response.headers.update(HEADERS)
    if mime_type == SVG:
        response.headers['Content-Security-Policy'] = SVG_POLICY
    response.content_type = mime_type
    response.charset = None  # WebOb would claim UTF-8 for text of whatever encoding
    response.content_length = found.size
    response.headers['Last-Modified'] = formatdate(found.modified / 1000, usegmt=True)
    response.headers['Cache-Control'] = caching
    response.headers['Content-Disposition'] = _disposition(
        'attachment' if mime_type in DOWNLOADS else 'inline', found.name
    )
    if found.age is not None:
        response.age = max(int(found.age), 0)
    if _is_known(request, response):
        found.file.close()
        count('known', 0)
        return _not_modified(response)
    if place.sendfile == 'nginx' and found.path is not None:
        found.file.close()
        count(_outcome(found), found.size or 0)
        return _sent_by_nginx(response, found.path)
    response.accept_ranges = 'bytes'
    if 'Range' in request.headers and not _is_part_wanted(request, response):
        del request.headers['Range']
    return response


def _outcome(found: Found) -> str:
    """For those who count: where it came from."""
    if found.age is not None:
        return 'stale'
    return 'fetched' if found.fetched else 'kept'


def _is_known(request: Any, response: Response) -> bool:
    """Whether the caller has this version already, as RFC 9110 (13.2.2) wants it to be found out."""
    tags = request.headers.get('If-None-Match')
    if tags is not None:
        # WebOb takes "*" for nothing.
        return tags.strip() == '*' or response.etag in request.if_none_match
    since = request.if_modified_since
    return since is not None and response.last_modified <= since


def _is_part_wanted(request: Any, response: Response) -> bool:
    """Whether the answer is a part, or that there is none, as RFC 9110 (13.1.5, 14.2) wants it.

    WebOb knows the rest. It would answer the first of several ranges, where all of the file is allowed; it fails at
    broken dates and at numbers of thousands of digits, and takes a later date for the one that it was told.
    """
    condition = request.headers.get('If-Range')
    if request.method != 'GET' or not RANGE.fullmatch(request.headers['Range']):
        return False
    return condition is None or condition.strip() in {f'"{response.etag}"', response.headers['Last-Modified']}


def _not_modified(response: Response) -> Response:
    response.status_int, response.app_iter, response.content_length = 304, [], None
    del response.content_type
    return response


def _sent_by_nginx(response: Response, path: str) -> Response:
    response.conditional_response = False
    response.app_iter, response.content_length = [], 0
    response.headers['X-Accel-Redirect'] = SENDFILE + quote(path)
    return response


def _disposition(kind: str, name: str) -> str:
    """With the real name in both forms of RFC 6266, if it is known: that in the URL may be anything."""
    if not name:
        return kind
    plain = re.sub(r'[^ -~]|["\\\\%]', '_', name)
    return f'{kind}; filename="{plain}"; filename*=UTF-8\'\'{quote(name, safe="")}'
