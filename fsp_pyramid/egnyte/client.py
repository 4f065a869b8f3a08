"""Client of Egnyte's API: one method a call, in Egnyte's own terms."""

import hashlib
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, BinaryIO, NamedTuple, Protocol, TypeVar
from urllib.parse import quote

import requests

from .checksum import composite
from .download import BLOCK, Download
from .errors import (
    Corrupted,
    EgnyteError,
    NameRejected,
    NotFound,
    Unavailable,
    Unreachable,
    message_of,
)
from .provenance import MALFORMED, has_egnyte_headers, json_object
from .rate_limiter import RateLimiter
from .rate_rules import Priority
from .records import (
    Event,
    File,
    Folder,
    FolderListing,
    ListingPage,
    TrashItem,
    User,
    milliseconds,
    text,
)
from .transport import CallInfo, Part, Transport

T = TypeVar('T')

PAGE = 1000  # the most that Egnyte puts into one answer
EVENTS = 100  # the same, of events
CHUNK_SIZE = 100 * 1024 * 1024  # Egnyte recommends it, and wants chunks above it


class Stored(NamedTuple):
    """Result of an upload: the file, its new version, and its time in UNIX milliseconds (0 if the answer has none)."""

    file_id: str
    version_id: str
    checksum: str
    modified: int


class Content(Protocol):
    """Content to upload, which may still be on its way.

    :ivar file: seekable; reading blocks until the bytes are there
    :ivar size: in bytes
    :ivar complete: whether all bytes are there
    :ivar sha512: in lower-case hex; blocks until all bytes are there
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
    :param rate_limiter: shared by all clients that use the token
    :param timeout: seconds that Egnyte may stay silent in one call
    :param max_wait: seconds that all calls of this client together may wait for the rate limiter
    :param priority: of its calls; READ becomes WRITE where a call changes something
    :param on_call: listener for each call that was made, including repeated ones

    Every method raises EgnyteError: Unauthorized, Forbidden, Throttled, QuotaExceeded, Unavailable and Unreachable
    besides those it names. Paths are Egnyte's (``/Shared/a b.png``), not url-encoded.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        session: requests.Session,
        rate_limiter: RateLimiter,
        timeout: float = 30.0,
        max_wait: float = 10.0,
        chunk_size: int = CHUNK_SIZE,
        priority: Priority = Priority.READ,
        on_call: Callable[[CallInfo], None] = lambda _call: None,
        slot: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        transport = Transport(
            url,
            token,
            session=session,
            rate_limiter=rate_limiter,
            timeout=timeout,
            max_wait=max_wait,
            priority=priority,
            on_call=on_call,
            slot=slot,
        )
        self._call = transport.call
        self._chunk_size = chunk_size

    # Reading

    def list_folder(self, path: str) -> FolderListing:
        """Return a folder with all its items, in a call for each 1,000 of them. Raises NotFound (also for a file).

        If the folder changes between two pages, items may move across pages: it is listed again, once. So it is if
        items are missing. If the rest is missing again, Egnyte's total may count items that the user may not see; if
        all are missing, or pages repeat, that is Unavailable: callers take folders without items for empty.
        """
        pages = self._pages(path, steady=True) or self._pages(path, steady=False)
        items = _distinct(item for page in pages for item in page.items)
        return FolderListing(
            folder=pages[0].folder,
            folders=tuple(item for item in items if isinstance(item, Folder)),
            files=tuple(item for item in items if isinstance(item, File)),
        )

    def _pages(self, path: str, *, steady: bool) -> list[ListingPage]:
        """Return all pages. With *steady*, return none if the folder changed meanwhile, or if items are missing."""
        pages: list[ListingPage] = []
        seen: set[str] = set()
        offset = 0
        while True:
            page = self._json(_fs(path), _listing_page, include_perm='true', count=PAGE, offset=offset)
            ids, total = {_id(item) for item in page.items}, page.folder.total
            missing = offset < total and not ids - seen
            if steady and (missing or (pages and (total != pages[0].folder.total or seen & ids))):
                return []
            if missing and (page.items or not seen):
                raise Unavailable(f'the listing has {len(seen)} of {total} items', status=200)
            pages.append(page)
            seen |= ids
            offset += len(page.items)
            if missing or offset >= total:
                return pages

    def stat_file(self, path: str) -> File:
        """Return a file's metadata. Raises NotFound (also for a folder)."""
        return self._stat(_fs(path))

    def stat_file_by_id(self, file_id: str) -> File:
        """Return a file's metadata by its id, with its current path. Raises NotFound."""
        return self._stat(_by_id('fs', 'file', file_id))

    def _stat(self, api_path: str) -> File:
        return self._json(api_path, _file, include_perm='true', list_content='false')

    def count_items(self, folder_id: str) -> int:
        """Return the current number of files and folders in a folder. Raises NotFound."""
        return self._json(_by_id('fs', 'folder', folder_id), _count, count=1)

    def download(self, file_id: str, byte_range: tuple[int, int | None] | None = None) -> Download:
        """Return a file's current content, or the bytes from the first to the last of *byte_range* (None: the end).

        Raises NotFound, and RangeRefused if the file ends before the range begins.
        """
        headers = {'Accept-Encoding': 'identity'}  # otherwise Content-Length is not the file's
        if byte_range is not None:
            first, last = byte_range
            headers['Range'] = f'bytes={first}-{"" if last is None else last}'
        return self._call('GET', _by_id('fs-content', 'file', file_id), Download, headers=headers, stream=True)

    # Changing

    def create_folder(self, path: str) -> str:
        """Create a folder and return its id, '' if the answer does not tell it.

        Egnyte may or may not create missing parents. Raises AlreadyExists, NameRejected, NotFound (a parent).
        """
        return self._call('POST', _fs(path), _created, json={'action': 'add_folder'}, rejected=NameRejected)

    def checksum(self, content: Content) -> str:
        """Return the checksum that Egnyte has for *content* after :meth:`upload`, without a call.

        For a chunked upload it is a composite of the chunks' digests, for which the content is read.
        """
        if content.size <= self._chunk_size:
            return content.sha512
        return composite([_sha512(part) for part in self._parts(content)], self._chunk_size)

    def _parts(self, content: Content) -> list[Part]:
        step = self._chunk_size
        return [Part(content.file, start, min(step, content.size - start)) for start in range(0, content.size, step)]

    def upload(self, path: str, content: Content) -> Stored:
        """Store *content* at *path*: a new file, or a new version of the one that is there.

        The upload streams bytes as they arrive; large files are sent in chunks, each as soon as it is complete. An
        exception of reading the content aborts the call and is raised unchanged: Egnyte stores nothing then.

        Raises ChecksumRefused if Egnyte received other bytes, Corrupted if it even stored them, NameRejected (also for
        an empty file), NotFound (the parent), Locked. After Unreachable the outcome is unknown: look for a file with
        that :meth:`checksum` before a retry.
        """
        if content.size > self._chunk_size:
            return self._upload_chunks(path, content)
        # With the checksum in advance Egnyte does not even store other bytes; but the upload must not wait for it.
        headers = {'X-Sha512-Checksum': content.sha512} if content.complete else {}
        part = Part(content.file, 0, content.size)
        return self._call(
            'POST',
            _content(path),
            lambda response: _stored(response, content.sha512),
            headers=headers,
            part=part,
            rejected=NameRejected,
        )

    def _upload_chunks(self, path: str, content: Content) -> Stored:
        parts, digests = self._parts(content), list[str]()
        api_path = f'/pubapi/v1/fs-content-chunked{_quoted(path)}'

        def send(part: Part, read: Callable[[requests.Response], T], headers: dict[str, str], repeatable: bool) -> T:
            digests.append(_sha512(part))
            headers |= {'X-Egnyte-Chunk-Num': str(len(digests)), 'X-Egnyte-Chunk-Sha512-Checksum': digests[-1]}
            return self._call(
                'POST', api_path, read, headers=headers, part=part, rejected=NameRejected, repeatable=repeatable
            )

        def stored(response: requests.Response) -> Stored:
            return _stored(response, composite(digests, self._chunk_size))

        # Not repeatable: each first chunk begins an upload, each last chunk makes a version.
        upload_id = send(parts[0], _upload_id, {}, repeatable=False)
        for part in parts[1:-1]:
            send(part, _upload_id, {'X-Egnyte-Upload-Id': upload_id}, repeatable=True)
        last = {'X-Egnyte-Upload-Id': upload_id, 'X-Egnyte-Last-Chunk': 'true'}
        return send(parts[-1], stored, last, repeatable=False)

    def move(self, path: str, destination: str) -> None:
        """Move (or rename) to the full path *destination*. Ids stay.

        Raises NotFound, AlreadyExists, NameRejected. After Unreachable the outcome is unknown: look before a retry.
        """
        body = {'action': 'move', 'destination': destination}
        self._call('POST', _fs(path), _acknowledged, json=body, rejected=NameRejected)

    def delete_file(self, file_id: str, version_id: str | None = None) -> None:
        """Move a file to the trash, or one version of it. Raises NotFound, Locked."""
        params = {} if version_id is None else {'entry_id': version_id}
        self._delete(_by_id('fs', 'file', file_id), params)

    def delete_folder(self, folder_id: str) -> None:
        """Move a folder, with all that is in it, to the trash. Raises NotFound."""
        self._delete(_by_id('fs', 'folder', folder_id), {})

    def _delete(self, api_path: str, params: dict[str, str]) -> None:
        try:
            self._call('DELETE', api_path, _acknowledged, params=params)
        except Unreachable:
            try:
                self._call('DELETE', api_path, _acknowledged, params=params, repeatable=True)
            except NotFound:
                return  # the first call had deleted it

    # Trash

    def trash(self) -> list[TrashItem]:
        """Return the items of the trash, in a call for each 1,000. If it changes meanwhile, list it again, once."""
        items = self._trash(steady=True)
        return self._trash(steady=False) or [] if items is None else items

    def _trash(self, *, steady: bool) -> list[TrashItem] | None:
        """Return all items. With *steady*, return None if the trash changed meanwhile.

        Answers have no total. Each page begins with the last item of the one before it, unless something has changed.
        """
        found: dict[str, TrashItem] = {}
        last, offset = None, 0
        while True:
            items, has_more = self._json('/pubapi/v2/fs/trash', _trash_page, count=PAGE, offset=offset)
            if steady and last is not None and (not items or items[0].item_id != last):
                return None
            before = len(found)
            found |= {item.item_id: item for item in items}
            if not has_more or len(found) == before:
                return list(found.values())
            last, offset = items[-1].item_id, offset + max(len(items) - 1, 1)

    def restore(self, item_id: str) -> None:
        """Restore an item of the trash to its former path."""
        self._call('POST', '/pubapi/v1/fs/trash', _restored, json={'action': 'RESTORE', 'ids': [item_id]})

    # Events

    def events_cursor(self) -> int:
        """Return the id of the latest event in the domain."""
        return self._json('/pubapi/v1/events/cursor', lambda data: int(data['latest_event_id'] or 0))

    def events(self, after: int) -> list[Event]:
        """Return the oldest EVENTS events with greater ids that the caller may see.

        Egnyte asks for no more than one poll in 5 minutes. Raises NotFound for an id that is too old.
        """
        params = {'id': after, 'count': EVENTS, 'type': 'file_system'}
        return self._call('GET', '/pubapi/v1/events', _events, params=params)

    # User

    def userinfo(self) -> User:
        """Return the user of the token."""
        return self._json('/pubapi/v1/userinfo', User.read)

    def _json(self, api_path: str, read: Callable[[dict[str, Any]], T], **params: Any) -> T:
        return self._call('GET', api_path, lambda response: read(json_object(response)), params=params)


# Readers of answers. transport.understood() handles their exceptions for answers of another shape.


def _is_folder(data: dict[str, Any]) -> bool:
    return {'true': True, 'false': False}[str(data['is_folder']).lower()]


def _listing_page(data: dict[str, Any]) -> ListingPage:
    if _is_folder(data):
        return ListingPage.read(data)
    raise NotFound(f'{File.read(data).file_id} is a file, not a folder', status=200)


def _count(data: dict[str, Any]) -> int:
    """Return the number of items. A missing number is an error, because folders with 0 items are deleted."""
    return Folder.read(data).total or int(data['total_count'])


def _file(data: dict[str, Any]) -> File:
    if not _is_folder(data):
        return File.read(data)
    raise NotFound(f'{Folder.read(data).folder_id} is a folder, not a file', status=200)


def _trash_page(data: dict[str, Any]) -> tuple[list[TrashItem], bool]:
    return [TrashItem.read(item) for item in data['items']], bool(data.get('has_more'))


def _events(response: requests.Response) -> list[Event]:
    if response.status_code == 204:
        return []
    return [Event.read(item) for item in json_object(response)['events']]


def _created(response: requests.Response) -> str:
    try:
        return str(json_object(response)['folder_id'])
    except MALFORMED:
        if response.status_code != 201:
            raise
        return ''  # the folder exists nevertheless


def _upload_id(response: requests.Response) -> str:
    upload_id = response.headers['X-Egnyte-Upload-Id']
    if not upload_id:
        raise ValueError('no upload id')
    return upload_id


def _acknowledged(response: requests.Response) -> None:
    """Check an answer without a result: it is a JSON object, or an empty body with Egnyte's headers."""
    if response.status_code != 204 and (response.content or not has_egnyte_headers(response)):
        json_object(response)


def _restored(response: requests.Response) -> None:
    json_object(response)
    if response.status_code == 207:  # one answer an item: the one item failed
        raise EgnyteError(message_of(response), status=207)


def _id(item: Folder | File) -> str:
    return item.folder_id if isinstance(item, Folder) else item.file_id


def _distinct(items: Iterable[Folder | File]) -> list[Folder | File]:
    """Return each item once, and one of each name, as it was seen last."""
    by_id = {_id(item): item for item in items}
    return list({item.name: item for item in by_id.values()}.values())


def _stored(response: requests.Response, checksum: str) -> Stored:
    data = json_object(response)
    reported = data.get('checksum') or response.headers['X-Sha512-Checksum']
    modified = milliseconds(response.headers.get('Last-Modified'))
    stored = Stored(text(data, 'group_id'), text(data, 'entry_id'), reported, modified)
    if reported.lower() != checksum:
        raise Corrupted(stored.file_id, stored.version_id)
    return stored


def _sha512(part: Part) -> str:
    part.rewind()
    digest = hashlib.sha512()
    while block := part.read(BLOCK):
        digest.update(block)
    return digest.hexdigest()


def _quoted(path: str) -> str:
    """Return *path* percent-encoded, except slashes: ``+`` must not become a space, nor ``%41`` an ``A``."""
    return quote(path, safe='/')


def _by_id(area: str, kind: str, item_id: str) -> str:
    return f'/pubapi/v1/{area}/ids/{kind}/{quote(item_id, safe="")}'


def _fs(path: str) -> str:
    return f'/pubapi/v1/fs{_quoted(path)}'


def _content(path: str) -> str:
    return f'/pubapi/v1/fs-content{_quoted(path)}'
