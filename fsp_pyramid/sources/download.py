"""The guarded download: what a server sends for a URL that somebody gave us, checked and counted while it comes."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from .address_policy import Allowances
from .deadline import Deadline
from .errors import (
    SourceCompressed,
    SourceEmpty,
    SourceError,
    SourceTooLarge,
    SourceUnavailable,
)
from .minimum_rate import MinimumRate
from .transport import Reply, Target, get

MAX_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)
# A proxy that changed something says 203.
_SUCCESSES = (200, 203)
# IANA's registry of HTTP content codings (2025), and what is in use without being there. Whatever else stands in the
# header (charsets, types, "none", S3's "aws-chunked") was put there by mistake, and the bytes are the file.
_COMPRESSIONS = frozenset(
    (
        *('gzip', 'deflate', 'compress', 'br', 'zstd', 'dcb', 'dcz', 'exi', 'pack200-gzip', 'aes128gcm'),
        *('brotli', 'bzip', 'bzip2', 'bz2', 'gz', 'lz4', 'lzma', 'sdch', 'snappy', 'xpress', 'xz', 'zip', 'zlib'),
    )
)


class Source:
    """A file on its way to us; what its server says of it was checked already.

    :ivar size: as it was announced, in bytes; None where it was not
    :ivar declared_type: what the server said, in lower case and without parameters
    """

    def __init__(self, reply: Reply, size: int | None, max_size: int, deadline: Deadline, rate: MinimumRate) -> None:
        self.size = size
        self.declared_type = reply.headers.get('Content-Type', '').partition(';')[0].strip().lower() or None
        self._reply, self._max_size, self._deadline, self._rate = reply, max_size, deadline, rate

    def chunks(self) -> Iterator[bytes]:
        """All of it, once, as it comes. Nothing is wrong any more when the last byte of an announced size is there.

        Raises SourceUnavailable if it is cut short or comes too slowly, SourceTooLarge, SourceEmpty.
        """
        received, chunks = 0, self._reply.chunks()
        while received != self.size and (chunk := next(chunks, b'')):
            received += len(chunk)
            self._rate.came(len(chunk))
            if received > self._max_size:
                raise SourceTooLarge(self._max_size)
            yield chunk
        if self.size is not None and received != self.size:
            raise SourceUnavailable(f'{self.size} bytes were announced, {received} came')
        if not received:
            raise SourceEmpty

    def insist(self, rate: float) -> None:
        """Give up from now on if it comes at less than so many bytes a second."""
        self._rate.least = max(self._rate.least, rate)

    def abandon(self) -> None:
        """Cut the connection. From any thread: whoever waits for more of it gets SourceUnavailable."""
        self._deadline.cut()


@contextmanager
def download(url: str, *, max_size: int, timeout: float, allow: Allowances) -> Iterator[Source]:
    """Fetch *url* from the internet, or from what *allow* adds to it; the connection is closed with the context.

    :param max_size: in bytes
    :param timeout: seconds for all of it, redirects and body included

    Raises SourceInvalid (no URL to fetch), SourceUnavailable (refused, unreachable, bad answer, too slow),
    SourceCompressed, SourceTooLarge.
    """
    target = Target.parse(url)
    with Deadline(timeout) as deadline:
        for _ in range(MAX_REDIRECTS + 1):
            with get(target, allow, deadline) as reply:
                following = redirected(reply, target)
                if following is None:
                    announced = announced_size(reply, target)
                    if announced is not None and announced > max_size:
                        raise SourceTooLarge(max_size)
                    with MinimumRate(deadline) as rate:
                        yield Source(reply, announced, max_size, deadline, rate)
                    return
            target = following
    raise too_many_redirects(target)


def too_many_redirects(target: Target) -> SourceUnavailable:
    """What to raise at *target*, the one after the last that is followed to."""
    return SourceUnavailable(f'{target.origin}: more than {MAX_REDIRECTS} redirects')


def redirected(reply: Reply, target: Target) -> Target | None:
    """Where the answer of *target* leads to; None if it is no redirect. Raises SourceUnavailable for a bad one."""
    location = reply.headers['Location']
    if reply.status not in _REDIRECTS or not location:
        return None
    try:
        return target.follow(location)
    except SourceError as error:
        # The address that the caller gave was fine: it is not theirs to mend.
        raise SourceUnavailable(f'{target.origin}: bad redirect: {error.reason}') from error


def compression(reply: Reply) -> str:
    """The compression that ``Content-Encoding`` names, '' where it names none."""
    named = (value.partition(';')[0].strip(' "') for value in reply.values('Content-Encoding'))
    return next((name for name in named if name.removeprefix('x-') in _COMPRESSIONS), '')


def announced_size(reply: Reply, target: Target) -> int | None:
    """The size that the headers announce, or None.

    Raises SourceCompressed, and SourceUnavailable for other headers that we do not take.
    """
    if reply.status not in _SUCCESSES:
        raise SourceUnavailable(f'{target.origin}: status {reply.status}')
    if coding := compression(reply):
        raise SourceCompressed(target.origin, coding)
    if reply.values('Transfer-Encoding') not in ([], ['chunked']):
        raise SourceUnavailable(f'{target.origin}: unknown transfer coding')
    sizes = set(reply.values('Content-Length'))
    if reply.chunked or not sizes:
        return None
    if len(sizes) > 1 or not re.fullmatch(r'[0-9]{1,18}', *sizes):
        raise SourceUnavailable(f'{target.origin}: contradictory or malformed size')
    return int(*sizes)
