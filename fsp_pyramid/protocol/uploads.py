"""The source of an upload becomes content to store: the guarded download with this site's rules and words.

It goes on in a thread of its own, so that the content can be stored while it still comes.
"""

import hashlib
import io
import logging
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import TracebackType
from typing import Self

from .. import errors
from ..concurrency.growing_file import GrowingFile
from ..disk import writing_temporary
from ..media_types import sniff_file
from ..model import Content
from ..settings import ClientSettings
from ..sources import Source, SourceError, SourceInvalid, SourceTooLarge, SourceTypeRefused, download

log = logging.getLogger(__name__)

# Seconds within which the rest of a file has to be expected before it is stored, because its directory is locked
# meanwhile. Half of the pace that makes this so is insisted on then.
SOON = 5.0
# Seconds over which a pace is measured at the least: what comes with the headers tells nothing about the rest.
MOMENT = 1.0

_UNLIMITED = nullcontext()
IN_MEMORY = 1 << 20  # bytes; a larger file goes to the disk


@contextmanager
def open_source(
    url: str, name: str, settings: ClientSettings, slot: AbstractContextManager[object] = _UNLIMITED
) -> Iterator[Content]:
    """The content of *url*, to be stored as *name*; it is gone when the context is left, and so is the connection.

    What can be known from the headers and the first bytes is checked already. The rest is there, or it is expected
    within SOON seconds at the pace at which it has come so far.

    :param slot: is held while the download goes on; Busy may be raised by it

    Raises SourceFailed, FileTooLarge, TypeNotAllowed, BadRequest, and Busy where too many others are fetched; those of
    them that show later are raised by reading the content.
    """
    with SourceDownload(url, name, settings, slot) as fetching, fetching.file.reader() as reader:
        yield Content(reader, fetching.checked(), fetching.digest)


class SourceDownload:
    """The download of one file, in a thread that ends with the context.

    :ivar file: what has come so far; it fails with what the caller is to be told
    :ivar digest: gets the SHA-512, or that error
    """

    def __init__(self, url: str, name: str, settings: ClientSettings, slot: AbstractContextManager[object]) -> None:
        self._url, self._name, self._settings, self._slot = url, name, settings, slot
        self._source: Source | None = None
        self.file = GrowingFile(tempfile.SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115 - it closes it
        self.digest: Future[str] = Future()
        self._soon = threading.Event()
        self._thread = threading.Thread(target=self._run, name='fsp-source', daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._source is not None:
            self._source.abandon()
        self._thread.join()
        self.file.close()

    def _run(self) -> None:
        try:
            with self._slot:
                self._copy()
        except Exception as error:  # noqa: BLE001 - it is raised where somebody waits
            # Not as it is: where it is raised, an OSError would be taken for one of Egnyte's connection.
            failure = _told(error, self._name)
            self.file.fail(failure)
            self.digest.set_exception(failure)
        finally:
            self._soon.set()

    def _copy(self) -> None:
        limit, allow, digest = self._settings.upload.max_size, self._settings.sources.allow, hashlib.sha512()
        with download(self._url, max_size=limit, timeout=self._settings.sources.timeout, allow=allow) as self._source:
            began = time.monotonic()
            for chunk in self._source.chunks():
                digest.update(chunk)
                with writing_temporary():
                    self.file.write(chunk)
                self._expect(self._source, time.monotonic() - began)
            # With its last byte the file is whole to all who follow it: nothing may go wrong between that and here.
            self.digest.set_result(digest.hexdigest())
            self.file.finish()

    def _expect(self, source: Source, elapsed: float) -> None:
        """See whether the rest comes soon."""
        if source.size is None or self._soon.is_set():
            return
        left, rate_limiter = source.size - self.file.size, self.file.size / max(elapsed, MOMENT)
        if left <= SOON * rate_limiter:
            source.insist(left / (2 * SOON))
            self._soon.set()

    def checked(self) -> int:
        """The size of the file, after its type was checked. Waits until the rest comes soon.

        It waits for all of it where the size is not known.
        """
        with io.BufferedReader(self.file.reader()) as beginning:
            sniffed = sniff_file(beginning)
        source = self._source
        assert source is not None, 'there are bytes'  # noqa: S101 - invariant
        try:
            self._settings.upload.types.check(self._name, sniffed, source.declared_type)
        except SourceTypeRefused as error:
            raise _told(error, self._name) from error
        if source.size is None:
            return self.file.wait()
        self._soon.wait()
        self.file.read(0, 0)  # raises what has gone wrong meanwhile
        return source.size


def _told(error: Exception, name: str) -> errors.FSPError:
    """What the caller is told; *error* is its cause."""
    match error:
        case errors.FSPError():
            return error
        case SourceTooLarge():
            kind: type[errors.FSPError] = errors.FileTooLarge
        case SourceTypeRefused():
            kind = errors.TypeNotAllowed
        case SourceInvalid():
            kind = errors.BadRequest
        case SourceError():
            kind = errors.SourceFailed
        case _:
            log.error('a download failed', exc_info=error)
            kind = errors.InternalError
    told = kind(f'"{errors.excerpt(name)}" was not uploaded. {error}') if isinstance(error, SourceError) else kind()
    told.__cause__ = error
    return told
