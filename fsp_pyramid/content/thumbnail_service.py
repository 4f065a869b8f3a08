"""Thumbnail service: thumbnails by link, made in worker processes; a request waits for one a moment only."""

import os
import queue
import sqlite3
import time
from concurrent.futures import Future, wait
from concurrent.futures import TimeoutError as NotReady
from contextlib import suppress

from ..concurrency.bulkhead import Bulkhead, BulkheadFull
from ..egnyte import Priority
from ..errors import FSPError, NotFound
from ..imaging.contract import CONTENT_TYPE, TYPES
from ..imaging.worker_pool import WORKERS
from ..model import Entry
from .background import BackgroundTasks
from .cache import CachedContent, ContentCache
from .directory import THUMBNAILS, relative_path
from .fetcher import OriginFetcher
from .index import Copy, Version, content_key, key_of, log_cache_errors
from .links import checksum_digits
from .origin import Origin
from .revalidation import Revalidator
from .thumbnails import NotRenderable, ThumbnailStore

# Number of requests that wait for a thumbnail, and seconds; the others get a placeholder at once, because the threads
# of the server are for people who click.
WAITING, WAIT = 6, 2.0
# Seconds that the answer to an upload waits for its thumbnail.
UPLOAD_WAIT = 0.5


class ThumbnailService:
    """Serve and make thumbnails. The constructor does no I/O; methods may raise OSError and sqlite3.Error."""

    def __init__(
        self, cache: ContentCache, fetcher: OriginFetcher, revalidator: Revalidator, background: BackgroundTasks
    ) -> None:
        self._cache, self._fetcher, self._revalidator, self._background = cache, fetcher, revalidator, background
        self._store = ThumbnailStore(cache.directory)
        # A pool of its own: slow pictures delay no revalidation and no download.
        self._rendering = BackgroundTasks(WORKERS)
        self._waiting = Bulkhead(WAITING, waiting=0, patience=0)

    def thumbnail(self, origin: Origin, digits: str) -> CachedContent | None:
        """Return the thumbnail of the file, None while it is being made. Raises NotFound where it has none.

        :param digits: of the checksum of the linked content; a replaced file has the thumbnail of its new content
        """
        version = self._revalidator.lookup(origin).version
        found = self._open(version, digits) if version else None
        return found or self._wait(origin.background(), version, digits)

    def warm(self, origin: Origin, entry: Entry) -> bool:
        """Fetch the file that is listed as *entry* and make its thumbnail; return False where both exist.

        Raises the errors of accounts and Egnyte.
        """
        exists = not self._cache.accepts(entry.size) or (
            self._cache.existing_copy(origin.account, origin.file_id, entry.version_id or '') is not None
        )
        if exists and (not self._is_picture(entry) or self._store.has(content_key(entry))):
            return False
        if self._is_picture(entry):
            self._make(self._fetch(origin))
            return True
        self._fetcher.prefetch(origin, Priority.BACKGROUND)
        if self._is_picture(entry):  # by its content, which is known now
            self._make(self._fetch(origin))
        return True

    def prepare(self, account: str, entry: Entry) -> None:
        """Make the thumbnail of a file that was just stored, if it is a picture, and wait for it a moment."""
        with log_cache_errors():
            copy = self._cache.index.copy(account, entry.id or '', entry.version_id or '')
            if copy is not None and self._is_picture(entry):
                with suppress(queue.Full):
                    wait([self._render(copy)], UPLOAD_WAIT)

    def _is_picture(self, entry: Entry) -> bool:
        return self._cache.types([entry])[0] in TYPES

    def _open(self, version: Version, digits: str) -> CachedContent | None:
        try:
            file = self._store.open(content_key(version))
        except NotRenderable:
            raise NotFound from None
        if file is None:
            return None
        return CachedContent(
            file=file,
            path=relative_path(THUMBNAILS, key_of(content_key(version))),
            size=os.fstat(file.fileno()).st_size,
            etag=checksum_digits(content_key(version)),
            modified=version.modified,
            mime_type=CONTENT_TYPE,
            name='',
            final=checksum_digits(version.checksum) == digits,
        )

    def _wait(self, origin: Origin, version: Version | None, digits: str) -> CachedContent | None:
        """Begin to make the thumbnail, and wait for it a moment."""

        def begin() -> Future[None]:
            copy = version and self._cache.existing_copy(origin.account, origin.file_id, version.version_id)
            return self._render(copy or self._fetch(origin))

        end = time.monotonic() + WAIT
        try:
            fetching = self._background.submit(('thumbnail', origin.account, origin.file_id), begin)
            with self._waiting.slot():
                fetching.result(WAIT).result(max(end - time.monotonic(), 0))
                current = self._cache.index.version(origin.domain, origin.file_id)
        except NotFound:
            raise
        except (NotReady, BulkheadFull, queue.Full, FSPError, OSError, sqlite3.Error):
            return None
        return self._open(current, digits) if current else None

    def _fetch(self, origin: Origin) -> Copy:
        """Fetch the current version to its end; one that is too large to be kept gets its thumbnail at once."""
        copy, reader, _ = self._fetcher.fetch(origin.background(), Priority.BACKGROUND)
        if reader is not None:
            with reader:
                if not self._cache.accepts(reader.seek(0, os.SEEK_END)):  # waits for the end
                    self._store.make(content_key(copy), reader)
        return copy

    def _render(self, copy: Copy) -> Future[None]:
        """Make the thumbnail of a copy as soon as a worker is free. Raises queue.Full."""
        return self._rendering.submit(('thumbnail', content_key(copy)), lambda: self._make(copy))

    def _make(self, copy: Copy) -> None:
        found = None if self._store.has(content_key(copy)) else self._cache.open(copy, '')
        if found is not None:
            with found.file:
                self._store.make(content_key(copy), found.file)
