"""The page Accounts of the console: connected accounts, and links for users."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from ..console.conftest import Console
from .visitor import Site, Visitor


@pytest.fixture
def site(make: Callable[..., Site]) -> Site:
    return make(console__local='true')


@pytest.fixture
def console(site: Site) -> Console:
    return Console(site.application)


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
    assert 'name="number"' not in page.text


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
