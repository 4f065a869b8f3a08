"""``tunnel.ini``: development.ini, made safe for a tunnel."""

import json
import re
import shutil
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from .processes import Server, run, serving

ROOT = Path(__file__).parents[2]
PASSWORD, TOKEN = 'generated-password', 'generated-console-token'
TUNNEL = {'X-Forwarded-For': '203.0.113.7', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'name.example'}


def headers(password: str = PASSWORD) -> dict[str, str]:
    credentials = b64encode(f'beefree:{password}'.encode()).decode()
    return TUNNEL | {'Authorization': f'Basic {credentials}', 'X-BEE-ClientId': 'app', 'X-BEE-Uid': 'demo'}


@pytest.fixture(scope='module')
def ini(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp('tunnel')
    shutil.copy(ROOT / 'development.ini', directory)
    return Path(shutil.copy(ROOT / 'tunnel.ini', directory))


@pytest.fixture(scope='module')
def server(ini: Path) -> Iterator[Server]:
    with serving(ini, FSP_PASSWORD=PASSWORD, FSP_CONSOLE_TOKEN=TOKEN) as server:
        yield server


def test_it_does_not_start_without_a_password(ini: Path) -> None:
    done = run('fsp-serve', ini)
    assert done.returncode == 1
    assert 'FSP_PASSWORD' in done.stderr


def test_requests_need_the_generated_password_and_https(server: Server) -> None:
    (answer,) = server.ask('GET /fsp/', headers=headers('beefree'))
    assert answer.status == 401
    plain = {name: value for name, value in headers().items() if name != 'X-Forwarded-Proto'}
    (answer,) = server.ask('GET /fsp/', headers=plain)
    assert (answer.status, json.loads(answer.body)['code']) == (403, 3300)


def test_public_urls_are_those_of_the_tunnel(server: Server) -> None:
    (answer,) = server.ask('GET /fsp/Welcome.jpg', headers=headers())
    meta = json.loads(answer.body)['data']['meta']
    for url in (meta['public-url'], meta['thumbnail']):
        assert url.startswith('https://name.example/fsp-public/')
    (picture,) = server.ask(f'GET {meta["public-url"].removeprefix("https://name.example")}', headers=TUNNEL)
    assert picture.status == 200


def test_sources_on_this_machine_are_refused(server: Server) -> None:
    body = json.dumps({'source': f'http://127.0.0.1:{server.port}/favicon.ico'})
    (answer,) = server.ask(('POST /fsp/a.svg', body), headers=headers())
    assert (answer.status, json.loads(answer.body)['code']) == (422, 3450)


@pytest.mark.parametrize('more', [TUNNEL, {'X-Forwarded-Proto': 'https'}, {}], ids=['tunnel', 'few headers', 'local'])
def test_console_needs_the_token(server: Server, more: dict[str, str]) -> None:
    (page,) = server.ask('GET /fsp-console', headers=more)
    assert page.status == 403
    assert b'<h1>Files</h1>' not in page.body
    (root,) = server.ask('GET /', headers=more)
    assert root.status == 404


def test_logging_is_that_of_development(ini: Path) -> None:
    sections = [(ini.parent / name).read_text().split('[loggers]')[1] for name in ('development.ini', 'tunnel.ini')]
    assert sections[0] == sections[1]


def test_make_share_passes_password_and_token() -> None:
    recipe = re.search(r'^share:.*\n((?:\t.*\n)+)', (ROOT / 'Makefile').read_text(), re.MULTILINE)
    assert recipe
    assert {'FSP_PASSWORD', 'FSP_CONSOLE_TOKEN'} <= set(re.findall(r'export (\w+)=', recipe[1]))
    assert 'fsp-serve tunnel.ini' in recipe[1]
