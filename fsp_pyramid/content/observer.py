"""Observer of an account's files: records versions, and keeps the bytes of uploads."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from zope.interface import implementer

from ..interfaces import IObserver
from ..model import Content, Entry
from .cache import ContentCache
from .index import Copy, Version, log_cache_errors


@implementer(IObserver)
class ContentObserver:
    """Record the files of one account in the content cache. Errors of the cache are logged, never raised.

    :param domain: name of the Egnyte, within which the id of a file is unique
    :param account: the key of the account, as in its links
    """

    def __init__(self, cache: ContentCache, domain: str, account: str) -> None:
        self._cache, self._index, self._version_feed = cache, cache.index, cache.version_feed
        self._domain, self._account = domain, account

    def listed(self, files: Sequence[Entry], asked: float) -> None:
        """Record the versions of the files."""
        if files:
            with log_cache_errors():
                versions = (_version(file, asked) for file in files)
                self._index.record_versions(self._domain, versions, self._account)

    @contextmanager
    def changing(self, file: Entry | None) -> Iterator[None]:
        """Record an intent: the version of the file is uncertain unless this process records the outcome."""
        if file is None or not file.id:
            yield
            return
        with log_cache_errors():
            self._index.record_intent(self._domain, file.id)
            process = self._cache.directory.process_id()
            self._version_feed.publish_intent(self._domain, file.id, process, self._cache.clock())
        try:
            yield
        finally:
            with log_cache_errors():
                if self._index.abandon_intent(self._domain, file.id):
                    process = self._cache.directory.process_id()
                    self._version_feed.abandon_intent(self._domain, file.id, process, self._cache.clock())

    def stored(self, file: Entry, content: Content) -> None:
        """Record the version, and keep its content, which then needs no download."""
        now = self._cache.clock()
        copy = Copy(
            account=self._account,
            file_id=file.id or '',
            version_id=file.version_id or '',
            checksum=file.checksum or '',
            size=content.size,
            modified=file.modified,
            mime_type='',
            stored=now,
        )
        with log_cache_errors():
            self._record(_version(file, now))
            self._cache.store(copy, content.file)

    def moved(self, file: Entry) -> None:
        """Record the new name."""
        with log_cache_errors():
            self._index.rename(self._domain, file.id or '', file.name)
            self._version_feed.clear_intent(self._domain, file.id or '', self._cache.directory.process_id())

    def deleted(self, file: Entry) -> None:
        """Record that the file is gone."""
        with log_cache_errors():
            self._record(Version(file.id or '', '', '', 0, 0, file.name, self._cache.clock()))

    def _record(self, version: Version) -> None:
        """Record a version that this process made, and publish it to other machines."""
        self._version_feed.publish(self._domain, version)
        self._index.record_versions(self._domain, [version], self._account, made=True)

    def invalidated(self, file: Entry) -> None:
        """Let the file be revalidated, and discard the copy of the version that was rolled back."""
        with log_cache_errors():
            self._index.invalidate(self._domain, file.id or '')
            self._cache.discard(self._account, file.id or '', file.version_id or '')


def _version(file: Entry, seen: float) -> Version:
    return Version(
        file_id=file.id or '',
        version_id=file.version_id or '',
        checksum=file.checksum or '',
        size=file.size,
        modified=file.modified,
        name=file.name,
        seen=seen,
    )
