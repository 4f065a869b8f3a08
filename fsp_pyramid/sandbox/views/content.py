"""``/pubapi/v1/fs-content``: uploads and downloads."""

from collections.abc import Iterator
from typing import IO, Any

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response

from .. import changes, versions
from ..call import Call
from ..contents import BLOCK
from ..errors import (
    ApiError,
    denied,
    missing,
    refused,
)
from ..incoming import content, modified_time
from ..permissions import Level
from ..representation import mime_type
from ..routing import ANY_PATH, add_resource
from ..store import reading, writing
from ..times import http_date
from ..tree import Node


def upload(request: Request) -> dict[str, Any]:
    """Store a new file, or a new version of one."""
    call: Call = request.call
    path = request.matchdict['path']
    with reading(call.db):
        changes.check_upload(call, path)
    with content(request) as blocks, call.contents.receive(blocks) as received:
        check_checksum(call, request.headers.get('X-Sha512-Checksum'), received.checksum)
        check_size(call, received.size)
        modified = modified_time(request)
        with writing(call.db):
            node = changes.store_version(call, path, received, received.checksum, modified)
    return stored(request, node)


def check_checksum(call: Call, announced: str | None, actual: str) -> None:
    """Refuse a body that is not what its sender says."""
    if announced and announced.strip().lower() != actual:
        raise refused(call.options.checksum_status, 'Checksum does not match the content')


def check_size(call: Call, size: int) -> None:
    """Egnyte stores no empty files."""
    if not size and not call.options.empty_uploads:
        raise refused(400, 'Cannot store an empty file')


def stored(request: Request, node: Node) -> dict[str, Any]:
    """Return the answer to an upload: the new version, also in headers."""
    request.response.headers.update(_version_headers(node.entry_id, node.checksum, node.modified))
    return {
        'checksum': node.checksum,
        'path': node.path,
        'group_id': node.guid,
        'entry_id': node.entry_id,
    }


def download(request: Request) -> Response:
    """Return a file's content by path."""
    with reading(request.call.db):
        return _send(request, request.call.find(request.matchdict['path']))


def download_by_id(request: Request) -> Response:
    """Return a file's content by ``group_id``."""
    with reading(request.call.db):
        return _send(request, request.call.by_guid(request.matchdict['guid'], is_file=True))


def _send(request: Request, node: Node) -> Response:
    call: Call = request.call
    call.access.require(node, Level.VIEWER)
    if not node.is_file:
        raise denied('A folder has no content')
    entry_id = request.GET.get('entry_id') or node.entry_id or ''
    version = versions.find(call.db, node, entry_id)
    if version is None:
        raise missing()
    response = Response(content_type=mime_type(node.name))
    if response.content_type.startswith('text/'):
        response.charset = 'UTF-8'
    response.headers.update(_version_headers(*version[:2], version.modified))
    start, stop = _range(request, response, version.size)
    response.app_iter = _Part(call.contents.open(entry_id), start, stop)
    response.content_length = stop - start
    return response


def _range(request: Request, response: Response, size: int) -> tuple[int, int]:
    """Return the bytes to send, from first to behind the last, and what the headers say about them."""
    response.accept_ranges = 'bytes'
    if request.range is None:
        return 0, size
    wanted = request.range.content_range(size)
    if wanted is None:
        text = {'errorMessage': 'Requested range not satisfiable'}
        raise ApiError(416, text, {'Content-Range': f'bytes */{size}'})
    response.status_code = 206
    response.content_range = wanted
    return wanted.start, wanted.stop


def _version_headers(entry_id: str | None, checksum: str | None, modified: int | None) -> dict[str, str]:
    """Egnyte does not quote its ETag, so it is no ETag in the sense of HTTP."""
    return {
        'ETag': entry_id or '',
        'X-Sha512-Checksum': checksum or '',
        'Last-Modified': http_date(modified or 0),
    }


class _Part:
    """The bytes of an open file from *start* up to *stop*, closed by the server."""

    def __init__(self, file: IO[bytes], start: int, stop: int) -> None:
        self._file = file
        self._left = stop - start
        file.seek(start)

    def __iter__(self) -> Iterator[bytes]:
        while block := self._file.read(min(BLOCK, self._left)):
            self._left -= len(block)
            yield block

    def close(self) -> None:
        self._file.close()


def includeme(config: Configurator) -> None:
    """Content by id and by path."""
    add_resource(config, 'content.id', '/pubapi/v1/fs-content/ids/file/{guid}', GET=download_by_id)
    add_resource(config, 'content', '/pubapi/v1/fs-content' + ANY_PATH, GET=download, POST=upload)
