"""Search in names, and in the contents of small text files. What is uploaded is found at once.

A query is a number of words and "quoted phrases"; any of them is enough unless ``AND`` stands between them.
"""

import html
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from . import users
from .call import Call
from .permissions import Level
from .representation import mime_type
from .times import iso
from .tree import Node

TEXT_BYTES = 1024 * 1024
AROUND = 80  # characters of a snippet, on each side
SHORTEST = 3


class Query(NamedTuple):
    """Criteria of a search. Times are UNIX milliseconds; *kind* is FILE, FOLDER or ALL."""

    text: str
    folder: str = '/'
    kind: str = 'ALL'
    all_words: bool = False
    modified_after: int | None = None
    modified_before: int | None = None

    def words(self) -> list[str]:
        """Return the words and phrases, folded."""
        found = re.findall(r'"([^"]+)"|(\S+)', self.text)
        words = [(phrase or word.rstrip('*')).casefold() for phrase, word in found if word not in {'AND', 'OR'}]
        return [word for word in words if word]


def search(call: Call, query: Query) -> list[dict[str, Any]]:
    """Return the matching items that the caller may read, by path."""
    words = query.words()
    wants_all = query.all_words or ' AND ' in query.text
    folder = call.find(query.folder)
    found = []
    for id_, name, content in _candidates(call, query.kind):
        haystack = f'{name}\n{content}'.casefold()
        hits = [word in haystack for word in words]
        if not hits or not (all(hits) if wants_all else any(hits)):
            continue
        node = call.tree.by_id(id_)
        if node and node.is_inside(folder) and call.access.level(node) > Level.NAV and _is_in_time(query, node):
            found.append(_json(call, node, content, words))
    return sorted(found, key=lambda result: call.tree.key(result['path']))


def _candidates(call: Call, kind: str) -> Iterator[tuple[int, str, str]]:
    rows = call.db.execute(
        'SELECT n.id, n.name, n.is_file, v.entry_id, v.size FROM nodes n LEFT JOIN versions v ON v.id = n.version'
    ).fetchall()
    for row in rows:
        if kind == ('FOLDER' if row['is_file'] else 'FILE'):
            continue
        is_text = row['is_file'] and row['size'] <= TEXT_BYTES and mime_type(row['name']).startswith('text/')
        content = b''.join(call.contents.read([row['entry_id']])) if is_text else b''
        yield row['id'], row['name'], content.decode('utf-8', 'replace')


def _is_in_time(query: Query, node: Node) -> bool:
    modified = node.touched if node.modified is None else node.modified
    after, before = query.modified_after, query.modified_before
    return (after is None or modified >= after) and (before is None or modified <= before)


def _json(call: Call, node: Node, content: str, words: list[str]) -> dict[str, Any]:
    snippet, marked = _snippet(content, words)
    uploader = users.user(call.db, 'username', node.uploaded_by)
    return {
        'name': node.name,
        'path': node.path,
        'type': mime_type(node.name) if node.is_file else 'folder',
        'size': node.size or 0,
        'snippet': snippet,
        'snippet_html': marked,
        'entry_id': node.entry_id or '',
        'group_id': node.guid,
        'last_modified': iso(node.modified or node.touched),
        'uploaded_by': users.display_name(uploader) if uploader else '',
        'uploaded_by_username': node.uploaded_by or '',
        'num_versions': node.num_versions,
        'is_folder': not node.is_file,
        'custom_properties': [],
    }


def _snippet(content: str, words: list[str]) -> tuple[str, str]:
    """Return the text around the first hit in a content, plain and as HTML."""
    match = re.search('|'.join(map(re.escape, words)), content, re.IGNORECASE)
    if match is None:
        return '', ''
    start, stop = max(0, match.start() - AROUND), match.end() + AROUND
    before, hit, behind = content[start : match.start()], match.group(), content[match.end() : stop]
    marked = f'{html.escape(before)}<b>{html.escape(hit)}</b>{html.escape(behind)}'
    return before + hit + behind, marked
