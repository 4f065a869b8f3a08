"""Users, groups, and the permissions that they are granted."""

from typing import Any

import pytest

from .api import Api

USER = {
    'userName': 'carol',
    'externalId': 'S-1-5',
    'email': 'carol@example.com',
    'name': {'familyName': 'Clark', 'givenName': 'Carol'},
    'active': True,
    'sendInvite': False,
    'authType': 'egnyte',
    'userType': 'power',
}


def call(api: Api, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
    url = f'/pubapi/v2/{path}'
    if body is None:
        return getattr(api.web, method)(url, headers=api.headers, status=status).json
    return getattr(api.web, f'{method}_json')(url, body, headers=api.headers, status=status).json


@pytest.fixture
def carol(api: Api) -> dict[str, Any]:
    return call(api, 'post', 'users', USER, status=201)


def test_a_new_user(api: Api, carol: dict[str, Any]) -> None:
    name = {'givenName': 'Carol', 'familyName': 'Clark', 'formatted': 'Carol Clark'}
    assert {key: carol[key] for key in ('userName', 'externalId', 'email', 'name', 'active', 'userType', 'groups')} == {
        'userName': 'carol',
        'externalId': 'S-1-5',
        'email': 'carol@example.com',
        'name': name,
        'active': True,
        'userType': 'power',
        'groups': [],
    }
    assert call(api, 'get', f'users/{carol["id"]}') == carol
    assert api.names('/Private') == ['alice', 'bob', 'carol', 'demo']
    assert api.get('fs/Private', X_Egnyte_Act_As='carol').json['total_count'] == 1


@pytest.mark.parametrize(
    ('changed', 'status'),
    [
        ({'userName': 'CAROL'}, 409),
        ({'userName': '-x'}, 400),
        ({'userName': None}, 400),
        ({'userName': 'dave', 'email': ''}, 400),
        ({'userName': 'dave', 'name': {}}, 400),
        ({'userName': 'dave', 'userType': 'king'}, 400),
    ],
)
def test_refused_users(api: Api, carol: dict[str, Any], changed: dict[str, Any], status: int) -> None:
    call(api, 'post', 'users', USER | changed, status=status)


def test_changing_a_user(api: Api, carol: dict[str, Any]) -> None:
    path = f'users/{carol["id"]}'
    changed = call(api, 'patch', path, {'email': 'c@x.com', 'name': {'familyName': 'Cox'}, 'givenName': 'C.'})
    assert (changed['email'], changed['name']['formatted'], changed['externalId']) == ('c@x.com', 'C. Cox', 'S-1-5')
    assert call(api, 'patch', path, {'active': False})['active'] is False
    assert api.get('perms/user/carol', {'folder': '/Shared'}).json == {'permission': 'Nav'}
    api.get('userinfo', status=400, X_Egnyte_Act_As='carol')
    call(api, 'patch', path, {'authType': 'magic'}, status=400)


def test_deleting_a_user(api: Api, carol: dict[str, Any]) -> None:
    api.post('perms/folder/Shared', {'users': ['carol'], 'permission': 'Viewer'})
    call(api, 'delete', f'users/{carol["id"]}')
    assert call(api, 'get', f'users/{carol["id"]}', status=404) == {'message': 'User not found'}
    assert api.get('perms/folder/Shared').json['users'] == []
    call(api, 'delete', 'users/1', status=403)
    call(api, 'post', 'users', USER, status=201)


def test_listing_users(api: Api) -> None:
    page = call(api, 'get', 'users?startIndex=2&count=1')
    assert (page['totalResults'], page['itemsPerPage'], page['startIndex']) == (3, 1, 2)
    assert [user['userName'] for user in page['resources']] == ['alice']
    for text in ('userName eq "BOB"', 'email eq "bob@example.com"', 'userName sw "b"', 'email co "bob@"'):
        found = api.web.get('/pubapi/v2/users/', {'filter': text}, headers=api.headers).json['resources']
        assert [user['userName'] for user in found] == ['bob']
    call(api, 'get', 'users?filter=nonsense', status=400)


def test_groups(api: Api) -> None:
    group = call(
        api, 'post', 'groups', {'displayName': 'Editors', 'members': [{'value': 2}, {'value': 99}]}, status=201
    )
    assert group['members'] == [{'username': 'alice', 'value': 2, 'display': 'Alice Adams'}]
    path = f'groups/{group["id"]}'
    assert call(api, 'get', 'users/2')['groups'] == [{'displayName': 'Editors', 'value': group['id']}]
    assert call(api, 'patch', path, {'displayName': 'Writers'})['members'] == group['members']
    assert call(api, 'get', 'groups?filter=displayName%20eq%20%22writers%22')['totalResults'] == 1
    assert call(api, 'put', path, {'displayName': 'All'})['members'] == []
    assert call(api, 'patch', path, {'members': [{'value': '3'}]})['members'][0]['username'] == 'bob'
    call(api, 'post', 'groups', {'displayName': 'ALL'}, status=409)
    call(api, 'put', path, {}, status=400)
    call(api, 'patch', path, {'Operations': []}, status=400)
    call(api, 'patch', path, {'members': [{}]}, status=400)
    call(api, 'delete', path)
    call(api, 'get', path, status=404)


def test_the_directory_is_for_administrators(api: Api) -> None:
    for path in ('users', 'users/1', 'groups'):
        call(api.by('alice'), 'get', path, status=403)


def test_granting_permissions(api: Api) -> None:
    api.mkdir('/Shared/x/sub')
    call(api, 'post', 'groups', {'displayName': 'Editors', 'members': [{'value': 2}]}, status=201)
    api.post('perms/folder/Shared/x', {'users': ['Bob', 'banana'], 'permission': 'viewer'})
    api.post('perms/folder//Shared/x', {'groups': ['editors'], 'permission': 'Editor'})
    api.post('perms/folder/Shared/x/sub', {'users': ['bob'], 'permission': 'None'})
    assert api.get('perms/folder/Shared/x').json == {
        'users': [{'subject': 'bob', 'permission': 'Viewer'}, {'subject': 'demo', 'permission': 'Owner'}],
        'groups': [{'subject': 'Editors', 'permission': 'Editor'}],
    }
    asked = api.get('perms/folder/Shared/x/sub', {'users': 'BOB|alice'}).json
    assert asked == {'users': [{'subject': 'bob', 'permission': 'None'}], 'groups': []}
    assert api.fs('/Shared/x', {'perms': 'true'})['permissions'] == api.get('perms/folder/Shared/x').json
    api.by('bob').fs('/Shared/x/sub', status=404)
    api.by('alice').upload('/Shared/x/sub/a.txt')


@pytest.mark.parametrize(
    ('path', 'body', 'status'),
    [
        ('/Shared/x', {'users': ['bob'], 'permission': 'King'}, 400),
        ('/Shared/x', {'users': 'bob', 'permission': 'Full'}, 400),
        ('/Private/bob', {'users': ['bob'], 'permission': 'Full'}, 403),
        ('/Shared/x/a.txt', {'users': ['bob'], 'permission': 'Full'}, 403),
        ('/Shared/nothing', {'users': ['bob'], 'permission': 'Full'}, 404),
    ],
)
def test_refused_grants(api: Api, path: str, body: dict[str, Any], status: int) -> None:
    api.upload('/Shared/x/a.txt')
    api.post(f'perms/folder{path}', body, status=status)


def test_permissions_are_for_owners(api: Api) -> None:
    api.mkdir('/Shared/x')
    api.post('perms/folder/Shared/x', {'users': ['alice'], 'permission': 'Full'})
    alice = api.by('alice')
    alice.get('perms/folder/Shared/x', status=403)
    alice.post('perms/folder/Shared/x', {'users': ['bob'], 'permission': 'Viewer'}, status=403)
    assert 'permissions' not in alice.fs('/Shared/x', {'perms': 'true'})


def test_effective_permissions(api: Api) -> None:
    api.mkdir('/Shared/x')
    api.post('perms/folder/Shared/x', {'users': ['bob'], 'permission': 'Viewer Only'})
    folder_id = api.fs('/Shared/x')['folder_id']
    assert api.get('perms/user/bob', {'folder': '/Shared/x'}).json == {'permission': 'Viewer Only'}
    assert api.get('perms/user/alice', {'folder_id': folder_id}).json == {'permission': 'None'}
    assert api.get('perms/user', {'folder': '/Shared/x'}).json == {'permission': 'Owner'}
    bob = api.by('bob')
    assert bob.get('perms/user/', {'folder': '/Shared/x'}).json == {'permission': 'Viewer Only'}
    assert 'not authorized' in bob.get('perms/user/alice', {'folder': '/Shared/x'}, status=403).json['errorMessage']
    api.get('perms/user/banana', {'folder': '/Shared/x'}, status=403)
    bob.get('perms/user', status=400)
    bob.get('perms/user', {'folder_id': 'other'}, status=404)
