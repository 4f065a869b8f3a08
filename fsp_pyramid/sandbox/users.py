"""Who may call: users, their tokens, and what they are called in permissions."""

import sqlite3
from dataclasses import dataclass

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
    """A user's id or a group's guid as permissions name them."""
    return f'user:{subject}' if isinstance(subject, int) else f'group:{subject}'


def user(db: sqlite3.Connection, column: str, value: object) -> User | None:
    """The active user who has *value* in *column*."""
    query = 'SELECT id, username, email, first_name, last_name, user_type FROM users'
    query += f' WHERE {column} = ? AND active'  # a name of ours, never input
    row = db.execute(query, (value,)).fetchone()
    if row is None:
        return None
    groups = db.execute('SELECT guid FROM members WHERE user = ? ORDER BY guid', (row['id'],))
    return User(*row, groups=tuple(guid for (guid,) in groups))


def by_token(db: sqlite3.Connection, token: str, now: int) -> tuple[User, str] | None:
    """The user a token was given to, and the application (client id) it was given through."""
    row = db.execute(
        'SELECT user, client_id FROM tokens WHERE token = ? AND (expires IS NULL OR expires > ?)',
        (token, now),
    ).fetchone()
    found = row and user(db, 'id', row['user'])
    return (found, row['client_id']) if found else None


def display_name(user: User) -> str:
    """First and last name."""
    return f'{user.first_name} {user.last_name}'.strip()
