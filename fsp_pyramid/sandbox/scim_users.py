"""Users as administrators manage them."""

import json
import re
import sqlite3
from typing import Any

from . import users
from .call import Call
from .errors import invalid, refused
from .scim import absent, taken

USERNAME = re.compile(r'[A-Za-z0-9][A-Za-z0-9._-]*')
CHOICES = {'authType': ('egnyte', 'ad', 'sso'), 'userType': ('admin', 'power', 'standard')}
# What is kept of a user as it was given.
PROFILE = ('externalId', 'authType', 'role', 'idpUserId', 'userPrincipalName', 'language', 'expiryDate')
# Columns of our own, and what SCIM calls them; names may also stand in "name".
COLUMNS = {'email': 'email', 'first_name': 'givenName', 'last_name': 'familyName', 'user_type': 'userType'}


def every(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """All users as JSON."""
    return [_json(db, row) for row in db.execute('SELECT * FROM users ORDER BY id').fetchall()]


def find(db: sqlite3.Connection, id_: str) -> dict[str, Any]:
    """One user as JSON."""
    return _json(db, _row(db, id_))


def _row(db: sqlite3.Connection, id_: str) -> Any:
    row = db.execute('SELECT * FROM users WHERE id = ?', (id_,)).fetchone()
    if row is None:
        raise absent('User')
    return row


def _json(db: sqlite3.Connection, row: Any) -> dict[str, Any]:
    groups = db.execute(
        'SELECT g.name, g.guid FROM members m JOIN groups g ON g.guid = m.guid WHERE m.user = ? ORDER BY g.name',
        (row['id'],),
    )
    name = {'givenName': row['first_name'], 'familyName': row['last_name']}
    profile = dict.fromkeys(PROFILE) | {'authType': 'egnyte'} | json.loads(row['profile'])
    return profile | {
        'id': row['id'],
        'userName': row['username'],
        'email': row['email'],
        'name': name | {'formatted': ' '.join(name.values())},
        'active': bool(row['active']),
        'locked': False,
        'userType': row['user_type'],
        'groups': [{'displayName': group, 'value': guid} for group, guid in groups],
    }


def create(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Create a user with a private folder. They have no password, so only administrators can act as them."""
    username = body.get('userName')
    if not isinstance(username, str) or not USERNAME.fullmatch(username):
        raise invalid('userName', 'Must start with a letter or digit, and hold letters, digits and ._- only')
    if call.db.execute('SELECT 1 FROM users WHERE username = ?', (username,)).fetchone():
        raise taken('User')
    values = _values(body)
    for column, name in COLUMNS.items():
        if column not in values:
            raise invalid(name, 'Is missing')
    id_ = users.add(call.db, call.tree, call.now, username, **{column: values[column] for column in COLUMNS})
    return update(call, str(id_), body)


def update(call: Call, id_: str, body: dict[str, Any]) -> dict[str, Any]:
    """Change what *body* holds."""
    row = _row(call.db, id_)
    values = dict(row) | _values(body)
    profile = json.loads(row['profile']) | {name: body[name] for name in PROFILE if name in body}
    call.db.execute(
        'UPDATE users SET email = ?, first_name = ?, last_name = ?, user_type = ?, active = ?, profile = ?'
        ' WHERE id = ?',
        (*(values[column] for column in COLUMNS), values['active'], json.dumps(profile), row['id']),
    )
    return find(call.db, id_)


def _values(body: dict[str, Any]) -> dict[str, Any]:
    """Return the columns that are in a request, checked."""
    given = body | (body['name'] if isinstance(body.get('name'), dict) else {})
    values = {column: given[name] for column, name in COLUMNS.items() if name in given}
    for column, value in values.items():
        if not isinstance(value, str) or not value:
            raise invalid(COLUMNS[column], 'Must be a string')
    for name, choices in CHOICES.items():
        if name in body and body[name] not in choices:
            raise invalid(name, f'Must be one of {", ".join(choices)}')
    return values | ({'active': bool(body['active'])} if 'active' in body else {})


def remove(call: Call, id_: str) -> None:
    """Delete a user with tokens, locks, links, notes and permissions; the private folder stays."""
    row = _row(call.db, id_)
    if row['id'] == call.user.id:
        raise refused(403, 'Nobody can delete themselves')
    call.db.execute('DELETE FROM users WHERE id = ?', (row['id'],))
    call.db.execute('DELETE FROM permissions WHERE principal = ?', (users.principal(row['id']),))
