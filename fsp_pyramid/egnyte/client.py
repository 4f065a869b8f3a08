"""The client: one method a call, in Egnyte's own terms."""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple, Protocol
from urllib.parse import quote

import requests

from .call import Called, Caller, Part, json_object
from .checksum import composite
from .download import BLOCK, Download
from .errors import Corrupted, NameRejected, NotFound, Unreachable, from_response
from .pace import Pace
from .records import Event, File, Folder, FolderListing, TrashItem, User, milliseconds
from .slots import Urgency

PAGE = 1000  # the most that Egnyte puts into one answer
EVENTS = 100  # the same, of events
CHUNK_SIZE = 100 * 1024 * 1024  # Egnyte recommends it, and wants chunks above it


class Stored(NamedTuple):
    """What an upload made: the file, its new version, and the time of it in UNIX milliseconds (0: not told)."""

    file_id: str
    version_id: str
    checksum: str
    modified: int


class Content(Protocol):
    """What is uploaded.

    :ivar file: seekable; reading it waits for what has not come yet
    :ivar size: in bytes
    :ivar complete: whether all of it has come
    :ivar sha512: in lower-case hex; waits until all of it has come
    """

    @property
    def file(self) -> BinaryIO: ...

    @property
    def size(self) -> int: ...

    @property
    def complete(self) -> bool: ...

    @property
    def sha512(self) -> str: ...


class Client:
    """Calls to one Egnyte domain with one token, for the length of one request of ours.

    :param url: ``https://acme.egnyte.com``, without a trailing slash
    :param session: shared by all clients of the process, see :func:`~fsp_pyramid.egnyte.new_session`
    :param pace: shared by all clients that use the token
    :param timeout: seconds that Egnyte may stay silent in one call
    :param max_wait: seconds that all calls of this client together may wait for their turn
    :param urgency: of its calls; READ becomes WRITE where a call changes something
    :param on_call: hears of each call that was made, those that are made again included

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
        urgency: Urgency = Urgency.READ,
        on_call: Callable[[Called], None] = lambda _called: None,
    ) -> None:
        caller = Caller(
            url,
            token,
            session=session,
            pace=pace,
            timeout=timeout,
            max_wait=max_wait,
            urgency=urgency,
            on_call=on_call,
        )
        self._call = caller.call
        self._chunk_size = chunk_size

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
            page = self._json(_fs(path), include_perm='true', count=PAGE, offset=offset)
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
        data = self._json(place, include_perm='true', list_content='false')
        if data.get('is_folder'):
            raise NotFound('a folder, not a file', status=200)
        return File.read(data)

    def count_items(self, folder_id: str) -> int:
        """How many files and folders the folder holds right now. Raises NotFound."""
        return Folder.read(self._json(_by_id('fs', 'folder', folder_id), count=1)).total

    def download(self, file_id: str, byte_range: tuple[int, int | None] | None = None) -> Download:
        """A file's current content, or the bytes from the first to the last of *byte_range* (None: the end).

        Raises NotFound, and RangeRefused where the file ends before the range begins.
        """
        headers = {'Accept-Encoding': 'identity'}  # else the length that is told is not the file's
        if byte_range is not None:
            first, last = byte_range
            headers['Range'] = f'bytes={first}-{"" if last is None else last}'
        place = _by_id('fs-content', 'file', file_id)
        return Download(self._call('GET', place, headers=headers, stream=True))

    # Changing

    def create_folder(self, path: str) -> str:
        """Create a folder and return its id, '' where Egnyte does not tell.

        Egnyte may or may not create missing parents. Raises AlreadyExists, NameRejected, NotFound (a parent).
        """
        response = self._call('POST', _fs(path), json={'action': 'add_folder'}, rejected=NameRejected)
        try:
            return str(response.json()['folder_id'])
        except (ValueError, TypeError, KeyError):
            return ''  # it is there all the same

    def checksum(self, content: Content) -> str:
        """What Egnyte tells as the checksum of what :meth:`upload` stored. No call.

        What goes up in chunks has a checksum over those of the chunks, for which it is read.
        """
        if content.size <= self._chunk_size:
            return content.sha512
        return composite([_sha512(part) for part in self._parts(content)], self._chunk_size)

    def _parts(self, content: Content) -> list[Part]:
        step = self._chunk_size
        return [Part(content.file, start, min(step, content.size - start)) for start in range(0, content.size, step)]

    def upload(self, path: str, content: Content) -> Stored:
        """Store *content* at *path*: a new file, or a new version of the one that is there.

        It goes up while it comes; large files go up in chunks, each as soon as it is complete. What reading the content
        raises breaks the call off and leaves this method as it is: Egnyte stores nothing then.

        Raises ChecksumRefused where Egnyte got other bytes, Corrupted where it even stored
        them, NameRejected (also: an empty file), NotFound (the parent), Locked. After Unreachable it may have happened:
        look for a file with that :meth:`checksum` before trying again.
        """
        if content.size > self._chunk_size:
            return self._upload_chunks(path, content)
        # Told beforehand, Egnyte does not even store other bytes; but that must not keep the bytes waiting.
        headers = {'X-Sha512-Checksum': content.sha512} if content.complete else {}
        part = Part(content.file, 0, content.size)
        response = self._call('POST', _content(path), headers=headers, part=part, rejected=NameRejected)
        return _stored(response, content.sha512)

    def _upload_chunks(self, path: str, content: Content) -> Stored:
        parts, digests, shared = self._parts(content), [], {}
        place = f'/pubapi/v1/fs-content-chunked{_quoted(path)}'
        for number, part in enumerate(parts, 1):
            digests.append(_sha512(part))
            headers = {**shared, 'X-Egnyte-Chunk-Num': str(number), 'X-Egnyte-Chunk-Sha512-Checksum': digests[-1]}
            if number == len(parts):
                headers['X-Egnyte-Last-Chunk'] = 'true'
            # The first one begins an upload and the last one makes a version: twice would be two of them.
            repeatable = 1 < number < len(parts)
            response = self._call(
                'POST', place, headers=headers, part=part, rejected=NameRejected, repeatable=repeatable
            )
            if number == 1:
                shared = {'X-Egnyte-Upload-Id': response.headers.get('X-Egnyte-Upload-Id', '')}
        return _stored(response, composite(digests, self._chunk_size))

    def move(self, path: str, destination: str) -> None:
        """Move (or rename) to the full path *destination*. Ids stay.

        Raises NotFound, AlreadyExists, NameRejected. After Unreachable it may have happened: look before trying again.
        """
        self._call('POST', _fs(path), json={'action': 'move', 'destination': destination}, rejected=NameRejected)

    def delete_file(self, file_id: str, version_id: str | None = None) -> None:
        """Move a file to the trash, or one version of it. Raises NotFound, Locked."""
        params = {} if version_id is None else {'entry_id': version_id}
        self._delete(_by_id('fs', 'file', file_id), params)

    def delete_folder(self, folder_id: str) -> None:
        """Move a folder, with all that is in it, to the trash. Raises NotFound."""
        self._delete(_by_id('fs', 'folder', folder_id), {})

    def _delete(self, place: str, params: dict[str, str]) -> None:
        try:
            self._call('DELETE', place, params=params)
        except Unreachable:
            try:
                self._call('DELETE', place, params=params, repeatable=True)
            except NotFound:
                return  # the first call had done it

    # The trash

    def trash(self) -> list[TrashItem]:
        """What is in the trash, a call for each 1,000 items."""
        items: list[TrashItem] = []
        while True:
            page = self._json('/pubapi/v2/fs/trash', count=PAGE, offset=len(items))
            items += [TrashItem.read(item) for item in page.get('items', ())]
            if not page.get('has_more') or not page.get('items'):
                return items

    def restore(self, item_id: str) -> None:
        """Put an item of the trash back where it was."""
        response = self._call('POST', '/pubapi/v1/fs/trash', json={'action': 'RESTORE', 'ids': [item_id]})
        if response.status_code == 207:  # one answer an item: the one item failed
            raise from_response(response, 'POST')

    # What happened

    def events_cursor(self) -> int:
        """The id of the latest event in the domain."""
        return int(self._json('/pubapi/v1/events/cursor').get('latest_event_id') or 0)

    def events(self, after: int) -> list[Event]:
        """The oldest EVENTS of the events with greater ids, as far as the caller may see them.

        Egnyte asks for no more than one poll in 5 minutes. Raises NotFound for an id that is too old.
        """
        params = {'id': after, 'count': EVENTS, 'type': 'file_system'}
        response = self._call('GET', '/pubapi/v1/events', params=params)
        if response.status_code == 204:
            return []
        return [Event.read(item) for item in json_object(response).get('events', ())]

    # Who calls

    def userinfo(self) -> User:
        """The user for whom the token speaks."""
        return User.read(self._json('/pubapi/v1/userinfo'))

    def _json(self, place: str, **params: Any) -> dict[str, Any]:
        return json_object(self._call('GET', place, params=params))


def _stored(response: requests.Response, checksum: str) -> Stored:
    modified = milliseconds(response.headers.get('Last-Modified'))
    try:
        data = response.json()
        stored = Stored(data['group_id'], data['entry_id'], data.get('checksum', ''), modified)
    except (ValueError, TypeError, KeyError):
        raise Unreachable('the answer to an upload cannot be read', status=response.status_code) from None
    if stored.checksum.lower() != checksum:
        raise Corrupted(stored.file_id, stored.version_id)
    return stored


def _sha512(part: Part) -> str:
    part.rewind()
    digest = hashlib.sha512()
    while block := part.read(BLOCK):
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
