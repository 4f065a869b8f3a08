"""Stale-while-revalidate: serve the version that is known, and ask Egnyte in the background if it may be outdated."""

from ..egnyte import Priority
from ..errors import NotFound
from .background import BackgroundTasks
from .cache import ContentCache, VersionLookup
from .fetcher import OriginFetcher
from .origin import Origin


class FileGone(NotFound):
    """The file was deleted, or Egnyte refuses it to the account: recorded, and not the response of some proxy."""


class Revalidator:
    """Look up versions, and schedule their revalidation."""

    def __init__(self, cache: ContentCache, fetcher: OriginFetcher, background: BackgroundTasks) -> None:
        self._cache, self._fetcher, self._background = cache, fetcher, background

    def lookup(self, origin: Origin) -> VersionLookup:
        """Return what is known of the file. Raises FileGone for one that was deleted or refused."""
        lookup, later = self._cache.lookup(origin), origin.background()
        key = 'revalidation', origin.account, origin.file_id
        if lookup.is_uncertain:
            self._background.schedule(key, lambda: self._settle(later))
        elif lookup.is_stale:
            self._background.schedule(key, lambda: self._fetcher.revalidate(later))
        if lookup.is_missing:
            raise FileGone
        return lookup

    def prefetch(self, origin: Origin) -> None:
        """Schedule a download of the current version."""
        later = origin.background()
        key = 'download', origin.account, origin.file_id
        self._background.schedule(key, lambda: self._fetcher.prefetch(later, Priority.READ))

    def _settle(self, origin: Origin) -> None:
        """Look up the version of an uncertain file, and download it for the next request."""
        self._fetcher.revalidate(origin)
        version = self._cache.index.version(origin.domain, origin.file_id)
        if version is not None and not version.is_deleted and self._cache.accepts(version.size):
            self._fetcher.prefetch(origin, Priority.READ)
