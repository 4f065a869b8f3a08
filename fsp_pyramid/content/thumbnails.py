"""Thumbnail store: thumbnails on disk, named by the checksum of the content, so that moves and copies share them."""

import logging
from typing import BinaryIO

from ..imaging.contract import Unrenderable
from ..imaging.worker_pool import SeekableFile, render
from .directory import THUMBNAILS, CacheDirectory, record_use
from .index import key_of

log = logging.getLogger(__name__)


class NotRenderable(Exception):
    """The content is known to have no thumbnail."""


class ThumbnailStore:
    """Make thumbnails and find them again."""

    def __init__(self, directory: CacheDirectory) -> None:
        self._directory = directory

    def open(self, content: str) -> BinaryIO | None:
        """Open the thumbnail of a content; None where it was not made yet. Raises NotRenderable, OSError.

        :param content: its name, see content_key
        """
        try:
            file = self._directory.open(THUMBNAILS, key_of(content))
        except FileNotFoundError:
            return None
        record_use(file)
        if not file.read(1):
            file.close()
            raise NotRenderable
        file.seek(0)
        return file

    def make(self, content: str, file: SeekableFile) -> None:
        """Make the thumbnail of the content in *file*, or record that it has none. Raises OSError."""
        try:
            thumbnail = render(file)
        except Unrenderable as error:
            log.info('a content has no thumbnail: %s', error)
            thumbnail = b''  # an empty file stands for "none"
        self._directory.put(THUMBNAILS, key_of(content), thumbnail)

    def has(self, content: str) -> bool:
        """Return whether the thumbnail exists, or the content is known to have none."""
        return self._directory.path(THUMBNAILS, key_of(content)).exists()
