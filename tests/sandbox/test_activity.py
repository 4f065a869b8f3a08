"""Notes, search, events and settings."""

from typing import Any

import pytest

from .api import Api
from .conftest import Clock


def note(api: Api, path: str = '/Shared/x/a.txt', body: str = 'Nice') -> dict[str, Any]:
    return api.post('notes', {'path': path, 'body': body}, status=201).json


def notes(api: Api, **params: Any) -> list[str]:
    return [one['message'] for one in api.get('notes', params).json['notes']]


def test_a_note(api: Api) -> None:
    stored = api.upload('/Shared/x/a.txt')
    made = note(api)
    assert made == {
        'id': made['id'],
        'file_id': stored['group_id'],
        'file_path': '/Shared/x/a.txt',
        'message': 'Nice',
        'username': 'demo',
        'formatted_name': 'Demo Admin',
        'creation_time': '2026-11-18T11:06:40.250+0000',
        'can_delete': True,
    }
    assert api.get(f'notes/{made["id"]}').json == made
    api.delete(f'notes/{made["id"]}')
    assert api.get(f'notes/{made["id"]}', status=404).json == {'message': 'Note not found'}


def test_lists_of_notes(api: Api, clock: Clock) -> None:
    for path in ('/Shared/x/a.txt', '/Shared/x/sub/b.txt', '/Shared/y/c.txt'):
        api.upload(path)
        note(api, path, path[-5])
        clock.now += 24 * 60 * 60
    assert notes(api) == ['c', 'b', 'a']
    assert notes(api, file='/Shared/x/a.txt') == ['a']
    assert notes(api, folder='/Shared/x') == ['b', 'a']
    assert notes(api, start_time='2026-11-19', end_time='2026-11-20') == ['b']
    page = api.get('notes', {'offset': 1, 'count': 1}).json
    assert ([one['message'] for one in page['notes']], page['total_results'], page['offset']) == (['b'], 3, 1)
    assert notes(api.by('bob')) == []


def test_notes_go_with_their_file(api: Api) -> None:
    api.upload('/Shared/x/a.txt')
    note(api)
    api.delete('fs/Shared/x')
    api.upload('/Shared/x/a.txt')
    assert notes(api) == []


def test_refused_notes(api: Api) -> None:
    api.upload('/Private/bob/a.txt')
    made = note(api, '/Private/bob/a.txt')
    bob = api.by('bob')
    assert bob.get(f'notes/{made["id"]}').json['can_delete'] is False
    bob.delete(f'notes/{made["id"]}', status=403)
    for body in ({'path': '/Private/bob', 'body': 'x'}, {'path': '/Private/bob/a.txt'}, {'body': 'x'}):
        assert 'formErrors' in bob.post('notes', body, status=400).json
    bob.post('notes', {'path': '/Shared/x', 'body': 'x'}, status=404)


def found(api: Api, query: str, **params: Any) -> list[str]:
    return [one['path'] for one in api.get('search', {'query': query} | params).json['results']]


@pytest.fixture
def texts(api: Api, clock: Clock) -> Api:
    api.upload('/Shared/x/lorem ipsum.txt', b'dolor <sit> amet')
    clock.now += 24 * 60 * 60
    api.upload('/Shared/x/sub/Dolor.png', b'\x89PNG sit')
    api.upload('/Shared/y/other.txt', b'x' * 200 + b' Sit ' + b'y' * 200)
    return api


def test_search_in_names_and_texts(texts: Api) -> None:
    assert found(texts, 'DOLOR') == ['/Shared/x/lorem ipsum.txt', '/Shared/x/sub/Dolor.png']
    assert found(texts, 'ipsum Sit') == ['/Shared/x/lorem ipsum.txt', '/Shared/y/other.txt']
    assert found(texts, 'ipsum AND sit') == found(texts, 'ipsum sit', query_operator='ALL')
    assert found(texts, 'ipsum AND sit') == ['/Shared/x/lorem ipsum.txt']
    assert found(texts, '"lorem ipsum"') == found(texts, 'lore*') == ['/Shared/x/lorem ipsum.txt']
    assert found(texts, '"***"') == []
    assert found(texts, 'sub') == ['/Shared/x/sub']


def test_search_can_be_narrowed(texts: Api) -> None:
    assert found(texts, 'dolor', folder='/Shared/x/sub') == ['/Shared/x/sub/Dolor.png']
    assert found(texts, 'sub', type='FILE') == []
    assert found(texts, 'dolor', type='FOLDER') == []
    assert found(texts, 'dolor', modified_before='2026-11-19T00:00:00Z') == ['/Shared/x/lorem ipsum.txt']
    assert found(texts, 'dolor', modified_after='2026-11-19') == ['/Shared/x/sub/Dolor.png']
    page = texts.get('search', {'query': 'dolor', 'count': 1, 'offset': 1}).json
    assert (len(page['results']), page['total_count'], page['count'], page['offset']) == (1, 2, 1, 1)
    texts.get('search', {'query': 'do'}, status=400)
    texts.get('search', {'query': 'dolor', 'modified_after': 'soon'}, status=400)
    texts.get('search', {'query': 'dolor', 'folder': '/Shared/nothing'}, status=404)


def test_a_search_result(texts: Api) -> None:
    result = texts.get('search', {'query': 'ipsum sit'}).json['results'][0]
    file = texts.fs('/Shared/x/lorem ipsum.txt')
    assert result == {
        'name': 'lorem ipsum.txt',
        'path': '/Shared/x/lorem ipsum.txt',
        'type': 'text/plain',
        'size': 16,
        'snippet': 'dolor <sit> amet',
        'snippet_html': 'dolor &lt;<b>sit</b>&gt; amet',
        'entry_id': file['entry_id'],
        'group_id': file['group_id'],
        'last_modified': '2026-11-18T11:06:40Z',
        'uploaded_by': 'Demo Admin',
        'uploaded_by_username': 'demo',
        'num_versions': 1,
        'is_folder': False,
        'custom_properties': [],
    }


def test_search_by_json(texts: Api) -> None:
    def post(body: dict[str, Any], status: int = 200) -> Any:
        return texts.web.post_json('/pubapi/v2/search', body, headers=texts.headers, status=status).json

    page = post({'query': 'dolor', 'count': 1})
    assert (page['hasMore'], page['total_count'], page['offset']) == (True, 2, 0)
    page = post({'query': 'dolor', 'folder': '/Shared/x/sub', 'modified_after': 0, 'query_operator': 'ALL'})
    assert (page['hasMore'], [one['name'] for one in page['results']]) == (False, ['Dolor.png'])
    post({'query': 'dolor', 'count': 'many'}, 400)
    post({}, 400)


def test_search_shows_only_what_may_be_read(texts: Api) -> None:
    texts.post('perms/folder/Shared/x/sub', {'users': ['bob'], 'permission': 'Viewer'})
    assert found(texts.by('bob'), 'dolor') == ['/Shared/x/sub/Dolor.png']


def events(api: Api, id_: int = 0, *, status: int = 200, **params: Any) -> list[tuple[str, str]]:
    listing = api.get('events', {'id': id_} | params, status=status)
    if status != 200:
        return []
    return [(event['action'], event['data']['target_path']) for event in listing.json['events']]


def test_all_changes_are_events(api: Api) -> None:
    api.upload('/Shared/x/a.txt')
    api.act('/Shared/x/a.txt', 'move', destination='/Shared/x/b.txt')
    api.act('/Shared/x/b.txt', 'copy', destination='/Shared/x/c.txt')
    api.act('/Shared/x/c.txt', 'move', destination='/Shared/y/c.txt')
    note(api, '/Shared/x/b.txt')
    api.delete('fs/Shared/y')
    (item,) = api.get('fs/trash').json['items']
    api.post('fs/trash', {'action': 'RESTORE', 'ids': [item['id']]})
    assert events(api) == [
        ('create', '/Shared/x'),
        ('create', '/Shared/x/a.txt'),
        ('rename', '/Shared/x/b.txt'),
        ('copy', '/Shared/x/c.txt'),
        ('create', '/Shared/y'),
        ('move', '/Shared/y/c.txt'),
        ('create', '/Shared/x/b.txt'),
        ('delete', '/Shared/y'),
        ('restore', '/Shared/y'),
    ]


def test_an_event(api: Api) -> None:
    stored = api.upload('/Shared/x/a b.txt')
    api.act('/Shared/x/a b.txt', 'move', destination='/Shared/x/b.txt')
    listing = api.get('events', {'id': 1}).json
    assert (listing['latest_id'], listing['oldest_id'], listing['count']) == (3, 2, 2)
    target = {'target_id': stored['entry_id'], 'target_group_id': stored['group_id']}
    source = {'source_id': stored['entry_id'], 'source_group_id': stored['group_id']}
    assert listing['events'][1] == {
        'id': 3,
        'timestamp': '2026-11-18T11:06:40.250Z',
        'action_source': 'PublicAPI',
        'actor': 1,
        'type': 'file_system',
        'action': 'rename',
        'object_detail': 'https://sandbox.egnyte.com/pubapi/v1/fs/Shared/x/b.txt',
        'data': target
        | source
        | {'target_path': '/Shared/x/b.txt', 'source_path': '/Shared/x/a b.txt', 'is_folder': False},
    }
    assert listing['events'][0]['object_detail'].endswith('/Shared/x/a%20b.txt')


def test_the_cursor(api: Api) -> None:
    cursor = api.get('events/cursor').json
    assert (cursor['oldest_event_id'], cursor['latest_event_id']) == (0, 0)
    api.mkdir('/Shared/x/y')
    cursor = api.get('events/cursor').json
    assert cursor == {'oldest_event_id': 1, 'latest_event_id': 2, 'timestamp': '2026-11-18T11:06:40.250Z'}
    events(api, 2, status=204)
    assert api.get('events', {'id': 3}, status=404).json == {'message': 'Invalid cursor'}


def test_events_can_be_narrowed(api: Api) -> None:
    api.upload('/Shared/x/a.txt')
    api.upload('/Shared/xy/b.txt')
    note(api)
    api.upload('/Private/bob/b.txt')
    bob = api.by('bob')
    bob.mkdir('/Private/bob/mine')
    assert events(api, folder='/Shared/X/') == [('create', '/Shared/x'), *[('create', '/Shared/x/a.txt')] * 2]
    assert events(api, type='note') == [('create', '/Shared/x/a.txt')]
    assert len(events(api, type='note|file_system')) == 7
    assert events(api, count=1, reverse='1') == [('create', '/Private/bob/mine')]
    assert events(api, 5, suppress='user') == [('create', '/Private/bob/mine')]
    events(api, 5, suppress='app', status=204)
    assert events(bob) == [('create', '/Private/bob/b.txt'), ('create', '/Private/bob/mine')]
    for params in ({'count': 0}, {'count': 101}, {'id': ''}):
        api.get('events', {'id': 0} | params, status=400)


def test_settings(api: Api) -> None:
    api.upload('/Shared/x/a.txt', b'12345')
    filesystem = api.get('fs/settings').json
    assert (filesystem['used'], set(filesystem)) == (5, {'locale', 'total', 'used'})
    assert {'expiration', 'file_links', 'folder_links'} == set(api.get('links/settings').json)
    assert 'archive_audit_reports' in api.get('audit/settings').json
    users = api.web.get('/pubapi/v2/users/settings', headers=api.headers).json
    assert {'licenses', 'sso_enabled', 'power_user_rights'} == set(users)
