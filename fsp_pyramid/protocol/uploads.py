"""Download the source of an upload, with the client's rules and the texts for its users.

The download runs in a thread of its own, so that the content can be stored while the rest of it is on its way.
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
from typing import BinaryIO, Self, cast

from .. import errors
from ..concurrency.growing_file import GrowingFile
from ..disk import writing_temporary
from ..i18n import _
from ..media_types import sniff_file
from ..model import Content
from ..settings import ClientSettings
from ..sources import (
    Source,
    SourceError,
    SourceInvalid,
    SourceTooLarge,
    SourceTypeRefused,
    download,
)
from ..storage.received import CHUNK, IN_MEMORY, copy_limited

log = logging.getLogger(__name__)

# A file is stored as soon as the rest of it is expected within so many seconds, because its directory is locked
# meanwhile. From then on, at least half of the speed that this assumes is required.
EXPECTED_WITHIN = 5.0
# Seconds over which the speed is measured at least: bytes that come with the headers say nothing about the rest.
MEASURED_OVER = 1.0

_UNLIMITED = nullcontext()


@contextmanager
def open_source(
    url: str, name: str, settings: ClientSettings, slot: AbstractContextManager[object] = _UNLIMITED
) -> Iterator[Content]:
    """Open the content of *url*, to be stored as *name*. Leaving the context drops it and closes the connection.

    Headers and first bytes have been checked. The rest is there, or is expected within EXPECTED_WITHIN seconds at the
    speed so far.

    :param slot: is held during the download; entering it may raise Busy

    Raises SourceFailed, FileTooLarge, TypeNotAllowed, BadRequest, and Busy while too many downloads run. Reading the
    content raises the errors that occur later.
    """
    with SourceDownload(url, name, settings, slot) as source, source.file.reader() as reader:
        # RawIOBase and BinaryIO have the same methods, but are unrelated types.
        yield Content(cast(BinaryIO, reader), source.checked_size(), source.digest)


@contextmanager
def open_file(received: BinaryIO, name: str, settings: ClientSettings) -> Iterator[Content]:
    """Open a file that was received with a request, to be stored as *name*. The rules are those of :func:`open_source`.

    Raises FileTooLarge, TypeNotAllowed, SourceFailed for an empty file, and BadRequest if the file ends too early.
    """
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
        digest: Future[str] = Future()
        try:
            chunks = iter(lambda: _read_received(received), b'')
            digest.set_result(copy_limited(chunks, cast(BinaryIO, file), settings.upload.max_size))
            size = file.tell()
            if not size:
                raise errors.SourceFailed(
                    _('file-empty', '"${name}" was not uploaded. The file is empty.', name=errors.excerpt(name))
                )
            file.seek(0)
            settings.upload.types.check(name, sniff_file(file))
        except SourceError as error:
            raise _upload_error(error, name) from error
        file.seek(0)
        yield Content(cast(BinaryIO, file), size, digest)


def _read_received(received: BinaryIO) -> bytes:
    try:
        return received.read(CHUNK)
    except OSError:
        raise errors.BadRequest(_('file-incomplete', 'The file did not arrive completely. Please try again.')) from None


class SourceDownload:
    """Download of one file, in a thread that ends with the context.

    :ivar file: the bytes so far; it fails with the FSPError for the caller
    :ivar digest: gets the SHA-512, or that error
    """

    def __init__(self, url: str, name: str, settings: ClientSettings, slot: AbstractContextManager[object]) -> None:
        self._url, self._name, self._settings, self._slot = url, name, settings, slot
        self._source: Source | None = None
        self.file = GrowingFile(tempfile.SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115 - GrowingFile closes it
        self.digest: Future[str] = Future()
        self._storable = threading.Event()
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
        except Exception as error:  # noqa: BLE001 - raised again in the threads that wait
            # Converted: where it is raised again, an OSError would be taken for one of the connection to Egnyte.
            failure = _upload_error(error, self._name)
            self.file.fail(failure)
            self.digest.set_exception(failure)
        finally:
            self._storable.set()

    def _copy(self) -> None:
        limit, allow, digest = self._settings.upload.max_size, self._settings.sources.allow, hashlib.sha512()
        with download(self._url, max_size=limit, timeout=self._settings.sources.timeout, allow=allow) as self._source:
            began = time.monotonic()
            for chunk in self._source.chunks():
                digest.update(chunk)
                with writing_temporary():
                    self.file.write(chunk)
                self._check_speed(self._source, time.monotonic() - began)
            # Readers take the file as complete with its last byte: nothing may fail between that and here.
            self.digest.set_result(digest.hexdigest())
            self.file.finish()

    def _check_speed(self, source: Source, elapsed: float) -> None:
        """Let the file be stored once its rest is expected soon."""
        if source.size is None or self._storable.is_set():
            return
        left, speed = source.size - self.file.size, self.file.size / max(elapsed, MEASURED_OVER)
        if left <= EXPECTED_WITHIN * speed:
            source.require_rate(left / (2 * EXPECTED_WITHIN))
            self._storable.set()

    def checked_size(self) -> int:
        """Check the type and return the size.

        Waits until the rest is expected soon, or for all of it if the size is not known.
        """
        with io.BufferedReader(self.file.reader()) as beginning:
            sniffed = sniff_file(beginning)
        source = self._source
        assert source is not None, 'there are bytes'  # noqa: S101 - invariant
        try:
            self._settings.upload.types.check(self._name, sniffed, source.declared_type)
        except SourceTypeRefused as error:
            raise _upload_error(error, self._name) from error
        if source.size is None:
            return self.file.wait()
        self._storable.wait()
        self.file.check()
        return source.size


def _upload_error(error: Exception, name: str) -> errors.FSPError:
    """Return the error for the caller, with *error* as its cause."""
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
    failure = kind(_not_uploaded(name, error.text)) if isinstance(error, SourceError) else kind()
    failure.__cause__ = error
    return failure


def _not_uploaded(name: str, reason: str) -> str:
    return _('not-uploaded', '"${name}" was not uploaded. ${reason}', name=errors.excerpt(name), reason=reason)
