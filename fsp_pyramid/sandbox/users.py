"""Users, their tokens, and their names in permissions."""

import sqlite3
from dataclasses import dataclass

from .tree import Tree

API_KEY, API_SECRET = 'sandbox-key', 'sandbox-secret'


@dataclass(frozen=True, slots=True)
class User:
    """A user of the domain. *groups* are the guids of the groups they are in."""

    id: int
    username: str
    email: str
    first_name: str
    last_name: str
    user_type: str
    active: bool
    groups: tuple[str, ...]

    @property
    def is_admin(self) -> bool:
        """Administrators own everything."""
        return self.user_type == 'admin'

    @property
    def principals(self) -> tuple[str, ...]:
        """The names under which permissions speak of this user, the own one first."""
        return (principal(self.id), *map(principal, self.groups))


def principal(subject: int | str) -> str:
    """Return a user's id or a group's guid as permissions name them."""
    return f'user:{subject}' if isinstance(subject, int) else f'group:{subject}'


def user(db: sqlite3.Connection, column: str, value: object) -> User | None:
    """Return the user who has *value* in *column*, who may be inactive."""
    query = 'SELECT id, username, email, first_name, last_name, user_type, active FROM users'
    query += f' WHERE {column} = ?'  # a name of ours, never input
    row = db.execute(query, (value,)).fetchone()
    if row is None:
        return None
    groups = db.execute('SELECT guid FROM members WHERE user = ? ORDER BY guid', (row['id'],))
    return User(**(dict(row) | {'active': bool(row['active'])}), groups=tuple(guid for (guid,) in groups))


def by_token(db: sqlite3.Connection, token: str, now: int) -> tuple[User, str] | None:
    """Return the user a token was given to, and the application (client id) it was given through."""
    row = db.execute(
        'SELECT user, client_id FROM tokens WHERE token = ? AND (expires IS NULL OR expires > ?)',
        (token, now),
    ).fetchone()
    found = row and user(db, 'id', row['user'])
    return (found, row['client_id']) if found and found.active else None


def by_password(db: sqlite3.Connection, username: str, password: str) -> int | None:
    """Return the id of the active user who has this password."""
    row = db.execute(
        'SELECT id FROM users WHERE username = ? AND password = ? AND active', (username, password)
    ).fetchone()
    return row['id'] if row else None


def add(
    db: sqlite3.Connection,
    tree: Tree,
    now: int,
    username: str,
    *,
    email: str,
    first_name: str,
    last_name: str,
    user_type: str,
    password: str | None = None,
) -> int:
    """Create a user and their private folder; return the user's id."""
    cursor = db.execute(
        'INSERT INTO users (username, email, first_name, last_name, user_type, password) VALUES (?, ?, ?, ?, ?, ?)',
        (username, email, first_name, last_name, user_type, password),
    )
    private, missing = tree.walk(f'/Private/{username}')
    if missing:  # there may have been a user of that name
        tree.add(private, username, now, is_file=False)
    return int(cursor.lastrowid or 0)


def display_name(user: User) -> str:
    """First and last name."""
    return f'{user.first_name} {user.last_name}'.strip()
