"""A real browser without a screen: Chromium, driven by ChromeDriver over the WebDriver protocol."""

import base64
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from .timing import PATIENCE

# Without these Chromium asks for hosts of its maker's at every start.
FLAGS = (
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--hide-scrollbars',
)
ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'
TAB, ENTER = '\ue004', '\ue007'


class Browser:
    """A browser, of which one window is the current one."""

    def __init__(self, session: requests.Session, url: str) -> None:
        self._session, self._url = session, url

    def command(self, method: str, path: str, **body: Any) -> Any:
        """Send a command of the WebDriver protocol."""
        answer = self._session.request(
            method, f'{self._url}{path}', json=body if method == 'POST' else None, timeout=PATIENCE
        )
        value = answer.json()['value']
        assert answer.status_code == 200, value
        return value

    def open(self, url: str) -> None:
        self.command('POST', '/url', url=url)

    @property
    def url(self) -> str:
        return self.command('GET', '/url')

    def script(self, script: str) -> Any:
        """Return the value of JavaScript that the driver runs; the page's policy does not apply to it."""
        return self.command('POST', '/execute/sync', script=f'return {script}', args=[])

    @property
    def heading(self) -> str:
        return self.script("document.querySelector('h1').innerText")

    @property
    def text(self) -> str:
        return self.script("document.querySelector('main').innerText")

    @property
    def focused(self) -> str:
        """Return the text, or the id, of the focused element."""
        return self.script('document.activeElement.innerText || document.activeElement.id')

    def keys(self, text: str) -> None:
        """Press keys at the focused element."""
        actions = [{'type': kind, 'value': key} for key in text for kind in ('keyDown', 'keyUp')]
        self.command('POST', '/actions', actions=[{'type': 'key', 'id': 'keyboard', 'actions': actions}])

    def tab_to(self, wanted: str) -> None:
        """Press Tab until the element has the focus."""
        seen = []
        while (seen[-1:] or [''])[0] != wanted:
            assert len(seen) < 60, seen
            self.keys(TAB)
            seen.append(self.focused)

    def press(self, wanted: str) -> None:
        """Focus the element by keyboard and press Enter, which leads to another page."""
        self.tab_to(wanted)
        before = self._page()
        self.keys(ENTER)
        self._wait_for_another(before)

    def click(self, selector: str) -> None:
        """Click on the first element of a CSS selector, which leads to another page."""
        before = self._page()
        self.script(f"document.querySelector('{selector}').click()")
        self._wait_for_another(before)

    def _page(self) -> str:
        return self.command('POST', '/element', using='css selector', value='html')[ELEMENT]

    def _wait_for_another(self, before: str) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                now = self._page()
            except AssertionError:  # between two pages there is none
                continue
            if now != before and self.script('document.readyState') == 'complete':
                return
        raise AssertionError('no other page came')

    def picture(self, file: Path, width: int) -> None:
        """Return a picture of the whole page in a window of the given width."""
        metrics = {'width': width, 'height': 0, 'deviceScaleFactor': 1, 'mobile': False}
        self.devtools('Emulation.setDeviceMetricsOverride', **metrics)
        height = self.script('document.documentElement.scrollHeight')
        self.devtools('Emulation.setDeviceMetricsOverride', **metrics | {'height': max(height, 400)})
        file.write_bytes(base64.b64decode(self.command('GET', '/screenshot')))

    @property
    def overflow(self) -> int:
        """Return the pixels by which the page is wider than the window."""
        return self.script('document.documentElement.scrollWidth - document.documentElement.clientWidth')

    def resize(self, width: int) -> None:
        metrics = {'width': width, 'height': 700, 'deviceScaleFactor': 1, 'mobile': False}
        self.devtools('Emulation.setDeviceMetricsOverride', **metrics)

    def console_messages(self) -> list[str]:
        """Return the console messages since the last call, of blocked content for example."""
        messages = [entry['message'] for entry in self.command('POST', '/se/log', type='browser')]
        # The application has no favicon.
        return [message for message in messages if 'favicon.ico' not in message]

    def reset(self) -> None:
        """Forget what other tests left: windows, the page, cookies, headers, sizes, colours and console messages."""
        first, *others = self.command('GET', '/window/handles')
        for handle in others:
            self.command('POST', '/window', handle=handle)
            self.command('DELETE', '/window')
        self.command('POST', '/window', handle=first)
        self.open('about:blank')
        self.devtools('Network.enable')
        self.devtools('Network.setExtraHTTPHeaders', headers={})
        self.devtools('Network.clearBrowserCookies')
        self.devtools('Network.clearBrowserCache')
        self.devtools('Emulation.clearDeviceMetricsOverride')
        self.devtools('Emulation.setEmulatedMedia', features=[])
        self.console_messages()

    def devtools(self, name: str, **parameters: Any) -> None:
        self.command('POST', '/goog/cdp/execute', cmd=name, params=parameters)


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """Yield a browser with an empty profile; skip the test without one."""
    driver, binary = shutil.which('chromedriver'), shutil.which('chromium')
    if not (driver and binary):
        message = 'there is no Chromium here (Debian: chromium and chromium-driver)'
        if os.environ.get('FSP_REQUIRE_SERVICES') == '1':
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    with socket.create_server(('127.0.0.1', 0)) as listener:
        port = listener.getsockname()[1]
    with (
        subprocess.Popen([driver, f'--port={port}'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process,
        requests.Session() as session,
    ):
        session.trust_env = False
        try:
            yield from _session(session, f'http://127.0.0.1:{port}', binary, profile)
        finally:
            process.terminate()


def _session(session: requests.Session, url: str, binary: str, profile: Path) -> Iterator[Browser]:
    _wait_until_ready(session, url)
    options = {'binary': binary, 'args': [*FLAGS, f'--user-data-dir={profile}']}
    wanted = {'goog:chromeOptions': options, 'goog:loggingPrefs': {'browser': 'ALL'}}
    capabilities = {'capabilities': {'alwaysMatch': wanted}}
    answer = session.post(f'{url}/session', json=capabilities, timeout=PATIENCE).json()['value']
    browser = Browser(session, f'{url}/session/{answer["sessionId"]}')
    try:
        yield browser
    finally:
        browser.command('DELETE', '')


def _wait_until_ready(session: requests.Session, url: str) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            if session.get(f'{url}/status', timeout=PATIENCE).json()['value']['ready']:
                return
        except requests.ConnectionError:
            time.sleep(0.02)
        assert time.monotonic() < end, 'ChromeDriver does not start'
