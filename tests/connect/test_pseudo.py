"""All pages in a pseudo-locale, in a small window: long texts fit, and none is left in English."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from fsp_pyramid.testing import Sandbox

from ..browser import Browser
from ..i18n import pseudo
from .visitor import Site

ORIGIN = 'https://app.example.com'
LABEL = 'anna-katharina.von-der-berg@marketing.example.com'
MORE = {'user_label': LABEL, 'return_url': f'{ORIGIN}/settings'}
VALUES = {'Acme Mailer', 'alice', 'acme.egnyte.com', '/Shared', '/Private/alice', '/Private/alice/Beefree'}
VALUES |= {'Egnyte', 'Private', 'Shared', 'Campaigns', '/'}


@pytest.fixture
def make_pseudo(make: Callable[..., Site]) -> Callable[..., Site]:
    def make_pseudo(**changes: str) -> Site:
        logo = str(Path(__file__).parents[2] / 'examples/logo.svg')
        site = make(title='Acme Mailer', support_url='mailto:help@acme.com', logo=logo, **changes)
        pseudo.speak(site.registry)
        return site

    return make_pseudo


def button(action: str) -> str:
    """Return the selector of the first button that sends a form."""
    return f'button[name=action][value={action}]'


def consent(browser: Browser, decision: str) -> None:
    """Log in at Egnyte, whose pages are in English."""
    browser.tab_to('username')
    browser.keys('alice')
    browser.tab_to('password')
    browser.keys('alice')
    browser.press(decision)


def check(browser: Browser, *more: str) -> None:
    pseudo.check(browser, VALUES | set(more))


def test_pages_of_a_connection(make_pseudo: Callable[..., Site], egnyte: str, browser: Browser) -> None:
    site = make_pseudo(connect__return_origins=ORIGIN)
    netloc = urlsplit(egnyte).netloc
    browser.open(site.link(**MORE))
    check(browser)
    browser.click(button('connect'))
    consent(browser, 'Deny')
    check(browser)
    browser.click('a.button')
    browser.click(button('connect'))
    consent(browser, 'Allow')
    assert f'{pseudo.OPEN}Döñé.' in browser.text
    browser.script("document.querySelector('details').open = true")
    check(browser, netloc)
    browser.click(button('disconnect'))
    check(browser)
    assert site.connection().state == 'disconnected'


def test_pages_of_the_chooser(make_pseudo: Callable[..., Site], browser: Browser, sandbox: Sandbox) -> None:
    site = make_pseudo(connect__return_origins=ORIGIN)
    browser.open(site.link(**MORE))
    browser.click(button('connect'))
    consent(browser, 'Allow')
    folder = site.link(**MORE) + '/folder'
    browser.open(folder)
    check(browser)
    for at in ('/Private/alice', '/Private', '/Shared'):
        browser.open(f'{folder}?at={at}')
        check(browser)
    names = [f'Folder {number}' for number in range(203)]
    for name in names:
        body = {'action': 'add_folder'}
        sandbox.api('POST', f'/pubapi/v1/fs/Private/alice/{name}', json=body).raise_for_status()
    for query in ('', '&find=9', '&find=none'):
        browser.open(f'{folder}?at=/Private/alice{query}')
        check(browser, *names)
    browser.script("document.getElementById('name').value = 'a?b'")
    browser.click(button('create'))
    assert browser.script("document.getElementById('problem') !== null")
    check(browser, *names)
    browser.open(f'{folder}?at=/Private/alice/Folder 7')
    browser.click(button('choose'))
    check(browser, site.connection().egnyte_url.partition('://')[2], '/Private/alice/Folder 7')
    browser.open(f'{folder}?at=/Private/alice/Folder 7&done=folder')
    check(browser, *names)


def test_pages_of_domains(make_pseudo: Callable[..., Site], browser: Browser, egnyte: str) -> None:
    site = make_pseudo(oauth__domain='ask')
    browser.open(site.link(user_label=LABEL))
    for domain in ('evil.example.com', 'a b', ' '):
        browser.script(f"document.getElementById('domain').value = '{domain}'")
        browser.click(button('connect'))
        assert browser.script("document.getElementById('problem') !== null")
        check(browser)
    site = make_pseudo(oauth__domain='service', oauth__service_url=f'{egnyte}/services/oauth/code')
    browser.open(site.link(user_label=LABEL))
    browser.click(button('connect'))
    state = urlsplit(browser.url).query.partition('state=')[2].partition('&')[0]
    browser.open(f'{site.url}/fsp-connect/callback?code=x&state={state}')
    check(browser)
    browser.script("document.getElementById('domain').value = 'evil.example.com'")
    browser.click('button.first')
    check(browser)


def test_folders_that_the_application_decides(make_pseudo: Callable[..., Site], browser: Browser, egnyte: str) -> None:
    folders = '/ /Shared/Team/{client_id}\n/brand/ /Shared/Brand ro\n/team/ /Shared/Team'
    site = make_pseudo(folders=folders)
    browser.open(site.link())
    browser.click(button('connect'))
    consent(browser, 'Allow')
    check(browser, urlsplit(egnyte).netloc, '/Shared/Team/shop')
    browser.open(site.link() + '/folder')
    check(browser)


def test_error_pages(make_pseudo: Callable[..., Site], browser: Browser, sandbox: Sandbox) -> None:
    site = make_pseudo(connect__return_origins=ORIGIN)
    for url in (
        site.link(lifetime=-1, **MORE),
        f'{site.url}/fsp-connect/x',
        f'{site.url}/fsp-connect/%FF',
        f'{site.url}/fsp-connect/callback?state=x',
        f'{site.url}/fsp-connect/logo/fsp/none',
        site.link('bert', **MORE) + '/folder',
    ):
        browser.open(url)
        check(browser)
    browser.open(site.link(**MORE))
    browser.click(button('connect'))
    state = urlsplit(browser.url).query.partition('state=')[2].partition('&')[0]
    callback = f'{site.url}/fsp-connect/callback?state={state}'
    for query in ('', '&code=wrong', '&error=invalid_scope'):
        browser.open(callback + query)
        check(browser)
    browser.open(site.link(**MORE))
    browser.click(button('connect'))
    sandbox.fail({'method': 'POST', 'path_prefix': '/puboauth/token', 'status': 500})
    consent(browser, 'Allow')
    check(browser)


def test_expired_connection(make_pseudo: Callable[..., Site], browser: Browser, sandbox: Sandbox) -> None:
    site = make_pseudo()
    browser.open(site.link())
    browser.click(button('connect'))
    consent(browser, 'Allow')
    access = site.connection().tokens.access
    body = {'token': access, 'client_secret': 'sandbox-secret'}
    sandbox.api('POST', '/pubapi/v1/tokens/revoke', token=access, data=body).raise_for_status()
    assert site.files().json()['code'] == 3902
    browser.open(site.link())
    check(browser)
