"""Whatever comes in, the sandbox answers it: with an error of the caller's, never with one of its own."""

import json
from collections.abc import Iterator
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsp_pyramid.sandbox import make_app

from .api import Api, raw_call

PLACES = [
    *('v1/fs', 'v1/fs/ids/file', 'v1/fs/ids/folder', 'v1/fs/trash', 'v2/fs/trash', 'v1/fs-content', 'v1/links'),
    *('v1/fs-content-chunked', 'v1/perms/folder', 'v1/perms/user', 'v1/notes', 'v1/search', 'v2/search'),
    *('v1/events', 'v2/users', 'v2/groups'),
]
NAMES = [
    *('action', 'destination', 'permissions', 'lock_token', 'lock_timeout', 'ids', 'path', 'type', 'accessibility'),
    *('recipients', 'expiry_clicks', 'expiry_date', 'users', 'groups', 'permission', 'body', 'query', 'folder'),
    *('count', 'offset', 'modified_after', 'userName', 'email', 'name', 'displayName', 'members', 'allow_links'),
    *('sort_by', 'entry_id', 'id', 'startIndex', 'filter', 'folder_id', 'start_time', 'created_after'),
]
WORDS = [
    *('add_folder', 'move', 'copy', 'lock', 'unlock', 'RESTORE', 'PURGE', 'file', 'folder', 'anyone', 'Owner'),
    *('/Shared/x/a.txt', '/Shared/x', '/Shared/new', '/', '0', '-1', '9' * 30, '٣', 'name', '2026-01-01', 'demo'),
]
texts = st.sampled_from(WORDS) | st.text(st.characters(codec=None), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=6,
)
bodies = st.dictionaries(st.sampled_from(NAMES), values, max_size=5) | values


@pytest.fixture(scope='module')
def app() -> Iterator[Any]:
    with TemporaryDirectory() as directory:
        app = make_app(directory, chunk_minimum=1)
        Api(app).upload('/Shared/x/a.txt')
        yield app


@settings(max_examples=250, deadline=None)
@given(
    method=st.sampled_from(['GET', 'POST', 'DELETE', 'PATCH', 'PUT']),
    place=st.sampled_from(PLACES),
    path=st.sampled_from(['', '/Shared/x/a.txt', '/Shared/x', '/Shared/b']) | texts.map('/Shared/x/{}'.format),
    query=st.dictionaries(st.sampled_from(NAMES), texts, max_size=3),
    body=bodies,
)
def test_nothing_breaks_it(app: Any, method: str, place: str, path: str, query: dict[str, str], body: Any) -> None:
    content = json.dumps(body).encode()
    url = f'/pubapi/{place}{path}'.encode('utf-8', 'surrogatepass').decode('latin-1')
    parameters = urlencode(query, errors='surrogatepass')
    environ = {'QUERY_STRING': parameters, 'CONTENT_LENGTH': str(len(content)), 'CONTENT_TYPE': 'application/json'}
    status, headers, parts = raw_call(app, method, url, content, **environ)
    assert int(status[:3]) < 500
    if headers.get('Content-Type') == 'application/json':
        json.loads(b''.join(parts))


@settings(max_examples=100, deadline=None)
@given(headers=st.dictionaries(st.sampled_from(['Range', 'X-Egnyte-Chunk-Num', 'X-Egnyte-Last-Chunk']), texts))
def test_nor_do_headers(app: Any, headers: dict[str, str]) -> None:
    environ = {
        f'HTTP_{name.upper().replace("-", "_")}': value.encode('utf-8', 'surrogatepass').decode('latin-1')
        for name, value in headers.items()
    }
    for method, place in (('GET', 'fs-content'), ('POST', 'fs-content-chunked')):
        status, _, _ = raw_call(app, method, f'/pubapi/v1/{place}/Shared/x/a.txt', b'x', CONTENT_LENGTH='1', **environ)
        assert int(status[:3]) < 500


def test_what_is_no_text(api: Api) -> None:
    api.upload('/Shared/x/a.txt')
    body = b'{"action": "move", "destination": "/Shared/\\ud800"}'
    api.web.post('/pubapi/v1/fs/Shared/x', body, headers=api.headers, status=400)
    api.web.get('/pubapi/v1/search?query=%FF%FF%FF', headers=api.headers, status=400)
    api.web.post('/pubapi/v1/fs/Shared/x', b'{"action": "\xff"}', headers=api.headers, status=400)
    api.web.post('/pubapi/v1/fs/Shared/x', b'[' * 100_000, headers=api.headers, status=400)


def test_what_is_too_large_a_number(api: Api) -> None:
    api.upload('/Shared/x/a.txt')
    api.fs('/Shared', {'count': '9' * 30}, status=400)
    api.act('/Shared/x/a.txt', 'lock', lock_timeout=10**30, status=400)


def test_nothing_is_told_of_what_may_not_be_seen(api: Api) -> None:
    api.upload('/Shared/secret/a.txt')
    bob = api.by('bob')
    other = bob.mkdir('/Shared/nothing', status=403)
    assert bob.mkdir('/Shared/secret', status=403) == bob.mkdir('/Shared/secret/a.txt/b', status=403) == other
    bob.upload('/Private/bob/a.txt')
    for action in ('move', 'copy'):
        assert bob.act('/Private/bob/a.txt', action, destination='/Shared/secret', status=403) == other
    assert quote('/Shared/secret') not in str(bob.fs('/Shared'))
