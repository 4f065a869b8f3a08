"""The source of an upload becomes content to store: the guarded download with this site's rules and words."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from . import errors
from .model import Content
from .settings import Settings
from .sources import SourceError, SourceInvalid, SourceTooLarge, SourceTypeRefused, download

# How many downloads a process makes at once: fewer than it has threads, so that silent sources cannot take them all.
DOWNLOADS = 12
WAIT = 5.0
_slots = threading.BoundedSemaphore(DOWNLOADS)


@contextmanager
def fetched(url: str, name: str, settings: Settings) -> Iterator[Content]:
    """The content of *url*, to be stored as *name*; it is gone when the context is left.

    Raises SourceFailed, FileTooLarge, TypeNotAllowed, BadRequest, and Busy where too many others are fetched.
    """
    if not _slots.acquire(timeout=WAIT):
        raise errors.Busy('Many files are being uploaded at the moment. Please try again in a minute.', retry_after=30)
    try:
        source = download(
            url, max_size=settings.upload_max_size, timeout=settings.sources_timeout, allow=settings.sources_allow
        )
    except SourceError as error:
        raise _translate(error, name) from error
    finally:
        _slots.release()
    with source:
        try:
            settings.upload_types.check(name, source.mime_type, source.declared_type)
        except SourceTypeRefused as error:
            raise _translate(error, name) from error
        yield Content(source.file, source.size, source.sha512)


def _translate(error: SourceError, name: str) -> errors.FSPError:
    match error:
        case SourceTooLarge():
            kind: type[errors.FSPError] = errors.FileTooLarge
        case SourceTypeRefused():
            kind = errors.TypeNotAllowed
        case SourceInvalid():
            kind = errors.BadRequest
        case _:
            kind = errors.SourceFailed
    return kind(f'"{name}" was not uploaded. {error}')
