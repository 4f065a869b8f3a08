"""Guarded download of a URL from outside: redirects, headers and size are checked while the body streams."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import MAX_EXCERPT
from .address_policy import Allowances
from .deadline import Deadline
from .errors import (
    SourceCompressed,
    SourceEmpty,
    SourceError,
    SourceTooLarge,
    SourceUnavailable,
)
from .transport import Reply, Target, get, transfer_codings

MAX_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)
# A proxy that changed something says 203.
_SUCCESSES = (200, 203)
# The characters of RFC 6838, section 4.2.
_TYPE = re.compile(r'[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+')
# IANA's registry of HTTP content codings (2025), and unregistered ones in use. Other values of the header (charsets,
# types, "none", S3's "aws-chunked") are mistakes, and the body is the file as it is.
_COMPRESSIONS = frozenset(
    (
        *('gzip', 'deflate', 'compress', 'br', 'zstd', 'dcb', 'dcz', 'exi', 'pack200-gzip', 'aes128gcm'),
        *('brotli', 'bzip', 'bzip2', 'bz2', 'gz', 'lz4', 'lzma', 'sdch', 'snappy', 'xpress', 'xz', 'zip', 'zlib'),
    )
)


class Source:
    """File to download, with headers that are checked already.

    :ivar size: announced size in bytes; None without one
    :ivar declared_type: Content-Type in lower case and without parameters; None if it is no type
    """

    def __init__(self, reply: Reply, size: int | None, max_size: int, deadline: Deadline) -> None:
        self.size = size
        self.declared_type = _declared_type(reply)
        self._reply, self._max_size, self._deadline = reply, max_size, deadline

    def chunks(self) -> Iterator[bytes]:
        """Yield the body as it arrives, once. The last byte of an announced size ends it without a further check.

        Raises SourceUnavailable if it is cut short or too slow, SourceTooLarge, SourceEmpty.
        """
        received, chunks = 0, self._reply.chunks()
        while received != self.size and (chunk := next(chunks, b'')):
            received += len(chunk)
            if received > self._max_size:
                raise SourceTooLarge(self._max_size)
            yield chunk
        if self.size is not None and received != self.size:
            raise SourceUnavailable(f'{self.size} bytes were announced, {received} came')
        if not received:
            raise SourceEmpty

    def require_rate(self, rate: float) -> None:
        """Abort from now on if fewer bytes a second than *rate* arrive."""
        self._reply.rate.least = max(self._reply.rate.least, rate)

    def abandon(self) -> None:
        """Cut the connection: a reader of the body gets SourceUnavailable. Thread-safe."""
        self._deadline.cut()


@contextmanager
def download(url: str, *, max_size: int, timeout: float, allow: Allowances) -> Iterator[Source]:
    """Fetch *url* from the internet, or from the addresses in *allow*; the context closes the connection.

    :param max_size: in bytes
    :param timeout: seconds for all of it, redirects and body included

    Raises SourceInvalid (no URL to fetch), SourceUnavailable (refused, unreachable, bad answer, too slow),
    SourceCompressed, SourceTooLarge.
    """
    target = Target.parse(url)
    with Deadline(timeout) as deadline:
        for _ in range(MAX_REDIRECTS + 1):
            with get(target, allow, deadline, max_size) as reply:
                following = redirected(reply, target)
                if following is None:
                    announced = announced_size(reply, target)
                    if announced is not None and announced > max_size:
                        raise SourceTooLarge(max_size)
                    yield Source(reply, announced, max_size, deadline)
                    return
            target = following
    raise too_many_redirects(target)


def too_many_redirects(target: Target) -> SourceUnavailable:
    """Return the exception for *target*, which is one redirect too far."""
    return SourceUnavailable(f'{target.origin}: more than {MAX_REDIRECTS} redirects')


def redirected(reply: Reply, target: Target) -> Target | None:
    """Return the target of a redirect; None for other answers. Raises SourceUnavailable for an invalid one."""
    location = reply.headers.get('Location', '').strip(' \t')
    if reply.status not in _REDIRECTS or not location:
        return None
    try:
        return target.follow(location)
    except SourceError as error:
        # Not SourceInvalid: the caller's own URL is valid.
        raise SourceUnavailable(f'{target.origin}: bad redirect: {error.reason}') from error


def _declared_type(reply: Reply) -> str | None:
    type_ = reply.headers.get('Content-Type', '').partition(';')[0].strip().lower()
    # Listings and messages repeat it.
    return type_ if len(type_) <= MAX_EXCERPT and _TYPE.fullmatch(type_) else None


def compression(reply: Reply) -> str:
    """Return the compression in ``Content-Encoding`` or ``Transfer-Encoding``, '' for none."""
    values = reply.values('Content-Encoding') + transfer_codings(reply.headers)
    named = (value.partition(';')[0].strip(' "') for value in values)
    return next((name for name in named if name.removeprefix('x-') in _COMPRESSIONS), '')


def announced_size(reply: Reply, target: Target) -> int | None:
    """Return the size that the headers announce, or None.

    Raises SourceCompressed, and SourceUnavailable for other headers that are refused.
    """
    if reply.status not in _SUCCESSES:
        raise SourceUnavailable(f'{target.origin}: status {reply.status}')
    if coding := compression(reply):
        raise SourceCompressed(target.origin, coding)
    if transfer_codings(reply.headers) not in ([], ['chunked']):
        raise SourceUnavailable(f'{target.origin}: unknown transfer coding')
    sizes = set(reply.values('Content-Length'))
    if reply.chunked or not sizes:
        return None
    size = sizes.pop()
    if sizes or not re.fullmatch(r'[0-9]{1,18}', size):
        raise SourceUnavailable(f'{target.origin}: contradictory or malformed size')
    return int(size)
