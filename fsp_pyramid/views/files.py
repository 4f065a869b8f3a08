"""Files: metadata, upload, delete, move."""

from contextlib import AbstractContextManager
from typing import Any

from ..events import FileDeleted, FileMoved, FileStored
from ..fetch import fetched
from ..model import Content, Strategy
from ..paths import key
from ..representation import metadata
from ..resources import File
from ..schemas import read_move, read_upload


def stat_file(context: File, request: Any) -> dict[str, Any]:
    """``GET /file``"""
    return {'meta': metadata(request.fsp.storage.stat_file(context.path), request.fsp)}


def upload_file(context: File, request: Any) -> dict[str, Any]:
    """``POST /file`` with the URL that the content is fetched from."""
    body, bridge = read_upload(request), request.fsp.bridge
    strategy = body.strategy or Strategy(bridge.settings.upload_on_conflict)

    def fetch() -> AbstractContextManager[Content]:
        slot = bridge.download_slot(request.fsp.identity)
        return fetched(body.source, context.__name__, bridge.settings, slot)

    entry = request.fsp.storage.upload(context.path, strategy, fetch)
    request.fsp.bytes = entry.size
    request.fsp.mount.public.desk.prepare(request.fsp.account.key, entry)
    request.registry.notify(FileStored(request, entry))
    request.response.status_int = 201
    return {'meta': metadata(entry, request.fsp)}


def delete_file(context: File, request: Any) -> None:
    """``DELETE /file``"""
    request.fsp.storage.delete_file(context.path)
    request.registry.notify(FileDeleted(request, context.path))


def move_file(context: File, request: Any) -> dict[str, Any]:
    """``PATCH /file`` with the directory that it is moved into."""
    body = read_move(request)
    # Without a strategy nothing happens: Beefree sends "" when its user cancels.
    entry = request.fsp.storage.move_file(context.path, body.directory, body.strategy or Strategy.ASK)
    if key(entry.path) != key(context.path):  # it was there already
        request.registry.notify(FileMoved(request, context.path, entry))
    return {'meta': metadata(entry, request.fsp)}
