"""Links."""

import re

import pytest

from .api import Api
from .conftest import Clock

DAY = 24 * 60 * 60


@pytest.fixture
def file(api: Api) -> str:
    api.upload('/Shared/x/a.txt')
    return '/Shared/x/a.txt'


def create(api: Api, *, status: int = 200, **body: object) -> dict:
    return api.post('links', {'type': 'file', 'accessibility': 'anyone'} | body, status=status).json


def ids(api: Api, **params: str) -> list[str]:
    return api.get('links', params).json['ids']


def test_a_link_to_a_file(api: Api, file: str) -> None:
    answer = create(api, path=file, type='File', accessibility='Anyone', notify=True)
    (link,) = answer.pop('links')
    assert answer == {
        'path': file,
        'type': 'file',
        'accessibility': 'anyone',
        'notify': True,
        'link_to_current': False,
        'send_mail': False,
        'copy_me': False,
        'creation_date': '2026-11-18',
        'created_by': 'demo',
    }
    assert re.fullmatch(rf'https://\w+\.egnyte\.com/dl/{link["id"]}', link['url'])
    assert link['recipients'] == []
    found = api.get(f'links/{link["id"]}').json
    assert found == answer | link | {'protection': 'NONE', 'resource_id': api.fs(file)['group_id']}


def test_a_link_for_each_recipient(api: Api, file: str) -> None:
    answer = create(api, path='/Shared/x', type='folder', accessibility='recipients', recipients=['a@x.com', 'b@x.com'])
    assert [link['recipients'] for link in answer['links']] == [['a@x.com'], ['b@x.com']]
    first, second = (link['id'] for link in answer['links'])
    assert answer['links'][0]['url'].endswith(f'/fl/{first}')
    api.delete(f'links/{first}')
    error = api.get(f'links/{first}', status=404).json
    assert error == {'Errors': [{'description': 'Link does not exist.', 'code': '404'}]}
    api.get(f'links/{second}')
    api.delete(f'links/{first}', status=404)


def test_passwords_and_expiry(api: Api, file: str) -> None:
    answer = create(api, path=file, accessibility='password', expiry_clicks=2)
    assert (len(answer['password']), answer['expiry_clicks']) == (8, 2)
    assert 'password' not in api.get(f'links/{answer["links"][0]["id"]}').json
    assert create(api, path=file, accessibility='password', password='own')['password'] == 'own'
    assert create(api, path=file, expiry_date='2030-01-31')['expiry_date'] == '2030-01-31'


@pytest.mark.parametrize(
    'body',
    [
        {'type': 'magic'},
        {'type': 'folder'},
        {'accessibility': 'everybody'},
        {'expiry_date': '2030-01-01', 'expiry_clicks': 1},
        {'expiry_date': 'soon'},
        {'expiry_clicks': 11},
        {'recipients': 'a@x.com'},
        {'send_email': True},
        {'accessibility': 'recipients'},
        {'path': 5},
    ],
)
def test_bad_links(api: Api, file: str, body: dict[str, object]) -> None:
    create(api, status=400, **({'path': file} | body))


def test_links_to_what_is_not_there(api: Api, file: str) -> None:
    assert 'Errors' in create(api, path='/Shared/nothing', status=404)
    assert 'Errors' in create(api.by('bob'), path=file, status=404)


def test_folder_options_forbid_links(api: Api, file: str) -> None:
    api.web.patch_json('/pubapi/v1/fs/Shared/x', {'public_links': 'disabled'}, headers=api.headers)
    create(api, path=file, status=403)
    create(api, path=file, accessibility='domain')
    create(api, path='/Shared/x', type='upload')
    api.web.patch_json('/pubapi/v1/fs/Shared/x', {'allow_upload_links': False}, headers=api.headers)
    create(api, path='/Shared/x', type='upload', status=403)


def test_lists(api: Api, file: str, clock: Clock) -> None:
    api.by('bob').upload('/Private/bob/b.txt')
    first = create(api, path=file)['links'][0]['id']
    clock.now += 2 * DAY
    second = create(api, path='/Shared/x', type='folder', accessibility='domain')['links'][0]['id']
    third = create(api.by('bob'), path='/Private/bob/b.txt')['links'][0]['id']
    assert set(ids(api)) == {first, second, third}
    assert ids(api.by('bob')) == [third]
    api.by('bob').get(f'links/{first}', status=404)
    assert ids(api, path='/shared/X/') == [second]
    assert ids(api, username='BOB') == [third]
    assert ids(api, type='Folder') == ids(api, accessibility='Domain') == [second]
    assert ids(api, created_before='2026-11-19') == [first]
    assert set(ids(api, created_after='2026-11-19')) == {second, third}
    page = api.get('links', {'count': 2, 'offset': 2}).json
    assert page == {'ids': [first], 'offset': 2, 'count': 1, 'total_count': 3}
    assert api.get('links').json['count'] == 0
    api.get('links', {'created_after': 'soon'}, status=400)


def test_links_follow_their_file(api: Api, file: str) -> None:
    id_ = create(api, path=file)['links'][0]['id']
    api.act(file, 'move', destination='/Shared/y/b.txt')
    assert api.get(f'links/{id_}').json['path'] == '/Shared/y/b.txt'
    api.delete('fs/Shared/y/b.txt')
    assert ids(api) == []
