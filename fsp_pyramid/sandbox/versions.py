"""The versions of a file. The newest one that is left is the current one."""

import sqlite3
from typing import NamedTuple

from .tree import Node


class Version(NamedTuple):
    """One version. Times are UNIX milliseconds."""

    entry_id: str
    checksum: str
    size: int
    uploaded: int
    modified: int
    uploaded_by: str


def history(db: sqlite3.Connection, node: Node) -> list[Version]:
    """All versions, the oldest first, the current one last."""
    rows = db.execute(
        'SELECT entry_id, checksum, size, uploaded, modified, uploaded_by FROM versions WHERE node = ? ORDER BY id',
        (node.id,),
    )
    return [Version(*row) for row in rows]


def find(db: sqlite3.Connection, node: Node, entry_id: str) -> Version | None:
    """Return the file's version with this id."""
    return next((v for v in history(db, node) if v.entry_id == entry_id), None)


def add(db: sqlite3.Connection, node: Node, version: Version) -> None:
    """Make *version* the current one."""
    cursor = db.execute(
        'INSERT INTO versions (node, entry_id, checksum, size, uploaded, modified, uploaded_by)'
        ' VALUES (?, ?, ?, ?, ?, ?, ?)',
        (node.id, *version),
    )
    db.execute('UPDATE nodes SET version = ? WHERE id = ?', (cursor.lastrowid, node.id))


def remove(db: sqlite3.Connection, node: Node, entry_id: str) -> None:
    """Take one of several versions away; after the current one its predecessor is current."""
    db.execute('DELETE FROM versions WHERE entry_id = ?', (entry_id,))
    db.execute(
        'UPDATE nodes SET version = (SELECT max(id) FROM versions WHERE node = :id) WHERE id = :id',
        {'id': node.id},
    )
