"""Chunked uploads: the parts, until the last one puts them together."""

import hashlib
import sqlite3
from typing import NamedTuple
from uuid import uuid4

from .call import Call
from .contents import STALE_SECONDS, Received
from .errors import refused


class Chunk(NamedTuple):
    """One part; *content* is the name of its file."""

    number: int
    content: str
    size: int
    checksum: str


def begin(call: Call, path: str) -> str:
    """Begin an upload and return its id."""
    guid = str(uuid4())
    call.db.execute('INSERT INTO chunked_uploads VALUES (?, ?, ?, ?)', (guid, call.user.id, path, call.now))
    return guid


def require(call: Call, upload_id: str, path: str) -> None:
    """404 unless the caller began this upload, for this path, within the last day."""
    row = call.db.execute(
        'SELECT path FROM chunked_uploads WHERE guid = ? AND user = ? AND started > ?',
        (upload_id, call.user.id, call.now - STALE_SECONDS * 1000),
    ).fetchone()
    if row is None or call.tree.key(row['path']) != call.tree.key(path):
        raise refused(404, 'There is no such upload')


def store(call: Call, upload_id: str, number: int, received: Received) -> list[str]:
    """Keep a part. Returns the contents that it replaces, which can go after the commit."""
    replaced = [chunk.content for chunk in _chunks(call.db, upload_id) if chunk.number == number]
    content = str(uuid4())
    call.db.execute(
        'INSERT OR REPLACE INTO chunks VALUES (?, ?, ?, ?, ?)',
        (upload_id, number, content, received.size, received.checksum),
    )
    call.contents.keep(received, content)
    return replaced


def _chunks(db: sqlite3.Connection, upload_id: str) -> list[Chunk]:
    rows = db.execute(
        'SELECT number, content, size, checksum FROM chunks WHERE upload = ? ORDER BY number', (upload_id,)
    )
    return [Chunk(*row) for row in rows]


def complete(call: Call, upload_id: str) -> list[Chunk]:
    """All parts of an upload, checked: none is missing, and all but the last have one size."""
    parts = _chunks(call.db, upload_id)
    if [part.number for part in parts] != list(range(1, len(parts) + 1)):
        raise refused(400, 'A chunk is missing')
    if len({part.size for part in parts[:-1]}) > 1 or parts[-1].size > parts[0].size:
        raise refused(400, 'All chunks but the last must have the same size')
    return parts


def composite_checksum(parts: list[Chunk]) -> str:
    """Egnyte's checksum of a file that came in chunks: over the hexadecimal checksums of the parts."""
    digest = hashlib.sha512(''.join(part.checksum for part in parts).encode())
    return f'2-{len(parts)}-{parts[0].size}-{digest.hexdigest()}'


def finish(call: Call, upload_id: str) -> None:
    """Forget an upload whose file is stored."""
    call.db.execute('DELETE FROM chunked_uploads WHERE guid = ?', (upload_id,))


def forget_stale(call: Call) -> list[str]:
    """Forget uploads that were not finished within a day. Returns the contents that can be removed."""
    oldest = (call.now - STALE_SECONDS * 1000,)
    rows = call.db.execute(
        'SELECT content FROM chunks WHERE upload IN (SELECT guid FROM chunked_uploads WHERE started <= ?)', oldest
    )
    gone = [content for (content,) in rows]
    call.db.execute('DELETE FROM chunked_uploads WHERE started <= ?', oldest)
    return gone
