"""The trash: listed, restored, purged."""

from pathlib import Path
from typing import Any

import pytest

from fsp_pyramid.sandbox import make_app

from .api import Api
from .conftest import Clock


def items(api: Api, params: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    return api.web.get('/pubapi/v2/fs/trash', params, headers=api.headers).json['items']


def act(api: Api, action: str, *ids: str, status: int = 200) -> Any:
    return api.post('fs/trash', {'action': action, 'ids': ids}, status=status).json


def count(api: Api) -> int:
    return api.web.get('/pubapi/v2/fs/trash/totalcount', headers=api.headers).json['totalCount']


def test_what_is_deleted_is_listed(api: Api, clock: Clock) -> None:
    api.upload('/Shared/x/a.txt', b'12345', Last_Modified='Tue, 16 Apr 2024 13:21:41 GMT')
    api.mkdir('/Shared/x/sub')
    api.delete('fs/Shared/x/a.txt')
    clock.now += 60
    api.delete('fs/Shared/x/sub')
    folder, file = items(api)
    assert file == {
        'id': file['id'],
        'type': 'file',
        'path': '/Shared/x/a.txt',
        'name': 'a.txt',
        'size': 5,
        'deleted_by': 'demo',
        'delete_date': '2026-11-18T11:06:40Z',
        'purge_date': '2026-12-18T11:06:40Z',
        'last_modified': '2024-04-16T13:21:41Z',
    }
    assert (folder['type'], folder['path'], folder['size']) == ('folder', '/Shared/x/sub', 0)
    assert count(api) == 2


def test_pages_and_sorting(api: Api) -> None:
    for name in 'bca':
        api.upload(f'/Shared/x/{name}')
        api.delete(f'fs/Shared/x/{name}')
    page = api.web.get('/pubapi/v2/fs/trash?count=2&sort_by=name&sort_direction=asc', headers=api.headers).json
    assert ([item['name'] for item in page['items']], page['has_more'], page['count']) == (['a', 'b'], True, 2)
    page = api.web.get('/pubapi/v2/fs/trash?count=2&offset=2', headers=api.headers).json
    assert ([item['name'] for item in page['items']], page['has_more'], page['offset']) == (['b'], False, 2)
    listing = api.get('fs/trash', {'count': 1}).json
    assert (listing['total_count'], listing['count']) == (3, 1)
    api.get('fs/trash', {'sort_by': 'colour'}, status=400)


def test_restoring_keeps_ids_and_versions(api: Api) -> None:
    api.upload('/Shared/x/y/a.txt', b'one')
    api.upload('/Shared/x/y/a.txt', b'two')
    before = api.fs('/Shared/x/y/a.txt')
    folder_id = api.fs('/Shared/x')['folder_id']
    api.delete('fs/Shared/x')
    assert act(api, 'RESTORE', items(api)[0]['id']) == {'resources': []}
    assert api.fs('/Shared/x/y/a.txt') == before
    assert api.fs('/Shared/x')['folder_id'] == folder_id
    assert items(api) == []


def test_restoring_makes_missing_parents(api: Api) -> None:
    api.upload('/Shared/x/y/a.txt')
    api.delete('fs/Shared/x/y/a.txt')
    api.delete('fs/Shared/x')
    file = next(item for item in items(api) if item['type'] == 'file')
    act(api, 'RESTORE', file['id'])
    assert api.names('/Shared/x/y') == ['a.txt']


def test_nothing_is_restored_onto_what_exists(api: Api) -> None:
    first = api.upload('/Shared/x/a.txt')
    api.delete('fs/Shared/x/a.txt')
    second = api.upload('/Shared/x/a.txt')
    (item,) = items(api)
    answer = act(api, 'RESTORE', item['id'], 'nothing', status=207)
    assert [(one['id'], one['code']) for one in answer['resources']] == [(item['id'], '409'), ('nothing', '404')]
    assert api.fs('/Shared/x/a.txt')['group_id'] == second['group_id'] != first['group_id']


def test_purging_is_for_good(api: Api, tmp_path: Path) -> None:
    for content in (b'one', b'two'):
        api.upload('/Shared/x/y/a.txt', content)
    kept = api.upload('/Shared/other/b.txt')
    api.delete('fs/Shared/x')
    (item,) = items(api)
    assert act(api, 'PURGE', item['id']) == {'resources': []}
    assert count(api) == 0
    act(api, 'RESTORE', item['id'], status=207)
    assert [path.name for path in (tmp_path / 'egnyte' / 'contents').iterdir()] == [kept['entry_id']]


def test_deep_folders_can_be_purged(api: Api) -> None:
    api.mkdir('/Shared' + '/d' * 1500)
    api.delete('fs/Shared/d')
    act(api, 'purge', items(api)[0]['id'])
    assert count(api) == 0


@pytest.mark.parametrize('body', [{'action': 'EAT', 'ids': ['1']}, {'action': 'PURGE'}, {'action': 'PURGE', 'ids': []}])
def test_bad_requests(api: Api, body: object) -> None:
    api.post('fs/trash', body, status=400)
    api.post('fs/trash', {'action': 'PURGE', 'ids': ['x'] * 11}, status=400)


def test_the_trash_is_for_administrators(api: Api, tmp_path: Path) -> None:
    alice = api.by('alice')
    alice.upload('/Private/alice/a.txt')
    alice.delete('fs/Private/alice/a.txt')
    assert 'errorMessage' in alice.get('fs/trash', status=403).json
    act(alice, 'PURGE', items(api)[0]['id'], status=403)
    everybody = Api(make_app(tmp_path / 'egnyte', trash_for_all=True)).by('alice')
    act(everybody, 'RESTORE', items(everybody)[0]['id'])
    assert alice.names('/Private/alice') == ['a.txt']
