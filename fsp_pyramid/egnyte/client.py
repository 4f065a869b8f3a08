"""The client: one method a call, in Egnyte's own terms."""

import hashlib
import io
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import quote

import requests

from .errors import Corrupted, EgnyteError, NotFound, Throttled, Unreachable, from_response
from .pace import Pace
from .records import File, Folder, FolderListing, TrashItem, User, milliseconds

PAGE = 1000  # the most that Egnyte puts into one answer
CHUNK_SIZE = 100 * 1024 * 1024  # Egnyte recommends it, and wants chunks above it
CONNECT_TIMEOUT = 10.0
# For calls that may be made twice: a broken connection is usually an old one that the other end had closed.
TRIES = 3
BLOCK = 64 * 1024

# requests reads the body inside of request(), so a cut answer is one of these too.
CONNECTION_TROUBLE = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)


class Stored(NamedTuple):
    """What an upload made: the file, its new version, and the time of it in UNIX milliseconds (0: not told)."""

    file_id: str
    version_id: str
    checksum: str
    modified: int


class Download:
    """A file's content on its way. Iterate over it once; close it in any case, or its connection stays taken."""

    def __init__(self, response: requests.Response) -> None:
        headers = response.headers
        length = headers.get('Content-Length', '')
        self._response = response
        self.size = int(length) if length.isdecimal() else None
        self.mime_type: str = headers.get('Content-Type', 'application/octet-stream')
        self.version_id: str = headers.get('ETag', '').strip('"')
        self.modified: str = headers.get('Last-Modified', '')

    def __iter__(self) -> Iterator[bytes]:
        """The bytes. Raises Unreachable where the connection breaks before the last one."""
        try:
            yield from self._response.iter_content(BLOCK)
        except CONNECTION_TROUBLE as error:
            raise Unreachable(f'the download broke off: {type(error).__name__}') from error

    def close(self) -> None:
        """Let go of the connection."""
        self._response.close()


class _Body(io.RawIOBase):
    """A part of a file, with its length, so that requests neither buffers nor chunk-encodes it."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        super().__init__()
        self._file, self._size, self._left = file, size, size
        file.seek(start)

    def __len__(self) -> int:
        return self._size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data


class Client:
    """Calls to one Egnyte domain with one token, for the length of one request of ours.

    :param url: ``https://acme.egnyte.com``, without a trailing slash
    :param session: shared by all clients of the process, see :func:`~fsp_pyramid.egnyte.new_session`
    :param pace: shared by all clients that use the token
    :param timeout: seconds that Egnyte may stay silent in one call
    :param max_wait: seconds that all calls of this client together may wait for their turn
    :param on_call: is called before each call, those that are made again included

    Every method raises EgnyteError: Unauthorized, Forbidden, Throttled, QuotaExceeded, Unavailable and Unreachable
    besides those it names. Paths are Egnyte's (``/Shared/a b.png``), not url-encoded.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        session: requests.Session,
        pace: Pace,
        timeout: float = 30.0,
        max_wait: float = 10.0,
        chunk_size: int = CHUNK_SIZE,
        on_call: Callable[[], None] = lambda: None,
    ) -> None:
        self._url, self._token = url, token
        self._session, self._pace = session, pace
        self._timeout = (min(timeout, CONNECT_TIMEOUT), timeout)
        self._patience = max_wait
        self._chunk_size = chunk_size
        self._on_call = on_call

    # Reading

    def list_folder(self, path: str) -> FolderListing:
        """A folder with all its items, a call for each 1,000 of them. Raises NotFound (also: it is a file)."""
        pages = list(self._pages(path))
        return FolderListing(
            folder=Folder.read(pages[0]),
            folders=tuple(Folder.read(item) for page in pages for item in page.get('folders', ())),
            files=tuple(File.read(item) for page in pages for item in page.get('files', ())),
        )

    def _pages(self, path: str) -> Iterator[dict[str, Any]]:
        offset = 0
        while True:
            page = self._json('GET', _fs(path), params={'include_perm': 'true', 'count': PAGE, 'offset': offset})
            if not page.get('is_folder'):
                raise NotFound('a file, not a folder', status=200)
            yield page
            got = len(page.get('folders', ())) + len(page.get('files', ()))
            offset += got
            if not got or offset >= int(page.get('total_count', 0)):
                return

    def stat_file(self, path: str) -> File:
        """A file's metadata. Raises NotFound (also: it is a folder)."""
        return self._stat(_fs(path))

    def stat_file_by_id(self, file_id: str) -> File:
        """The same by id; the path in it is where the file is now."""
        return self._stat(_by_id('fs', 'file', file_id))

    def _stat(self, place: str) -> File:
        data = self._json('GET', place, params={'include_perm': 'true', 'list_content': 'false'})
        if data.get('is_folder'):
            raise NotFound('a folder, not a file', status=200)
        return File.read(data)

    def count_items(self, folder_id: str) -> int:
        """How many files and folders the folder holds right now. Raises NotFound."""
        place = _by_id('fs', 'folder', folder_id)
        return Folder.read(self._json('GET', place, params={'count': 1})).total

    def download(self, file_id: str, byte_range: tuple[int, int | None] | None = None) -> Download:
        """A file's current content, or the bytes from the first to the last of *byte_range* (None: the end).

        Raises NotFound, and Rejected where the file ends before the range begins.
        """
        headers = {}
        if byte_range is not None:
            first, last = byte_range
            headers['Range'] = f'bytes={first}-{"" if last is None else last}'
        place = _by_id('fs-content', 'file', file_id)
        return Download(self._call('GET', place, headers=headers, stream=True))

    # Changing

    def create_folder(self, path: str) -> str:
        """Create a folder and return its id, '' where Egnyte does not tell.

        Egnyte may or may not create missing parents. Raises AlreadyExists, Rejected (the name), NotFound (a parent).
        """
        response = self._call('POST', _fs(path), json={'action': 'add_folder'}, tries=1)
        return response.json().get('folder_id', '') if response.content else ''

    def upload(self, path: str, content: BinaryIO, size: int, sha512: str) -> Stored:
        """Store *size* bytes of a seekable file at *path*: a new file, or a new version of the one that is there.

        Large files go up in chunks. Raises Corrupted where Egnyte's checksum is another one, Rejected (the name; an
        empty file), NotFound (the parent), Locked. After Unreachable it may have happened: look before trying again.
        """
        if size > self._chunk_size:
            return self._upload_chunks(path, content, size)
        response = self._call(
            'POST', _content(path), headers={'X-Sha512-Checksum': sha512}, body=(content, 0, size), tries=1
        )
        return _stored(response, sha512)

    def _upload_chunks(self, path: str, content: BinaryIO, size: int) -> Stored:
        upload_id, digests = '', []
        starts = range(0, size, self._chunk_size)
        for number, start in enumerate(starts, 1):
            length = min(self._chunk_size, size - start)
            digests.append(_sha512(_Body(content, start, length)))
            headers = {'X-Egnyte-Chunk-Num': str(number), 'X-Egnyte-Chunk-Sha512-Checksum': digests[-1]}
            if upload_id:
                headers['X-Egnyte-Upload-Id'] = upload_id
            last = number == len(starts)
            if last:
                headers['X-Egnyte-Last-Chunk'] = 'true'
            # A chunk sent twice is the same chunk; only the last one makes a version.
            response = self._call(
                'POST',
                f'/pubapi/v1/fs-content-chunked{_quoted(path)}',
                headers=headers,
                body=(content, start, length),
                tries=1 if last or not upload_id else TRIES,
            )
            upload_id = upload_id or response.headers.get('X-Egnyte-Upload-Id', '')
        whole = hashlib.sha512(''.join(digests).encode()).hexdigest()
        return _stored(response, f'2-{len(digests)}-{self._chunk_size}-{whole}')

    def move(self, path: str, destination: str) -> None:
        """Move (or rename) to the full path *destination*. Ids stay.

        Raises NotFound, AlreadyExists, Rejected. After Unreachable it may have happened: look before trying again.
        """
        self._call('POST', _fs(path), json={'action': 'move', 'destination': destination}, tries=1)

    def delete_file(self, file_id: str, version_id: str | None = None) -> None:
        """Move a file to the trash, or one version of it. Raises NotFound, Locked."""
        params = {} if version_id is None else {'entry_id': version_id}
        self._delete(_by_id('fs', 'file', file_id), params)

    def delete_folder(self, folder_id: str) -> None:
        """Move a folder, with all that is in it, to the trash. Raises NotFound."""
        self._delete(_by_id('fs', 'folder', folder_id), {})

    def _delete(self, place: str, params: dict[str, str]) -> None:
        try:
            self._call('DELETE', place, params=params, tries=1)
        except Unreachable:
            try:
                self._call('DELETE', place, params=params)
            except NotFound:
                return  # the first call had done it

    # The trash

    def trash(self) -> list[TrashItem]:
        """What is in the trash, a call for each 1,000 items."""
        items: list[TrashItem] = []
        while True:
            page = self._json('GET', '/pubapi/v2/fs/trash', params={'count': PAGE, 'offset': len(items)})
            items += [TrashItem.read(item) for item in page.get('items', ())]
            if not page.get('has_more') or not page.get('items'):
                return items

    def restore(self, item_id: str) -> None:
        """Put an item of the trash back where it was."""
        response = self._call('POST', '/pubapi/v1/fs/trash', json={'action': 'RESTORE', 'ids': [item_id]}, tries=1)
        if response.status_code == 207:  # one answer an item: the one item failed
            raise from_response(response)

    # Who calls

    def userinfo(self) -> User:
        """The user for whom the token speaks."""
        return User.read(self._json('GET', '/pubapi/v1/userinfo'))

    # One call

    def _json(self, method: str, place: str, **kwargs: Any) -> dict[str, Any]:
        response = self._call(method, place, **kwargs)
        try:
            return response.json()
        except ValueError as error:
            raise EgnyteError('the answer is no JSON', status=response.status_code) from error

    def _call(
        self,
        method: str,
        place: str,
        *,
        tries: int = TRIES,
        body: tuple[BinaryIO, int, int] | None = None,
        **kwargs: Any,
    ) -> requests.Response:
        """Make the call when it is its turn; again if Egnyte asks to wait, or if the connection broke and it may."""
        while True:
            self._patience -= self._pace.turn(self._token, self._patience)
            self._on_call()
            try:
                return self._send(method, place, body, kwargs)
            except Unreachable:
                tries -= 1
                if not tries:
                    raise
            except Throttled as error:
                self._pace.close(self._token, error.wait)
                if error.wait > self._patience:
                    raise

    def _send(
        self, method: str, place: str, body: tuple[BinaryIO, int, int] | None, kwargs: dict[str, Any]
    ) -> requests.Response:
        kwargs = {**kwargs, 'timeout': self._timeout, 'allow_redirects': False}
        kwargs['headers'] = {**kwargs.get('headers', {}), 'Authorization': f'Bearer {self._token}'}
        if body is not None:
            kwargs['data'] = _Body(*body)  # anew for each try: it is read once
        try:
            response = self._session.request(method, self._url + place, **kwargs)
        except CONNECTION_TROUBLE as error:
            # The exception's text may hold the URL, and so a customer's file names: only its kind is told.
            raise Unreachable(f'{method} failed: {type(error).__name__}') from error
        self._pace.learn(self._token, response.headers)
        if not 200 <= response.status_code < 300:
            with response:
                raise from_response(response)
        return response


def _stored(response: requests.Response, checksum: str) -> Stored:
    data, headers = response.json(), response.headers
    stored = Stored(
        data['group_id'], data['entry_id'], data.get('checksum', ''), milliseconds(headers.get('Last-Modified'))
    )
    if stored.checksum.lower() != checksum:
        raise Corrupted(stored.file_id, stored.version_id)
    return stored


def _sha512(body: _Body) -> str:
    digest = hashlib.sha512()
    while block := body.read(BLOCK):
        digest.update(block)
    return digest.hexdigest()


def _quoted(path: str) -> str:
    """Each segment encoded, slashes kept: ``+`` must not become a space, nor ``%41`` an ``A``."""
    return quote(path, safe='/')


def _by_id(area: str, kind: str, item_id: str) -> str:
    return f'/pubapi/v1/{area}/ids/{kind}/{quote(item_id, safe="")}'


def _fs(path: str) -> str:
    return f'/pubapi/v1/fs{_quoted(path)}'


def _content(path: str) -> str:
    return f'/pubapi/v1/fs-content{_quoted(path)}'
