"""Thumbnails on disk, by the name of the content (its checksum): what is moved or copied does not need a second one."""

import logging
from typing import BinaryIO

from .index import key_of
from .place import THUMBNAILS, Place, note_use
from .render_pool import render
from .thumbnails import Unrenderable

log = logging.getLogger(__name__)


class NoPicture(Exception):
    """The content is none that can be shown small; that is remembered."""


class Gallery:
    """Makes thumbnails and finds them again."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def find(self, content_name: str) -> BinaryIO | None:
        """The thumbnail, opened; None where nobody has made one yet. Raises NoPicture, OSError."""
        try:
            file = open(self._place.path(THUMBNAILS, key_of(content_name)), 'rb')  # noqa: SIM115 - it is for the caller
        except FileNotFoundError:
            return None
        note_use(file)
        if not file.read(1):
            file.close()
            raise NoPicture
        file.seek(0)
        return file

    def make(self, content_name: str, content: BinaryIO) -> None:
        """Make the thumbnail of *content*, or remember that there is none. Raises OSError."""
        try:
            thumbnail = render(content)
        except Unrenderable as error:
            log.info('a content has no thumbnail: %s', error)
            thumbnail = b''  # an empty file stands for "none"
        self._place.put(THUMBNAILS, key_of(content_name), thumbnail)

    def has(self, content_name: str) -> bool:
        """Whether there is one, or known to be none."""
        return self._place.path(THUMBNAILS, key_of(content_name)).exists()
