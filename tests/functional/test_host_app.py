"""Example host application: its own behaviour is unchanged, and it shares transactions with the provider."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pyramid.interfaces import IDefaultCSRFOptions, IDefaultPermission, IRendererFactory, ISecurityPolicy
from pyramid.paster import get_app
from pyramid.scripting import prepare
from sqlalchemy import text
from webtest import TestApp, TestResponse

from fsp_pyramid.egnyte import Tokens
from fsp_pyramid.interfaces import IAccountStores, IMount
from fsp_pyramid.testing import Sandbox

from ..conftest import Source
from ..sandbox.servers import serving as serving_sandbox
from .envelope import caller, read
from .processes import serving

PNG = b'\x89PNG\r\n\x1a\n' + b'p' * 100
EXAMPLE = Path(__file__).parents[2] / 'examples' / 'host_app'
HOME = '/Shared/Beefree/demo'


class Host:
    """Example application in its own directory."""

    def __init__(self, ini: Path, source: Source) -> None:
        self.router = get_app(str(ini))
        self.web = TestApp(self.router)
        self.sandbox_directory = ini.parent / 'var' / 'egnyte'
        self.sandbox = Sandbox(self.sandbox_directory)
        self.source = source
        self._sessions = self.router.registry['dbsession_factory']

    def sql(self, statement: str) -> list[Any]:
        """Execute a statement in the database, bypassing the example."""
        with self._sessions.begin() as session:
            result = session.execute(text(statement))
            return [tuple(row) for row in result] if result.returns_rows else []

    @property
    def uploads(self) -> list[Any]:
        return self.sql('SELECT uid, path, size FROM upload ORDER BY id')

    def upload(self, path: str, content: bytes, uid: str = 'demo', status: int = 201, **body: str) -> TestResponse:
        body = {'source': self.source.offer(content), **body}
        return self.web.post_json(f'/files/fsp{path}', body, headers=caller(uid), status=status)

    def log_in(self) -> None:
        self.web.get('/').form.submit(status=302)

    def close(self) -> None:
        self._sessions.kw['bind'].dispose()


@pytest.fixture
def ini(tmp_path: Path, seeded: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(EXAMPLE)
    shutil.copytree(seeded, tmp_path / 'var' / 'egnyte')
    return Path(shutil.copy(EXAMPLE / 'host.ini', tmp_path))


@pytest.fixture
def host(ini: Path, source: Source) -> Iterator[Host]:
    host = Host(ini, source)
    yield host
    host.close()


def test_security_policy_of_host_is_kept(host: Host) -> None:
    assert type(host.router.registry.getUtility(ISecurityPolicy)).__module__ == 'host_app.security'
    # Credentials of Beefree are invalid for the host, and sessions of its members are invalid for the mount.
    host.web.get('/uploads', headers=caller(), status=403)
    host.log_in()
    host.web.get('/uploads', status=200)
    assert read(host.web.get('/files/fsp/', status=401)) == (401, 3650)


def test_default_permission_of_host_is_kept(host: Host) -> None:
    assert host.router.registry.getUtility(IDefaultPermission) == 'member'
    host.web.get('/uploads', status=403)
    host.web.get('/files/fsp/', headers=caller(), status=200)


def test_csrf_protection_of_host_is_kept(host: Host) -> None:
    assert host.router.registry.getUtility(IDefaultCSRFOptions).require_csrf
    assert 'CSRF' in host.web.post('/login', {'uid': 'demo'}, status=400)
    host.web.post('/files/fsp/new/', headers=caller(), status=201)
    host.web.delete('/files/fsp/new/', headers=caller(), status=200)


def test_exception_views_of_host_are_kept(host: Host) -> None:
    for path, status, words in (
        ('/nothing', 404, 'no such page'),
        ('/uploads', 403, 'Please log in'),
        ('/%FF', 500, 'a problem'),
    ):
        assert words in host.web.get(path, status=status)


def test_renderer_of_host_is_kept(host: Host) -> None:
    host.upload('/a.txt', b'hello')
    host.log_in()
    answer = host.web.get('/uploads')
    assert host.router.registry.getUtility(IRendererFactory, name='json').kw == {'indent': 2}
    assert answer.text == json.dumps(answer.json, indent=2)
    assert [(upload['path'], upload['size']) for upload in answer.json] == [('/a.txt', 5)]
    assert '\n' not in host.web.get('/files/fsp/', headers=caller()).text


def test_tween_of_host_handles_mounted_requests(host: Host) -> None:
    for path, status in (('/', 200), ('/nothing', 404), ('/files/fsp/', 200), ('/files/fsp/nothing', 404)):
        assert host.web.get(path, headers=caller(), status=status).headers['Server-Timing'].startswith('app;dur=')


@pytest.mark.parametrize('path', ['', '/', '/x', '/x/', '//', '/%FF', '/a%0Ab', '/..', '/@@uploads', '/uploads'])
@pytest.mark.parametrize('mount', ['/files/fsp', '/team-files'])
def test_answers_below_mount_are_envelopes(host: Host, mount: str, path: str) -> None:
    for headers in ({}, caller(), caller(username='team', password='team')):
        read(host.web.get(mount + path, headers=headers, status='*'))
    read(host.web.request(mount + path, method='PUT', headers=caller(), status='*'))


@pytest.mark.parametrize(
    'path', ['/files', '/files/', '/files/fspx', '/fsp', '/fsp/x', '/team-filesx', '/team', '//fsp']
)
def test_paths_outside_mount_are_left_to_host(host: Host, path: str) -> None:
    assert 'no such page' in host.web.get(path, headers=caller(), status=404)


def test_public_url_starts_with_route_prefix(host: Host) -> None:
    url = host.upload('/a.txt', b'hello').json['data']['meta']['public-url']
    assert url.startswith('http://localhost/files/fsp-public/')
    assert host.web.get(url).body == b'hello'


def test_mounts_have_separate_credentials_and_folders(host: Host) -> None:
    team = caller(username='team', password='team')
    for path, wrong in (('/files/fsp/', team), ('/team-files/', caller())):
        assert read(host.web.get(path, headers=wrong, status=401)) == (401, 3650)
    names = [item['name'] for item in host.web.get('/team-files/', headers=team).json['data']['items']]
    assert 'Campaigns' in names
    host.web.post_json('/team-files/a.txt', {'source': host.source.offer(b'hello')}, headers=team, status=201)
    assert host.sandbox.content('/Shared/Brand/a.txt') == b'hello'
    assert host.uploads == []  # only customers have an account


def test_upload_and_row_are_committed_together(host: Host) -> None:
    host.upload('/a.txt', b'hello')
    host.upload('/a.txt', b'hello again', conflict_strategy='keep')
    assert host.uploads == [('demo', '/a.txt', 5), ('demo', '/a_1.txt', 11)]
    assert host.sandbox.content(f'{HOME}/a_1.txt') == b'hello again'


def test_failed_commit_rolls_back_upload(host: Host) -> None:
    answer = host.upload('/a.txt', b'hello', uid='stranger', status=503)
    assert read(answer) == (503, 3001)
    assert 'FOREIGN KEY' not in answer
    assert host.uploads == []
    assert not host.sandbox.exists('/Shared/Beefree/stranger')
    assert any(call.startswith('POST /pubapi/v1/fs-content') for call in host.sandbox.calls)
    listing = host.web.get('/files/fsp/', headers=caller('stranger')).json['data']
    assert [item['name'] for item in listing['items']] == ['shared']


def test_failed_commit_restores_former_version(host: Host) -> None:
    host.sandbox.upload('/Shared/Beefree/stranger/a.txt', b'former')
    assert read(host.upload('/a.txt', b'new', uid='stranger', status=503)) == (503, 3001)
    assert host.sandbox.content('/Shared/Beefree/stranger/a.txt') == b'former'
    meta = host.web.get('/files/fsp/a.txt', headers=caller('stranger')).json['data']['meta']
    assert meta['size'] == len(b'former')


def test_refusing_subscriber_rolls_back_upload(host: Host) -> None:
    host.sql('UPDATE customer SET quota = 5')
    host.upload('/a.txt', b'12345')
    answer = host.upload('/b.txt', b'6', status=403)
    assert read(answer) == (403, 3300)
    assert 'used up' in answer.json['details']
    assert host.uploads == [('demo', '/a.txt', 5)]
    assert not host.sandbox.exists(f'{HOME}/b.txt')


def test_failed_egnyte_call_leaves_no_row(host: Host) -> None:
    host.sandbox.fail({'method': 'POST', 'path_prefix': '/pubapi/v1/fs-content', 'times': 9, 'status': 500})
    assert read(host.upload('/a.txt', b'hello', status=503)) == (503, 3100)
    assert host.uploads == []
    host.sandbox.fail()
    host.upload('/a.txt', b'hello')
    assert len(host.uploads) == 1


def test_failed_source_leaves_no_row(host: Host) -> None:
    missing = host.source.offer(b'x') + '/missing'
    answer = host.web.post_json('/files/fsp/a.txt', {'source': missing}, headers=caller(), status=422)
    assert read(answer) == (422, 3450)
    assert host.uploads == []


def test_example_runs_as_a_process(ini: Path) -> None:
    with serving(ini, PYTHONPATH=str(EXAMPLE)) as server:
        page, listing, missing = server.ask('GET /', 'GET /files/fsp/', 'GET /team-files/', headers=caller())
        assert (page.status, listing.status, missing.status) == (200, 200, 401)
        assert b'<form' in page.body
        assert json.loads(listing.body)['data']['meta']['path'] == '/'
        assert json.loads(missing.body)['code'] == 3650


@pytest.fixture
def with_accounts(ini: Path, source: Source) -> Iterator[Host]:
    """Run the example with one account for each customer, stored in the example's database."""
    with serving_sandbox(ini.parent / 'var' / 'egnyte') as url:
        lines = {
            'fsp.egnyte.url': url,
            'fsp.accounts.mode': 'oauth',
            'fsp.accounts.session': 'host_app.models.session_of',
            'fsp.title': 'Acme Mailer',
            'fsp.connect.return_origins': 'http://localhost',
            'fsp.accounts.keys': Fernet.generate_key().decode(),
            'fsp.oauth.key': 'sandbox-key',
            'fsp.oauth.secret': 'sandbox-secret',
            'fsp.public.secret': 's' * 32,
            'fsp.folders': '/ {folder}',
        }
        text_of = ini.read_text().partition('fsp.folders =')
        without = re.sub(r'(    /.*\n)+', '', text_of[2], count=1).replace('fsp.egnyte.url = sandbox', '# was sandbox')
        ini.write_text(text_of[0] + '\n'.join(f'{key} = {value}' for key, value in lines.items()) + without)
        host = Host(ini, source)
        yield host
        host.router.registry.getUtility(IAccountStores).close()
        host.close()


def connect_alice(host: Host, uid: str = 'demo', *, commit: bool = True) -> None:
    """Connect an account as the connect page does, in a request of the host."""
    registry = host.router.registry
    with prepare(registry=registry) as environment:
        request = environment['request']
        request.environ['tm.active'] = True
        request.tm.begin()
        accounts = registry.getUtility(IMount, name='fsp').client_backends[''].accounts
        tokens = Tokens('sandbox-alice', None, None)
        store = registry.getUtility(IAccountStores)(request)
        store.connect('fsp', 'shop', uid, accounts.settings.egnyte.url, 'alice', tokens)
        (request.tm.commit if commit else request.tm.abort)()


def test_accounts_are_stored_in_database_of_host(with_accounts: Host) -> None:
    host = with_accounts
    assert host.upload('/a.png', PNG, status=403).json['code'] == 3901
    connect_alice(host)
    assert host.sql('SELECT client, client_id, uid, username FROM fsp_accounts') == [('fsp', 'shop', 'demo', 'alice')]
    assert not list(Path(host.sandbox_directory).parent.glob('fsp.sqlite'))
    host.upload('/a.png', PNG)
    assert host.sandbox.content('/Private/alice/Beefree/a.png') == PNG
    assert host.uploads == [('demo', '/a.png', len(PNG))]


def test_settings_page_links_the_connect_page_where_customers_have_accounts(with_accounts: Host) -> None:
    with_accounts.log_in()
    page = with_accounts.web.get('/settings').click('Connect Egnyte')
    assert 'Acme Mailer asks to keep the images and files of demo' in page.html.main.get_text()
    assert page.click('Back to Acme Mailer').request.path == '/settings'


def test_settings_page_links_nothing_without_accounts(host: Host) -> None:
    host.log_in()
    assert 'Your files are kept by us' in host.web.get('/settings')


def test_readiness_checks_database_of_host(with_accounts: Host) -> None:
    local = {'REMOTE_ADDR': '127.0.0.1', 'HTTP_HOST': 'localhost'}
    checks = with_accounts.web.get('/files/fsp-ops/ready', extra_environ=local).json['checks']
    assert {check['name']: check['reason'] for check in checks if check['name'] not in ('cache_dir', 'tmpdir')} == {
        'settings': 'right, for 2 mounts',
        'database': 'answers',
        'egnyte': 'within reach',
    }


def test_account_changes_join_request_transaction(with_accounts: Host) -> None:
    connect_alice(with_accounts, commit=False)
    assert with_accounts.upload('/a.png', PNG, status=403).json['code'] == 3901
