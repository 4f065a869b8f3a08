"""Answers who asks for what is behind a link: from the disk if it can, and without waiting for Egnyte if it must not.

What a reader gets is the version that we know of. Where that is not here, the last one that is here is served at once,
while the right one is fetched; only what was never here has to be waited for.
"""

import io
import logging
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from concurrent.futures import TimeoutError as NotYet
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from ..concurrency.worker_pool import WorkerPool
from ..egnyte import Priority
from ..errors import EgnyteUnavailable, FSPError, NotFound
from ..imaging.render import CONTENT_TYPE, TYPES
from ..imaging.worker_pool import WORKERS
from ..interfaces import IObserver
from ..media_types import (
    UNKNOWN,
    is_typeless,
    sniff_file,
    type_of_content,
    type_of_name,
)
from ..model import Entry
from ..public.origin import Origin, own_request
from ..settings import Settings
from .directory import COPIES, CacheDirectory, note_use
from .downloads import Downloads
from .fetcher import Fetched, OriginFetcher
from .index import (
    DOUBT,
    FUTURE,
    Copy,
    Index,
    Version,
    content_of,
    log_cache_errors,
)
from .links import Link, digits
from .observer import ContentObserver
from .sweeper import Sweeper
from .thumbnails import NotRenderable, ThumbnailStore
from .version_feed import NullVersionFeed, RedisVersionFeed

log = logging.getLogger(__name__)

# How much is done at once when nobody waits for it, and how much of it may be waiting.
THREADS, MOST = 4, 2000
# So many requests wait so many seconds for a thumbnail; the others get a placeholder at once, because the threads of
# the server are for those who click.
WAITING, WAIT = 6, 2.0
# Seconds between two looks at a file that is in doubt.
DOUBT_LOOK = 30.0
# Seconds that the answer to an upload waits for its thumbnail.
MOMENT = 0.5
# Seconds between two sweeps, and the share of the cache that a single content may have.
SWEEP, SHARE = 60.0, 4


@dataclass(frozen=True, slots=True)
class CachedContent:
    """A content to be served.

    :param file: opened at its beginning; close it. It may still be growing: reading waits then
    :param path: of the complete file below the cache directory, for a web server to send; None while it grows
    :param size: in bytes, None where Egnyte did not tell it
    :param modified: UNIX milliseconds
    :param mime_type: as Egnyte told it, '' where it was not asked
    :param name: of the file, '' where it is not known
    :param shown: the mime type that its content shows; '' for none, and where the name tells the type
    :param age: seconds since this was known to be the current version, if another one may be by now; else None
    :param final: what is at this URL never changes
    :param fetched: this very request brought it from Egnyte
    """

    file: BinaryIO
    path: str | None
    size: int | None
    etag: str
    modified: int
    mime_type: str
    name: str
    shown: str = ''
    age: float | None = None
    final: bool = False
    fetched: bool = False


class ContentService:
    """See the module. Making one does no I/O. All of its methods may raise OSError and sqlite3.Error.

    :param settings: the application's
    :param news: of other machines
    :param clock: UNIX time in seconds
    """

    def __init__(
        self,
        settings: Settings,
        version_feed: RedisVersionFeed | NullVersionFeed,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._revalidate, self._version_feed, self._clock = settings.public.revalidate, version_feed, clock
        self._largest = settings.public.cache_size // SHARE
        self._directory = CacheDirectory(settings.public.cache_dir)
        self._index = Index(self._directory, clock)
        self._thumbnails = ThumbnailStore(self._directory)
        fetches = Downloads(self._directory, self._index, self._largest, self._kept, self._failed)
        self._fetcher = OriginFetcher(self._directory, self._index, fetches, clock)
        self._sweeper = Sweeper(
            self._directory, self._index, settings.public.cache_size, settings.public.cache_age, clock
        )
        self._background = WorkerPool(THREADS, MOST)
        # Of its own: pictures that take long keep nobody from being looked up or fetched.
        self._rendering = WorkerPool(WORKERS, MOST)
        self._seats = threading.BoundedSemaphore(WAITING)
        self._swept = 0.0

    def observer(self, domain: str, account: str) -> IObserver:
        """Who remembers what is seen and done with the files of an account."""
        return ContentObserver(
            self._directory, self._index, self._version_feed, domain, account, self._largest, self._kept, self._clock
        )

    # Types

    def types(self, files: Iterable[Entry]) -> list[str]:
        """The mime type of each file: by its name, or by what its content showed when it was here."""
        files = tuple(files)
        typeless = [content_of(file) for file in files if is_typeless(file.name)]
        learnt: dict[str, str] = {}
        if typeless:
            with log_cache_errors():
                learnt = self._index.types(typeless)
        return [
            learnt.get(content_of(file), UNKNOWN) if is_typeless(file.name) else type_of_name(file.name)
            for file in files
        ]

    def _shown(self, copy: Copy, name: str, file: BinaryIO) -> str:
        """What the content shows of which all is here, if the name does not tell its type."""
        if not is_typeless(name):
            return ''
        content = content_of(copy)
        with log_cache_errors():
            return self._index.types([content]).get(content) or self._learn_type(content, file)
        return ''

    def _learn_type(self, content: str, file: BinaryIO) -> str:
        shown = _sniffed(file)
        if shown:
            self._index.learn_type(content, shown)
        return shown

    # Contents

    def content(self, request: Any, link: Link) -> CachedContent:
        """The content of the file behind the link. Raises NotFound, and what Egnyte and accounts may raise."""
        origin = Origin(request.registry, link, request.fsp_stats.count_call)
        known, invalidated = self._known(origin)
        found = self._here(link, known, invalidated) or self._last(origin, known)
        if found is not None:
            return found
        try:
            return self._coming(self._fetcher.awaited(request, origin, known and known.size), known)
        except NotFound:
            raise
        except FSPError:
            found = self._before(link, known)  # it was too large to be fetched while nobody waits
            if found is None:
                raise
            return found

    def _known(self, origin: Origin) -> tuple[Version | None, bool]:
        """What is known of the file's version, and whether that is in doubt.

        Raises NotFound for one that was deleted, or is refused.
        """
        link = origin.link
        known = self._current(origin.domain, link.file_id)
        refused = self._index.refused_at(*link)
        seen = max(known.seen, refused or 0.0) if known is not None else 0.0
        invalidated = known is not None and self._is_doubted(origin, seen)
        if invalidated:
            self._later(('look', link), lambda: self._clear_up(origin))
        elif known is not None and self._is_old(seen):
            self._later(('look', link), lambda: self._fetcher.look(origin))
        if (known is not None and known.gone) or (refused is not None and not self._is_old(refused)):
            raise _not_found()
        # Who was refused long ago has to ask again: what is here may be shown no more.
        return (known if refused is None else None), invalidated

    def _current(self, domain: str, file_id: str) -> Version | None:
        known, version_feed = self._index.version(domain, file_id), self._version_feed.of(domain, file_id)
        if version_feed is None or (known is not None and known.seen >= version_feed.seen):
            return known
        with log_cache_errors():
            self._index.learn(domain, [version_feed], doubt=0)
        return version_feed

    def _is_old(self, seconds: float) -> bool:
        """Whether it is time to ask again; a time of 0 stands for a doubt, and one in the future proves nothing."""
        age = self._clock() - seconds
        return not seconds or age < -FUTURE or 0 < self._revalidate < age

    def _is_doubted(self, origin: Origin, seen: float) -> bool:
        """Whether a process died while it changed the file, so that Egnyte has to be asked how that ended."""
        file, since = (origin.domain, origin.link.file_id), None
        with log_cache_errors():
            intent = self._version_feed.intent(*file)
            if intent is not None and not self._directory.lives(intent.process):
                self._index.suspect(*file, intent.at)
            since = self._index.doubted_since(*file)
        return since is not None and (seen < since or seen < min(since + DOUBT, self._clock() - DOUBT_LOOK))

    def _clear_up(self, origin: Origin) -> None:
        """Find out which version a file in doubt has, and fetch it, so that the next one who asks gets it."""
        self._fetcher.look(origin)
        known = self._index.version(origin.domain, origin.link.file_id)
        if known is not None and not known.gone and known.size <= self._largest:
            self._fetcher.bring(origin, Priority.READ)

    def _here(self, link: Link, known: Version | None, invalidated: bool) -> CachedContent | None:
        """The version that is known, if it is here; with its age if it is in doubt."""
        copy = known and self._index.copy(*link, known.version_id)
        return (
            self._open(copy, known.name, self._clock() - copy.stored if invalidated else None)
            if copy and known
            else None
        )

    def _last(self, origin: Origin, known: Version | None) -> CachedContent | None:
        """Another version that is here, while the right one is fetched. One that is not kept has to be waited for."""
        found = self._before(origin.link, known) if known is not None and known.size <= self._largest else None
        if found is not None:
            self._later(('fetch', origin.link), lambda: self._fetcher.bring(origin, Priority.READ))
        return found

    def _before(self, link: Link, known: Version | None) -> CachedContent | None:
        """Another version that is here."""
        copy = known and self._index.last_copy(*link)
        return self._open(copy, known.name, self._clock() - copy.stored) if copy and known else None

    def _open(self, copy: Copy, name: str, age: float | None = None) -> CachedContent | None:
        """The copy, unless somebody has swept it away."""
        try:
            file = open(self._directory.path(COPIES, copy.key), 'rb')  # noqa: SIM115 - who serves it closes it
        except FileNotFoundError:
            self._index.remove([copy.key])
            return None
        note_use(file)
        return _found(copy, file, self._directory.relative(file), copy.size, name, self._shown(copy, name, file), age)

    def _coming(self, fetched: Fetched, known: Version | None) -> CachedContent:
        copy, file, name = fetched.copy, fetched.file, known.name if known else ''
        if file is not None:
            with _closed_on_error(file):
                shown = _sniffed(file) if is_typeless(name) else ''
            found = _found(copy, file, None, copy.size or None, name, shown)
        else:
            found = self._open(copy, name)
        if found is None:  # it was swept away in this very moment
            raise EgnyteUnavailable
        return replace(found, fetched=fetched.brought)

    # Thumbnails

    def thumbnail(self, request: Any, link: Link, checksum_digits: str) -> CachedContent | None:
        """The thumbnail of the file behind the link, None while it is on its way. Raises NotFound where there is none.

        :param checksum_digits: of the content that it was linked for; another one is shown if that was replaced
        """
        origin = Origin(request.registry, link)
        known, _ = self._known(origin)
        return (known and self._picture(known, checksum_digits)) or self._await(origin, known, checksum_digits)

    def warm(self, origin: Origin, entry: Entry) -> bool:
        """Fetch the file that is listed as *entry* and make its thumbnail; False where nothing was left to do.

        Raises what accounts and Egnyte may raise.
        """
        here = entry.size > self._largest or self._kept_copy(origin.link, entry.version_id or '') is not None
        if here and (not self._is_picture(entry) or self._thumbnails.has(content_of(entry))):
            return False
        if self._is_picture(entry):
            self._make(self._fetch_picture(origin))
            return True
        self._fetcher.bring(origin, Priority.BACKGROUND)
        if self._is_picture(entry):  # which its content showed
            self._make(self._fetch_picture(origin))
        return True

    def prepare(self, account: str, entry: Entry) -> None:
        """Make the thumbnail of a file that was just stored, if it is a picture. Waits for it, but a moment."""
        with log_cache_errors():
            copy = self._index.copy(account, entry.id or '', entry.version_id or '')
            if copy is not None and self._is_picture(entry):
                with suppress(queue.Full):
                    wait([self._render(copy)], MOMENT)

    def _is_picture(self, entry: Entry) -> bool:
        return self.types([entry])[0] in TYPES

    def _picture(self, known: Version, checksum_digits: str) -> CachedContent | None:
        try:
            file = self._thumbnails.find(content_of(known))
        except NotRenderable:
            raise _not_found() from None
        return file and CachedContent(
            file=file,
            path=self._directory.relative(file),
            size=os.fstat(file.fileno()).st_size,
            etag=digits(content_of(known)),
            modified=known.modified,
            mime_type=CONTENT_TYPE,
            name='',
            final=digits(known.checksum) == checksum_digits,
        )

    def _await(self, origin: Origin, known: Version | None, checksum_digits: str) -> CachedContent | None:
        def begin() -> Future[None]:
            with _logged('thumbnail'):
                copy = known and self._kept_copy(origin.link, known.version_id)
                return self._render(copy or self._fetch_picture(origin))

        end = time.monotonic() + WAIT
        try:
            work = self._background.submit(('thumbnail', origin.link), begin)
        except queue.Full:
            return None
        if not self._seats.acquire(blocking=False):
            return None
        try:
            work.result(WAIT).result(max(end - time.monotonic(), 0))
            current = self._index.version(origin.domain, origin.link.file_id)
        except NotFound:
            raise
        except (NotYet, queue.Full, FSPError, OSError, sqlite3.Error):
            return None
        finally:
            self._seats.release()
        return current and self._picture(current, checksum_digits)

    def _kept_copy(self, link: Link, version_id: str) -> Copy | None:
        copy = self._index.copy(*link, version_id)
        return copy if copy and self._directory.path(COPIES, copy.key).exists() else None

    def _fetch_picture(self, origin: Origin) -> Copy:
        """The current version, all of it here; one that is too large to be kept gets its thumbnail at once."""
        with own_request(origin.registry) as request:
            copy, file, _ = self._fetcher.fetch(request, origin, Priority.BACKGROUND)
        if file is not None:
            with file:
                if file.seek(0, os.SEEK_END) > self._largest:  # which waits for the end
                    self._thumbnails.make(content_of(copy), file)
        return copy

    def _render(self, copy: Copy) -> Future[None]:
        """Make the thumbnail of what is here as soon as its turn comes. Raises queue.Full."""

        def render() -> None:
            with _logged('thumbnail'):
                self._make(copy)

        return self._rendering.submit(content_of(copy), render)

    def _make(self, copy: Copy) -> None:
        found = None if self._thumbnails.has(content_of(copy)) else self._open(copy, '')
        if found is not None:
            with found.file:
                self._thumbnails.make(content_of(copy), found.file)

    # The rest

    def _kept(self, copy: Copy) -> None:
        """Something was added to the directory. Its type outlives its name, and serves all who see the content."""
        with log_cache_errors(), open(self._directory.path(COPIES, copy.key), 'rb') as file:
            self._learn_type(content_of(copy), file)
        now = time.monotonic()
        if now > self._swept + SWEEP:
            self._swept = now
            self._later(('sweep',), self._sweeper.sweep)

    def _failed(self, copy: Copy) -> None:
        """A content did not come: whoever asks next would cost a call in vain."""
        self._fetcher.note_trouble(Link(copy.account, copy.file_id))

    def _later(self, key: tuple[Any, ...], work: Callable[[], Any]) -> None:
        """Do it when there is time. Nobody hears of its failure but the log."""

        def logged() -> None:
            with _logged(key[0]):
                work()

        with suppress(queue.Full):
            self._background.submit(key, logged)


@contextmanager
def _logged(what: str) -> Iterator[None]:
    """Note in the log what went wrong: there may be nobody else who hears of it."""
    try:
        yield
    except FSPError as error:
        log.info('%s is left for later: %s %s', what, error.code, error.title)
        raise
    except Exception:
        log.exception('%s failed', what)
        raise


@contextmanager
def _closed_on_error(file: BinaryIO) -> Iterator[None]:
    try:
        yield
    except BaseException:
        file.close()
        raise


def _sniffed(file: BinaryIO) -> str:
    """The mime type that the content of *file* shows, which may be growing; '' for none. Leaves it at its beginning."""
    buffered = io.BufferedReader(file)
    try:
        return type_of_content(sniff_file(buffered)) or ''
    finally:
        buffered.detach()
        file.seek(0)


def _found(
    copy: Copy,
    file: BinaryIO,
    path: str | None,
    size: int | None,
    name: str,
    shown: str,
    age: float | None = None,
) -> CachedContent:
    return CachedContent(
        file=file,
        path=path,
        size=size,
        etag=copy.version_id,
        modified=copy.modified,
        mime_type=copy.mime_type,
        name=name,
        shown=shown,
        age=age,
    )


def _not_found() -> NotFound:
    return NotFound('There is no such file.')
