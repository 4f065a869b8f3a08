"""The application with its console, over a sandbox with a few files, in process."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from webtest import TestApp, TestResponse

from fsp_pyramid import main
from fsp_pyramid.testing import Sandbox

LOCAL = {'REMOTE_ADDR': '127.0.0.1'}
TOKEN = 'token-of-the-console'
FOLDERS = """
    /         /Shared/Beefree/{uid}
    /shared/  /Shared/Brand            ro
"""


class Console:
    """A browser at the console: cookies, and the token of its page."""

    def __init__(self, application: Any, prefix: str = '/fsp-console', **environ: str) -> None:
        self.app = TestApp(application, extra_environ=LOCAL | environ)
        self.prefix = prefix
        self.csrf = ''

    def open(self, path: str = '', **options: Any) -> TestResponse:
        """Open a page and remember its token against forged requests."""
        page = self.app.get(self.prefix + path, **options)
        if found := re.search(r'(?:data-csrf="|name="csrf_token" value=")([\w-]+)', page.text):
            self.csrf = found[1]
        return page

    def send(self, method: str, path: str, body: bytes = b'', *, target: str = 'call/fsp/-', **headers: str) -> Any:
        """Send a request of the page's script; header names have underscores, and '' leaves a header out."""
        sent = {
            'X-CSRF-Token': self.csrf,
            'X-BEE-ClientId': 'console',
            'X-BEE-Uid': 'u1',
        } | {name.replace('_', '-'): value for name, value in headers.items()}
        return self.app.request(
            f'{self.prefix}/{target}{path}',
            method=method,
            body=body,
            headers={name: value for name, value in sent.items() if value},
            status='*',
            expect_errors=True,
        )

    def upload(self, path: str, content: bytes, strategy: str = '') -> Any:
        return self.send('POST', f'{path}?conflict_strategy={strategy}', content, target='upload/fsp/-')

    def log_in(self, token: str = TOKEN, **options: Any) -> TestResponse:
        self.open(status='*')
        return self.app.post(f'{self.prefix}/login', {'csrf_token': self.csrf, 'token': token}, **options)


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    monkeypatch.setattr('fsp_pyramid.sandbox.seed.tree', lambda: iter(()))
    sandbox = Sandbox(tmp_path / 'egnyte')
    for path in ('Brand', 'Beefree', 'Beefree/u1'):
        sandbox.api('POST', f'/pubapi/v1/fs/Shared/{path}', json={'action': 'add_folder'}).raise_for_status()
    sandbox.upload('/Shared/Brand/logo.png', b'logo')
    return sandbox


@pytest.fixture
def ini(sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    return {
        'fsp.username': 'beefree',
        'fsp.password': 'secret-password',
        'fsp.egnyte.url': f'sandbox:{tmp_path / "egnyte"}',
        'fsp.folders': FOLDERS,
        'fsp.sources.allow': '127.0.0.1',
        'tm.manager_hook': 'pyramid_tm.explicit_manager',
        'tm.annotate_user': 'false',
    }


@pytest.fixture
def make(ini: dict[str, str]) -> Callable[..., Any]:
    """Return a factory of applications; keywords are more settings, with double underscores for dots."""
    return lambda **more: main({}, **ini | {f'fsp.{key.replace("__", ".")}': value for key, value in more.items()})


@pytest.fixture
def console(make: Callable[..., Any]) -> Console:
    """Return a browser on the machine itself, with the page Files open."""
    console = Console(make(console__local='true'))
    console.open()
    return console
