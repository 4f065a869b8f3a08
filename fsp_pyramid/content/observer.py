"""What an account's files are, remembered as the bridge sees and changes them."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from zope.interface import implementer

from ..interfaces import IObserver
from ..model import Content, Entry
from .directory import COPIES, CacheDirectory
from .index import (
    Copy,
    Index,
    Version,
    log_cache_errors,
)
from .version_feed import NullVersionFeed, RedisVersionFeed


@implementer(IObserver)
class ContentObserver:
    """See IObserver. Trouble with the disk costs a call later, and nothing now.

    :param domain: within which the id of a file stands for one file
    :param account: the key of the account, as in its links
    :param news: tells other machines what we did
    :param largest: in bytes; larger contents are not kept
    :param on_kept: hears of each copy that is complete
    :param clock: UNIX time in seconds
    """

    def __init__(
        self,
        place: CacheDirectory,
        index: Index,
        version_feed: RedisVersionFeed | NullVersionFeed,
        domain: str,
        account: str,
        largest: int,
        on_kept: Callable[[Copy], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._directory, self._index, self._version_feed = place, index, version_feed
        self._domain, self._account = domain, account
        self._largest, self._on_kept, self._clock = largest, on_kept, clock

    def listed(self, files: Sequence[Entry], asked: float) -> None:
        """See IObserver."""
        if files:
            with log_cache_errors():
                self._index.learn(self._domain, (_version(file, asked) for file in files), self._account)

    @contextmanager
    def changing(self, file: Entry | None) -> Iterator[None]:
        """See IObserver: the file is in doubt unless we live to learn how that ended."""
        if file is None or not file.id:
            yield
            return
        with log_cache_errors():
            self._index.intend(self._domain, file.id)
            self._version_feed.intend(self._domain, file.id, self._directory.process(), self._clock())
        try:
            yield
        finally:
            with log_cache_errors():
                self._index.give_up(self._domain, file.id)

    def stored(self, file: Entry, content: Content) -> None:
        """See IObserver: the bytes are kept, nobody has to fetch them."""
        now = self._clock()
        with log_cache_errors():
            self._made(_version(file, now))
            if content.size <= self._largest:
                self._keep(file, content, now)

    def _keep(self, file: Entry, content: Content, now: float) -> None:
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
        content.file.seek(0)
        self._directory.put(COPIES, copy.key, content.file, copy.modified)
        self._index.add(copy)
        self._on_kept(copy)

    def moved(self, file: Entry) -> None:
        """See IObserver."""
        with log_cache_errors():
            self._index.rename(self._domain, file.id or '', file.name)
            self._version_feed.settle(self._domain, file.id or '')

    def deleted(self, file: Entry) -> None:
        """See IObserver."""
        with log_cache_errors():
            self._made(Version(file.id or '', '', '', 0, 0, file.name, self._clock()))

    def _made(self, version: Version) -> None:
        self._version_feed.tell(self._domain, version)
        self._index.learn(self._domain, [version], self._account, made=True)

    def invalidated(self, file: Entry) -> None:
        """See IObserver."""
        with log_cache_errors():
            self._index.doubt(self._domain, file.id or '')
            copy = self._index.copy(self._account, file.id or '', file.version_id or '')
            if copy is not None:
                self._index.remove([copy.key])
                self._directory.remove(COPIES, copy.key)


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
