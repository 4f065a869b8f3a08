"""What was found becomes an answer: conditions, ranges, and headers that let nothing act in our name."""

import logging
import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC
from email.utils import formatdate, parsedate_to_datetime
from typing import Any, BinaryIO
from urllib.parse import quote

from pyramid.response import Response

from ..content.service import CachedContent
from ..errors import Busy
from ..interfaces import IPublic

log = logging.getLogger(__name__)

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
# One range of a Range header, with numbers of a sane length: the first and the last byte, or the length of the end.
RANGE = re.compile(r' *(?:([0-9]{1,18}) *- *([0-9]{0,18})|- *([1-9][0-9]{0,17})) *')
# The forms of an HTTP-date: two with the zone, which is GMT, and that of asctime() without one.
HTTP_DATE = re.compile(r' *[A-Z].* GMT *|[A-Z][a-z]{2} [A-Z][a-z]{2} [0-9 ][0-9] [0-9:]{8} [0-9]{4}')
ENTITY_TAG = re.compile(r'(?:W/)?"([^"]*)"')
# Pages are for nobody to open here; and Chromium shows no PDF in a sandbox, so that a download is the way to read it.
DOWNLOADS = frozenset({'text/html', 'application/xhtml+xml', 'text/xml', 'application/xml', 'application/pdf'})


class Body:
    """A part of a file, which may still be growing: an iterable, and a file of just these bytes for a file wrapper.

    Closing it closes the file. Whatever drops it without closing it, closes it.

    :param on_end: called once with the number of bytes that were read
    :param part: the bytes to send; None for all that follows
    """

    def __init__(self, file: BinaryIO, on_end: Callable[[int], None], part: range | None) -> None:
        self._file, self._on_end, self._part = file, on_end, part
        self._start = part.start if part else 0
        if self._start:
            file.seek(self._start)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            block = self.read(BLOCK)
        except Exception as error:
            # Without the path: a token in it opens the file. With a known length the server sees that bytes are
            # missing and closes the connection; without one, only an exception keeps the end from looking complete.
            log.warning('public content ends early: %s', type(error).__name__)
            if self._part is None:
                raise
            block = b''
        if not block:
            raise StopIteration
        return block

    def read(self, size: int = -1) -> bytes:
        """At most *size* bytes of the part."""
        if self._part is None:
            return self._file.read(size)
        left = self._part.stop - self._file.tell()
        return self._file.read(left if size < 0 else min(size, left)) if left > 0 else b''

    def seekable(self) -> bool:
        """Waitress asks, and measures what it is going to send."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place of the file; its end is that of the part."""
        if whence == os.SEEK_END and self._part is not None:
            offset, whence = offset + self._part.stop, os.SEEK_SET
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The place in the file."""
        return self._file.tell()

    def close(self) -> None:
        """Close the file."""
        if not self._file.closed:
            read = self._file.tell() - self._start
            self._file.close()
            self._on_end(read)

    __del__ = close


def deliver(request: Any, place: IPublic, found: CachedContent, mime_type: str, caching: str) -> Response:
    """The answer with what was found, or with the part of it that is asked for, or that the caller has it already.

    Raises Busy where too many bodies are being sent.

    :param caching: the value of Cache-Control
    """
    try:
        return _answer(request, place, found, _headers(found, mime_type, caching))
    except BaseException:
        found.file.close()
        raise


def _headers(found: CachedContent, mime_type: str, caching: str) -> dict[str, str]:
    """The headers of a success, whether it has a body or not."""
    kind = 'attachment' if mime_type in DOWNLOADS else 'inline'
    headers = HEADERS | {
        'Content-Type': mime_type,
        'ETag': f'"{found.etag}"',
        'Last-Modified': formatdate(found.modified / 1000, usegmt=True),
        'Cache-Control': caching,
        'Content-Disposition': _disposition(kind, found.name),
    }
    if mime_type == SVG:
        headers['Content-Security-Policy'] = SVG_POLICY
    if found.age is not None:
        headers['Age'] = str(max(int(found.age), 0))
    return headers


def _answer(request: Any, place: IPublic, found: CachedContent, headers: dict[str, str]) -> Response:
    count = request.fsp_stats.metrics.served
    if _is_known(request, found):
        found.file.close()
        count('known', 0)
        del headers['Content-Type']
        return _response(304, headers)
    if place.sendfile == 'nginx' and found.path is not None and _is_for_nginx(request, found):
        found.file.close()
        count(_outcome(found), found.size or 0)
        return _response(200, headers | {'X-Accel-Redirect': SENDFILE + quote(found.path)})
    part = None if found.size is None else range(found.size)
    if _is_part_wanted(request, headers):
        ranges = _ranges(request, found)
        if len(ranges) == 1 and not ranges[0]:
            found.file.close()
            return _unsatisfiable(found)
        if len(ranges) == 1:
            part = ranges[0]
            headers['Content-Range'] = f'bytes {part.start}-{part.stop - 1}/{found.size}'
    response = _response(206 if 'Content-Range' in headers else 200, headers | {'Accept-Ranges': 'bytes'})
    if request.method == 'HEAD':
        found.file.close()
        count(_outcome(found), 0)
    else:
        response.app_iter = _body(request, place, found, part)
    response.content_length = None if part is None else len(part)
    return response


def _body(request: Any, place: IPublic, found: CachedContent, part: range | None) -> Any:
    """The body of an answer. A server that has a file wrapper sends a complete file without keeping a thread."""
    if not place.bodies.acquire(blocking=False):
        raise Busy

    def end(size: int) -> None:
        place.bodies.release()
        request.fsp_stats.metrics.served(_outcome(found), size)

    body = Body(found.file, end, part)
    wrapper = request.environ.get('wsgi.file_wrapper')
    return body if wrapper is None or found.path is None else wrapper(body, BLOCK)


def _response(status: int, headers: dict[str, str]) -> Response:
    response = Response(status=status)
    response.content_type = None  # with the charset that WebOb claims for text of whatever encoding
    response.headers.update(headers)
    return response


def _unsatisfiable(found: CachedContent) -> Response:
    """None of the bytes that were asked for are there. It has nothing of a success that caches could keep."""
    response = Response('Range not satisfiable', status=416, content_type='text/plain')
    response.headers.update(HEADERS | {'Content-Range': f'bytes */{found.size}', 'Cache-Control': 'no-store'})
    return response


def _outcome(found: CachedContent) -> str:
    """For those who count: where it came from."""
    if found.age is not None:
        return 'stale'
    return 'fetched' if found.fetched else 'kept'


def _is_known(request: Any, found: CachedContent) -> bool:
    """Whether the caller has this version already, as RFC 9110 (13.2.2) wants it to be found out."""
    tags = request.headers.get('If-None-Match')
    if tags is not None:
        return tags.strip() == '*' or found.etag in ENTITY_TAG.findall(tags)
    since = _seconds(request.headers.get('If-Modified-Since', ''))
    return since is not None and found.modified // 1000 <= since


def _seconds(date: str) -> float | None:
    """The UNIX time of an HTTP-date (RFC 9110, 5.6.7), None for what is none: conditions with such are ignored."""
    if not HTTP_DATE.fullmatch(date):
        return None
    try:
        return parsedate_to_datetime(date).replace(tzinfo=UTC).timestamp()
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _is_part_wanted(request: Any, headers: dict[str, str]) -> bool:
    """Whether the condition of a request for a part holds, as RFC 9110 (13.1.5, 14.2) wants it."""
    condition = request.headers.get('If-Range')
    return request.method == 'GET' and (
        condition is None or condition.strip() in {headers['ETag'], headers['Last-Modified']}
    )


def _ranges(request: Any, found: CachedContent) -> list[range]:
    """The ranges that are asked for, an empty one where the file has none of its bytes; none where one is malformed."""
    unit, _, specs = request.headers.get('Range', '').partition('=')
    if unit.strip().lower() != 'bytes' or found.size is None:
        return []
    ranges = [_range(spec, found.size) for spec in specs.split(',')]
    return [] if None in ranges else ranges


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


def _is_for_nginx(request: Any, found: CachedContent) -> bool:
    """Whether nginx answers the request as we would.

    It answers 416 to malformed ranges, with the headers of the success, and 412 to dates that are none.
    """
    if 'If-Match' in request.headers or 'If-Unmodified-Since' in request.headers:
        return False
    return 'Range' not in request.headers or any(_ranges(request, found))


def _disposition(kind: str, name: str) -> str:
    """With the real name in both forms of RFC 6266, if it is known: that in the URL may be anything."""
    if not name:
        return kind
    plain = re.sub(r'[^ -~]|["\\\\%]', '_', name)
    return f'{kind}; filename="{plain}"; filename*=UTF-8\'\'{quote(name, safe="")}'
