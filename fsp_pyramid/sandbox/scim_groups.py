"""Groups as administrators manage them."""

import sqlite3
from typing import Any
from uuid import uuid4

from .call import Call
from .errors import invalid
from .scim import absent, taken
from .users import principal


def every(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """All groups as JSON."""
    return [find(db, guid) for (guid,) in db.execute('SELECT guid FROM groups ORDER BY name').fetchall()]


def find(db: sqlite3.Connection, guid: str) -> dict[str, Any]:
    """One group as JSON."""
    row = db.execute('SELECT name FROM groups WHERE guid = ?', (guid,)).fetchone()
    if row is None:
        raise absent('Group')
    members = db.execute(
        'SELECT u.id, u.username, u.first_name, u.last_name FROM members m JOIN users u ON u.id = m.user'
        ' WHERE m.guid = ? ORDER BY u.id',
        (guid,),
    )
    return {
        'id': guid,
        'displayName': row['name'],
        'members': [
            {'username': name, 'value': id_, 'display': f'{first} {last}'} for id_, name, first, last in members
        ],
    }


def create(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Create a group."""
    guid = str(uuid4())
    call.db.execute('INSERT INTO groups VALUES (?, ?)', (guid, _free_name(call.db, body, guid)))
    _set_members(call.db, guid, body.get('members') or [])
    return find(call.db, guid)


def update(call: Call, guid: str, body: dict[str, Any]) -> dict[str, Any]:
    """Change name and members, whichever is in *body*."""
    find(call.db, guid)
    if not {'displayName', 'members'} & set(body):
        raise invalid('displayName', 'There is nothing to change')
    if 'displayName' in body:
        call.db.execute('UPDATE groups SET name = ? WHERE guid = ?', (_free_name(call.db, body, guid), guid))
    if 'members' in body:
        call.db.execute('DELETE FROM members WHERE guid = ?', (guid,))
        _set_members(call.db, guid, body['members'])
    return find(call.db, guid)


def remove(call: Call, guid: str) -> None:
    """Delete a group and what was granted to it."""
    find(call.db, guid)
    call.db.execute('DELETE FROM groups WHERE guid = ?', (guid,))
    call.db.execute('DELETE FROM permissions WHERE principal = ?', (principal(guid),))


def _free_name(db: sqlite3.Connection, body: dict[str, Any], guid: str) -> str:
    name = body.get('displayName')
    if not isinstance(name, str) or not name.strip():
        raise invalid('displayName', 'Must be a string')
    if db.execute('SELECT 1 FROM groups WHERE name = ? AND guid != ?', (name, guid)).fetchone():
        raise taken('Group')
    return name


def _set_members(db: sqlite3.Connection, guid: str, members: Any) -> None:
    """Add the users that exist, by the id in ``value``."""
    ids = [member.get('value') for member in members if isinstance(member, dict)] if isinstance(members, list) else None
    if ids is None or not all(isinstance(id_, int | str) for id_ in ids):
        raise invalid('members', 'Must be a list of objects with a value')
    for id_ in ids:
        db.execute('INSERT OR IGNORE INTO members SELECT ?, id FROM users WHERE id = ?', (guid, str(id_)))
