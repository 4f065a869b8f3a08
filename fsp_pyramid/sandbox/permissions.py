"""Permissions: levels, and their inheritance.

Below /Shared the nearest folder upwards that grants something to the user or to one of their
groups decides; there the user's own grant goes before a group's, and among groups the highest
counts. Nobody's grant means no access. /Private/{username} belongs to that user.
Administrators own everything.
"""

import json
import sqlite3
from enum import IntEnum

from .errors import denied, missing
from .tree import Node
from .users import User


class Level(IntEnum):
    """Egnyte's permission levels. Each includes the ones below it."""

    NONE = 0
    NAV = 1  # may pass through on the way to something that is allowed
    VIEWER_ONLY = 2  # may list, not download
    VIEWER = 3
    EDITOR = 4  # may also upload and create folders
    FULL = 5  # may also move and delete
    OWNER = 6

    @property
    def label(self) -> str:
        """As it stands in JSON."""
        return self.name.replace('_', ' ').title()

    @classmethod
    def parse(cls, label: str) -> 'Level | None':
        """Return the level of a name, in any case."""
        return cls.__members__.get(label.strip().upper().replace(' ', '_'))


class Access:
    """Permissions of one user."""

    def __init__(self, db: sqlite3.Connection, user: User) -> None:
        self._db, self._user = db, user

    def level(self, node: Node) -> Level:
        """Return the user's level for a file or folder."""
        if self._user.is_admin:
            return Level.OWNER
        if node.names[:1] == ('Private',) and len(node.names) > 1:
            mine = node.names[1].lower() == self._user.username.lower()
            return Level.OWNER if mine else Level.NONE
        level = self._granted(node) or Level.NONE
        if level is Level.NONE and not node.is_file:
            is_top = len(node.names) < 2
            return Level.NAV if is_top or node.id in self._passages() else Level.NONE
        return level

    def see(self, node: Node | None) -> Node:
        """Return the node, if the user may know of it; 404 otherwise."""
        if node is None or self.level(node) is Level.NONE:
            raise missing()
        return node

    def require(self, node: Node, level: Level) -> None:
        """403 unless the user has at least *level*."""
        if self.level(node) < level:
            raise denied()

    def listed(self, folder: Node) -> dict[str, list[int]]:
        """Return the filter for a listing of *folder*, as arguments of :meth:`.Tree.children`.

        Nothing: all of it. ``only``: these folders and no files. ``without``: not these folders.
        """
        if self._user.is_admin or not folder.names:
            return {}
        if folder.names == ('Private',):
            rows = self._db.execute(
                'SELECT id FROM nodes WHERE parent = ? AND name = ? COLLATE NOCASE',
                (folder.id, self._user.username),
            )
            return {'only': [row[0] for row in rows]}
        return self._listed_shared(folder)

    def _listed_shared(self, folder: Node) -> dict[str, list[int]]:
        grants = self._grants_below(folder)
        if self.level(folder) is Level.NAV:
            rows = self._db.execute('SELECT id FROM nodes WHERE parent = ?', (folder.id,))
            passages = self._passages()
            return {'only': [id_ for (id_,) in rows if grants.get(id_) or id_ in passages]}
        closed = {id_ for id_, level in grants.items() if level is Level.NONE}
        return {'without': sorted(closed - self._passages())} if closed else {}

    def _granted(self, node: Node) -> Level | None:
        """Return the nearest grant at the node or above it."""
        grants = self._grants('SELECT value FROM json_each(?)', json.dumps(node.chain))
        return next((grants[id_] for id_ in reversed(node.chain) if id_ in grants), None)

    def _grants_below(self, folder: Node) -> dict[int, Level]:
        """Return the grants at the folder's own subfolders."""
        return self._grants('SELECT id FROM nodes WHERE parent = ?', folder.id)

    def _grants(self, nodes: str, *values: object) -> dict[int, Level]:
        query = f'SELECT node, principal, level FROM permissions WHERE node IN ({nodes})'  # noqa: S608 - no input
        query += ' AND principal IN (SELECT value FROM json_each(?)) ORDER BY level'
        rows = self._db.execute(query, (*values, json.dumps(self._user.principals))).fetchall()
        mine = self._user.principals[0]
        by_group = {row['node']: Level(row['level']) for row in rows}
        return by_group | {r['node']: Level(r['level']) for r in rows if r['principal'] == mine}

    def _passages(self) -> set[int]:
        """All folders above something that was granted to the user."""
        grants = self._grants('SELECT node FROM permissions')
        rows = self._db.execute(
            'WITH RECURSIVE up (id) AS (SELECT value FROM json_each(?)'
            ' UNION SELECT n.parent FROM nodes n JOIN up ON n.id = up.id WHERE n.parent NOTNULL)'
            ' SELECT id FROM up',
            (json.dumps([id_ for id_, level in grants.items() if level]),),
        )
        return {row[0] for row in rows}
