"""Streaming download of a file."""

import re
from collections.abc import Iterator

import requests

from .errors import Unreachable
from .records import milliseconds, size
from .transport import BROKEN

BLOCK = 64 * 1024
# Egnyte's ids of versions. The pages of web servers have ETags of other forms.
ENTRY_ID = re.compile(r'[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}', re.IGNORECASE)


class Download(Iterator[bytes]):
    """Content of a file, an iterator to use once. Close it in any case, or its connection stays in use.

    It is its own iterator, because WSGI servers and WebOb close the iterable that they get.

    :ivar version_id: '' if the headers are not those that Egnyte sends with a file, as with the page of a proxy
    """

    def __init__(self, response: requests.Response) -> None:
        headers = response.headers
        length = headers.get('Content-Length', '')
        self._response, self._blocks = response, response.iter_content(BLOCK)
        # The length of an encoded body (although we asked for a plain one) is not that of the file.
        self.size = size(length) if length.isdecimal() and 'Content-Encoding' not in headers else None
        self.mime_type: str = headers.get('Content-Type', 'application/octet-stream')
        self.checksum: str = headers.get('X-Sha512-Checksum', '')
        tag = headers.get('ETag', '').removeprefix('W/').strip('"')
        self.version_id: str = tag if self.checksum or ENTRY_ID.fullmatch(tag) else ''
        self.modified: int = milliseconds(headers.get('Last-Modified'))

    def __next__(self) -> bytes:
        """Return the next bytes. Raises Unreachable if the connection breaks before the last one."""
        try:
            return next(self._blocks)
        except BROKEN as error:
            raise Unreachable(f'the download broke off: {type(error).__name__}') from None

    def close(self) -> None:
        """Release the connection."""
        self._response.close()
