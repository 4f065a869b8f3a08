"""Thumbnails on disk, by the name of the content (its checksum): what is moved or copied does not need a second one."""

import logging
from typing import BinaryIO

from ..imaging.render import Unrenderable
from ..imaging.worker_pool import render
from .directory import THUMBNAILS, CacheDirectory, note_use
from .index import key_of

log = logging.getLogger(__name__)


class NotRenderable(Exception):
    """The content is none that can be shown small; that is remembered."""


class ThumbnailStore:
    """Makes thumbnails and finds them again."""

    def __init__(self, place: CacheDirectory) -> None:
        self._directory = place

    def find(self, content_name: str) -> BinaryIO | None:
        """The thumbnail, opened; None where nobody has made one yet. Raises NoPicture, OSError."""
        try:
            file = open(self._directory.path(THUMBNAILS, key_of(content_name)), 'rb')  # noqa: SIM115 - it is for the caller
        except FileNotFoundError:
            return None
        note_use(file)
        if not file.read(1):
            file.close()
            raise NotRenderable
        file.seek(0)
        return file

    def make(self, content_name: str, content: BinaryIO) -> None:
        """Make the thumbnail of *content*, or remember that there is none. Raises OSError."""
        try:
            thumbnail = render(content)
        except Unrenderable as error:
            log.info('a content has no thumbnail: %s', error)
            thumbnail = b''  # an empty file stands for "none"
        self._directory.put(THUMBNAILS, key_of(content_name), thumbnail)

    def has(self, content_name: str) -> bool:
        """Whether there is one, or known to be none."""
        return self._directory.path(THUMBNAILS, key_of(content_name)).exists()
