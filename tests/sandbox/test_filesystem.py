"""Metadata, and the actions on files and folders."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fsp_pyramid.sandbox import make_app

from .api import Api
from .conftest import Clock

# What Egnyte's JavaScript and Python clients store in their own tests.
GOOD_NAMES = [
    '&yet',
    '_foo',
    'zażółćGęśląJaźń',
    'Русские Буквы',
    'download(1)',
    'download(1).foo',
    'brs{}',
    'fifty%',
    'z;z',
    '#bang#bang',
    "allAtOnce-. _~!$&'(),;=@^][`+#",
    'Iñtërnâtiônàlizætiøν☃ test',
    'hello $world & co.txt',
    'a%2Fb',
    'x' * 245,
]
BAD_NAMES = [' space ', 'danglingdot.', 'spam.tmp', 'Thumbs.db', 'a|b', 'fish><>', 'q"', 'a\nb', '😀', '..', 'x' * 246]


def test_the_root_holds_two_folders(api: Api) -> None:
    root = api.fs('/')
    assert [folder['path'] for folder in root['folders']] == ['/Private', '/Shared']
    assert root['path'] == '/'
    assert root['is_folder'] is True
    assert api.get('fs').json == root


def test_a_new_folder(api: Api, clock: Clock) -> None:
    made = api.mkdir('/Shared/Brand')
    folder = api.fs('/Shared/Brand/')
    assert made == {'folder_id': folder['folder_id']}
    now = int(clock.now * 1000)
    assert folder == {
        'name': 'Brand',
        'path': '/Shared/Brand',
        'folder_id': made['folder_id'],
        'parent_id': api.fs('/Shared')['folder_id'],
        'lastModified': now,
        'uploaded': now,
        'is_folder': True,
        'public_links': 'files_folders',
        'allow_links': True,
        'restrict_move_delete': False,
        'count': 0,
        'offset': 0,
        'total_count': 0,
        'folders': [],
        'files': [],
    }
    assert set(api.fs('/Shared')['folders'][0]) == {
        *('name', 'lastModified', 'uploaded', 'path', 'folder_id', 'parent_id', 'is_folder')
    }


def test_a_folder_that_exists_is_refused_with_one_string_and_nothing_else(api: Api) -> None:
    api.mkdir('/Shared/a')
    assert api.mkdir('/Shared/A', status=403) == {'errorMessage': 'Folder already exists at this location'}


def test_missing_parents_are_created(api: Api) -> None:
    api.mkdir('/Shared/a/b/c')
    assert api.names('/Shared/a/b') == ['c']


def test_missing_parents_are_refused_by_a_strict_sandbox(tmp_path: Path) -> None:
    api = Api(make_app(tmp_path, strict_parents=True))
    api.mkdir('/Shared/a/b', status=404)
    api.upload('/Shared/a/b.txt', status=404)
    api.mkdir('/Shared/a')
    api.upload('/Shared/a/b.txt')
    api.act('/Shared/a/b.txt', 'move', destination='/Shared/b/b.txt', status=404)


def test_nothing_is_created_in_the_root(api: Api) -> None:
    api.mkdir('/foo', status=409)
    api.mkdir('/Private/nobody', status=403)
    api.upload('/foo.txt', status=409)


@pytest.mark.parametrize('name', GOOD_NAMES)
def test_names_come_back_as_they_were_given(api: Api, name: str) -> None:
    api.mkdir(f'/Shared/{name}')
    assert api.fs(f'/Shared/{name}')['name'] == name
    stored = api.upload(f'/Shared/{name}/{name}')
    assert stored['path'] == f'/Shared/{name}/{name}'
    assert api.names(f'/Shared/{name}') == [name]


@pytest.mark.parametrize('name', BAD_NAMES)
def test_names_that_egnyte_does_not_store(api: Api, name: str) -> None:
    api.mkdir(f'/Shared/{name}', status=400)
    api.upload(f'/Shared/a/{name}', status=400)
    assert api.fs('/Shared')['folders'] == []


def test_a_path_has_5000_bytes_at_the_most(api: Api) -> None:
    api.mkdir('/Shared' + '/abcdefghi' * 500, status=400)
    api.mkdir('/Shared' + '/abcdefghi' * 499)


def test_reserved_characters_arrive_raw_or_encoded(api: Api) -> None:
    api.upload("/Shared/a/x&+,;=@$'()!~ y")
    for spelling in ("x&+,;=@$'()!~%20y", 'x%26%2B%2C%3B%3D%40%24%27%28%29%21%7E%20y'):
        assert api.get(f'fs//Shared///a/{spelling}/').json['name'] == "x&+,;=@$'()!~ y"


def test_case_is_kept_and_ignored(api: Api) -> None:
    first = api.upload('/Shared/Ärger/Straße.txt')
    second = api.upload('/Shared/äRGER/straße.TXT')
    assert second['path'] == first['path'] == '/Shared/Ärger/Straße.txt'
    assert second['group_id'] == first['group_id']


def test_only_letters_of_two_cases_are_one(api: Api) -> None:
    for name in ('k', '\N{KELVIN SIGN}', 'straße', 'STRASSE'):
        api.mkdir(f'/Shared/{name}')
    assert len(api.names('/Shared')) == 4


@pytest.mark.parametrize(('normalizing', 'number'), [(False, 2), (True, 1)])
def test_composed_and_decomposed_names(tmp_path: Path, normalizing: bool, number: int) -> None:
    api = Api(make_app(tmp_path, normalizing=normalizing))
    for name in ('\xe9', 'e\u0301'):
        api.upload(f'/Shared/d/{name}')
    assert len(api.names('/Shared/d')) == number


def test_names_in_a_root_of_an_older_version_are_found(tmp_path: Path) -> None:
    Api(make_app(tmp_path)).upload('/Shared/Straße/a')
    with closing(sqlite3.connect(tmp_path / 'sandbox.sqlite')) as db, db:
        db.execute("UPDATE nodes SET name_key = 'strasse' WHERE name = 'Straße'")
        db.execute('PRAGMA user_version = 3')
    assert Api(make_app(tmp_path)).names('/Shared/straße') == ['a']


def test_case_may_matter(tmp_path: Path) -> None:
    api = Api(make_app(tmp_path, case_sensitive=True))
    api.mkdir('/Shared/a')
    api.mkdir('/Shared/A')
    assert api.names('/Shared') == ['A', 'a']


def test_a_url_that_is_not_utf8(api: Api) -> None:
    assert 'errorMessage' in api.get('fs/Shared/%FF', status=400).json


def test_a_listing_has_folders_first_and_comes_in_pages(api: Api) -> None:
    for name in ('b', 'D'):
        api.mkdir(f'/Shared/x/{name}')
    for name in ('A', 'c', 'e'):
        api.upload(f'/Shared/x/{name}')
    assert api.names('/Shared/x') == ['b', 'D', 'A', 'c', 'e']
    assert api.names('/Shared/x', {'sort_direction': 'descending'}) == ['D', 'b', 'e', 'c', 'A']
    page = api.fs('/Shared/x', {'count': 2, 'offset': 1})
    assert (page['count'], page['offset'], page['total_count']) == (2, 1, 5)
    assert [item['name'] for item in page['folders'] + page['files']] == ['D', 'A']
    assert api.names('/Shared/x', {'offset': 9}) == []


def test_a_listing_can_be_sorted(api: Api, clock: Clock) -> None:
    for name, content in (('a', b'333'), ('b', b'1'), ('c', b'22')):
        clock.now += 60
        api.upload(f'/Shared/x/{name}', content)
    api.upload('/Shared/x/a', b'333')
    assert api.names('/Shared/x', {'sort_by': 'size'}) == ['b', 'c', 'a']
    assert api.names('/Shared/x', {'sort_by': 'last_modified'}) == ['b', 'a', 'c']
    assert api.names('/Shared/x', {'sort_by': 'last_modified', 'sort_direction': 'desc'}) == ['c', 'a', 'b']
    api.fs('/Shared/x', {'sort_by': 'colour'}, status=400)
    api.fs('/Shared/x', {'count': 'many'}, status=400)


@pytest.mark.parametrize('value', ['false', 'False', '0'])
def test_a_folder_without_its_content(api: Api, value: str) -> None:
    folder = api.fs('/Shared', {'list_content': value})
    assert not {'files', 'folders', 'count', 'total_count'} & set(folder)


def test_a_file_and_its_versions(api: Api, clock: Clock) -> None:
    first = api.upload('/Shared/x/a.txt', b'one')
    clock.now += 10
    second = api.upload('/Shared/x/a.txt', b'second')
    file = api.fs('/Shared/x/a.txt')
    assert file == {
        'name': 'a.txt',
        'path': '/Shared/x/a.txt',
        'size': 6,
        'checksum': second['checksum'],
        'entry_id': second['entry_id'],
        'group_id': first['group_id'],
        'parent_id': api.fs('/Shared/x')['folder_id'],
        'is_folder': False,
        'locked': False,
        'uploaded': int(clock.now * 1000),
        'uploaded_by': 'demo',
        'last_modified': 'Wed, 18 Nov 2026 11:06:50 GMT',
        'num_versions': 2,
        'versions': [
            {
                'checksum': first['checksum'],
                'size': 3,
                'entry_id': first['entry_id'],
                'uploaded': int(clock.now * 1000) - 10_000,
                'uploaded_by': 'demo',
                'last_modified': 'Wed, 18 Nov 2026 11:06:40 GMT',
                'is_folder': False,
            }
        ],
    }
    listed = api.fs('/Shared/x')['files'][0]
    assert listed == {key: value for key, value in file.items() if key != 'versions'}
    old = api.fs('/Shared/x/a.txt', {'entry_id': first['entry_id']})
    assert (old['size'], old['entry_id']) == (3, first['entry_id'])
    api.fs('/Shared/x/a.txt', {'entry_id': 'other'}, status=404)


def test_items_have_ids(api: Api) -> None:
    stored = api.upload('/Shared/x/a.txt')
    folder = api.fs('/Shared/x')
    assert api.fs(f'/ids/file/{stored["group_id"]}') == api.fs('/Shared/x/a.txt')
    assert api.fs(f'/ids/folder/{folder["folder_id"]}') == folder
    api.fs(f'/ids/folder/{stored["group_id"]}', status=404)
    assert 'errorMessage' in api.fs('/ids/file/nothing', status=404)


def test_move_keeps_ids_and_makes_missing_parents(api: Api) -> None:
    stored = api.upload('/Shared/x/a.txt')
    folder_id = api.fs('/Shared/x')['folder_id']
    api.act('/Shared/x', 'move', destination='/Shared/y/z')
    api.fs('/Shared/x', status=404)
    assert api.fs('/Shared/y/z')['folder_id'] == folder_id
    moved = api.fs('/Shared/y/z/a.txt')
    assert (moved['group_id'], moved['entry_id']) == (stored['group_id'], stored['entry_id'])


def test_renaming_may_change_case_only(api: Api) -> None:
    api.upload('/Shared/x/a.txt')
    api.act('/Shared/x/a.txt', 'move', destination='/Shared/x/A.TXT')
    assert api.names('/Shared/x') == ['A.TXT']
    api.act('/Shared/x/a.txt', 'move', destination='/Shared/X/A.TXT', status=403)
    api.act('/Shared/x/a.txt', 'copy', destination='/Shared/x/a.txt', status=403)


@pytest.mark.parametrize('status', [403, 409])
def test_what_exists_is_not_overwritten(tmp_path: Path, status: int) -> None:
    api = Api(make_app(tmp_path, exists_status=status))
    api.upload('/Shared/x/a.txt')
    api.upload('/Shared/x/b.txt')
    api.mkdir('/Shared/y')
    for action in ('move', 'copy'):
        for target in ('/Shared/x/b.txt', '/Shared/y'):
            assert 'errorMessage' in api.act('/Shared/x/a.txt', action, destination=target, status=status)


def test_a_folder_does_not_go_into_itself(api: Api) -> None:
    api.mkdir('/Shared/x/y')
    for action in ('move', 'copy'):
        for target in ('/Shared/x/z', '/Shared/x/y/z'):
            api.act('/Shared/x', action, destination=target, status=403)
    assert api.names('/Shared') == ['x']


def test_copies_have_ids_of_their_own_and_one_version(api: Api) -> None:
    api.upload('/Shared/x/sub/a.txt', b'old')
    stored = api.upload('/Shared/x/sub/a.txt', b'new')
    api.act('/Shared/x', 'copy', destination='/Shared/y')
    copied = api.fs('/Shared/y/sub/a.txt')
    assert copied['num_versions'] == 1
    assert copied['checksum'] == stored['checksum']
    assert not {copied['group_id'], copied['entry_id']} & {stored['group_id'], stored['entry_id']}
    api.delete('fs/Shared/x')
    assert api.content('/Shared/y/sub/a.txt').body == b'new'


def test_delete_is_recursive(api: Api) -> None:
    stored = api.upload('/Shared/x/y/a.txt')
    api.delete('fs/Shared/x')
    api.fs('/Shared/x', status=404)
    api.fs('/Shared/x/y/a.txt', status=404)
    api.fs(f'/ids/file/{stored["group_id"]}', status=404)
    api.delete('fs/Shared/x', status=404)
    assert api.upload('/Shared/x/y/a.txt')['group_id'] != stored['group_id']


def test_delete_by_id(api: Api) -> None:
    stored = api.upload('/Shared/x/a.txt')
    folder_id = api.fs('/Shared/x')['folder_id']
    api.delete(f'fs/ids/file/{stored["group_id"]}')
    assert api.names('/Shared/x') == []
    api.delete(f'fs/ids/folder/{folder_id}')
    assert api.names('/Shared') == []
    api.delete(f'fs/ids/folder/{folder_id}', status=404)


@pytest.mark.parametrize('path', ['/', '/Shared', '/Private', '/Private/demo'])
def test_the_top_folders_stay(api: Api, path: str) -> None:
    api.delete(f'fs{path}', status=403)
    api.act(path, 'move', destination='/Shared/x', status=403)


def test_deleting_the_current_version_brings_back_the_one_before(api: Api) -> None:
    one, two, three = (api.upload('/Shared/x/a.txt', content) for content in (b'1', b'22', b'333'))
    api.delete(f'fs/Shared/x/a.txt?entry_id={two["entry_id"]}')
    api.delete(f'fs/ids/file/{one["group_id"]}?entry_id={three["entry_id"]}')
    file = api.fs('/Shared/x/a.txt')
    assert (file['entry_id'], file['size'], file['num_versions']) == (one['entry_id'], 1, 1)
    assert 'versions' not in file
    assert api.content('/Shared/x/a.txt').body == b'1'
    api.delete(f'fs/Shared/x/a.txt?entry_id={three["entry_id"]}', status=404)
    api.delete(f'fs/Shared/x/a.txt?entry_id={one["entry_id"]}')
    api.fs('/Shared/x/a.txt', status=404)


@pytest.mark.parametrize(
    'body',
    [
        {'action': 'explode'},
        {'action': 'move'},
        {'action': 'move', 'destination': 5},
        {'action': 'move', 'destination': '/Shared/b', 'new_name': 'b'},
        {'action': 'move', 'destination': '/Shared/b', 'permissions': 'all'},
        {'action': 'add_folder', 'name': 'b'},
        {},
        [],
        'move',
    ],
)
def test_what_is_not_understood_is_refused(api: Api, body: object) -> None:
    api.mkdir('/Shared/a')
    api.post('fs/Shared/a', body, status=400)


def test_the_method_may_stand_in_a_header(api: Api) -> None:
    api.mkdir('/Shared/a')
    api.post('fs/Shared/a', {}, X_HTTP_Method_Override='DELETE')
    api.fs('/Shared/a', status=404)


def test_what_is_no_resource(api: Api) -> None:
    for path in ('fs%20foo', 'nothing', 'fs/ids/folder'):
        assert 'errorMessage' in api.get(path, status=404).json
