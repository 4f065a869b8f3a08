"""Content service: the content behind a link, from the cache if possible, else from Egnyte.

A request gets the known version. If that is not in the cache, the last version that is there is served at once while
the current one is downloaded; only a file of which there is no version at all has to be waited for.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from ..errors import EgnyteUnavailable, FSPError, NotFound
from ..interfaces import IObserver
from ..media_types import is_typeless
from ..model import Entry
from .background import BackgroundTasks
from .backoff import Backoff
from .cache import CachedContent, ContentCache, ContentFile, VersionLookup, sniff
from .fetcher import FetchResult, OriginFetcher
from .index import Version
from .observer import ContentObserver
from .origin import Origin
from .revalidation import Revalidator
from .thumbnail_service import ThumbnailService
from .version_feed import VersionFeed


class ContentService:
    """Facade of the content cache. The constructor does no I/O; methods may raise OSError and sqlite3.Error.

    The parameters are those of ContentCache.
    """

    def __init__(
        self,
        directory: str,
        size: int,
        age: float,
        revalidate: float,
        version_feed: VersionFeed,
        clock: Callable[[], float] = time.time,
    ) -> None:
        background = BackgroundTasks()
        self.cache = ContentCache(directory, size, age, revalidate, version_feed, background, clock)
        self.backoff = Backoff(clock)
        self._fetcher = OriginFetcher(self.cache, self.backoff)
        self._revalidator = Revalidator(self.cache, self._fetcher, background)
        self._thumbnails = ThumbnailService(self.cache, self._fetcher, self._revalidator, background)

    def observer(self, domain: str, account: str) -> IObserver:
        """Return the observer of an account's files."""
        return ContentObserver(self.cache, domain, account)

    def types(self, files: Iterable[Entry]) -> list[str]:
        """Return the mime type of each file. See ContentCache.types."""
        return self.cache.types(files)

    def open(self, origin: Origin) -> CachedContent:
        """Open the content of a file. Raises NotFound, and the errors of accounts and Egnyte."""
        lookup = self._revalidator.lookup(origin)
        version = lookup.version
        found = self.cache.open_current(lookup) or self._open_last(origin, lookup)
        if found is not None:
            return found
        try:
            return self._opened(self._fetcher.stream(origin, version.size if version else None), version)
        except NotFound:
            raise
        except FSPError:
            found = self.cache.open_last(origin, lookup)  # of a version that is too large to be kept
            if found is None:
                raise
            return found

    def thumbnail(self, origin: Origin, digits: str) -> CachedContent | None:
        """Return the thumbnail of a file. See ThumbnailService.thumbnail."""
        return self._thumbnails.thumbnail(origin, digits)

    def prepare_thumbnail(self, account: str, entry: Entry) -> None:
        """Make the thumbnail of a file that was just stored. See ThumbnailService.prepare."""
        self._thumbnails.prepare(account, entry)

    def warm(self, origin: Origin, entry: Entry) -> bool:
        """Fetch a file and make its thumbnail. See ThumbnailService.warm."""
        return self._thumbnails.warm(origin, entry)

    def _open_last(self, origin: Origin, lookup: VersionLookup) -> CachedContent | None:
        """Open the last copy while the current version is downloaded, unless that is too large to be kept."""
        if lookup.version is None or not self.cache.accepts(lookup.version.size):
            return None
        found = self.cache.open_last(origin, lookup)
        if found is not None and found.age is not None:
            self._revalidator.prefetch(origin)
        return found

    def _opened(self, result: FetchResult, version: Version | None) -> CachedContent:
        copy, reader, called = result
        name = version.name if version else ''
        if reader is None:
            found = self.cache.open(copy, name)
            if found is None:  # it was evicted in this very moment
                raise EgnyteUnavailable
            return found._replace(fetched=called)
        with _closed_on_error(reader):
            sniffed_type = sniff(reader) if is_typeless(name) else ''
        return CachedContent(
            file=reader,
            path=None,
            size=copy.size or None,
            etag=copy.version_id,
            modified=copy.modified,
            mime_type=copy.mime_type,
            name=name,
            sniffed_type=sniffed_type,
            fetched=called,
        )


@contextmanager
def _closed_on_error(file: ContentFile) -> Iterator[None]:
    try:
        yield
    except BaseException:
        file.close()
        raise
