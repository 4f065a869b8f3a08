"""The page Files: its requests are those of the protocol, and it uploads files of the computer."""

from collections.abc import Callable
from typing import Any

import pytest

from fsp_pyramid.events import FileStored
from fsp_pyramid.testing import Sandbox

from ..conftest import Source
from ..protocol.beefree import PNG, Beefree
from .conftest import Console


@pytest.fixture
def beefree(console: Console) -> Beefree:
    """Return Beefree's own client of the same application."""
    return Beefree(console.app.app)


def outcome(answer: Any) -> tuple[int, int | None]:
    return answer.status_int, answer.json.get('code')


def test_answers_are_those_of_the_protocol(console: Console, beefree: Beefree, source: Source) -> None:
    body = f'{{"source": "{source.offer(PNG)}"}}'.encode()
    assert outcome(console.send('POST', '/a%20b/')) == (201, None)
    assert outcome(console.send('POST', '/a%20b/%C3%A4.png', body)) == (201, None)
    for path in ('/', '/a b/', '/a b/ä.png'):
        escaped = path.replace(' ', '%20').replace('ä', '%C3%A4')
        assert console.send('GET', escaped).json == beefree.get(path).json
    flags = {'X_BEE_fsp_flags': 'move'}
    assert console.send('GET', '/a%20b/', **flags).json == beefree.get('/a b/', X_BEE_fsp_flags='move').json
    assert outcome(console.send('PATCH', '/a%20b/%C3%A4.png', b'{"new_path": "/"}')) == (200, None)
    assert outcome(console.send('DELETE', '/a%20b/')) == (200, None)
    assert beefree.names('/') == ['shared/', 'ä.png']


@pytest.mark.parametrize('path', ['/none/', '/a//b', '/a/../b', '/%2e%2e/x', '/a%2fb', '/@@x', '/a%0ab/'])
def test_odd_paths_reach_the_protocol_as_they_are(console: Console, beefree: Beefree, path: str) -> None:
    mine = console.send('GET', path)
    theirs = beefree.app.get(f'/fsp{path}', headers=beefree.headers, status='*', expect_errors=True)
    assert (outcome(mine), mine.json['message']) == (outcome(theirs), theirs.json['message'])


def test_identity_is_checked_as_for_beefree(make: Callable[..., Any]) -> None:
    console = Console(make(console__local='true', client_ids='shop'))
    page = console.open()
    assert '"clientIds": ["shop"]' in page.text
    assert page.html.find(id='client-id')['value'] == 'shop'
    assert outcome(console.send('GET', '/')) == (403, 3300)
    assert outcome(console.send('GET', '/', X_BEE_ClientId='shop')) == (200, None)
    assert outcome(console.send('GET', '/', X_BEE_ClientId='shop', X_BEE_Uid='')) == (400, 3500)
    assert outcome(console.send('GET', '/', X_BEE_ClientId='shop', X_BEE_Uid='a/b')) == (400, 3500)


def test_client_ids_of_the_settings_are_offered(make: Callable[..., Any]) -> None:
    page = Console(make(console__local='true', client_ids='shop blog')).open()
    assert '"clientIds": ["blog", "shop"]' in page.text
    assert page.html.find('label', {'for': 'client-id'}).text == 'Application id'
    assert '"clientIds": ["console"]' in Console(make(console__local='true')).open().text


def test_clients_are_named_by_their_titles(ini: dict[str, str], make: Callable[..., Any]) -> None:
    del ini['fsp.username'], ini['fsp.password']
    clients = {'clients': 'acme shop', 'console__local': 'true', 'client__acme__title': 'Acme Mailer'}
    names = {f'client__{name}__{own}': f'{name}-{own}' for name in ('acme', 'shop') for own in ('username', 'password')}
    page = Console(make(**clients | names)).open()
    assert [option.text for option in page.html.find(id='client').find_all('option')] == ['Acme Mailer (acme)', 'shop']


def test_each_client_has_its_own_rules(ini: dict[str, str], make: Callable[..., Any]) -> None:
    del ini['fsp.username'], ini['fsp.password']
    clients = {'clients': 'acme shop', 'console__local': 'true', 'client__shop__disabled': 'true'}
    names = {f'client__{name}__{key}': f'{name}-{key}' for name in ('acme', 'shop') for key in ('username', 'password')}
    console = Console(make(**clients | names))
    page = console.open().text
    assert 'FSP_CLIENT_ACME_PASSWORD' in page
    assert 'acme-password' not in page
    assert outcome(console.send('GET', '/', target='call/fsp/acme')) == (200, None)
    assert outcome(console.send('GET', '/', target='call/fsp/shop')) == (403, 3300)
    assert console.send('GET', '/', target='call/fsp/-').status_int == 404


def test_credentials_and_cookies_of_the_browser_do_not_reach_the_mount(console: Console) -> None:
    seen = []
    console.app.app.registry.registerHandler(lambda event: seen.append(event.request), [FileStored])
    console.upload('/a.png', PNG)
    (request,) = seen
    assert {'Cookie', 'Authorization', 'X-Csrf-Token'}.isdisjoint(request.headers)


def test_file_of_the_computer_is_uploaded(console: Console, sandbox: Sandbox) -> None:
    answer = console.upload('/pic.png', PNG)
    assert outcome(answer) == (201, None)
    assert answer.json['data']['meta']['name'] == 'pic.png'
    assert sandbox.content('/Shared/Beefree/u1/pic.png') == PNG


def test_upload_has_the_strategies_of_the_protocol(console: Console, sandbox: Sandbox) -> None:
    console.upload('/pic.png', PNG)
    other = PNG + b'other'
    assert outcome(console.upload('/pic.png', other, 'ask')) == (409, 3400)
    assert console.upload('/pic.png', other, 'keep').json['data']['meta']['name'] == 'pic_1.png'
    assert outcome(console.upload('/pic.png', other, 'replace')) == (201, None)
    assert sandbox.content('/Shared/Beefree/u1/pic.png') == other
    assert outcome(console.upload('/pic.png', other, 'nonsense')) == (400, 3500)


@pytest.mark.parametrize(
    ('path', 'content', 'expected', 'text'),
    [
        ('/pic.png', PNG + bytes(2000), (422, 3906), 'larger than 1 kB'),
        ('/pic.png', b'<html><script>', (422, 3907), 'not what its name says'),
        ('/setup.exe', b'MZ', (422, 3907), 'not allowed on this site'),
        ('/pic.png', b'', (422, 3450), 'The file is empty'),
        ('/a*b.png', PNG, (400, 3905), 'the character *'),
        ('/shared/pic.png', PNG, (403, 3300), 'read-only'),
        ('/none/pic.png', PNG, (403, 3300), 'does not exist'),
        ('/pic/', PNG, (201, None), ''),  # a folder, whose body counts for nothing
    ],
)
def test_upload_has_the_rules_of_sources(
    make: Callable[..., Any], path: str, content: bytes, expected: tuple[int, int | None], text: str
) -> None:
    console = Console(make(console__local='true', upload__max_size='1 KB'))
    console.open()
    answer = console.upload(path, content)
    assert outcome(answer) == expected
    assert text in answer.json.get('details', '')


def test_upload_costs_the_calls_of_the_protocol(console: Console, sandbox: Sandbox) -> None:
    console.send('GET', '/')
    sandbox.forget_calls()
    console.upload('/pic.png', PNG)
    assert sandbox.calls == ['POST /pubapi/v1/fs-content/Shared/Beefree/u1/pic.png']


def test_failed_transaction_rolls_an_upload_back(console: Console, sandbox: Sandbox) -> None:
    def fail(_event: Any) -> None:
        raise RuntimeError('a subscriber of the host fails')

    console.app.app.registry.registerHandler(fail, [FileStored])
    assert outcome(console.upload('/pic.png', PNG)) == (503, 3001)
    assert not sandbox.exists('/Shared/Beefree/u1/pic.png')


def test_actions_are_audited_with_their_origin(
    console: Console, beefree: Beefree, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level('INFO', 'fsp_pyramid.audit')
    console.upload('/pic.png', PNG)
    beefree.get('/')
    lines = [record.msg for record in caplog.records if record.name == 'fsp_pyramid.audit']
    assert [(line['operation'], line['uid'], line.get('via')) for line in lines] == [
        ('upload', 'u1', 'console'),
        ('list', 'u1', None),
    ]


def test_static_files_are_revalidated(console: Console) -> None:
    answer = console.app.get('/fsp-console/static/console.css')
    assert answer.content_type == 'text/css'
    console.app.get('/fsp-console/static/console.css', headers={'If-None-Match': answer.headers['ETag']}, status=304)
