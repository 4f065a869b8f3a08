"""Contents on their way from Egnyte: each is fetched once, however many ask, and kept while they read it."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import NamedTuple

from ..concurrency.growing_file import GrowingFile, Reader
from ..concurrency.single_flight import SingleFlight
from ..egnyte import EgnyteError, Verifier
from ..errors import Busy, EgnyteUnavailable, FSPError
from ..model import Download
from .directory import COPIES, CacheDirectory, PartialFile
from .index import (
    Copy,
    Index,
    key_of,
    log_cache_errors,
)

log = logging.getLogger(__name__)

# Seconds that a process waits for another one, which fetches the same, before it looks again; and in all.
POLL, PATIENCE = 0.05, 30.0
# Bytes. What is this small is fetched to its end even if those who asked have gone: the next one would cost a call.
FINISHED_ALONE = 32 << 20


class Damaged(EgnyteUnavailable):
    """Other bytes came than Egnyte has."""


class Abandoned(EgnyteUnavailable):
    """Nobody wants it any more."""


class ActiveDownload(NamedTuple):
    """A content that is coming."""

    copy: Copy
    file: GrowingFile


class Downloads:
    """All that come at this moment.

    :param largest: in bytes; larger contents are not kept
    :param on_kept: hears of each copy that is complete
    :param on_failed: hears of each that did not come, although somebody wanted it
    """

    def __init__(
        self,
        place: CacheDirectory,
        index: Index,
        largest: int,
        on_kept: Callable[[Copy], None],
        on_failed: Callable[[Copy], None],
    ) -> None:
        self._directory, self._index, self._largest = place, index, largest
        self._on_kept, self._on_failed = on_kept, on_failed
        self._single_flight = SingleFlight()
        self._coming: dict[str, ActiveDownload] = {}

    def fetch(
        self, account: str, file_id: str, find: Callable[[], Copy | None], open_download: Callable[[], Download]
    ) -> tuple[Copy, Reader | None]:
        """The current content of a file, by *open_download* unless *find* finds it here, or somebody fetches it.

        With a reader of what comes, which is to be closed; None where all of it is here. A copy that is still coming
        tells its size as 0 if Egnyte does not tell it. Raises what *open_download* raises, Busy where another process
        takes too long over it, OSError and sqlite3.Error.
        """
        key = key_of(account, file_id)

        def ask() -> Copy | ActiveDownload:
            return find() or self._coming.get(key) or self._begin(key, account, file_id, find, open_download)

        while True:
            content = self._single_flight.do(key, ask)
            if isinstance(content, Copy):
                return content, None
            try:
                return content.copy, content.file.reader()
            except ValueError:  # it has come, or failed, in the meantime
                with suppress(Abandoned):
                    content.file.wait()

    def _begin(
        self,
        key: str,
        account: str,
        file_id: str,
        find: Callable[[], Copy | None],
        open_download: Callable[[], Download],
    ) -> Copy | ActiveDownload:
        """Become the one who brings it."""
        end = time.monotonic() + PATIENCE
        with ExitStack() as stack:
            while True:
                try:
                    draft = stack.enter_context(self._directory.draft(key))
                    break
                except BlockingIOError:
                    if time.monotonic() > end:
                        raise Busy from None
                    time.sleep(POLL)
            # While it was another process's, that may have brought it.
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
            fetching = ActiveDownload(copy, GrowingFile(open(draft.path, 'r+b')))  # noqa: SIM115 - it closes it
            self._coming[key] = fetching
            filling = DownloadWorker(self, key, fetching, download, draft, stack.pop_all())
            threading.Thread(target=filling.run, name='fsp-fetch', daemon=True).start()
        return fetching

    def kept(self, draft: PartialFile, copy: Copy) -> None:
        """The draft is complete: keep it, unless it is too large."""
        if copy.size > self._largest:
            return
        with log_cache_errors():  # who reads it has nothing to do with that
            draft.publish(COPIES, copy.key, copy.modified)
            self._index.add(copy)
            self._on_kept(copy)

    def failed(self, copy: Copy) -> None:
        """It did not come."""
        self._on_failed(copy)

    def ended(self, key: str) -> None:
        """Nothing comes any more: who asks now looks here first."""
        del self._coming[key]


class DownloadWorker:
    """The thread that brings one content."""

    def __init__(
        self,
        fetches: Downloads,
        key: str,
        fetching: ActiveDownload,
        download: Download,
        draft: PartialFile,
        stack: ExitStack,
    ) -> None:
        self._fetches, self._key, self._draft, self._stack = fetches, key, draft, stack
        self._copy, self._file, self._download = fetching.copy, fetching.file, download

    def run(self) -> None:
        """Bring it, and end well or badly for all who read it."""
        try:
            with self._stack, self._file:
                self._bring()
        except Abandoned as error:
            log.info('a content did not come: %s', error)
        except FSPError as error:
            log.warning('a content did not come: %s', error.__cause__ or error)
        except Exception:
            log.exception('a content did not come')

    def _bring(self) -> None:
        try:
            self._copy_all()
        except Abandoned:
            raise
        except EgnyteError as error:
            self._fetches.failed(self._copy)
            raise EgnyteUnavailable from error
        except Exception:
            self._fetches.failed(self._copy)
            raise
        finally:
            self._fetches.ended(self._key)

    def _copy_all(self) -> None:
        verifier, size, held, wanted = Verifier(self._copy.checksum), 0, b'', False
        for block in self._download:
            verifier.update(block)
            size += len(block)
            # The last block is held back until all are known to be right: what is damaged never looks complete.
            self._file.write(held)
            held = block
            wanted = wanted or self._file.readers > 0
            if wanted and not self._file.readers and max(size, self._copy.size) > FINISHED_ALONE:
                raise Abandoned('nobody reads it any more')
        if not verifier.fits() or (self._download.size is not None and size != self._download.size):
            raise Damaged('its bytes are not those that Egnyte told of')
        self._file.write(held)
        self._fetches.kept(self._draft, replace(self._copy, size=size))
        self._file.finish()
