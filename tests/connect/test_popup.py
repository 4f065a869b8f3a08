"""The pages in a pop-up window of a host page on another origin, in a real browser."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from webob import Request, Response

from ..browser import ENTER, Browser
from ..timing import PATIENCE
from .conftest import served
from .visitor import Site

# A page that opens the link in a pop-up, and shows each message with its origin.
PAGE = """<!doctype html><title>Host</title><h1>Host</h1>
<button onclick="window.open('{link}', 'connect', 'popup,width=500,height=700')">Connect</button>
<main></main>
<script>addEventListener('message', event => {{
  document.querySelector('main').append(JSON.stringify([event.origin, event.data]));
}});</script>"""


class Host:
    """An application of a host with one page, at two origins: 127.0.0.1 and localhost."""

    def __init__(self) -> None:
        self.url = self.link = ''

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        is_page = Request(environ).path == '/settings'
        return Response(PAGE.format(link=self.link) if is_page else '')(environ, start_response)

    @property
    def other_url(self) -> str:
        return self.url.replace('127.0.0.1', 'localhost')


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()
    with served(host) as url:
        host.url = url.replace('localhost', '127.0.0.1')
        yield host


@pytest.fixture
def site(make: Callable[..., Site], host: Host) -> Site:
    site = make(title='Acme Mailer', connect__return_origins=host.url)
    host.link = site.link(user_label='Anna', return_url=f'{host.url}/settings')
    return site


def until(get: Callable[[], Any]) -> Any:
    """Return the first true value of *get*."""
    end = time.monotonic() + PATIENCE
    while not (value := get()):
        assert time.monotonic() < end
    return value


def handles(browser: Browser, count: int) -> list[str]:
    """Wait until there are so many windows, and return their handles."""
    until(lambda: len(browser.command('GET', '/window/handles')) == count)
    return browser.command('GET', '/window/handles')


def switch(browser: Browser, handle: str) -> None:
    browser.command('POST', '/window', handle=handle)


def open_popup(browser: Browser, url: str) -> tuple[str, str]:
    """Open the host's page and its pop-up; return the handles of both windows. The pop-up is the current one."""
    browser.open(url)
    opener = browser.command('GET', '/window')
    browser.tab_to('Connect')
    browser.keys(ENTER)
    (popup,) = set(handles(browser, 2)) - {opener}
    switch(browser, popup)
    until(lambda: browser.script("document.querySelector('h1')?.innerText") == 'Connect Egnyte')
    return opener, popup


def consent(browser: Browser, decision: str) -> None:
    browser.press('Go to Egnyte')
    browser.tab_to('username')
    browser.keys('alice')
    browser.tab_to('password')
    browser.keys('alice')
    browser.press(decision)


def messages(browser: Browser) -> str:
    """Return the messages that the host's page received."""
    return browser.script("document.querySelector('main').innerText")


def message(site: Site, state: str) -> str:
    return f'["{site.url}",{{"type":"fsp-connect","state":"{state}"}}]'


def test_popup_tells_its_opener_and_closes_itself(site: Site, host: Host, browser: Browser) -> None:
    opener, popup = open_popup(browser, f'{host.url}/settings')
    consent(browser, 'Deny')
    browser.press('Start again')
    consent(browser, 'Allow')
    assert browser.heading == 'Egnyte is connected'
    assert browser.script("document.getElementById('back').innerText") == 'Back to Acme Mailer'
    assert browser.console_messages() == []
    switch(browser, opener)
    until(lambda: messages(browser) == message(site, 'denied') + message(site, 'connected'))
    switch(browser, popup)
    browser.tab_to('Close this window')
    browser.keys(ENTER)
    assert handles(browser, 1) == [opener]


def test_opener_of_another_origin_is_told_nothing(site: Site, host: Host, browser: Browser) -> None:
    opener, _ = open_popup(browser, f'{host.other_url}/settings')
    consent(browser, 'Allow')
    assert browser.heading == 'Egnyte is connected'
    # Messages arrive in their order, so that this one ends the wait for those before.
    assert browser.script("document.getElementById('close').offsetParent !== null")
    browser.script("window.opener.postMessage('later', '*')")
    switch(browser, opener)
    until(lambda: messages(browser))
    assert messages(browser) == f'["{site.url}","later"]'


def test_page_without_an_opener_leads_back(site: Site, host: Host, browser: Browser) -> None:
    browser.open(host.link)
    consent(browser, 'Allow')
    assert not browser.script("document.getElementById('close').offsetParent")
    browser.press('Back to Acme Mailer')
    assert browser.url == f'{host.url}/settings'
    # The token in the address of the page is secret.
    assert browser.script('document.referrer') == ''
    assert messages(browser) == ''
