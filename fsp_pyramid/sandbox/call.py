"""One API call: who makes it, when, and what they may touch."""

import json
import sqlite3
from typing import Any

from .contents import Contents
from .errors import refused
from .options import Options
from .permissions import Access, Level
from .store import Store
from .tree import Node, Tree
from .users import User


class Call:
    """Context of a view. *user* may be another user, for whom the token's owner acts."""

    def __init__(self, store: Store, db: sqlite3.Connection, user: User, client_id: str) -> None:
        self.db, self.user, self.client_id = db, user, client_id
        self.options: Options = store.options
        self.contents: Contents = store.contents
        self.now = self.options.now()
        self.tree = Tree(db, self.options)
        self.access = Access(db, user)

    def find(self, path: str, level: Level = Level.NAV) -> Node:
        """Return the node at *path*: 404 unless the user may see it, 403 unless they have *level*."""
        return self._allowed(self.tree.find(path), level)

    def by_guid(self, guid: str, *, is_file: bool, level: Level = Level.NAV) -> Node:
        """Return the same for an id."""
        return self._allowed(self.tree.by_guid(guid, is_file=is_file), level)

    def _allowed(self, node: Node | None, level: Level) -> Node:
        node = self.access.see(node)
        self.access.require(node, level)
        return node

    def is_locked(self, node: Node) -> bool:
        """Return True if any user has locked the file."""
        return node.locked_until is not None and node.locked_until > self.now

    def require_unlocked(self, node: Node) -> None:
        """Refuse to change a file that another user has locked, or a folder with such a file in it."""
        locked = self.db.execute(
            'SELECT 1 FROM locks WHERE node IN (SELECT value FROM json_each(?)) AND expires > ? AND user != ?',
            (self.tree.ids_in(node.id), self.now, self.user.id),
        ).fetchone()
        if locked:
            raise refused(self.options.locked_status, 'File is locked by another user')

    def note_event(self, action: str, node: Node, *, source: Node | None = None, **more: Any) -> None:
        """Record what happened to *node*, in the transaction in which it happens."""
        data = _named('target', node) | {'is_folder': not node.is_file} | more
        if source:
            data |= _named('source', source)
        kind = 'note' if 'note_id' in more else 'file_system'
        self.db.execute(
            'INSERT INTO events (at, user, client_id, type, action, path, data) VALUES (?, ?, ?, ?, ?, ?, ?)',
            (self.now, self.user.id, self.client_id, kind, action, node.path, json.dumps(data)),
        )


def _named(role: str, node: Node) -> dict[str, Any]:
    """Return the names in events for the file or folder that has a *role* in them."""
    if not node.is_file:
        return {f'{role}_path': node.path, f'{role}_id': node.guid}
    return {f'{role}_path': node.path, f'{role}_id': node.entry_id, f'{role}_group_id': node.guid}
