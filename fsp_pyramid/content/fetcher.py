"""Brings contents from Egnyte, and remembers what went wrong, so that it need not be asked again at once."""

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from ..concurrency.growing_file import Reader
from ..egnyte import Priority
from ..errors import (
    Busy,
    ConnectionExpired,
    EgnyteUnavailable,
    Forbidden,
    FSPError,
    NoRoom,
    NotConnected,
    NotFound,
    QuotaUsedUp,
    TokenRefused,
)
from ..model import Download
from ..public.origin import Origin, own_request
from ..storage.egnyte_errors import is_doubtful
from .directory import CacheDirectory
from .downloads import Downloads
from .index import (
    Copy,
    Index,
    Version,
    log_cache_errors,
)
from .links import Link
from .slots import Slots

log = logging.getLogger(__name__)

# So many requests wait for a content or send one that is still coming; others wait so many seconds for one to be done.
FETCHING, WAIT = 12, 2.0
# Seconds for which an Egnyte that did not answer, or could not do it, is not asked again.
TROUBLE = 10.0
# Seconds for which a 404 is believed that may be a gateway's.
BRIEFLY = 300.0


class Fetched(NamedTuple):
    """A content from Egnyte.

    :param file: a reader of what comes, to be closed; None where all of it is here
    :param brought: whether this very request made the call to Egnyte: one of all that wait for the same content
    """

    copy: Copy
    file: Reader | None
    brought: bool


class OriginFetcher:
    """See the module. Making one does no I/O. All of its methods may raise OSError and sqlite3.Error.

    :param clock: UNIX time in seconds
    """

    def __init__(self, place: CacheDirectory, index: Index, fetches: Downloads, clock: Callable[[], float]) -> None:
        self._directory, self._index, self._fetches, self._clock = place, index, fetches, clock
        self._slots = Slots(FETCHING, WAIT)
        self._trouble: dict[str | Link, float] = {}  # of a domain, an account or a file, until when
        self._missing: dict[Link, float] = {}  # files, until when a 404 of doubtful origin is believed

    def awaited(self, request: Any, origin: Origin, size: int | None) -> Fetched:
        """The content from Egnyte, while somebody waits, and until they close it.

        Raises Busy where too many wait for theirs, or send what is still coming.

        :param size: in bytes, None where it is not known
        """
        self._refuse_in_trouble(origin)
        with ExitStack() as stack:
            stack.callback(self._slots.take(size))
            fetched = self.fetch(request, origin, Priority.READ)
            if fetched.file is not None:
                fetched.file.when_closed(stack.pop_all().close)
        return fetched

    def fetch(self, request: Any, origin: Origin, priority: Priority) -> Fetched:
        """The content from Egnyte: one call, however many ask. See Fetches.fetch."""
        self._refuse_in_trouble(origin)
        link, brought = origin.link, False

        def find() -> Copy | None:
            known = self._index.version(origin.domain, link.file_id)
            return known and self._index.copy(*link, known.version_id)

        def begin() -> Download:
            nonlocal brought
            brought = True
            if not self._directory.has_room():
                log.error('%s is full: free space there, or set fsp.public.cache_dir', self._directory.root)
                raise NoRoom(retry_after=TROUBLE)
            asked = self._clock()
            with self._noticing(origin):
                download = _from_egnyte(origin.download(request, priority))
            version = Version(
                file_id=link.file_id,
                version_id=download.version_id,
                checksum=download.checksum,
                size=download.size or 0,
                modified=download.modified,
                name='',
                seen=asked,
            )
            with log_cache_errors():
                self._index.learn(origin.domain, [version], link.account)
            return download

        copy, file = self._fetches.fetch(*link, find, begin)
        return Fetched(copy, file, brought)

    def bring(self, origin: Origin, priority: Priority) -> None:
        """Fetch the content to its end, for nobody in particular."""
        with own_request(origin.registry) as request:
            file = self.fetch(request, origin, priority).file
        if file is not None:
            with file:
                file.seek(0, os.SEEK_END)  # it waits for the end

    def look(self, origin: Origin) -> None:
        """Ask which version the file has."""
        self._refuse_in_trouble(origin)
        with own_request(origin.registry) as request, self._noticing(origin):
            origin.look(request)  # whoever observes the account's files learns it

    @contextmanager
    def _noticing(self, origin: Origin) -> Iterator[None]:
        """Remember what went wrong, so that it need not be asked again at once."""
        try:
            yield
        except (NotFound, Forbidden) as error:
            if isinstance(error, Forbidden) and is_doubtful(error):
                self.note_trouble(origin.domain)
                raise EgnyteUnavailable from error.__cause__
            if isinstance(error, Forbidden) and self._index.last_copy(*origin.link) is not None:
                # It was permitted, and may be again: permissions and gateways have their moments, and e-mails last.
                self.note_trouble(origin.link)
                raise
            with log_cache_errors():
                self._index.refuse(*origin.link, self._refused_at(origin.link, error))
            raise NotFound('There is no such file.') from error.__cause__
        except EgnyteUnavailable:
            self.note_trouble(origin.domain)
            raise
        except (Busy, QuotaUsedUp, NotConnected, ConnectionExpired):
            raise  # the next one costs no call either
        except FSPError as error:
            # A token that is refused is so for each file of the account.
            self.note_trouble(origin.link.account if isinstance(error, TokenRefused) else origin.link)
            raise

    def _refused_at(self, link: Link, error: FSPError) -> float:
        """Return the time of a refusal for the index; 0, to ask again, if it may not be Egnyte's."""
        now = self._clock()
        if not is_doubtful(error):
            return now
        current = {other: until for other, until in self._missing.copy().items() if until > now}
        self._missing = current | {link: now + BRIEFLY}
        return 0.0

    def _refuse_in_trouble(self, origin: Origin) -> None:
        if 0 < self._missing.get(origin.link, 0.0) - self._clock() <= BRIEFLY:  # else the clock was set back
            raise NotFound('There is no such file.')
        now, trouble = time.monotonic(), self._trouble
        if any(trouble.get(of, 0.0) > now for of in (origin.domain, origin.link.account, origin.link)):
            raise EgnyteUnavailable

    def note_trouble(self, of: str | Link) -> None:
        """Let a domain, an account or a file be for a while."""
        now = time.monotonic()
        # Another one, because others are looking at it.
        current = {other: until for other, until in self._trouble.copy().items() if until > now}
        self._trouble = current | {of: now + TROUBLE}


def _from_egnyte(download: Download) -> Download:
    """The download, if it is a file's: a gateway's page has no version, and a version is what makes a file."""
    if not download.version_id:
        download.close()
        raise EgnyteUnavailable
    return download
