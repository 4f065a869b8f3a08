"""The source of an upload becomes content to store: the guarded download with this site's rules and words."""

from collections.abc import Iterator
from contextlib import contextmanager

from . import errors
from .model import Content
from .settings import Settings
from .sources import SourceError, SourceInvalid, SourceTooLarge, SourceTypeRefused, download


@contextmanager
def fetched(url: str, name: str, settings: Settings) -> Iterator[Content]:
    """The content of *url*, to be stored as *name*; it is gone when the context is left.

    Raises SourceFailed, FileTooLarge, TypeNotAllowed, BadRequest.
    """
    try:
        source = download(
            url, max_size=settings.upload_max_size, timeout=settings.sources_timeout, allow=settings.sources_allow
        )
    except SourceError as error:
        raise _translate(error, name) from error
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
