"""The page Accounts of the console: connected accounts, and links for users."""

import re
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import transaction

from fsp_pyramid.egnyte import Tokens
from fsp_pyramid.interfaces import IAccountStores

from ..browser import Browser
from ..console import pseudo
from ..console.conftest import Console
from ..console.window import Window
from .visitor import Request, Site, Visitor


@pytest.fixture
def site(make: Callable[..., Site]) -> Site:
    return make(console__local='true')


@pytest.fixture
def console(site: Site) -> Console:
    return Console(site.application)


def store_connection(site: Site, key: str = 'fsp', uid: str = 'user-1') -> None:
    manager = transaction.TransactionManager(explicit=True)
    with manager:
        store = site.registry.getUtility(IAccountStores)(Request(manager))
        store.connect(key, 'shop', uid, 'https://acme.egnyte.com', 'alice', Tokens('access', 'refresh', time.time()))


def act(console: Console, action: str, **fields: Any) -> Any:
    form = {'csrf_token': console.csrf, 'action': action} | fields
    return console.app.post('/fsp-console/accounts', form, status='*')


def test_link_of_the_console_connects_an_account_that_it_disconnects(console: Console, site: Site) -> None:
    assert 'No user has connected an account yet' in console.open('/accounts').text
    page = act(console, 'link', client='fsp/', client_id='shop', uid='anna')
    (link,) = re.findall(r'id="link" readonly value="([^"]+)"', page.text)
    with Visitor() as visitor:
        visitor.connect(site.url + link.removeprefix('http://localhost:80').removeprefix('http://localhost'))
        assert visitor.heading == 'Egnyte is connected'
    page = console.open('/accounts')
    assert 'alice at' in page.text
    assert 'connected</span>' in page.text
    assert site.connection().tokens.access not in page.text
    (number,) = re.findall(r'name="number" value="(\d+)"', page.text)
    assert act(console, 'disconnect', number=number).status_int == 303
    assert site.connection().state == 'disconnected'
    page = console.open('/accounts?done=disconnected')
    assert 'tokens are revoked' in page.text
    assert 'never' not in page.text
    assert 'name="number"' not in page.text


def test_files_of_an_account_are_one_click_away(site: Site, browser: Browser) -> None:
    console = Console(site.application)
    console.open('/accounts')
    page = act(console, 'link', client='fsp/', client_id='my-application', uid='anna')
    (link,) = re.findall(r'id="link" readonly value="([^"]+)"', page.text)
    with Visitor() as visitor:
        visitor.connect(site.url + link.removeprefix('http://localhost:80').removeprefix('http://localhost'))
    window = Window(browser)
    window.open(f'{site.url}/fsp-console/accounts')
    window.click('Files anna', 'link')
    window.until("document.querySelector('#crumbs [aria-current]') !== null")
    fields = {name: window.script(f"document.getElementById('{name}').value") for name in ('client-id', 'uid')}
    assert fields == {'client-id': 'my-application', 'uid': 'anna'}


def test_account_of_a_client_that_is_gone_has_no_link(console: Console, site: Site) -> None:
    store_connection(site)
    assert console.open('/accounts').html.find('a', href=re.compile('client-id=shop&uid=user-1'))
    store_connection(site, 'fsp/gone', 'user-2')
    assert not console.open('/accounts').html.find('a', href=re.compile('client-id=shop&uid=user-2'))


@pytest.mark.parametrize('number', ['', 'x', '0', '999', '9' * 30])
def test_unknown_accounts_are_not_disconnected(console: Console, number: str) -> None:
    console.open('/accounts')
    assert act(console, 'disconnect', number=number).status_int == 404


def test_invalid_users_get_no_link(console: Console) -> None:
    console.open('/accounts')
    page = act(console, 'link', client='fsp/', client_id='shop', uid='a/b')
    assert page.status_int == 400
    assert 'uid: 1 to 200 letters' in page.text
    assert 'id="link"' not in page.text


def test_links_are_not_logged(console: Console, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level('INFO')
    console.open('/accounts')
    page = act(console, 'link', client='fsp/', client_id='shop', uid='anna')
    (token,) = re.findall(r'/fsp-connect/([\w-]+)"', page.text)
    assert '"operation": "make a connect link"' in caplog.text
    assert token not in caplog.text


def test_page_fits_a_narrow_window_in_longer_languages(
    make: Callable[..., Site], browser: Browser, tmp_path: Path
) -> None:
    site = make(console__local='true', messages=str(pseudo.write(tmp_path / 'pseudo.ini')))
    texts = pseudo.texts()
    store_connection(site)
    window = Window(browser)
    browser.resize(360)
    window.open(f'{site.url}/fsp-console/accounts')
    for uid, result in (('a/b', '[role=alert]'), ('anna', '#link')):
        window.fill(texts['console-application-id'], 'shop')
        window.fill(texts['console-user-id'], uid)
        window.click(texts['console-make-link'])
        window.until(f'document.querySelector({result!r})')
        pseudo.check(window, uid)
    window.script("document.querySelector('.sure').open = true")
    pseudo.check(window, 'sure')
    window.script("document.querySelector('.sure button').click()")
    window.until("document.querySelector('[role=status]') && !document.querySelector('#link')")
    pseudo.check(window, 'disconnected')


def test_times_and_problems_are_in_the_language(make: Callable[..., Site], tmp_path: Path) -> None:
    file = tmp_path / 'own.ini'
    file.write_text('[de]\nconsole-bad-id = Falsch: ${name}.\nconsole-connect-link-note = Gilt ${time}.\n')
    site = make(console__local='true', messages=str(file), timezone='Asia/Tokyo', language='de')
    store_connection(site)
    console = Console(site.application)
    page = console.open('/accounts').text
    created = datetime.fromtimestamp(site.connection('user-1').created_at, ZoneInfo('Asia/Tokyo'))
    assert f'<td><time>{created:%d.%m.%Y, %H:%M} ' in page
    assert re.search(r'Gilt \d+ Stunden\.', page)
    assert 'Falsch: uid.' in act(console, 'link', client='fsp/', client_id='shop', uid='a/b').text
    refused = act(console, 'link', client='fsp/none', client_id='shop', uid='anna').text
    assert '<span lang="en" dir="ltr">' in refused
