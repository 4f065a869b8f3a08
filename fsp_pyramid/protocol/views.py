"""Views of the protocol: one thin function for each operation."""

from contextlib import AbstractContextManager
from typing import Any

from pyramid.request import Request
from pyramid.response import Response

from ..events import DirectoryCreated, DirectoryDeleted, FileDeleted, FileMoved, FileStored
from ..model import Content, Strategy
from ..paths import key
from .internal import internal_call
from .listings import listing_body
from .metadata import metadata
from .resources import Directory, File
from .schemas import read_move, read_upload
from .uploads import open_file, open_source

FLAGS = 'X-BEE-fsp-flags'


def list_directory(context: Directory, request: Request) -> Response:
    """Answer ``GET /dir/``; with the flag ``move`` only the directories in it, for Beefree's dialog."""
    listing = request.fsp.storage.list_directory(context.path)
    only_directories = 'move' in request.headers.get(FLAGS, '').lower().replace(',', ' ').split()
    response = request.response  # with the headers of a stale listing
    response.content_type = 'application/json'
    response.body = listing_body(listing, request.fsp, only_directories=only_directories)
    return response


def create_directory(context: Directory, request: Request) -> dict[str, Any]:
    """Answer ``POST /dir/``."""
    entry = request.fsp.storage.create_directory(context.path)
    request.registry.notify(DirectoryCreated(request, entry))
    request.response.status_int = 201
    return {'meta': metadata(entry, request.fsp)}


def delete_directory(context: Directory, request: Request) -> None:
    """Answer ``DELETE /dir/``."""
    request.fsp.storage.delete_directory(context.path)
    request.registry.notify(DirectoryDeleted(request, context.path))


def stat_file(context: File, request: Request) -> dict[str, Any]:
    """Answer ``GET /file``."""
    return {'meta': metadata(request.fsp.storage.stat_file(context.path), request.fsp)}


def upload_file(context: File, request: Request) -> dict[str, Any]:
    """Answer ``POST /file`` with the URL that the content is fetched from."""
    body, settings = read_upload(request), request.fsp.settings
    strategy = body.strategy or Strategy(settings.upload.on_conflict)
    call = internal_call(request)

    def fetch() -> AbstractContextManager[Content]:
        if call is not None and call.file is not None:
            return open_file(call.file, context.__name__, settings)
        return open_source(body.source, context.__name__, settings, request.fsp.download_slot())

    entry = request.fsp.storage.upload(context.path, strategy, fetch)
    request.fsp_stats.bytes = entry.size
    request.fsp.prepare_thumbnail(entry)
    request.registry.notify(FileStored(request, entry))
    request.response.status_int = 201
    return {'meta': metadata(entry, request.fsp)}


def delete_file(context: File, request: Request) -> None:
    """Answer ``DELETE /file``."""
    request.fsp.storage.delete_file(context.path)
    request.registry.notify(FileDeleted(request, context.path))


def move_file(context: File, request: Request) -> dict[str, Any]:
    """Answer ``PATCH /file`` with the directory that the file is moved into."""
    body = read_move(request)
    # Without a strategy nothing happens: Beefree sends "" when its user cancels.
    entry = request.fsp.storage.move_file(context.path, body.directory, body.strategy or Strategy.ASK)
    if key(entry.path) != key(context.path):  # it was there already
        request.registry.notify(FileMoved(request, context.path, entry))
    return {'meta': metadata(entry, request.fsp)}
