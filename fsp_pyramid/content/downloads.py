"""Downloads of contents: single-flight for the threads and processes of a machine, read while they grow."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import NamedTuple

from ..concurrency.growing_file import GrowingFile, Reader
from ..concurrency.single_flight import SingleFlight
from ..egnyte import EgnyteError, Verifier
from ..errors import Busy, EgnyteUnavailable, FSPError
from ..model import Download
from .backoff import Backoff
from .cache import ContentCache
from .directory import PartialFile
from .index import Copy, key_of, log_cache_errors
from .links import Link

log = logging.getLogger(__name__)

# Seconds between two looks at a content that another process downloads, and seconds to wait for it in all.
POLL_INTERVAL, MAX_WAIT = 0.05, 30.0
# Bytes. A smaller download continues without readers: giving it up would cost the next one a call.
FINISH_UNREAD = 32 << 20


class Damaged(EgnyteUnavailable):
    """The received bytes do not fit the size or checksum that Egnyte announced."""


class Abandoned(EgnyteUnavailable):
    """The download was given up, because its last reader closed it."""


class ActiveDownload(NamedTuple):
    """A download in progress."""

    copy: Copy
    file: GrowingFile


class Downloads:
    """Downloads in progress.

    :param cache: receives each complete download
    :param backoff: records each file whose download failed, so that the next request costs no call
    """

    def __init__(self, cache: ContentCache, backoff: Backoff) -> None:
        self._cache, self._backoff = cache, backoff
        self._single_flight = SingleFlight()
        self._active: dict[str, ActiveDownload] = {}

    def fetch(
        self, account: str, file_id: str, find: Callable[[], Copy | None], open_download: Callable[[], Download]
    ) -> tuple[Copy, Reader | None]:
        """Return the current content of a file: from the cache, from an active download, or from a new one.

        The reader of a download is to be closed; it is None for a complete copy. The copy of a download has size 0 if
        Egnyte gives none. Raises what *open_download* raises, Busy where another process takes too long, OSError and
        sqlite3.Error.

        :param find: returns the copy in the cache
        :param open_download: begins a download: one call
        """
        key = key_of(account, file_id)

        def content() -> Copy | ActiveDownload:
            return find() or self._active.get(key) or self._start(key, account, file_id, find, open_download)

        while True:
            found = self._single_flight.do(key, content)
            if isinstance(found, Copy):
                return found, None
            try:
                return found.copy, found.file.reader()
            except ValueError:  # it has ended in the meantime
                with suppress(Abandoned):
                    found.file.wait()

    def _start(
        self,
        key: str,
        account: str,
        file_id: str,
        find: Callable[[], Copy | None],
        open_download: Callable[[], Download],
    ) -> Copy | ActiveDownload:
        with ExitStack() as stack:
            partial = self._lock(key, stack)
            # Another process that held the lock may have downloaded it.
            found = find()
            if found is not None:
                return found
            download = open_download()
            stack.callback(download.close)
            copy = Copy(
                account=account,
                file_id=file_id,
                version_id=download.version_id,
                checksum=download.checksum,
                size=download.size or 0,
                modified=download.modified,
                mime_type=download.mime_type,
                stored=time.time(),
            )
            active = ActiveDownload(copy, GrowingFile(open(partial.path, 'r+b')))  # noqa: SIM115 - it closes it
            self._active[key] = active
            worker = DownloadWorker(self, key, active, download, partial, stack.pop_all())
            threading.Thread(target=worker.run, name='fsp-fetch', daemon=True).start()
        return active

    def _lock(self, key: str, stack: ExitStack) -> PartialFile:
        """Take the lock among all processes. Raises Busy."""
        end = time.monotonic() + MAX_WAIT
        while True:
            try:
                return stack.enter_context(self._cache.directory.partial_file(key))
            except BlockingIOError:
                if time.monotonic() > end:
                    raise Busy from None
                time.sleep(POLL_INTERVAL)

    def complete(self, copy: Copy, partial: PartialFile) -> None:
        """Add a complete download to the cache. Its readers are served even if that fails."""
        with log_cache_errors():
            self._cache.publish(copy, partial)

    def fail(self, copy: Copy) -> None:
        """Record a failed download."""
        self._backoff.record(Link(copy.account, copy.file_id))

    def end(self, key: str) -> None:
        """Remove a download that has ended: later requests look into the cache first."""
        del self._active[key]


class DownloadWorker:
    """Thread that runs one download."""

    def __init__(
        self,
        downloads: Downloads,
        key: str,
        active: ActiveDownload,
        download: Download,
        partial: PartialFile,
        stack: ExitStack,
    ) -> None:
        self._downloads, self._key, self._partial, self._stack = downloads, key, partial, stack
        self._copy, self._file, self._download = active.copy, active.file, download

    def run(self) -> None:
        """Download the content, and pass success or failure to all readers."""
        try:
            with self._stack, self._file:
                self._run()
        except Abandoned as error:
            log.info('a download was given up: %s', error)
        except FSPError as error:
            log.warning('a download failed: %s', error.__cause__ or error)
        except Exception:
            log.exception('a download failed')

    def _run(self) -> None:
        try:
            self._copy_all()
        except Abandoned:
            raise
        except EgnyteError as error:
            self._downloads.fail(self._copy)
            raise EgnyteUnavailable from error
        except Exception:
            self._downloads.fail(self._copy)
            raise
        finally:
            self._downloads.end(self._key)

    def _copy_all(self) -> None:
        verifier, size, last, was_read = Verifier(self._copy.checksum), 0, b'', False
        for block in self._download:
            verifier.update(block)
            size += len(block)
            # The last block is held back until the checksum is verified: damaged content never looks complete.
            self._file.write(last)
            last = block
            was_read = was_read or self._file.readers > 0
            if was_read and not self._file.readers and max(size, self._copy.size) > FINISH_UNREAD:
                raise Abandoned('its last reader closed it')
        if not verifier.fits() or (self._download.size is not None and size != self._download.size):
            raise Damaged('its bytes are not those that Egnyte announced')
        self._file.write(last)
        self._downloads.complete(self._copy._replace(size=size), self._partial)
        self._file.finish()
