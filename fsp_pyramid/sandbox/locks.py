"""Locks on files: the owner works on, everybody else has to wait."""

from typing import Any
from uuid import uuid4

from . import users
from .call import Call
from .errors import denied, invalid, refused
from .permissions import Level
from .tree import Node

SECONDS, LONGEST = 3600, 365 * 24 * 3600


def lock(call: Call, file: Node, body: dict[str, Any]) -> dict[str, Any]:
    """Lock a file, or renew one's own lock with its token."""
    call.access.require(file, Level.EDITOR)
    if not file.is_file:
        raise denied('Only files can be locked')
    seconds = body.get('lock_timeout', SECONDS)
    if seconds not in range(1, LONGEST + 1):
        raise invalid('lock_timeout', 'Must be a number of seconds')
    token = str(body.get('lock_token') or uuid4().hex[:8])
    held = _held(call, file)
    if held and (held['user'] != call.user.id or held['token'] != token):
        raise refused(call.options.locked_status, 'File is already locked')
    call.db.execute(
        'INSERT OR REPLACE INTO locks (node, token, user, collaboration, expires) VALUES (?, ?, ?, ?, ?)',
        (file.id, token, call.user.id, body.get('collaboration'), call.now + seconds * 1000),
    )
    return {'lock_token': token, 'timeout': seconds}


def unlock(call: Call, file: Node, token: str | None) -> None:
    """Unlock with the token, or without one if the lock is one's own."""
    held = _held(call, file)
    if held is None or (token and token != held['token']):
        raise refused(404, 'There is no such lock')
    if not token and held['user'] != call.user.id:
        raise refused(call.options.locked_status, 'File is locked by another user')
    call.db.execute('DELETE FROM locks WHERE node = ?', (file.id,))


def describe(call: Call, file: Node, *, collaboration: bool) -> dict[str, Any] | None:
    """Return the holder of the file's lock, None without one."""
    held = _held(call, file)
    owner = held and users.user(call.db, 'id', held['user'])
    if not held or not owner:
        return None
    info = {
        'owner_id': owner.id,
        'first_name': owner.first_name,
        'last_name': owner.last_name,
        'email': owner.email,
    }
    return info | ({'collaboration': held['collaboration']} if collaboration else {})


def _held(call: Call, file: Node) -> Any:
    """Return the lock's row, unless it has run out."""
    return call.db.execute('SELECT * FROM locks WHERE node = ? AND expires > ?', (file.id, call.now)).fetchone()
