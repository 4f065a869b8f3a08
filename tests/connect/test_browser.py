"""Pages in a real browser: they work by keyboard, without scripts."""

from collections.abc import Callable

from fsp_pyramid.testing import Sandbox

from ..browser import ENTER, Browser
from .visitor import Site


def log_in(browser: Browser, decision: str) -> None:
    assert browser.heading == 'Allow access to your files?'
    browser.tab_to('username')
    browser.keys('alice')
    browser.tab_to('password')
    browser.keys('alice')
    browser.press(decision)


def test_connecting_and_choosing_a_folder_work_by_keyboard(site: Site, browser: Browser, sandbox: Sandbox) -> None:
    browser.open(site.link())
    browser.press('Go to Egnyte')
    log_in(browser, 'Allow')
    assert browser.heading == 'Egnyte is connected'
    assert browser.url.startswith(site.url)
    browser.press('Choose a folder')
    browser.press('/Private/alice\nFolders of your own')
    browser.tab_to('name')
    browser.keys('Campaigns')
    browser.press('Create')
    assert 'Campaigns' in browser.text
    browser.press('Use “Campaigns”')
    assert browser.heading == 'Egnyte is connected'
    assert site.connection().folder == '/Private/alice/Campaigns'
    assert site.files().status_code == 200
    assert browser.console_messages() == []


def test_denied_consent_connects_nothing(site: Site, browser: Browser) -> None:
    browser.open(site.link())
    browser.press('Go to Egnyte')
    log_in(browser, 'Deny')
    assert browser.heading == 'Egnyte was not connected'
    browser.press('Start again')
    assert browser.heading == 'Connect Egnyte'
    assert site.connection() is None


def test_domain_form_works_by_keyboard(make: Callable[..., Site], browser: Browser, egnyte: str) -> None:
    site = make(oauth__domain='ask')
    browser.open(site.link())
    browser.tab_to('domain')
    browser.keys('egnyte.example.com')
    browser.press('Go to Egnyte')
    assert 'cannot be connected here' in browser.text
    assert browser.focused == 'domain'
    browser.script('document.activeElement.select()')
    browser.keys(f'{egnyte}/app/')
    browser.press('Go to Egnyte')
    log_in(browser, 'Allow')
    assert browser.heading == 'Egnyte is connected'


def test_auth_service_works_by_keyboard(make: Callable[..., Site], browser: Browser, egnyte: str) -> None:
    site = make(oauth__domain='service', oauth__service_url=f'{egnyte}/services/oauth/code')
    browser.open(site.link())
    browser.press('Go to Egnyte')
    assert browser.heading == 'Your Egnyte domain'
    browser.tab_to('domain')
    browser.keys(egnyte.removeprefix('http://'))
    browser.press('Continue')
    log_in(browser, 'Allow')
    assert browser.heading == 'Egnyte is connected'


def test_disconnecting_works_by_keyboard(site: Site, browser: Browser) -> None:
    browser.open(site.link())
    browser.press('Go to Egnyte')
    log_in(browser, 'Allow')
    browser.tab_to('Use another account, or disconnect')
    browser.keys(ENTER)
    browser.press('Disconnect')
    assert browser.heading == 'Connect Egnyte'
    assert site.files().json()['code'] == 3901


def test_pages_fit_small_windows(site: Site, browser: Browser, sandbox: Sandbox) -> None:
    browser.resize(360)
    browser.open(site.link('u' * 200))
    assert browser.overflow == 0
    browser.press('Go to Egnyte')
    log_in(browser, 'Allow')
    assert browser.overflow == 0
    browser.press('Choose a folder')
    path = '/Private/alice/' + 'w' * 200
    sandbox.api('POST', f'/pubapi/v1/fs{path}', json={'action': 'add_folder'}).raise_for_status()
    for at in ('/Private/alice', path):
        browser.open(f'{browser.url.partition("?")[0]}?at={at}')
        assert browser.overflow == 0
