"""Grants of permissions in a sandbox, whose API has no call for them."""

import sqlite3
from contextlib import closing
from pathlib import Path

from fsp_pyramid.sandbox.permissions import Level

# Token of an ordinary user of every sandbox, like a user of a real Egnyte with a connected account.
ORDINARY = 'sandbox-alice'


def grant(tmp_path: Path, path: str, name: str, level: Level) -> None:
    """Grant *level* at a folder of the sandbox in ``tmp_path / 'egnyte'``.

    :param name: name of a user, or of a group in the spelling of permissions
    """
    with closing(sqlite3.connect(tmp_path / 'egnyte' / 'sandbox.sqlite')) as db, db:
        folder = path.rpartition('/')[2]
        ids = dict(db.execute("SELECT username, 'user:' || id FROM users"))
        db.execute(
            'INSERT OR REPLACE INTO permissions SELECT id, ?, ? FROM nodes WHERE name = ?',
            (ids.get(name, name), level, folder),
        )
