"""Shipped ini files in real processes: sockets and console commands."""

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fsp_pyramid.testing import Sandbox

from ..conftest import Source
from ..timing import PATIENCE
from .envelope import caller
from .processes import (
    Answer,
    Server,
    run,
    running,
    serving,
)

TOP = Path(__file__).parents[2]
PASSWORD, SECRET = 'a-password-nobody-may-see', 'a-signing-secret-that-nobody-may-see'


def verdict(answer: Answer) -> tuple[int, int | None]:
    """Return status and code of an envelope."""
    assert answer.headers['Content-Type'] == 'application/json', answer.body
    return answer.status, json.loads(answer.body).get('code')


@pytest.fixture(scope='module')
def development(tmp_path_factory: pytest.TempPathFactory, seeded: Path) -> Iterator[Server]:
    """Run one ``pserve development.ini`` for all tests that only read."""
    directory = tmp_path_factory.mktemp('development')
    shutil.copytree(seeded, directory / 'var' / 'egnyte')
    with serving(Path(shutil.copy(TOP / 'development.ini', directory))) as server:
        yield server


@pytest.mark.parametrize(
    ('target', 'expected'),
    [
        ('/fsp', (200, None)),
        ('/fsp/', (200, None)),
        ('/fsp/My%20pictures/', (200, None)),
        ('/fsp/My%20pictures%2F', (200, None)),
        ('/fsp%2FNotes.txt', (200, None)),
        ('/fsp/Notes.txt?a=%FF', (200, None)),
        ('/fsp/Notes.txt#part', (200, None)),
        ('//fsp/', (200, None)),  # waitress collapses several slashes at the beginning
        ('///fsp/Notes.txt', (200, None)),
        ('http://other.example/fsp/Notes.txt', (200, None)),
        ('/fsp//', (400, 3500)),
        ('/fsp/..', (400, 3500)),
        ('/fsp/../fsp/', (400, 3500)),
        ('/fsp/%2e%2E/', (400, 3500)),
        ('/fsp/a%0Ab', (400, 3500)),
        ('/fsp/a%00', (400, 3500)),
        ('/fsp/a%5Cb', (400, 3500)),
        ('/fsp/a\\b', (400, 3500)),
        ('/fsp/%FF', (400, 3500)),
        ('/fsp/%C3%28/', (400, 3500)),
        ('/fsp/%', (404, 3200)),
        ('/fsp/%zz', (404, 3200)),
        ('/fsp/@@x', (404, 3200)),
        ('/fsp/Notes.txt/', (404, 3200)),
    ],
)
def test_request_targets_are_not_normalized(development: Server, target: str, expected: tuple[int, int | None]) -> None:
    (answer,) = development.ask(f'GET {target}', headers=caller())
    assert verdict(answer) == expected


@pytest.mark.parametrize('target', ['/index.html', '/fsp%0A', '/fspx', '/FSP/', '/x/../fsp/', '*'])
def test_targets_outside_mounts_are_404(development: Server, target: str) -> None:
    (answer,) = development.ask(f'GET {target}', headers=caller())
    assert answer.status == 404
    assert answer.headers['Content-Type'].startswith('text/plain')


def test_server_refuses_raw_bytes(development: Server) -> None:
    (answer,) = development.ask('GET /fsp/\xe9', headers=caller())
    assert answer.status == 400


def test_one_connection_serves_many_requests(development: Server) -> None:
    lines = [
        'GET /fsp/Notes.txt',
        'HEAD /fsp/Notes.txt',
        'HEAD /fsp/',
        'GET /fsp/..',
        'PUT /fsp/',
        'GET /fsp/Notes.txt',
    ]
    get, head, directory, bad, put, again = development.ask(*lines, headers=caller())
    assert [verdict(answer) for answer in (get, bad, put, again)] == [
        (200, None),
        (400, 3500),
        (405, 3500),
        (200, None),
    ]
    assert (head.status, head.body, head.headers['Content-Length']) == (200, b'', get.headers['Content-Length'])
    assert (directory.status, directory.body) == (200, b'')
    assert put.headers['Allow'] == 'GET, HEAD, POST, DELETE'


def test_urls_follow_host_header(development: Server) -> None:
    headers = caller() | {'Host': '127.0.0.9:81'}
    for target in ('/fsp/Notes.txt', 'http://other.example/fsp/Notes.txt'):
        (answer,) = development.ask(f'GET {target}', headers=headers)
        url = json.loads(answer.body)['data']['meta']['public-url']
        assert url.startswith('http://127.0.0.9:81/fsp-public/')
    (answer,) = development.ask(f'GET {url.removeprefix("http://127.0.0.9:81")}')
    assert answer.status == 200
    assert answer.headers['Content-Type'].startswith('text/plain')


def test_unauthenticated_request_is_challenged(development: Server) -> None:
    (answer,) = development.ask('GET /fsp/')
    assert verdict(answer) == (401, 3650)
    assert answer.headers['WWW-Authenticate'].startswith('Basic realm=')


def test_files_and_links_survive_restart(tmp_path: Path, source: Source) -> None:
    ini = Path(shutil.copy(TOP / 'development.ini', tmp_path))
    body = json.dumps({'source': source.offer(b'hello')})
    with serving(ini) as server:
        made, stored = server.ask('POST /fsp/new/', ('POST /fsp/new/a.txt', body), headers=caller())
        assert (made.status, stored.status) == (201, 201)
    meta = json.loads(stored.body)['data']['meta']
    with serving(ini) as server:
        listing, content = server.ask(
            'GET /fsp/new/', f'GET /fsp-public/{meta["public-url"].partition("/fsp-public/")[2]}', headers=caller()
        )
    (item,) = json.loads(listing.body)['data']['items']
    assert (item['path'], item['size'], item['last-modified']) == ('/new/a.txt', 5, meta['last-modified'])
    assert content.body == b'hello'


def test_pyramid_commands_work_without_side_effects(tmp_path: Path) -> None:
    ini = shutil.copy(TOP / 'development.ini', tmp_path)
    for command, words in (
        (('proutes', ini), 'fsp_pyramid.protocol.views.list_directory'),
        (('pviews', ini, '/fsp/a'), 'fsp_pyramid.protocol.views.move_file'),
        (('ptweens', ini), 'pyramid_tm.tm_tween_factory'),
    ):
        done = run(*command)
        assert words in done.stdout
        assert done.returncode == 0
    script = "from fsp_pyramid.interfaces import IMount\nprint('at', registry.getUtility(IMount, 'fsp').path)\n"
    assert 'at /fsp' in run('pshell', ini, input_text=script).stdout
    assert [path.name for path in tmp_path.iterdir()] == ['development.ini']


def test_settings_in_default_are_refused(tmp_path: Path) -> None:
    text = (TOP / 'development.ini').read_text().replace('[DEFAULT]', '[DEFAULT]\nfsp.require_https = true', 1)
    ini = tmp_path / 'development.ini'
    ini.write_text(text)
    done = run('pserve', ini)
    assert done.returncode != 0
    assert 'move fsp.require_https from [DEFAULT] to [app:main]' in done.stderr


@pytest.mark.parametrize('target', ['/%ff', '/x/%FF', '/fsp-ops/%ff', '/fsp-connect/%ff'])
def test_undecodable_url_outside_mounts_logs_no_traceback(development: Server, target: str) -> None:
    before = len(development.log)
    (answer,) = development.ask(f'GET {target}')
    assert answer.status == 400
    log = development.log[before:]
    assert 'Traceback' not in log
    assert len([line for line in log.splitlines() if 'the path is no UTF-8' in line]) == 1


@pytest.mark.parametrize('target', ['http://[', 'http://a]/x', 'http://[::1/fsp/'])
def test_malformed_request_line_is_refused(development: Server, target: str) -> None:
    before = len(development.log)
    with socket.create_connection(('127.0.0.1', development.port), PATIENCE) as connection:
        connection.sendall(f'GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n'.encode())
        assert connection.makefile('rb').readline().startswith(b'HTTP/1.1 400 ')
    assert development.log[before:] == ''


def test_longest_url_of_waitress_needs_little_memory(development: Server) -> None:
    development.ask('GET /fsp/a')
    before = development.memory('VmHWM')
    for prefix, statuses in (('/fsp', {400}), ('', {404}), ('/fsp-ops', {404})):
        (answer,) = development.ask(f'GET {prefix}{"/a" * 15_000}/')
        assert answer.status in statuses
    assert development.memory('VmHWM') - before < 97, 'MB; with a square it would be gigabytes'


VARIABLES = ('FSP_USERNAME', 'FSP_PASSWORD', 'FSP_EGNYTE_URL', 'FSP_EGNYTE_TOKEN', 'FSP_PUBLIC_SECRET')


def test_production_reports_every_missing_variable(tmp_path: Path) -> None:
    ini = shutil.copy(TOP / 'production.ini', tmp_path)
    done = run('pserve', ini)
    assert done.returncode != 0
    assert [name for name in VARIABLES if name not in done.stderr] == []
    done = run('pserve', ini, FSP_PASSWORD=PASSWORD, FSP_PUBLIC_SECRET=SECRET)
    named = done.stderr.rpartition('cannot start')[2]
    assert [name for name in VARIABLES if name not in named] == ['FSP_PASSWORD', 'FSP_PUBLIC_SECRET']
    assert PASSWORD not in done.stderr
    assert SECRET not in done.stderr


def test_production_works_behind_proxy(tmp_path: Path) -> None:
    ini = Path(shutil.copy(TOP / 'production.ini', tmp_path))
    sandbox = Sandbox(tmp_path / 'egnyte')
    sandbox.upload('/Shared/Beefree/demo/a.txt', b'hello')
    environ = {
        'FSP_USERNAME': 'beefree',
        'FSP_PASSWORD': PASSWORD,
        'FSP_EGNYTE_TOKEN': 'sandbox',
        'FSP_PUBLIC_SECRET': SECRET,
    }
    command = ('fsp-sandbox', '--root', tmp_path / 'egnyte', '--port=')
    ours = caller(password=PASSWORD)
    proxied = ours | {'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'files.example', 'X-Forwarded-For': '192.0.2.1'}
    with (
        running(*command, log=tmp_path / 'sandbox.log') as egnyte,
        serving(ini, **environ, FSP_EGNYTE_URL=f'http://127.0.0.1:{egnyte.port}') as server,
    ):
        plain, wrong = server.ask('GET /fsp/', 'GET /fsp/a.txt', headers=ours)
        assert (verdict(plain), verdict(wrong)) == ((403, 3300), (403, 3300))
        assert 'HTTPS' in json.loads(plain.body)['details']
        (listing,) = server.ask('GET /fsp/', headers=proxied)
        assert verdict(listing) == (200, None)
        urls = [item['public-url'] for item in json.loads(listing.body)['data']['items'] if 'public-url' in item]
        assert [url.partition('/fsp-public/')[0] for url in urls] == ['https://files.example']
        (content,) = server.ask(f'GET {urls[0].removeprefix("https://files.example")}', headers=proxied)
        assert content.body == b'hello'
        answers = server.ask('GET /fsp/nothing', 'DELETE /fsp/a.txt', headers=proxied)
        assert [verdict(answer) for answer in answers] == [(404, 3200), (200, None)]
        (stranger,) = server.ask('GET /fsp/', headers=proxied | caller(password='wrong-password'))
        assert verdict(stranger) == (401, 3650)
        server.ask('GET /fsp/', headers=proxied)
    lines = [json.loads(line) for line in server.log.splitlines() if line.startswith('{')]
    assert [(line['operation'], line['status']) for line in lines] == [
        ('list', 403),
        ('metadata', 403),
        ('list', 200),
        ('fsp_public', 200),
        ('metadata', 404),
        ('delete', 200),
        ('list', 401),
        ('list', 200),  # the end of the server writes it
    ]
    assert 'support id' in server.log
    for secret in (PASSWORD, SECRET, 'wrong-password', 'Basic ', 'Bearer', ours['Authorization'].split()[1]):
        assert secret not in server.log
    assert urls[0].split('/')[4] not in server.log


def test_unreachable_egnyte_is_reported(tmp_path: Path) -> None:
    ini = Path(shutil.copy(TOP / 'production.ini', tmp_path))
    environ = dict.fromkeys(VARIABLES, SECRET) | {'FSP_EGNYTE_URL': 'http://127.0.0.1:1', 'FSP_REQUIRE_HTTPS': 'false'}
    with serving(ini, **environ) as server:
        (answer,) = server.ask('GET /fsp/', headers=caller(username=SECRET, password=SECRET))
        assert verdict(answer) == (503, 3100)
        assert int(answer.headers['Retry-After']) > 0
    assert json.loads(answer.body)['details'].split('support id ')[1].rstrip(')') in server.log
    assert SECRET not in server.log
