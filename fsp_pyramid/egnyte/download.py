"""A file's content on its way down."""

import re
from collections.abc import Iterator

import requests

from .errors import Unreachable
from .records import milliseconds
from .transport import BROKEN

BLOCK = 64 * 1024
# Egnyte's ids of versions. The pages of web servers have ETags of other forms.
ENTRY_ID = re.compile(r'[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}', re.IGNORECASE)


class Download(Iterator[bytes]):
    """Iterate over it once; close it in any case, or its connection stays taken.

    It is its own iterator, because WSGI servers and WebOb close what they iterate over.

    :ivar version_id: '' if the headers are not those that Egnyte sends with a file: it is the page of a proxy, then
    """

    def __init__(self, response: requests.Response) -> None:
        headers = response.headers
        length = headers.get('Content-Length', '')
        self._response, self._blocks = response, response.iter_content(BLOCK)
        # The length of what is encoded (although we asked for it plain) is not that of the file.
        self.size = int(length) if length.isdecimal() and 'Content-Encoding' not in headers else None
        self.mime_type: str = headers.get('Content-Type', 'application/octet-stream')
        self.checksum: str = headers.get('X-Sha512-Checksum', '')
        tag = headers.get('ETag', '').removeprefix('W/').strip('"')
        self.version_id: str = tag if self.checksum or ENTRY_ID.fullmatch(tag) else ''
        self.modified: int = milliseconds(headers.get('Last-Modified'))

    def __next__(self) -> bytes:
        """The next bytes. Raises Unreachable where the connection breaks before the last one."""
        try:
            return next(self._blocks)
        except BROKEN as error:
            raise Unreachable(f'the download broke off: {type(error).__name__}') from None

    def close(self) -> None:
        """Let go of the connection."""
        self._response.close()
