"""Fetching from the origin: single-flight, bounded, and with a backoff after failures."""

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

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
from ..storage.egnyte_errors import is_doubtful
from .backoff import PAUSE, Backoff
from .cache import ContentCache
from .downloads import Downloads
from .index import Copy, Version, log_cache_errors
from .links import Link
from .origin import Origin
from .slots import ContentSlots

log = logging.getLogger(__name__)

# Number of requests that wait for a content or send one that is still growing, and seconds that others wait for a slot.
SLOTS, WAIT = 12, 2.0


class FetchResult(NamedTuple):
    """A content from the origin.

    :param reader: of a download in progress, to be closed; None for a complete copy
    :param called: this very request made the call to Egnyte: one of all that wait for the same content
    """

    copy: Copy
    reader: Reader | None
    called: bool


class OriginFetcher:
    """Fetch contents and versions. The constructor does no I/O; methods may raise OSError and sqlite3.Error."""

    def __init__(self, cache: ContentCache, backoff: Backoff) -> None:
        self._cache, self._backoff = cache, backoff
        self._downloads = Downloads(cache, backoff)
        self._slots = ContentSlots(SLOTS, WAIT)

    def stream(self, origin: Origin, size: int | None) -> FetchResult:
        """Fetch the content for a waiting request, which holds a slot until it closes the reader.

        Raises Busy where no slot becomes free.

        :param size: in bytes, None where it is not known
        """
        self._backoff.check(origin)
        with ExitStack() as stack:
            stack.callback(self._slots.take(size))
            result = self.fetch(origin, Priority.READ)
            if result.reader is not None:
                result.reader.when_closed(stack.pop_all().close)
        return result

    def fetch(self, origin: Origin, priority: Priority) -> FetchResult:
        """Fetch the content: one call for all concurrent requests. See Downloads.fetch."""
        self._backoff.check(origin)
        called = False

        def open_download() -> Download:
            nonlocal called
            called = True
            return self._open(origin, priority)

        copy, reader = self._downloads.fetch(
            origin.account, origin.file_id, lambda: self._cache.current_copy(origin), open_download
        )
        return FetchResult(copy, reader, called)

    def _open(self, origin: Origin, priority: Priority) -> Download:
        """Open the content at Egnyte, and record its version."""
        if not self._cache.directory.has_space():
            log.error('%s is full: free space there, or set fsp.public.cache_dir', self._cache.directory.root)
            raise NoRoom(retry_after=PAUSE)
        asked = self._cache.clock()
        with self._recording_failures(origin):
            download = _checked(origin.open(priority))
        version = Version(
            file_id=origin.file_id,
            version_id=download.version_id,
            checksum=download.checksum,
            size=download.size or 0,
            modified=download.modified,
            name='',
            seen=asked,
        )
        with log_cache_errors():
            self._cache.index.record_versions(origin.domain, [version], origin.account)
        return download

    def prefetch(self, origin: Origin, priority: Priority) -> None:
        """Fetch the content to its end, in the background."""
        reader = self.fetch(origin.background(), priority).reader
        if reader is not None:
            with reader:
                reader.seek(0, os.SEEK_END)  # waits for the end

    def revalidate(self, origin: Origin) -> None:
        """Look up the current version, in the background."""
        self._backoff.check(origin)
        with self._recording_failures(origin):
            origin.background().stat()  # the observer of the account records it

    @contextmanager
    def _recording_failures(self, origin: Origin) -> Iterator[None]:
        """Record failures and refusals, so that the next request costs no call."""
        link = Link(origin.account, origin.file_id)
        try:
            yield
        except (NotFound, Forbidden) as error:
            if isinstance(error, Forbidden) and is_doubtful(error):
                self._backoff.record(origin.domain)
                raise EgnyteUnavailable from error.__cause__
            if isinstance(error, Forbidden) and self._cache.index.last_copy(*link) is not None:
                # It was permitted, and may be again: permissions and gateways change, and e-mails last.
                self._backoff.record(link)
                raise
            with log_cache_errors():
                self._cache.index.record_refusal(*link, self._refused_at(link, error))
            raise NotFound from error.__cause__
        except EgnyteUnavailable:
            self._backoff.record(origin.domain)
            raise
        except (Busy, QuotaUsedUp, NotConnected, ConnectionExpired):
            raise  # the next request costs no call either
        except FSPError as error:
            # A token that is refused is so for each file of the account.
            self._backoff.record(origin.account if isinstance(error, TokenRefused) else link)
            raise

    def _refused_at(self, link: Link, error: FSPError) -> float:
        """Return the time of a refusal for the index; 0, to ask again, if it may not be Egnyte's."""
        if not is_doubtful(error):
            return self._cache.clock()
        self._backoff.record_missing(link)
        return 0.0


def _checked(download: Download) -> Download:
    """Return the download of a file; a gateway's page has no version, by which it is recognised."""
    if not download.version_id:
        download.close()
        raise EgnyteUnavailable
    return download
