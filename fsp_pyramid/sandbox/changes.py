"""Changes of the tree: new versions, moves, copies and deletes.

The functions are called inside a transaction. They check what the caller may do, keep ids as
Egnyte keeps them, and record events.
"""

from uuid import uuid4

from . import names, versions
from .call import Call
from .contents import Received
from .errors import (
    ApiError,
    denied,
    missing,
    upload_denied,
)
from .folder_options import check_restriction
from .permissions import Level
from .placing import check_place, exists, make_room
from .tree import Node
from .versions import Version


def check_upload(call: Call, path: str) -> None:
    """Raise ApiError if the caller cannot store a file at *path*; to be asked before a body is read."""
    node, missing_names = call.tree.walk(path)
    if missing_names:
        try:
            check_place(call, node, missing_names, is_file=True)
        except ApiError as error:
            if error.status == 403 and call.access.level(node) < Level.EDITOR:
                raise upload_denied() from error
            raise
    elif node.is_file:
        call.access.see(node)
        if call.access.level(node) < Level.EDITOR:
            raise upload_denied()
        call.require_unlocked(node)
    else:
        call.access.see(node)
        raise denied('A folder exists at this location')


def store_version(call: Call, path: str, received: Received, checksum: str, modified: int | None) -> Node:
    """Keep a received body as a new file at *path*, or as a new version of the one that is there."""
    check_upload(call, path)
    node = call.tree.find(path)
    if node is None:
        parent, name = make_room(call, path, is_file=True)
        node = call.tree.add(parent, name, call.now, is_file=True)
    entry_id = str(uuid4())
    version = Version(entry_id, checksum, received.size, call.now, modified or call.now, call.user.username)
    versions.add(call.db, node, version)
    call.contents.keep(received, entry_id)
    stored = call.find(node.path)
    call.note_event('create', stored)
    return stored


def move(call: Call, source: Node, destination: str, permissions: str | None) -> None:
    """Move or rename: all ids stay."""
    _require_movable(call, source)
    parent, name = _room_for(call, source, destination, renaming=True)
    action = 'rename' if parent.id == source.parent else 'move'
    if permissions == 'keep_original':
        _copy_permissions(call, source, source)
    elif permissions == 'inherit_from_parent':
        call.db.execute('DELETE FROM permissions WHERE node = ?', (source.id,))
    call.tree.place(source.id, parent, name)
    call.tree.touch(source, call.now)
    call.note_event(action, call.tree.existing(source.id), source=source)


def copy(call: Call, source: Node, destination: str, permissions: str | None) -> None:
    """Copy the current version, or the current versions of all that is in a folder: new ids."""
    call.access.require(source, Level.VIEWER)
    items = call.tree.descendants(source)
    parent, name = _room_for(call, source, destination)
    copies: dict[int | None, Node] = {source.parent: parent}
    for item in items:
        # What the caller may not read is left out, with all that is in it.
        if item.parent in copies and call.access.level(item) >= Level.VIEWER:
            new_name = name if item is source else item.name
            copies[item.id] = _copy_one(call, item, copies[item.parent], new_name)
    if permissions == 'keep_original':
        _copy_permissions(call, source, copies[source.id])
    call.note_event('copy', copies[source.id], source=source)


def delete(call: Call, node: Node, entry_id: str | None = None) -> list[str]:
    """Delete a version, or put an item, with all that is in it, into the trash.

    Returns the versions whose contents can go once the transaction is committed. The only version
    of a file takes the file with it.
    """
    if entry_id is None:
        _trash(call, node)
        return []
    call.access.require(node, Level.FULL)
    if not node.is_file or versions.find(call.db, node, entry_id) is None:
        raise missing()
    if node.num_versions == 1:
        _trash(call, node)
        return []
    call.require_unlocked(node)
    versions.remove(call.db, node, entry_id)
    return [entry_id]


def _trash(call: Call, node: Node) -> None:
    _require_movable(call, node)
    call.tree.take_out(node)
    call.db.execute(
        'INSERT INTO trash (guid, node, path, deleted, deleted_by) VALUES (?, ?, ?, ?, ?)',
        (str(uuid4()), node.id, node.path, call.now, call.user.username),
    )
    # Egnyte forgets the notes of what is deleted, even if it comes back.
    call.db.execute('DELETE FROM notes WHERE node IN (SELECT value FROM json_each(?))', (call.tree.ids_in(node.id),))
    call.note_event('delete', node)


def _require_movable(call: Call, node: Node) -> None:
    """Require Full at the item, and no lock of another user on anything in it, as for deleting and moving."""
    call.access.require(node, Level.FULL)
    if len(node.names) < 2 or (node.names[0] == 'Private' and len(node.names) == 2):
        raise denied('This folder cannot be moved or deleted')
    check_restriction(call, node)
    call.require_unlocked(node)


def _room_for(call: Call, source: Node, destination: str, *, renaming: bool = False) -> tuple[Node, str]:
    """Return the folder and name of a move's or copy's destination, a full path."""
    at, rest = call.tree.walk(destination)
    if (at.is_inside(source) and at.id != source.id) or (at.id == source.id and rest):
        raise denied('A folder cannot be moved or copied into itself')
    if rest:
        return make_room(call, destination, is_file=source.is_file)
    name = names.segments(destination)[-1:]
    if not (renaming and at.id == source.id and name != [source.name]):
        raise exists(call, at, call.options.exists_status, 'An item already exists at this location')
    # Only the spelling changes: what is in the way is the item itself.
    parent = call.tree.parents(source)[-1]
    check_place(call, parent, name, is_file=source.is_file)
    return parent, name[0]


def _copy_one(call: Call, item: Node, parent: Node, name: str) -> Node:
    node = call.tree.add(parent, name, call.now, is_file=item.is_file)
    if not item.is_file:
        call.db.execute(
            'UPDATE nodes SET options = (SELECT options FROM nodes WHERE id = ?) WHERE id = ?',
            (item.id, node.id),
        )
        return node
    current = versions.history(call.db, item)[-1]
    new = current._replace(entry_id=str(uuid4()), uploaded=call.now, uploaded_by=call.user.username)
    call.contents.copy(current.entry_id, new.entry_id)
    versions.add(call.db, node, new)
    return call.tree.existing(node.id)


def _copy_permissions(call: Call, source: Node, target: Node) -> None:
    """Grant at *target* what is granted, or inherited, at *source*."""
    for id_ in reversed(source.chain):
        call.db.execute(
            'INSERT OR IGNORE INTO permissions SELECT ?, principal, level FROM permissions WHERE node = ?',
            (target.id, id_),
        )
