"""The pages Public links and Source check."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from fsp_pyramid.testing import Sandbox

from ..imaging.pictures import picture
from ..protocol.beefree import PNG
from .conftest import Console


def look_up(console: Console, url: str, **options: Any) -> Any:
    return console.app.post('/fsp-console/links', {'csrf_token': console.csrf, 'url': url}, **options)


def facts(page: Any) -> dict[str, str]:
    pairs = re.findall(r'<dt>(.*?)</dt><dd>(.*?)</dd>', page.text)
    return {name: re.sub('<[^>]+>', '', value) for name, value in pairs}


@pytest.mark.parametrize('which', ['public-url', 'thumbnail'])
def test_link_shows_its_file(console: Console, sandbox: Sandbox, which: str) -> None:
    meta = console.upload('/pic.png', picture()).json['data']['meta']
    sandbox.forget_calls()
    page = look_up(console, meta[which])
    found = facts(page)
    assert found['Path at Egnyte'] == '/Shared/Beefree/u1/pic.png'
    assert found['Account'] == 'fsp'
    assert found['Kept here'].startswith('yes')
    assert len(sandbox.calls) == 1
    assert meta['thumbnail'] in page.text


def test_file_that_is_not_kept_is_found(console: Console) -> None:
    (item,) = console.send('GET', '/shared/').json['data']['items']
    found = facts(look_up(console, item['public-url']))
    assert found['Path at Egnyte'] == '/Shared/Brand/logo.png'
    assert found['Kept here'].startswith('no')


def test_link_is_found_behind_any_host_and_prefix(console: Console) -> None:
    url = console.upload('/pic.png', PNG).json['data']['meta']['public-url']
    token = url.split('/')[4]
    assert 'pic.png' in look_up(console, f'https://cdn.example/files/{token}/other-name.png?x=1').text


def test_link_of_a_deleted_file(console: Console) -> None:
    url = console.upload('/pic.png', PNG).json['data']['meta']['public-url']
    console.send('DELETE', '/pic.png')
    assert 'role="alert"' in look_up(console, url, status=404).text


@pytest.mark.parametrize('url', ['', 'nonsense', 'https://example.com/a/b', 'http://[', '/fsp-public/AAAA/é'])
def test_other_urls_are_refused(console: Console, url: str) -> None:
    assert 'no public URL of this service' in look_up(console, url, status=400).text


def test_looked_up_links_are_not_logged(console: Console, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level('INFO')
    url = console.upload('/pic.png', PNG).json['data']['meta']['public-url']
    look_up(console, url)
    assert '"operation": "look up a link"' in caplog.text
    assert url.split('/')[4] not in caplog.text


@pytest.mark.parametrize(
    ('url', 'verdict', 'line'),
    [
        ('http://127.0.0.1:8080/a.png', 'It would be fetched', 'fsp.sources.allow has 127.0.0.1'),
        ('http://10.0.0.1/a.png', 'It would be refused', 'add this to fsp.sources.allow: 10.0.0.1:80'),
        ('ftp://10.0.0.1/<b>', 'It would be refused', 'refused:'),
    ],
)
def test_source_is_explained(console: Console, url: str, verdict: str, line: str) -> None:
    page = console.app.post('/fsp-console/sources', {'csrf_token': console.csrf, 'url': url})
    assert verdict in page.text
    assert line in page.text
    assert '<b>' not in page.text


def test_source_is_explained_for_the_chosen_client(ini: dict[str, str], make: Callable[..., Any]) -> None:
    del ini['fsp.username'], ini['fsp.password']
    names = {f'client__{name}__{key}': f'{name}-{key}' for name in ('acme', 'shop') for key in ('username', 'password')}
    own = {'clients': 'acme shop', 'client__shop__sources__allow': '10.0.0.1', 'console__local': 'true'}
    console = Console(make(**names, **own))
    console.open()
    for client, verdict in (('fsp: acme', 'refused'), ('fsp: shop', 'fetched')):
        form = {'csrf_token': console.csrf, 'url': 'http://10.0.0.1/', 'client': client}
        assert f'It would be {verdict}' in console.app.post('/fsp-console/sources', form).text


@pytest.mark.parametrize('page', ['links', 'sources', 'accounts'])
def test_forms_need_their_token(console: Console, page: str) -> None:
    form = {'url': 'http://127.0.0.1/', 'action': 'link', 'csrf_token': 'x'}
    console.app.post(f'/fsp-console/{page}', form, status=403)


def test_without_connected_accounts_there_is_no_page_for_them(console: Console) -> None:
    console.open('/accounts', status=404)
    assert 'Accounts' not in console.open('/status').text
