"""Every operation and error of the protocol, through HTTP, over the sandbox."""

import hashlib
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest

from fsp_pyramid.paths import MAX_NAMES
from fsp_pyramid.testing import Sandbox

from ..conftest import Source
from .beefree import PNG, Beefree, outcome

JPEG = b'\xff\xd8\xff\xe0' + b'j' * 100


def test_fields_of_a_listing_are_exactly_typed(client: Beefree, source: Source) -> None:
    before = int(time.time() * 1000) - 2000
    client.create('/sub/')
    client.upload('/a b+é.png', source.offer(PNG))
    answer = client.get('/')
    assert answer.content_type == 'application/json'
    assert answer.json['status'] == 'success'
    meta, items = answer.json['data']['meta'], answer.json['data']['items']
    assert meta.pop('last-modified') >= 0
    assert meta == {
        'mime-type': 'application/directory',
        'name': 'root',
        'path': '/',
        'size': 0,
        'permissions': 'rw',
        'item-count': 4,
        'extra': {},
    }
    assert [item['path'] for item in items] == ['/shared/', '/sub/', '/team/', '/a b+é.png']
    shared, sub, _, file = items
    assert before < sub.pop('last-modified') < before + 60_000
    assert sub == {
        'mime-type': 'application/directory',
        'name': 'sub',
        'path': '/sub/',
        'size': 0,
        'permissions': 'rw',
        'item-count': 0,
        'extra': {},
    }
    assert (shared['permissions'], shared['last-modified'], shared['item-count']) == ('ro', 0, 0)
    modified, url, thumbnail = file.pop('last-modified'), file.pop('public-url'), file.pop('thumbnail')
    assert type(modified) is int
    assert before < modified < before + 60_000
    assert file == {
        'mime-type': 'image/png',
        'name': 'a b+é.png',
        'path': '/a b+é.png',
        'size': len(PNG),
        'permissions': 'rw',
        'extra': {'can-move': True},
    }
    assert url.startswith('http://localhost/fsp-public/')
    assert url.endswith('/a%20b%2B%C3%A9.png')
    digits = hashlib.sha512(PNG).hexdigest()[:12]
    assert re.fullmatch(rf'http://localhost/fsp-public/[\w-]+/{digits}/a%20b%2B%C3%A9\.png', thumbnail)


def test_base_url_without_a_slash_is_the_root(client: Beefree) -> None:
    assert client.get('').json == client.get('/').json


def test_head_is_get_without_a_body(client: Beefree) -> None:
    got, head = client.get('/'), client.request('HEAD', '/')
    assert head.status_int == 200
    assert head.body == b''
    assert head.content_length == len(got.body)


def test_move_flag_lists_directories_only(client: Beefree, source: Source) -> None:
    client.upload('/a.png', source.offer(PNG))
    for name, value in (('X-BEE-fsp-flags', 'move'), ('x_bee_FSP_flags', 'MOVE'), ('X_BEE_FSP_FLAGS', 'a, Move')):
        paths = [item['path'] for item in client.get('/', **{name: value}).json['data']['items']]
        assert paths == ['/shared/', '/team/']
    assert len(client.get('/', X_BEE_fsp_flags='other').json['data']['items']) == 3


def test_mapped_directory_has_its_metadata_once_it_was_listed(client: Beefree) -> None:
    client.get('/shared/')
    shared = client.get('/').json['data']['items'][0]
    assert shared['last-modified'] > 0
    assert shared['item-count'] == 1


def test_metadata_of_a_file(client: Beefree) -> None:
    answer = client.get('/shared/LOGO.png')
    assert outcome(answer) == (200, None)
    assert list(answer.json['data']) == ['meta']
    meta = answer.json['data']['meta']
    assert (meta['name'], meta['size'], meta['permissions']) == ('logo.png', 4, 'ro')
    assert meta['extra'] == {'can-move': False}


def test_slash_decides_between_file_and_directory(client: Beefree, source: Source) -> None:
    client.create('/a.png/')
    client.upload('/b', source.offer(PNG))
    assert outcome(client.get('/a.png')) == (404, 3200)
    assert outcome(client.get('/b/')) == (404, 3200)
    assert outcome(client.get('/none')) == (404, 3200)
    assert outcome(client.get('/none/')) == (404, 3200)


def test_directory_is_created(client: Beefree) -> None:
    answer = client.create('/New (1)_dir.-/')
    assert outcome(answer) == (201, None)
    meta = answer.json['data']['meta']
    assert (meta['path'], meta['name'], meta['permissions']) == ('/New (1)_dir.-/', 'New (1)_dir.-', 'rw')
    assert (meta['item-count'], meta['size'], meta['extra']) == (0, 0, {})
    assert client.get('/New (1)_dir.-/').json['data']['items'] == []


def test_impossible_directories_are_refused(client: Beefree, source: Source) -> None:
    client.create('/a/')
    client.upload('/f', source.offer(PNG))
    assert outcome(client.create('/A/')) == (403, 3400)
    assert outcome(client.create('/f/')) == (403, 3400)
    assert outcome(client.create('/SHARED/')) == (403, 3400)
    assert outcome(client.create('/')) == (403, 3400)
    assert outcome(client.create('/none/b/')) == (403, 3300)
    assert outcome(client.create('/shared/b/')) == (403, 3300)
    answer = client.create('/what*/')
    assert outcome(answer) == (400, 3905)
    assert 'the character * is not allowed' in answer.json['details']


def test_empty_directory_is_deleted_and_others_are_refused(client: Beefree, source: Source, sandbox: Sandbox) -> None:
    client.create('/a/')
    client.upload('/a/f', source.offer(PNG))
    assert outcome(client.delete('/a/')) == (403, 3908)
    client.delete('/a/f')
    answer = client.delete('/a/')
    assert answer.json == {'status': 'success', 'data': None}
    assert outcome(client.delete('/a/')) == (404, 3200)
    assert not sandbox.exists('/Shared/Beefree/u1/a')


def test_directory_that_was_filled_meanwhile_is_not_deleted(client: Beefree, sandbox: Sandbox) -> None:
    client.create('/a/')
    sandbox.upload('/Shared/Beefree/u1/a/f', b'x')  # the cached listing is empty
    assert outcome(client.delete('/a/')) == (403, 3908)


@pytest.mark.parametrize('path', ['/', '/shared/', '/team/'])
def test_configured_directories_cannot_be_deleted(client: Beefree, path: str) -> None:
    assert outcome(client.delete(path)) == (403, 3300)


def test_delete_without_a_slash_never_deletes_a_directory(client: Beefree, sandbox: Sandbox) -> None:
    client.get('/')
    sandbox.upload('/Shared/Beefree/u1/tree/deep/f', b'x')  # it appeared a moment ago
    for _ in range(2):
        assert outcome(client.delete('/tree')) == (404, 3200)
        assert sandbox.content('/Shared/Beefree/u1/tree/deep/f') == b'x'
        client.get('/tree/')


def test_upload_stores_the_content_of_the_source(client: Beefree, source: Source, sandbox: Sandbox) -> None:
    answer = client.upload('/pic.png', source.offer(PNG))
    assert outcome(answer) == (201, None)
    meta = answer.json['data']['meta']
    assert (meta['path'], meta['size'], meta['mime-type']) == ('/pic.png', len(PNG), 'image/png')
    assert sandbox.content('/Shared/Beefree/u1/pic.png') == PNG
    served = client.public(meta['public-url'])
    assert (served.status_int, served.body, served.content_type) == (200, PNG, 'image/png')
    assert client.get('/pic.png').json['data']['meta'] == meta


@pytest.mark.parametrize('directory', ['/editor_images/', '/favicon_images/'])
def test_implied_directories_are_created_by_an_upload(client: Beefree, source: Source, directory: str) -> None:
    assert outcome(client.upload(f'{directory}a.png', source.offer(PNG))) == (201, None)
    assert outcome(client.upload(f'{directory}b.png', source.offer(PNG))) == (201, None)
    assert client.names(directory) == ['a.png', 'b.png']
    assert directory[1:] in client.names('/')


def test_impossible_uploads_are_refused_before_the_download(client: Beefree, source: Source) -> None:
    url = source.offer(PNG)
    client.create('/d/')
    client.upload('/f.png', url)
    source.asked.clear()
    assert outcome(client.upload('/none/a.png', url)) == (403, 3300)
    assert outcome(client.upload('/shared/a.png', url)) == (403, 3300)
    assert outcome(client.upload('/a*.png', url)) == (400, 3905)
    assert outcome(client.upload('/f.png', url, 'ask')) == (409, 3400)
    assert outcome(client.upload('/d', url, 'replace')) == (409, 3401)
    assert outcome(client.upload('/shared', url, 'ask')) == (409, 3401)
    assert source.asked == []


@pytest.mark.parametrize('folders', ['/ /Shared/Brand ro', '/a/ /Shared/Team'])
def test_implied_directories_need_a_writable_root(
    make_app: Callable[..., Any], sandbox: Sandbox, source: Source, folders: str
) -> None:
    client, url = Beefree(make_app(folders=folders)), source.offer(PNG)
    source.asked.clear()
    assert outcome(client.upload('/editor_images/a.png', url)) == (403, 3300)
    assert source.asked == []


@pytest.mark.parametrize(
    ('body', 'complaint'),
    [
        (b'', 'JSON'),
        (b'{', 'JSON'),
        (b'\xff', 'JSON'),
        (b'[' * 100_000, 'JSON'),
        (b'[]', 'must be a JSON object'),
        (b'null', 'must be a JSON object'),
        (b'{"source": "http://a/", "pad": "' + b'x' * 65536 + b'"}', '64 KB at most'),
        (b'{}', '"source" is missing'),
        (b'{"source": 1}', '"source" must be text'),
        (b'{"source": ""}', '"source" is missing'),
        (b'{"source": null}', '"source" is missing'),
        (b'{"source": "http://a/", "conflict_strategy": false}', '"conflict_strategy" is "keep"'),
        (b'{"source": "file:///etc/passwd"}', '"source" is a URL that begins with http'),
        (b'{"source": "http://a/", "conflict_strategy": "error"}', '"conflict_strategy" is "keep"'),
        (b'{"source": "http://a/", "conflict_strategy": 1}', '"conflict_strategy" is "keep"'),
        (b'{"source": "http://a/", "conflict_strategy": []}', '"conflict_strategy" is "keep"'),
    ],
)
def test_invalid_body_of_an_upload_is_refused(client: Beefree, body: bytes, complaint: str) -> None:
    answer = client.app.request('/fsp/a.png', method='POST', body=body, headers=client.headers, status=400)
    assert answer.json['code'] == 3500
    assert complaint in answer.json['details']


def test_null_strategy_counts_as_missing(client: Beefree, sandbox: Sandbox, source: Source) -> None:
    sandbox.upload('/Shared/Beefree/u1/a.png', b'x')
    sandbox.upload('/Shared/Beefree/u1/d/a.png', b'y')
    body = {'source': source.offer(PNG), 'conflict_strategy': None}
    assert outcome(client.request('POST', '/a.png', body)) == (201, None), 'replaced, as the site has it'
    assert sandbox.content('/Shared/Beefree/u1/a.png') == PNG
    move = {'new_path': '/d/', 'conflict_strategy': None}
    assert outcome(client.request('PATCH', '/a.png', move)) == (409, 3400)


@pytest.mark.parametrize(
    ('path', 'complaint'),
    [
        (1, 'as text'),
        (None, '"new_path" is an absolute path, as text'),
        ('', 'not a valid path'),
        ('/a', 'ends with a slash'),
        ('/../a/', 'not a valid path'),
        ('/a/\ud800/', 'no surrogate'),
    ],
)
def test_invalid_target_of_a_move_is_refused(client: Beefree, path: Any, complaint: str) -> None:
    answer = client.move('/a.png', path)
    assert outcome(answer) == (400, 3500)
    assert '"new_path"' in answer.json['details']
    assert complaint in answer.json['details']


def test_failed_sources_are_reported(client: Beefree, source: Source, make_app: Callable[..., Any]) -> None:
    source.offer(PNG)
    missing = source.offer(b'').replace('/file', '/missing')
    for url in (missing, 'http://127.0.0.1:1/a.png', 'http://nowhere.invalid/a.png', source.offer(b'', 'empty')):
        answer = client.upload('/a.png', url)
        assert outcome(answer) == (422, 3450), url
    small = Beefree(make_app(upload__max_size='50 B'))
    answer = small.upload('/a.png', source.offer(PNG))
    assert outcome(answer) == (422, 3906)
    assert '50 bytes' in answer.json['details']
    page = source.offer(b'<!doctype html><script>alert(1)</script>')
    assert outcome(client.upload('/a.png', page)) == (422, 3907)
    assert client.names('/') == ['shared/', 'team/']


def test_upload_to_a_taken_name_follows_the_strategy(client: Beefree, source: Source, sandbox: Sandbox) -> None:
    first = client.upload('/Pizza.png', source.offer(PNG)).json['data']['meta']
    jpeg = source.offer(JPEG, 'other')
    kept = client.upload('/pizza.png', jpeg, 'keep').json['data']['meta']
    assert kept['name'] == 'pizza_1.png'
    assert kept['public-url'] != first['public-url']
    assert client.upload('/pizza.png', jpeg, 'keep').json['data']['meta']['name'] == 'pizza_2.png'
    assert outcome(client.upload('/pizza.png', jpeg, 'ask')) == (409, 3400)
    for strategy in ('replace', '', None):
        replaced = client.upload('/PIZZA.png', source.offer(JPEG + str(strategy).encode(), 'new'), strategy)
        assert outcome(replaced) == (201, None)
        assert replaced.json['data']['meta']['name'] == 'Pizza.png'
        assert replaced.json['data']['meta']['public-url'] == first['public-url']
        assert client.public(first['public-url']).body == JPEG + str(strategy).encode()
    assert client.names('/') == ['shared/', 'team/', 'Pizza.png', 'pizza_1.png', 'pizza_2.png']
    versions = sandbox.api('GET', '/pubapi/v1/fs/Shared/Beefree/u1/Pizza.png').json()['num_versions']
    assert versions == 4


@pytest.mark.parametrize(
    ('choice', 'expected'), [('replace', (201, None)), ('keep', (201, None)), ('error', (403, 3400))]
)
def test_setting_is_the_default_strategy(
    make_app: Callable[..., Any], source: Source, choice: str, expected: tuple[int, int | None]
) -> None:
    client = Beefree(make_app(upload__on_conflict=choice))
    client.upload('/a.png', source.offer(PNG))
    for strategy in (None, ''):
        assert outcome(client.upload('/a.png', source.offer(PNG), strategy)) == expected
    assert ('a_1.png' in client.names('/')) is (choice == 'keep')


def test_upload_to_the_name_of_a_directory_is_refused(client: Beefree, source: Source) -> None:
    client.create('/a/')
    for strategy in ('replace', 'ask', '', None):
        assert outcome(client.upload('/a', source.offer(PNG), strategy)) == (409, 3401)
    assert client.upload('/a', source.offer(PNG), 'keep').json['data']['meta']['name'] == 'a_1'


def test_file_is_deleted(client: Beefree, source: Source) -> None:
    url = client.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']
    assert client.delete('/A.png').json == {'status': 'success', 'data': None}
    assert outcome(client.delete('/a.png')) == (404, 3200)
    assert client.public(url).status_int == 404
    assert outcome(client.delete('/shared/logo.png')) == (403, 3300)
    assert outcome(client.delete('/none/a.png')) == (404, 3200)


def test_file_is_moved(client: Beefree, source: Source, sandbox: Sandbox) -> None:
    client.create('/d/')
    meta = client.upload('/a.png', source.offer(PNG)).json['data']['meta']
    answer = client.move('/a.png', '/d/')
    assert outcome(answer) == (200, None)
    moved = answer.json['data']['meta']
    assert moved['path'] == '/d/a.png'
    assert moved['public-url'] == meta['public-url']
    assert client.public(meta['public-url']).body == PNG
    assert outcome(client.move('/d/a.png', '/team/')) == (200, None)
    assert sandbox.content('/Shared/Team/a.png') == PNG
    assert client.names('/d/') == []
    assert client.names('/team/') == ['a.png']


def test_move_to_a_taken_name_follows_the_strategy(client: Beefree, source: Source) -> None:
    client.create('/d/')
    there = client.upload('/d/a.png', source.offer(JPEG)).json['data']['meta']
    meta = client.upload('/a.png', source.offer(PNG)).json['data']['meta']
    for strategy in ('ask', '', None):
        assert outcome(client.move('/a.png', '/d/', strategy)) == (409, 3400)
    assert client.public(there['public-url']).body == JPEG
    assert client.move('/a.png', '/d/', 'replace').json['data']['meta']['path'] == '/d/a.png'
    assert client.public(meta['public-url']).body == PNG
    assert client.public(there['public-url']).status_int == 404
    client.upload('/A.png', source.offer(JPEG))
    assert client.move('/A.png', '/d/', 'keep').json['data']['meta']['path'] == '/d/A_1.png'
    assert client.names('/d/') == ['a.png', 'A_1.png']


@pytest.mark.parametrize('strategy', ['replace', 'keep', 'ask', '', None])
def test_move_to_the_same_directory_changes_nothing(client: Beefree, source: Source, strategy: str | None) -> None:
    meta = client.upload('/a.png', source.offer(PNG)).json['data']['meta']
    answer = client.move('/a.png', '/', strategy)
    assert outcome(answer) == (200, None)
    assert answer.json['data']['meta'] == meta
    assert client.public(meta['public-url']).body == PNG


def test_impossible_moves_are_refused(client: Beefree, source: Source) -> None:
    client.create('/d/')
    client.create('/d/a.png/')
    client.upload('/a.png', source.offer(PNG))
    assert outcome(client.move('/none.png', '/d/')) == (404, 3200)
    assert outcome(client.move('/d', '/team/')) == (404, 3200)
    assert outcome(client.move('/a.png', '/none/')) == (403, 3300)
    assert outcome(client.move('/a.png', '/shared/')) == (403, 3300)
    assert outcome(client.move('/shared/logo.png', '/')) == (403, 3300)
    assert outcome(client.move('/a.png', '/d/', 'replace')) == (409, 3401)
    assert outcome(client.move('/a.png', '/d/', 'maybe')) == (400, 3500)
    assert client.names('/') == ['d/', 'shared/', 'team/', 'a.png']


@pytest.mark.parametrize(
    ('method', 'path', 'allowed'),
    [
        ('PUT', '/d/', 'GET, HEAD, POST, DELETE'),
        ('PATCH', '/d/', 'GET, HEAD, POST, DELETE'),
        ('OPTIONS', '', 'GET, HEAD, POST, DELETE'),
        ('PUT', '/f', 'GET, HEAD, POST, DELETE, PATCH'),
    ],
)
def test_other_methods_are_refused(client: Beefree, method: str, path: str, allowed: str) -> None:
    answer = client.request(method, path)
    assert outcome(answer) == (405, 3500)
    assert answer.headers['Allow'] == allowed


def test_failures_have_the_one_envelope_and_a_support_id(client: Beefree, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level('INFO', 'fsp_pyramid')
    answer = client.get('/none')
    assert sorted(answer.json) == ['code', 'details', 'message', 'status']
    assert (answer.json['status'], answer.json['message']) == ('error', 'Resource not found')
    support_id = answer.json['details'].rpartition('(support id ')[2].rstrip(')')
    assert len(support_id) == 8
    assert support_id in caplog.text


def test_new_user_sees_an_empty_root_which_the_first_write_creates(
    make_app: Callable[..., Any], source: Source, sandbox: Sandbox
) -> None:
    client = Beefree(make_app(), uid='new')
    assert client.names('/') == ['shared/', 'team/']
    assert client.get('/').json['data']['meta']['permissions'] == 'rw'
    assert not sandbox.exists('/Shared/Beefree/new')
    assert outcome(client.upload('/a.png', source.offer(PNG))) == (201, None)
    assert sandbox.content('/Shared/Beefree/new/a.png') == PNG
    assert client.names('/') == ['shared/', 'team/', 'a.png']


def test_users_do_not_see_each_other(make_app: Callable[..., Any], source: Source, sandbox: Sandbox) -> None:
    application = make_app()
    one, other, capital = Beefree(application, 'u1'), Beefree(application, 'u2'), Beefree(application, 'U1')
    one.upload('/a.png', source.offer(PNG))
    capital.upload('/b.png', source.offer(PNG))
    assert one.names('/') == ['shared/', 'team/', 'a.png']
    assert other.names('/') == ['shared/', 'team/']
    assert capital.names('/') == ['shared/', 'team/', 'b.png']
    one.upload('/team/t.png', source.offer(PNG))
    assert other.names('/team/') == ['t.png']


@pytest.mark.parametrize('name', ['50% off.png', 'a+b & c#1.png', 'żółć ☃.png', '@@x', "it's (1);,=.png", 'a%2Fb'])
def test_unusual_names_round_trip(client: Beefree, source: Source, name: str) -> None:
    meta = client.upload(f'/{name}', source.offer(PNG)).json['data']['meta']
    assert (meta['name'], meta['path']) == (name, f'/{name}')
    assert unquote(meta['public-url'].rpartition('/')[2]) == name
    assert client.public(meta['public-url']).body == PNG
    assert client.get(f'/{name}').json['data']['meta'] == meta
    client.create('/d/')
    assert client.move(f'/{name}', '/d/').json['data']['meta']['path'] == f'/d/{name}'
    assert outcome(client.delete(f'/d/{name}')) == (200, None)


def test_egnyte_errors_become_503(client: Beefree, sandbox: Sandbox) -> None:
    for status, expected in ((500, (503, 3100)), (401, (503, 3001)), (403, (403, 3300))):
        sandbox.fail({'status': status, 'times': 1})
        assert outcome(client.get('/team/')) == expected
    sandbox.fail({'status': 502, 'times': 1})
    assert client.get('/team/').headers['Retry-After'] == '30'
    sandbox.fail()
    assert outcome(client.get('/team/')) == (200, None)


def test_long_rate_limit_is_reported_as_busy(make_app: Callable[..., Any], sandbox: Sandbox) -> None:
    client = Beefree(make_app(egnyte__max_wait='0'))
    sandbox.fail({'status': 429, 'times': 1})
    answer = client.get('/team/')
    assert outcome(answer) == (503, 3904)
    assert int(answer.headers['Retry-After']) >= 1


def test_short_rate_limit_is_waited_for(client: Beefree, sandbox: Sandbox) -> None:
    sandbox.fail({'status': 429, 'times': 1})
    assert outcome(client.get('/team/')) == (200, None)
    assert len(sandbox.calls) == 2


@pytest.mark.parametrize(
    ('depth', 'expected'), [(MAX_NAMES, (404, 3200)), (MAX_NAMES + 1, (400, 3500)), (3000, (400, 3500))]
)
def test_depth_of_paths_is_bounded(client: Beefree, depth: int, expected: tuple[int, int]) -> None:
    assert outcome(client.get('/' + 'a/' * depth)) == expected


def test_errors_name_a_mapped_directory_as_users_see_it(client: Beefree, sandbox: Sandbox) -> None:
    sandbox.fail({'status': 403, 'times': 1})
    assert 'for "shared"' in client.get('/shared/').json['details']
    sandbox.fail({'status': 403, 'times': 1})
    assert 'for "/"' in client.get('/').json['details']


@pytest.mark.parametrize('uid', ['aab12345', 'atmp1234', 'x_egnmeta'])
def test_uid_without_a_possible_folder_is_refused(make_app: Callable[..., Any], uid: str) -> None:
    answer = Beefree(make_app(), uid).get('/')
    assert outcome(answer) == (400, 3905)
    assert f'"{uid}" ({{uid}}) is the name of the folder' in answer.json['details']


def test_stored_file_has_the_access_of_its_directory(
    make_app: Callable[..., Any], sandbox: Sandbox, source: Source
) -> None:
    body = {'users': ['alice'], 'permission': 'Editor'}
    sandbox.api('POST', '/pubapi/v1/perms/folder/Shared/Team', json=body).raise_for_status()
    client = Beefree(make_app(egnyte__token='sandbox-alice'))
    for path, answer in (
        ('/team/a.png', client.upload('/team/a.png', source.offer(PNG))),
        ('/team/d/b.png', client.create('/team/d/') and client.upload('/team/d/b.png', source.offer(PNG))),
    ):
        assert answer.json['data']['meta']['extra'] == {'can-move': False}
        assert client.get(path).json['data']['meta'] == answer.json['data']['meta']


def test_directory_above_a_mapping_hides_a_file(make_app: Callable[..., Any], sandbox: Sandbox) -> None:
    sandbox.upload('/Shared/Beefree/u1/a', b'x')
    client = Beefree(make_app(folders='/ /Shared/Beefree/{uid}\n/a/b/ /Shared/Team'))
    assert client.names('/') == ['a/']
    assert outcome(client.get('/a')) == (404, 3200)
    assert client.names('/a/') == ['b/']


def test_folder_mapped_twice_is_listed_at_both_places(make_app: Callable[..., Any], source: Source) -> None:
    client = Beefree(make_app(folders='/ /Shared/Beefree/{uid}\n/all/ /Shared/Beefree'), 'new')
    client.get('/all/')
    assert outcome(client.upload('/editor_images/a.png', source.offer(PNG))) == (201, None)
    assert client.names('/') == ['all/', 'editor_images/']
    assert client.names('/all/') == ['new/', 'u1/']


def test_highest_mapping_decides_the_spelling(make_app: Callable[..., Any], source: Source) -> None:
    table = '/ /Shared/Beefree/{uid}\n/shared/Team/ /Shared/Team\n/Shared/ /Shared/Brand ro'
    client = Beefree(make_app(folders=table))
    assert client.names('/') == ['Shared/']
    assert client.names('/SHARED/') == ['/Shared/Team/', '/Shared/logo.png']
    assert client.get('/sHARED/').json['data']['meta']['path'] == '/Shared/'
    stored = client.upload('/SHARED/team/a.png', source.offer(PNG)).json['data']['meta']
    assert stored['path'] == '/Shared/Team/a.png'
    assert outcome(client.delete('/SHARED/TEAM/')) == (403, 3300)
