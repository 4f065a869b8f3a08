"""Contents of assets: a URL by the guarded download, a file from the disk, or from another file system."""

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path as FilePath
from typing import BinaryIO, NamedTuple, cast

from ..media_types import sniff_file
from ..model import Content
from ..sources import (
    Allowances,
    SourceEmpty,
    SourceError,
    SourceUnavailable,
    TypePolicy,
    download,
)
from ..storage.received import CHUNK, IN_MEMORY, copy_limited
from .names import asset_name
from .policy import is_url

Opener = Callable[[str], AbstractContextManager[BinaryIO]]


class Rules(NamedTuple):
    """Rules for uploads, which hold for imports as well.

    :param max_size: bytes of a file
    :param types: types of files
    :param allow: addresses to download from besides the internet
    :param timeout: seconds of a download
    """

    max_size: int
    types: TypePolicy
    allow: Allowances
    timeout: float


class Fetched(NamedTuple):
    """A content with the name for it."""

    name: str
    content: Content


@contextmanager
def open_file(path: str) -> Iterator[BinaryIO]:
    """Open a file of the disk. Raises SourceError."""
    try:
        with FilePath(path).open('rb') as file:
            yield file
    except OSError as error:
        raise SourceError(f'The file cannot be read: {error.strerror}.') from error


@contextmanager
def fetch(source: str, rules: Rules, opener: Opener = open_file) -> Iterator[Fetched]:
    """Give the content of *source*, a URL or what *opener* opens. It is complete, and its type is allowed.

    Raises SourceError, and NoRoom if the directory of temporary files is full.
    """
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as spooled:
        file = cast(BinaryIO, spooled)
        declared = None
        if is_url(source):
            with download(source, max_size=rules.max_size, timeout=rules.timeout, allow=rules.allow) as response:
                declared = response.declared_type
                sha512 = copy_limited(response.chunks(), file, rules.max_size)
        else:
            with opener(source) as opened:
                sha512 = copy_limited(_chunks(opened), file, rules.max_size)
        size = file.tell()
        if not size:
            raise SourceEmpty
        file.seek(0)
        sniffed = sniff_file(file)
        name = asset_name(source, sniffed, declared)
        rules.types.check(name, sniffed, declared)
        file.seek(0)
        digest: Future[str] = Future()
        digest.set_result(sha512)
        yield Fetched(name, Content(file, size, digest))


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    try:
        while chunk := file.read(CHUNK):
            yield chunk
    except OSError as error:
        raise SourceUnavailable(f'the file cannot be read: {error}') from error
