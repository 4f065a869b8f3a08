"""Folders: options, statistics, parents."""

import pytest

from .api import Api


def configure(api: Api, options: object, *, path: str = '/Shared/x', status: int = 200) -> dict[str, object]:
    return api.web.patch_json(f'/pubapi/v1/fs{path}', options, headers=api.headers, status=status).json


def test_options(api: Api) -> None:
    api.mkdir('/Shared/x')
    changed = configure(api, {'folder_description': 'All of it', 'public_links': 'files', 'allow_upload_links': False})
    assert (changed['folder_description'], changed['public_links']) == ('All of it', 'files')
    assert 'email_preferences' not in configure(api, {'email_preferences': {'content_updates': True}})
    assert api.fs('/Shared/x')['folder_description'] == 'All of it'
    links = api.fs('/Shared/x', {'allowed_link_types': 'true'})
    assert links['allow_upload_links'] is False
    assert 'anyone' in links['allowed_file_link_types']
    assert links['allowed_folder_link_types'] == ['domain', 'recipients']
    configure(api, {'allow_links': False})
    assert api.fs('/Shared/x', {'allowed_link_types': 'true'})['allowed_file_link_types'] == []


@pytest.mark.parametrize(
    'options',
    [{}, {'colour': 'red'}, {'allow_links': 'yes'}, {'public_links': []}, {'folder_description': 'x' * 201}, []],
)
def test_bad_options(api: Api, options: object) -> None:
    api.mkdir('/Shared/x')
    configure(api, options, status=400)


def test_options_are_for_owners_and_folders(api: Api) -> None:
    api.upload('/Private/bob/a.txt')
    configure(api.by('bob'), {'allow_links': False}, path='/Private/bob')
    configure(api.by('bob'), {'allow_links': False}, path='/Private/bob/a.txt', status=403)
    configure(api.by('bob'), {'allow_links': False}, path='/Shared', status=403)


def test_restricted_folders_stay(api: Api) -> None:
    bob = api.by('bob')
    bob.mkdir('/Private/bob/x')
    configure(bob, {'restrict_move_delete': True}, path='/Private/bob/x')
    bob.act('/Private/bob/x', 'move', destination='/Private/bob/y')
    configure(bob, {'move_delete_folder_restriction': 'admins_only'}, path='/Private/bob/y')
    bob.delete('fs/Private/bob/y', status=403)
    api.delete('fs/Private/bob/y')


def test_statistics(api: Api) -> None:
    for content in (b'12345', b'123'):
        api.upload('/Shared/x/sub/a.txt', content)
    api.upload('/Shared/x/b.txt', b'x' * 2048)
    folder = api.fs('/Shared/x', {'includeStats': 'true'})
    assert folder['folderStats'] == {
        'allVersionsSize': 2056,
        'allFilesSize': 2051,
        'filesCount': 2,
        'fileVersionsCount': 3,
        'foldersCount': 2,
        'allFilesSizeInKB': 2,
        'allVersionsSizeInKB': 2,
    }
    assert api.get(f'fs/ids/folder/{folder["folder_id"]}/stats').json == folder['folderStats']


def test_parents(api: Api) -> None:
    api.mkdir('/Shared/x/y')
    folder = api.fs('/Shared/x/y')
    answer = api.get(f'fs/ids/folder/{folder["folder_id"]}/parents').json
    assert answer['self']['folder_id'] == folder['folder_id']
    assert [parent['path'] for parent in answer['parents']] == ['/', '/Shared', '/Shared/x']
