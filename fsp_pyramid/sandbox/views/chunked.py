"""``/pubapi/v1/fs-content-chunked``: uploads in parts, one call each. Bodies are raw bytes."""

from typing import Any, NamedTuple

from pyramid.config import Configurator
from pyramid.request import Request

from .. import changes, chunks
from ..call import Call
from ..contents import Received, blocks
from ..errors import invalid, refused
from ..incoming import modified_time, whole
from ..names import segments
from ..routing import ANY_PATH, add_resource
from ..store import reading, writing
from ..tree import Node
from .content import check_checksum, stored


class Part(NamedTuple):
    """Description of the chunk in the body, from the headers."""

    upload_id: str | None
    number: int
    is_last: bool
    checksum: str | None


def upload(request: Request) -> dict[str, Any]:
    """Store a chunk of a file by path."""
    with reading(request.call.db):
        changes.check_upload(request.call, request.matchdict['path'])
    return _receive(request, '/' + '/'.join(segments(request.matchdict['path'])))


def upload_by_id(request: Request) -> dict[str, Any]:
    """Store a chunk of a new version of the file with this ``group_id``."""
    with reading(request.call.db):
        path = request.call.by_guid(request.matchdict['guid'], is_file=True).path
        changes.check_upload(request.call, path)
    return _receive(request, path)


def _receive(request: Request, path: str) -> Any:
    call: Call = request.call
    part = _part(request)
    with call.contents.receive(blocks(request.body_file)) as received:
        check_checksum(call, part.checksum, received.checksum)
        if not received.size or (not part.is_last and received.size < call.options.chunk_minimum):
            raise refused(400, f'A chunk has at least {call.options.chunk_minimum} bytes')
        upload_id, replaced = _store(call, part, path, received)
        call.contents.discard(replaced)
        checksum = received.checksum
    _answer_headers(request, upload_id, part.number, checksum)
    return _finish(request, upload_id, path) if part.is_last else _empty(request)


def _part(request: Request) -> Part:
    number = whole('X-Egnyte-Chunk-Num', request.headers.get('X-Egnyte-Chunk-Num', '1'))
    upload_id = request.headers.get('X-Egnyte-Upload-Id')
    if number < 1:
        raise invalid('X-Egnyte-Chunk-Num', 'Must be a number from 1 on')
    if number > 1 and not upload_id:
        raise invalid('X-Egnyte-Upload-Id', 'Is missing')
    is_last = request.headers.get('X-Egnyte-Last-Chunk', '').lower() == 'true'
    return Part(upload_id, number, is_last, request.headers.get('X-Egnyte-Chunk-Sha512-Checksum'))


def _store(call: Call, part: Part, path: str, received: Received) -> tuple[str, list[str]]:
    with writing(call.db):
        gone = []
        if part.upload_id:
            chunks.require(call, part.upload_id, path)
            upload_id = part.upload_id
        else:
            gone = chunks.forget_stale(call)
            upload_id = chunks.begin(call, path)
        return upload_id, gone + chunks.store(call, upload_id, part.number, received)


def _answer_headers(request: Request, upload_id: str, number: int, checksum: str) -> None:
    request.response.headers.update(
        {
            'X-Egnyte-Upload-Id': upload_id,
            'X-Egnyte-Chunk-Num': str(number),
            'X-Egnyte-Chunk-Sha512-Checksum': checksum,
        }
    )


def _empty(request: Request) -> Any:
    return request.response


def _finish(request: Request, upload_id: str, path: str) -> dict[str, Any]:
    """Put the parts together: now there is a file."""
    call: Call = request.call
    with reading(call.db):
        parts = chunks.complete(call, upload_id)
    checksum = chunks.composite_checksum(parts)
    check_checksum(call, request.headers.get('X-Sha512-Checksum'), checksum)
    contents = [part.content for part in parts]
    with call.contents.receive(call.contents.read(contents)) as received, writing(call.db):
        chunks.require(call, upload_id, path)
        node: Node = changes.store_version(call, path, received, checksum, modified_time(request))
        chunks.finish(call, upload_id)
    call.contents.discard(contents)
    return stored(request, node)


def includeme(config: Configurator) -> None:
    """Chunks by id and by path."""
    prefix = '/pubapi/v1/fs-content-chunked'
    add_resource(config, 'chunked.id', f'{prefix}/ids/file/{{guid}}', POST=upload_by_id)
    add_resource(config, 'chunked', prefix + ANY_PATH, POST=upload)
