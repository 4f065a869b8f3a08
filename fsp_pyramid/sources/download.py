"""The guarded download: a URL that somebody gave us becomes a file that was checked, counted and hashed."""

import hashlib
import re
import tempfile
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Self

from .deadline import Deadline
from .errors import SourceEmpty, SourceError, SourceTooLarge, SourceUnavailable
from .rules import Allowances
from .transport import Reply, Target, get
from .types import HEAD, sniff

MAX_REDIRECTS = 3
_IN_MEMORY = 1 << 20  # a larger file goes to the disk
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class Source:
    """A downloaded file; a context manager that throws it away when it is left.

    :param file: seekable, at its beginning
    :param size: in bytes, never 0
    :param sha512: in lower-case hex
    :param mime_type: what the first bytes show, None if they show nothing
    :param declared_type: what the server said, in lower case and without parameters
    """

    file: IO[bytes]
    size: int
    sha512: str
    mime_type: str | None
    declared_type: str | None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.file.close()


def download(url: str, *, max_size: int, timeout: float, allow: Allowances) -> Source:
    """Fetch *url* from the internet, or from what *allow* adds to it.

    :param max_size: in bytes
    :param timeout: seconds for all of it, redirects included

    Raises SourceInvalid (no URL to fetch), SourceUnavailable (refused, unreachable, bad answer, cut short, too slow),
    SourceTooLarge, SourceEmpty.
    """
    target = Target.parse(url)
    with Deadline(timeout) as deadline:
        for _ in range(MAX_REDIRECTS + 1):
            with get(target, allow, deadline) as reply:
                location = reply.headers['Location']
                if reply.status not in _REDIRECTS or not location:
                    return _receive(reply, target, max_size)
            target = _next(target, location)
    raise SourceUnavailable(f'{target.origin}: more than {MAX_REDIRECTS} redirects')


def _next(target: Target, location: str) -> Target:
    try:
        return target.follow(location)
    except SourceError as error:
        # The address that the caller gave was fine: it is not theirs to mend.
        raise SourceUnavailable(f'{target.origin}: bad redirect: {error.reason}') from error


def _receive(reply: Reply, target: Target, max_size: int) -> Source:
    announced = _announced(reply, target)
    if announced is not None and announced > max_size:
        raise SourceTooLarge(max_size)
    file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - the Source closes it
    try:
        size, sha512, head = _copy(reply, file, max_size, announced)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    declared_type = reply.headers.get('Content-Type', '').partition(';')[0].strip().lower()
    return Source(file, size, sha512, sniff(head), declared_type or None)


def _copy(reply: Reply, file: IO[bytes], max_size: int, announced: int | None) -> tuple[int, str, bytes]:
    """Size, SHA-512 and first bytes of the body, which is in *file* then."""
    digest, size, head = hashlib.sha512(), 0, b''
    for chunk in reply.chunks():
        size += len(chunk)
        if size > max_size:
            raise SourceTooLarge(max_size)
        head += chunk[: HEAD - len(head)]
        digest.update(chunk)
        file.write(chunk)
    if announced is not None and size != announced:
        raise SourceUnavailable(f'{announced} bytes were announced, {size} came')
    if not size:
        raise SourceEmpty
    return size, digest.hexdigest(), head


def _announced(reply: Reply, target: Target) -> int | None:
    """The size that the headers announce, or None. Raises SourceUnavailable for headers that we do not take."""
    if reply.status != 200:
        raise SourceUnavailable(f'{target.origin}: status {reply.status}')
    if set(reply.values('Content-Encoding')) - {'identity', ''}:
        raise SourceUnavailable(f'{target.origin}: the body is compressed, though that was not asked for')
    if reply.values('Transfer-Encoding') not in ([], ['chunked']):
        raise SourceUnavailable(f'{target.origin}: unknown transfer coding')
    sizes = set(reply.values('Content-Length'))
    if reply.chunked or not sizes:
        return None
    if len(sizes) > 1 or not re.fullmatch(r'[0-9]{1,18}', *sizes):
        raise SourceUnavailable(f'{target.origin}: contradictory or malformed size')
    return int(*sizes)
