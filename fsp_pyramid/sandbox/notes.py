"""Notes on files."""

from typing import Any
from uuid import uuid4

from . import users
from .call import Call
from .errors import ApiError, denied
from .times import iso_numeric_zone
from .tree import Node


def create(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Create a note that is visible to all users of the file."""
    path, message = body.get('path'), body.get('body')
    if not isinstance(path, str) or not isinstance(message, str) or not message:
        raise ApiError(400, {'formErrors': [{'code': 'INVALID', 'msg': 'path and body must be strings'}]})
    node = call.find(path)
    if not node.is_file:
        raise ApiError(400, {'formErrors': [{'code': 'INVALID', 'msg': 'Only files can have notes'}]})
    id_ = str(uuid4())
    call.db.execute(
        'INSERT INTO notes (id, node, user, created, message) VALUES (?, ?, ?, ?, ?)',
        (id_, node.id, call.user.id, call.now, message),
    )
    call.note_event('create', node, note_id=id_)
    return find(call, id_)


def find(call: Call, id_: str) -> dict[str, Any]:
    """Return a note as JSON."""
    note = next(iter(_visible(call, id_)), None)
    if note is None:
        raise ApiError(404, {'message': 'Note not found'})
    return note


def remove(call: Call, id_: str) -> None:
    """Delete a note, which is for its author and for administrators."""
    note = find(call, id_)
    if not note['can_delete']:
        raise denied()
    call.db.execute('DELETE FROM notes WHERE id = ?', (id_,))
    call.note_event('delete', call.find(note['file_path']), note_id=id_)


def listed(
    call: Call, file: str | None, folder: str | None, start: int | None, end: int | None
) -> list[dict[str, Any]]:
    """Return the notes of a file, or of all that is in a folder, or all; the newest first."""
    place = call.find(file or folder or '/')
    return _visible(call, None, place, start, end)


def _visible(
    call: Call, id_: str | None, place: Node | None = None, start: int | None = None, end: int | None = None
) -> list[dict[str, Any]]:
    rows = call.db.execute(
        'SELECT * FROM notes WHERE (:id IS NULL OR id = :id) AND (:start IS NULL OR created >= :start)'
        ' AND (:end IS NULL OR created <= :end) ORDER BY created DESC, rowid DESC',
        {'id': id_, 'start': start, 'end': end},
    ).fetchall()
    found = []
    for row in rows:
        node = call.tree.by_id(row['node'])
        if node and call.access.level(node) and (place is None or node.is_inside(place)):
            found.append(_json(call, row, node))
    return found


def _json(call: Call, row: Any, node: Node) -> dict[str, Any]:
    author = users.user(call.db, 'id', row['user'])
    return {
        'id': row['id'],
        'file_id': node.guid,
        'file_path': node.path,
        'message': row['message'],
        'username': author.username if author else '',
        'formatted_name': users.display_name(author) if author else '',
        'creation_time': iso_numeric_zone(row['created']),
        'can_delete': call.user.is_admin or row['user'] == call.user.id,
    }
