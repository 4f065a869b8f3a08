"""The trash: what was deleted, with all that was in it, until it is put back or purged.

A trashed item keeps its ids; the item in the trash has an id of its own.
"""

import json
from typing import Any

from .call import Call
from .errors import ApiError, denied, refused
from .names import segments
from .placing import make_all
from .times import iso

KEPT_DAYS = 30
SORT_COLUMNS = {
    'date_deleted': 't.deleted',
    'purge_date': 't.deleted',
    'name': 'n.name_key',
    'orig_location': 't.path',
    'deleted_by': 't.deleted_by',
    'owner': 'v.uploaded_by',
    'type': 'n.is_file',
}


def require_access(call: Call) -> None:
    """Egnyte opens the trash to administrators, and to power users who were given that right."""
    if not (call.user.is_admin or call.options.trash_for_all):
        raise denied('You do not have permission to access the trash')


def count_all(call: Call) -> int:
    """Return the number of items."""
    return call.db.execute('SELECT count(*) FROM trash').fetchone()[0]


def page(call: Call, sort: str, count: int, offset: int, *, descending: bool) -> list[dict[str, Any]]:
    """Return some items as JSON."""
    way = 'DESC' if descending else 'ASC'
    order = f' ORDER BY {SORT_COLUMNS[sort]} {way}, t.node {way} LIMIT ? OFFSET ?'
    query = (
        'SELECT t.guid, n.is_file, t.path, n.name, v.size, t.deleted, t.deleted_by, v.modified'
        ' FROM trash t JOIN nodes n ON n.id = t.node LEFT JOIN versions v ON v.id = n.version'
    )
    return [_item(row) for row in call.db.execute(query + order, (count, offset))]


def _item(row: Any) -> dict[str, Any]:
    item = {
        'id': row['guid'],
        'type': 'file' if row['is_file'] else 'folder',
        'path': row['path'],
        'name': row['name'],
        'size': row['size'] or 0,
        'deleted_by': row['deleted_by'],
        'delete_date': iso(row['deleted']),
        'purge_date': iso(row['deleted'] + KEPT_DAYS * 24 * 60 * 60 * 1000),
    }
    return item | ({'last_modified': iso(row['modified'])} if row['is_file'] else {})


def restore(call: Call, guid: str) -> None:
    """Put an item back to where it was; all ids stay, and missing parents are made."""
    row = _row(call, guid)
    name = segments(row['path'])[-1]
    parent, missing = call.tree.walk(row['path'])
    if not missing or parent.is_file:
        raise refused(409, 'An item already exists at the original location')
    parent = make_all(call, parent, missing[:-1])
    call.tree.place(row['node'], parent, name)
    call.db.execute('DELETE FROM trash WHERE guid = ?', (guid,))
    call.note_event('restore', call.tree.existing(row['node']))


def purge(call: Call, guid: str) -> list[str]:
    """Delete an item for good. Returns the versions whose contents can go after the commit."""
    row = _row(call, guid)
    ids = call.tree.ids_in(row['node'])
    rows = call.db.execute('SELECT entry_id FROM versions WHERE node IN (SELECT value FROM json_each(?))', (ids,))
    gone = [entry_id for (entry_id,) in rows]
    # From the leaves up, so that no cascade goes deeper than one level.
    for id_ in reversed(json.loads(ids)):
        call.db.execute('DELETE FROM nodes WHERE id = ?', (id_,))
    return gone


def _row(call: Call, guid: str) -> Any:
    row = call.db.execute('SELECT * FROM trash WHERE guid = ?', (guid,)).fetchone()
    if row is None:
        raise ApiError(404, {'errorMessage': 'Item is not in the trash'})
    return row
