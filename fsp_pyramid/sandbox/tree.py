"""Files and folders: found by path or id, made, moved, copied and taken out."""

import json
import sqlite3
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from . import names
from .options import Options
from .schema import ROOT

_NODE = """
SELECT n.id, n.parent, n.is_file, n.name, n.guid, p.guid AS parent_guid, n.created, n.touched,
    n.options, v.entry_id, v.checksum, v.size, v.uploaded, v.modified, v.uploaded_by,
    (SELECT count(*) FROM versions WHERE node = n.id) AS num_versions,
    l.user AS locked_by, l.expires AS locked_until
FROM nodes n LEFT JOIN nodes p ON p.id = n.parent LEFT JOIN versions v ON v.id = n.version
    LEFT JOIN locks l ON l.node = n.id
"""
NAME = 'n.name_key'
SORT_COLUMNS = {
    'name': NAME,
    'path': NAME,
    'size': 'v.size',
    'last_modified': 'coalesce(v.modified, n.touched)',
    'created_time': 'n.created',
    'uploaded_by': 'v.uploaded_by',
    'custom_metadata': NAME,  # there is none
}


@dataclass(frozen=True, slots=True)
class Node:
    """A file or a folder as it is now.

    :param guid: Egnyte's ``group_id`` or ``folder_id``
    :param chain: the ids from the root to this node
    :param touched: when a folder was made, renamed or configured last
    :param locked_until: of the last lock, which may have run out
    """

    id: int
    parent: int | None
    is_file: bool
    name: str
    guid: str
    parent_guid: str | None
    created: int
    touched: int
    options: dict[str, Any]
    entry_id: str | None
    checksum: str | None
    size: int | None
    uploaded: int | None
    modified: int | None
    uploaded_by: str | None
    num_versions: int
    locked_by: int | None
    locked_until: int | None
    names: tuple[str, ...]
    chain: tuple[int, ...]

    @property
    def path(self) -> str:
        """The absolute path, spelt as it was created."""
        return '/' + '/'.join(self.names)

    def is_inside(self, other: 'Node') -> bool:
        """Return whether this node is *other* or below it."""
        return other.id in self.chain


def _node(row: sqlite3.Row, path: Sequence[str], chain: Sequence[int]) -> Node:
    values = dict(row)
    values |= {'is_file': bool(row['is_file']), 'options': json.loads(row['options'])}
    return Node(**values, names=tuple(path), chain=tuple(chain))


def _lower(character: str) -> str:
    """Only where upper and lower case map onto each other: KELVIN SIGN is no "k", and "ß" is not "ss"."""
    lower = character.lower()
    return lower if lower.upper() == character else character


class Tree:
    """The tree of one sandbox, through one connection."""

    def __init__(self, db: sqlite3.Connection, options: Options) -> None:
        self._db = db
        self._case_sensitive, self._normalizing = options.case_sensitive, options.normalizing

    def key(self, name: str) -> str:
        """Return the normal form of a name. Egnyte does not document the role of case and composition."""
        if self._normalizing:
            name = unicodedata.normalize('NFC', name)
        return name if self._case_sensitive else ''.join(map(_lower, name))

    # Finding

    def walk(self, path: str) -> tuple[Node, list[str]]:
        """Return the deepest node that exists on the way to *path*, and the names that are missing."""
        spelt, chain = [], [ROOT]
        missing = names.segments(path)
        while missing:
            row = self._db.execute(
                'SELECT id, name FROM nodes WHERE parent = ? AND name_key = ?',
                (chain[-1], self.key(missing[0])),
            ).fetchone()
            if row is None:
                break
            chain.append(row['id'])
            spelt.append(row['name'])
            del missing[0]
        row = self._db.execute(f'{_NODE} WHERE n.id = ?', (chain[-1],)).fetchone()
        return _node(row, spelt, chain), missing

    def find(self, path: str) -> Node | None:
        """Return the node at *path*."""
        node, missing = self.walk(path)
        return None if missing else node

    def by_guid(self, guid: str, *, is_file: bool) -> Node | None:
        """Return the file with this group_id, or the folder with this folder_id, unless it is in the trash."""
        row = self._db.execute('SELECT id FROM nodes WHERE guid = ? AND is_file = ?', (guid, is_file)).fetchone()
        return row and self.by_id(row['id'])

    def by_id(self, id_: int) -> Node | None:
        """Return the node with this number, unless it is in the trash."""
        rows = self._db.execute(
            'WITH RECURSIVE up (id, parent, name, height) AS ('
            ' SELECT id, parent, name, 0 FROM nodes WHERE id = ?'
            ' UNION ALL SELECT n.id, n.parent, n.name, height + 1'
            '  FROM nodes n JOIN up ON n.id = up.parent)'
            ' SELECT id, name FROM up ORDER BY height DESC',
            (id_,),
        ).fetchall()
        if not rows or rows[0]['id'] != ROOT:
            return None
        row = self._db.execute(f'{_NODE} WHERE n.id = ?', (id_,)).fetchone()
        return _node(row, [r['name'] for r in rows[1:]], [r['id'] for r in rows])

    def existing(self, id_: int) -> Node:
        """Return the node with this number, which is known to exist outside of the trash."""
        node = self.by_id(id_)
        if node is None:
            raise LookupError(f'no node has the id {id_}')
        return node

    def parents(self, node: Node) -> list[Node]:
        """Return the folders above *node*, the root first."""
        return [parent for id_ in node.chain[:-1] if (parent := self.by_id(id_))]

    def children(
        self,
        folder: Node,
        *,
        only: Sequence[int] | None = None,
        without: Sequence[int] = (),
        sort: str = 'name',
        descending: bool = False,
        count: int = -1,
        offset: int = 0,
    ) -> tuple[list[Node], int]:
        """Return a page of what is in *folder*, folders first, and the number of all.

        *only* (these folders and no files) and *without* are ids, see :meth:`.Access.listed`.
        """
        where = ' WHERE n.parent = ?'
        values: list[int | str] = [folder.id]
        for operator, ids in (('IN', only), ('NOT IN', without or None)):
            if ids is not None:
                where += f' AND n.id {operator} (SELECT value FROM json_each(?))'  # noqa: S608 - IN, or NOT IN
                values.append(json.dumps(ids))
        count_all = f'SELECT count(*) FROM nodes n{where}'  # noqa: S608 - no input in it
        total = self._db.execute(count_all, values).fetchone()[0]
        way = 'DESC' if descending else 'ASC'
        column = SORT_COLUMNS[sort]
        # Equal ones by name; said twice, it would keep SQLite from using the index.
        order = f'n.is_file, {column} {way}' + ('' if column == NAME else f', {NAME} {way}')
        rows = self._db.execute(f'{_NODE}{where} ORDER BY {order} LIMIT ? OFFSET ?', (*values, count, offset))
        return [self._child(folder, row) for row in rows], total

    def ids_in(self, id_: int) -> str:
        """Return the ids of a node and of all that is in it, also in the trash, as JSON for json_each()."""
        query = """WITH RECURSIVE below (id) AS (
            SELECT ? UNION ALL SELECT n.id FROM nodes n JOIN below ON n.parent = below.id)
            SELECT json_group_array(id) FROM below"""
        return self._db.execute(query, (id_,)).fetchone()[0]

    def descendants(self, node: Node) -> list[Node]:
        """*node* and all that is in it, parents before children."""
        found = [node]
        for item in found:
            if not item.is_file:
                found += self.children(item)[0]
        return found

    @staticmethod
    def _child(folder: Node, row: sqlite3.Row) -> Node:
        return _node(row, (*folder.names, row['name']), (*folder.chain, row['id']))

    # Changing. The callers have looked whether they may, and whether the name is free.

    def add(self, parent: Node, name: str, now: int, *, is_file: bool) -> Node:
        """Add a folder, or a file that gets its first version later in the same transaction."""
        cursor = self._db.execute(
            'INSERT INTO nodes (parent, is_file, name, name_key, guid, created, touched) VALUES (?, ?, ?, ?, ?, ?, ?)',
            (parent.id, is_file, name, self.key(name), str(uuid4()), now, now),
        )
        row = self._db.execute(f'{_NODE} WHERE n.id = ?', (cursor.lastrowid,)).fetchone()
        return self._child(parent, row)

    def place(self, id_: int, parent: Node, name: str) -> None:
        """Move, rename or put back a node; what is in it comes along, and all ids stay."""
        self._db.execute(
            'UPDATE nodes SET parent = ?, name = ?, name_key = ? WHERE id = ?',
            (parent.id, name, self.key(name), id_),
        )

    def take_out(self, node: Node) -> None:
        """Cut *node* off the tree, with what is in it."""
        self._db.execute('UPDATE nodes SET parent = NULL WHERE id = ?', (node.id,))

    def touch(self, node: Node, now: int) -> None:
        """Set a folder's time."""
        self._db.execute('UPDATE nodes SET touched = ? WHERE id = ?', (now, node.id))
