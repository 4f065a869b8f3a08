"""The permissions API: which permissions users and groups have at a folder, and setting them."""

import json
import sqlite3
from typing import Any

from .call import Call
from .errors import denied, invalid
from .permissions import Level
from .tree import Node
from .users import principal


def folder_grants(call: Call, folder: Node) -> dict[str, list[dict[str, str]]]:
    """Return the grants of users and groups at the folder or, nearest first, above it."""
    rows = call.db.execute(
        'SELECT p.node, p.level, u.username, g.name FROM permissions p'
        " LEFT JOIN users u ON p.principal = 'user:' || u.id"
        " LEFT JOIN groups g ON p.principal = 'group:' || g.guid"
        ' WHERE p.node IN (SELECT value FROM json_each(?))',
        (json.dumps(folder.chain),),
    ).fetchall()
    nearest_last = sorted(rows, key=lambda row: folder.chain.index(row['node']))
    users = {row['username']: row['level'] for row in nearest_last if row['username']}
    groups = {row['name']: row['level'] for row in nearest_last if row['name']}
    return {'users': _subjects(users), 'groups': _subjects(groups)}


def _subjects(levels: dict[str, int]) -> list[dict[str, str]]:
    return [{'subject': name, 'permission': Level(levels[name]).label} for name in sorted(levels)]


def change(call: Call, folder: Node, body: dict[str, Any]) -> None:
    """Grant one level to users and groups; unknown ones are ignored, as Egnyte does."""
    level = Level.parse(str(body.get('permission')))
    if level is None:
        raise invalid('permission', 'Unknown permission')
    if folder.is_file or folder.names[:1] != ('Shared',):
        raise denied('Permissions exist only for folders below /Shared')
    call.access.require(folder, Level.OWNER)
    for subject in _principals(call.db, body):
        call.db.execute('INSERT OR REPLACE INTO permissions VALUES (?, ?, ?)', (folder.id, subject, level))


def _principals(db: sqlite3.Connection, body: dict[str, Any]) -> list[str]:
    users, groups = (body.get(name) or [] for name in ('users', 'groups'))
    if not isinstance(users, list) or not isinstance(groups, list):
        raise invalid('users', 'users and groups must be lists of names')
    found = [db.execute('SELECT id FROM users WHERE username = ?', (str(name),)).fetchone() for name in users]
    found += [db.execute('SELECT guid FROM groups WHERE name = ?', (str(name),)).fetchone() for name in groups]
    return [principal(row[0]) for row in found if row]
