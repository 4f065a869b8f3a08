"""Events of the tree, for polling clients."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from .call import Call
from .errors import ApiError
from .links import DOMAIN
from .permissions import Level
from .times import iso_exact


def cursor(call: Call) -> dict[str, Any]:
    """Return the ids of the oldest and of the latest event; 0 while there is none."""
    row = call.db.execute('SELECT min(id), max(id), max(at) FROM events').fetchone()
    oldest, latest, at = row
    return {'timestamp': iso_exact(at or call.now), 'latest_event_id': latest or 0, 'oldest_event_id': oldest or 0}


def after(call: Call, id_: int, count: int, filters: dict[str, str], *, reverse: bool) -> list[dict[str, Any]]:
    """Up to *count* events with greater ids. Raises ApiError for an id that never was.

    *filters*: folder (a path), type (names joined by ``|``), suppress (``app``: not what came through the caller's
    application; ``user``: not what the caller did through it).
    """
    known = cursor(call)
    if not known['oldest_event_id'] - 1 <= id_ <= known['latest_event_id']:
        raise ApiError(404, {'message': 'Invalid cursor'})
    query = 'SELECT * FROM events WHERE id > ? ORDER BY id'
    rows = call.db.execute(query + (' DESC' if reverse else ''), (id_,))
    events = _matching(call, rows, filters)
    return [event for event, _ in zip(events, range(count), strict=False)]


def _matching(call: Call, rows: Any, filters: dict[str, str]) -> Iterator[dict[str, Any]]:
    types = filters.get('type', '').split('|') if filters.get('type') else ()
    for row in rows:
        data = json.loads(row['data'])
        paths = [data[name] for name in ('target_path', 'source_path') if name in data]
        if (
            (not types or row['type'] in types)
            and any(_is_below(call, path, filters.get('folder', '/')) for path in paths)
            and not _is_suppressed(call, row, filters.get('suppress'))
            and _is_visible(call, row)
        ):
            yield _json(row, data)


def _is_below(call: Call, path: str, folder: str) -> bool:
    key = call.tree.key(folder.rstrip('/'))
    return f'{call.tree.key(path)}/'.startswith(f'{key}/')


def _is_suppressed(call: Call, row: Any, suppress: str | None) -> bool:
    by_application = row['client_id'] == call.client_id
    by_user = row['user'] == call.user.id
    return by_application and (suppress == 'app' or (suppress == 'user' and by_user))


def _is_visible(call: Call, row: Any) -> bool:
    """Return whether the caller may read there; for a removed item the nearest existing folder decides."""
    node, _ = call.tree.walk(row['path'])
    return row['user'] == call.user.id or call.access.level(node) > Level.NAV


def _json(row: Any, data: dict[str, Any]) -> dict[str, Any]:
    return {
        'id': row['id'],
        'timestamp': iso_exact(row['at']),
        'action_source': 'PublicAPI',
        'actor': row['user'],
        'type': row['type'],
        'action': row['action'],
        'object_detail': f'https://{DOMAIN}.egnyte.com/pubapi/v1/fs{quote(row["path"])}',
        'data': data,
    }
