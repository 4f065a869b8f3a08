"""The log of calls, for those who count them."""

import sqlite3
from typing import Any

KEPT = 100_000


def record(db: sqlite3.Connection, at: float, method: str, path: str, status: int, token: str | None) -> None:
    """Log one call; *token* is one of the sandbox's own, which are no secrets."""
    cursor = db.execute(
        'INSERT INTO calls (at, method, path, status, token) VALUES (?, ?, ?, ?, ?)',
        (at, method, path, status, token),
    )
    if (last := cursor.lastrowid or 0) % 1000 == 0:
        db.execute('DELETE FROM calls WHERE id <= ?', (last - KEPT,))


def recorded(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """Return the calls since the last :func:`forget`, the oldest first."""
    return [dict(row) for row in db.execute('SELECT at, method, path, status, token FROM calls ORDER BY id')]


def forget(db: sqlite3.Connection) -> None:
    """Begin anew."""
    db.execute('DELETE FROM calls')
