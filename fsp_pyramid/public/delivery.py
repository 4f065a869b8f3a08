"""Delivery of a content: conditions, ranges, and headers that keep user content from acting under our origin."""

import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC
from email.utils import formatdate, parsedate_to_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from pyramid.request import Request
from pyramid.response import Response

from ..content.cache import CachedContent, ContentFile
from ..errors import Busy
from ..headers import matches_etag
from ..interfaces import IPublic

log = logging.getLogger(__name__)

BLOCK = 64 * 1024
# URL of the cache directory for a web server in front: see deploy/nginx.conf.
SENDFILE = '/fsp-cache/'
# Header of a request that nginx makes for its own cache, and the size of files that it does not keep there.
NGINX_CACHE, LARGE = 'X-FSP-Cache', 100_000_000
# Files belong to users: none of their pages may act under our origin.
HEADERS = {
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "sandbox; default-src 'none'",
    'Cross-Origin-Resource-Policy': 'cross-origin',
    'Access-Control-Allow-Origin': '*',  # editors draw pictures on a canvas
}
# SVG pictures need their styles and embedded pictures.
SVG_POLICY = f"{HEADERS['Content-Security-Policy']}; style-src 'unsafe-inline'; img-src data:"
SVG = 'image/svg+xml'
# One range of a Range header, with numbers of a sane length: the first and the last byte, or the length of the end.
# Possessive (*+), because the spaces behind the dash would be divided in all ways.
RANGE = re.compile(r' *(?:([0-9]{1,18}) *- *+([0-9]{0,18})|- *([1-9][0-9]{0,17})) *')
# The forms of an HTTP-date: two with the zone, which is GMT, and that of asctime() without one.
HTTP_DATE = re.compile(r' *[A-Z].* GMT *|[A-Z][a-z]{2} [A-Z][a-z]{2} [0-9 ][0-9] [0-9:]{8} [0-9]{4}')
# Pages must not open under our origin; and Chromium shows no PDF in a sandbox, so that it has to be downloaded.
DOWNLOADS = frozenset({'text/html', 'application/xhtml+xml', 'text/xml', 'application/xml', 'application/pdf'})


class Body:
    """Response body, a part of a file that may still be growing: an iterable, and a file for WSGI file wrappers.

    Closing it closes the file, and so does dropping it. It has a position of its own: servers ask for that and change
    it several times for each read, and a system call lets other threads run first.

    :param on_end: called once with the number of bytes that were read
    :param part: range of the bytes to send; None for all up to the end
    """

    def __init__(self, file: ContentFile, on_end: Callable[[int], None], part: range | None) -> None:
        self._file, self._on_end, self._part = file, on_end, part
        self._start = self._position = part.start if part else 0
        self._position_of_file = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            block = self.read(BLOCK)
        except Exception as error:
            # Without the path, whose token opens the file. With a known length the server sees that bytes are missing
            # and closes the connection; without one, only an exception keeps the end from looking complete.
            log.warning('public content ends early: %s', type(error).__name__)
            if self._part is None:
                raise
            block = b''
        if not block:
            raise StopIteration
        return block

    def read(self, size: int = -1) -> bytes:
        """Read at most *size* bytes of the part."""
        if self._part is not None:
            left = self._part.stop - self._position
            if left <= 0:
                return b''
            size = left if size < 0 else min(size, left)
        if self._position != self._position_of_file:
            self._file.seek(self._position)
        block = self._file.read(size)
        self._position += len(block)
        self._position_of_file = self._position
        return block

    def seekable(self) -> bool:
        """Return True: waitress asks, and measures the part."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Change the position; the end is that of the part."""
        if whence == os.SEEK_CUR:
            offset += self._position
        elif whence == os.SEEK_END and self._part is not None:
            offset += self._part.stop
        elif whence == os.SEEK_END:
            offset = self._position_of_file = self._file.seek(offset, whence)
        self._position = offset
        return offset

    def tell(self) -> int:
        """Return the position in the file."""
        return self._position

    def close(self) -> None:
        """Close the file."""
        if not self._file.closed:
            self._file.close()
            self._on_end(self._position - self._start)

    __del__ = close


def deliver(request: Request, public: IPublic, content: CachedContent, mime_type: str, caching: str) -> Response:
    """Respond with the content, with the wanted part of it, or with 304 if the client has it.

    Raises Busy if too many bodies are being sent.

    :param caching: the value of Cache-Control
    """
    try:
        return _answer(request, public, content, _headers(content, mime_type, caching))
    except BaseException:
        content.file.close()
        raise


def _headers(content: CachedContent, mime_type: str, caching: str) -> dict[str, str]:
    """Return the headers of a success, with or without a body."""
    headers = _headers_of_version(content.etag, content.modified, content.name, mime_type) | {'Cache-Control': caching}
    if content.age is not None:
        headers['Age'] = str(max(int(content.age), 0))
    return headers


@lru_cache(maxsize=1024)
def _headers_of_version(etag: str, modified: int, name: str, mime_type: str) -> dict[str, str]:
    """Return the headers that depend on the content alone. The caller copies them."""
    kind = 'attachment' if mime_type in DOWNLOADS else 'inline'
    headers = HEADERS | {
        'Content-Type': mime_type,
        'ETag': f'"{etag}"',
        'Last-Modified': formatdate(modified / 1000, usegmt=True),
        'Content-Disposition': _disposition(kind, name),
    }
    if mime_type == SVG:
        headers['Content-Security-Policy'] = SVG_POLICY
    return headers


def _answer(request: Request, public: IPublic, content: CachedContent, headers: dict[str, str]) -> Response:
    count = request.fsp_stats.metrics.served
    if _is_not_modified(request, content):
        content.file.close()
        count('known', 0)
        del headers['Content-Type']
        return _response(304, headers)
    if public.sendfile == 'nginx' and content.path is not None and _is_for_nginx(request, content):
        content.file.close()
        count(_outcome(content), content.size or 0)
        return _response(200, headers | {'X-Accel-Redirect': SENDFILE + quote(content.path)})
    part = None if content.size is None else range(content.size)
    if _is_range_wanted(request, headers):
        ranges = _ranges(request, content)
        if len(ranges) == 1 and not ranges[0]:
            content.file.close()
            return _unsatisfiable(content)
        if len(ranges) == 1:
            part = ranges[0]
            headers['Content-Range'] = f'bytes {part.start}-{part.stop - 1}/{content.size}'
    headers['Accept-Ranges'] = 'bytes'
    if part is not None:
        headers['Content-Length'] = str(len(part))
    status = 206 if 'Content-Range' in headers else 200
    if request.method == 'HEAD':
        content.file.close()
        count(_outcome(content), 0)
        return _response(status, headers)
    return _response(status, headers, _body(request, public, content, part))


def _body(request: Request, public: IPublic, content: CachedContent, part: range | None) -> Any:
    """Return the body. A server that has a file wrapper sends a complete file without keeping a thread."""
    if not public.bodies.acquire(blocking=False):
        raise Busy

    def end(size: int) -> None:
        public.bodies.release()
        request.fsp_stats.metrics.served(_outcome(content), size)

    body = Body(content.file, end, part)
    wrapper = request.environ.get('wsgi.file_wrapper')
    return body if wrapper is None or content.path is None else wrapper(body, BLOCK)


def _response(status: int, headers: dict[str, str], body: Iterable[bytes] = ()) -> Response:
    # All headers at once: WebOb would add a charset to text of any encoding, and searches the list for each header.
    return Response(status=status, headerlist=list(headers.items()), app_iter=body)


def _unsatisfiable(content: CachedContent) -> Response:
    """Respond that the file has none of the wanted bytes, without any header that a cache could keep."""
    response = Response('Range not satisfiable', status=416, content_type='text/plain')
    response.headers.update(HEADERS | {'Content-Range': f'bytes */{content.size}', 'Cache-Control': 'no-store'})
    return response


def _outcome(content: CachedContent) -> str:
    """Return the outcome for the metrics."""
    if content.age is not None:
        return 'stale'
    return 'fetched' if content.fetched else 'kept'


def _is_not_modified(request: Request, content: CachedContent) -> bool:
    """Return whether the client has this version, by RFC 9110 (13.2.2)."""
    # From the environment: WebOb translates the name of a header each time.
    tags = request.environ.get('HTTP_IF_NONE_MATCH')
    if tags is not None:
        return matches_etag(tags, content.etag)
    since = _seconds(request.environ.get('HTTP_IF_MODIFIED_SINCE', ''))
    return since is not None and content.modified // 1000 <= since


def _seconds(date: str) -> float | None:
    """Return the UNIX time of an HTTP-date (RFC 9110, 5.6.7); None for other text, whose condition is ignored."""
    if not HTTP_DATE.fullmatch(date):
        return None
    try:
        return parsedate_to_datetime(date).replace(tzinfo=UTC).timestamp()
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _is_range_wanted(request: Request, headers: dict[str, str]) -> bool:
    """Return whether the condition of a range request holds, by RFC 9110 (13.1.5, 14.2)."""
    condition = request.environ.get('HTTP_IF_RANGE')
    return request.method == 'GET' and (
        condition is None or condition.strip() in {headers['ETag'], headers['Last-Modified']}
    )


def _ranges(request: Request, content: CachedContent) -> list[range]:
    """Return the wanted ranges, empty ones for bytes that the file does not have; none if one is malformed."""
    unit, _, specs = request.environ.get('HTTP_RANGE', '').partition('=')
    if unit.strip().lower() != 'bytes' or content.size is None:
        return []
    ranges = []
    for spec in specs.split(','):
        part = _range(spec, content.size)
        if part is None:
            return []
        ranges.append(part)
    return ranges


def _range(spec: str, size: int) -> range | None:
    match = RANGE.fullmatch(spec)
    if match is None:
        return None
    first, last, length = match.groups()
    if length is not None:
        return range(max(size - int(length), 0), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1, size) if last else size)


def _is_for_nginx(request: Request, content: CachedContent) -> bool:
    """Return whether nginx is to send the file: if it does not cache our response, and responds as we do.

    It responds with 416 to malformed ranges, with the headers of a success, and with 412 to malformed dates.
    """
    is_cached = is_cached_by_nginx(request) and (content.size or 0) < LARGE
    if is_cached or 'If-Match' in request.headers or 'If-Unmodified-Since' in request.headers:
        return False
    return 'Range' not in request.headers or any(_ranges(request, content))


def is_cached_by_nginx(request: Request) -> bool:
    """Return whether nginx is to cache the response, if that permits it."""
    return request.headers.get(NGINX_CACHE, 'off') != 'off'


def _disposition(kind: str, name: str) -> str:
    """Return a Content-Disposition with both forms of the file's name (RFC 6266), if it is known."""
    if not name:
        return kind
    plain = re.sub(r'[^ -~]|["\\\\%]', '_', name)
    return f'{kind}; filename="{plain}"; filename*=UTF-8\'\'{quote(name, safe="")}'
