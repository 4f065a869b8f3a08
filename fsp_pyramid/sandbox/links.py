"""Links: who may make them, what they look like, and finding them again.

Nothing is served at their URLs: a link of the sandbox is a record, not a way to the content.
"""

import json
import secrets
import string
from typing import Any

from . import users
from .call import Call
from .errors import ApiError
from .folder_options import allowed_links
from .incoming import text
from .times import day, parse_iso
from .tree import Node

DOMAIN = 'sandbox'
TYPES = {'file': 'dl', 'folder': 'fl', 'upload': 'ul'}
ACCESSIBILITIES = ('anyone', 'password', 'domain', 'recipients')
FLAGS = ('notify', 'link_to_current', 'copy_me')
ALPHABET = string.ascii_letters + string.digits
MOST_CLICKS = 10


def refused(status: int, description: str) -> ApiError:
    """Links have a shape of their own for errors."""
    return ApiError(status, {'Errors': [{'description': description, 'code': str(status)}]})


def create(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Create a link for each recipient, or one for all."""
    node = call.tree.find(text(body, 'path'))
    if node is None or not call.access.level(node):
        raise refused(404, 'The file or folder does not exist.')
    details = _details(body)
    _check_target(call, node, details)
    recipients = _recipients(body, details)
    links = [_store(call, node, details | {'recipients': each}) for each in ([r] for r in recipients)] or [
        _store(call, node, details | {'recipients': []})
    ]
    common = {name: value for name, value in details.items() if name != 'protection'}
    return {'links': links, 'path': node.path} | common | _creation(call.now, call.user.username)


def _details(body: dict[str, Any]) -> dict[str, Any]:
    """Return the common attributes of all links of a request. Clients spell types in any case."""
    details: dict[str, Any] = {
        'type': text(body, 'type').lower(),
        'accessibility': str(body.get('accessibility') or 'anyone').lower(),
        'protection': str(body.get('protection') or 'NONE').upper(),
        'send_mail': bool(body.get('send_email')),
    } | {name: bool(body.get(name)) for name in FLAGS}
    if details['type'] not in TYPES or details['accessibility'] not in ACCESSIBILITIES:
        raise refused(400, 'Unknown type or accessibility.')
    if details['accessibility'] == 'password':
        details['password'] = str(body.get('password') or _random(8))
    return details | _expiry(body)


def _expiry(body: dict[str, Any]) -> dict[str, Any]:
    date, clicks = body.get('expiry_date'), body.get('expiry_clicks')
    if date and clicks:
        raise refused(400, 'A link expires by date or by clicks, not by both.')
    if clicks is not None and clicks not in range(1, MOST_CLICKS + 1):
        raise refused(400, f'expiry_clicks must be 1 to {MOST_CLICKS}.')
    try:
        return {'expiry_date': day(parse_iso(date))} if date else {'expiry_clicks': clicks} if clicks else {}
    except (TypeError, ValueError) as error:
        raise refused(400, 'expiry_date must be YYYY-MM-DD.') from error


def _check_target(call: Call, node: Node, details: dict[str, Any]) -> None:
    if node.is_file != (details['type'] == 'file'):
        raise refused(400, 'The type of the link does not match its target.')
    folder = call.tree.parents(node)[-1] if node.is_file else node
    allowed = allowed_links(folder)
    if details['type'] == 'upload':
        is_allowed = allowed['allow_upload_links']
    else:
        is_allowed = details['accessibility'] in allowed[f'allowed_{details["type"]}_link_types']
    if not is_allowed or len(node.names) < 2:
        raise refused(403, 'Links of this kind are not allowed here.')


def _recipients(body: dict[str, Any], details: dict[str, Any]) -> list[str]:
    recipients = body.get('recipients') or []
    if not isinstance(recipients, list) or not all(isinstance(one, str) and '@' in one for one in recipients):
        raise refused(400, 'recipients must be a list of e-mail addresses.')
    if not recipients and (details['send_mail'] or details['accessibility'] == 'recipients'):
        raise refused(400, 'recipients are missing.')
    return recipients


def _store(call: Call, node: Node, details: dict[str, Any]) -> dict[str, Any]:
    id_ = _random(10)
    call.db.execute(
        'INSERT INTO links (id, node, user, created, details) VALUES (?, ?, ?, ?, ?)',
        (id_, node.id, call.user.id, call.now, json.dumps(details)),
    )
    return {'id': id_, 'url': _url(id_, details['type']), 'recipients': details['recipients']}


def _random(length: int) -> str:
    return ''.join(secrets.choice(ALPHABET) for _ in range(length))


def _url(id_: str, kind: str) -> str:
    """Clients check that the host looks like Egnyte's."""
    return f'https://{DOMAIN}.egnyte.com/{TYPES[kind]}/{id_}'


def _creation(created: int, username: str) -> dict[str, str]:
    return {'creation_date': day(created), 'created_by': username}


def find(call: Call, id_: str) -> dict[str, Any]:
    """Return a link as JSON; for its creator and for administrators."""
    row = call.db.execute('SELECT * FROM links WHERE id = ?', (id_,)).fetchone()
    link = row and _json(call, row)
    if not link:
        raise refused(404, 'Link does not exist.')
    return link


def remove(call: Call, id_: str) -> None:
    """Delete a link."""
    find(call, id_)
    call.db.execute('DELETE FROM links WHERE id = ?', (id_,))


def listed(call: Call, filters: dict[str, str], after: int | None, before: int | None) -> list[str]:
    """Return the ids of the links that the caller may see and that match; the newest first.

    *filters*: path, username, type, accessibility. *after* and *before* are UNIX milliseconds.
    """
    rows = call.db.execute(
        'SELECT * FROM links WHERE (:after IS NULL OR created > :after) AND (:before IS NULL OR created < :before)'
        ' ORDER BY created DESC, id',
        {'after': after, 'before': before},
    ).fetchall()
    links = [link for row in rows if (link := _json(call, row))]
    return [link['id'] for link in links if _matches(call, link, filters)]


def _matches(call: Call, link: dict[str, Any], filters: dict[str, str]) -> bool:
    names = {'username': 'created_by', 'type': 'type', 'accessibility': 'accessibility'}
    wanted = {key: filters[name].lower() for name, key in names.items() if name in filters}
    path = filters.get('path', link['path']).rstrip('/')
    return call.tree.key(path) == call.tree.key(link['path']) and all(
        link[key].lower() == value for key, value in wanted.items()
    )


def _json(call: Call, row: Any) -> dict[str, Any] | None:
    """Return the link, unless it belongs to another user or its target is in the trash."""
    node = call.tree.by_id(row['node'])
    creator = users.user(call.db, 'id', row['user'])
    if not node or not creator or not (call.user.is_admin or creator.id == call.user.id):
        return None
    details = json.loads(row['details'])
    details.pop('password', None)
    own = {'id': row['id'], 'path': node.path, 'url': _url(row['id'], details['type']), 'resource_id': node.guid}
    return own | details | _creation(row['created'], creator.username)
