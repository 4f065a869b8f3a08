"""An application with the endpoints for operators, and its callers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from webtest import TestApp

from fsp_pyramid import main
from fsp_pyramid.testing import Sandbox

TOKEN = 'a-token-of-forty-characters-for-operators'
LOCAL = {'REMOTE_ADDR': '127.0.0.1', 'HTTP_HOST': 'localhost:6543'}
REMOTE = {'REMOTE_ADDR': '192.0.2.1', 'HTTP_HOST': 'files.example'}
CALLER = {'X-BEE-ClientId': 'shop', 'X-BEE-Uid': 'demo'}


@pytest.fixture(autouse=True)
def unseeded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Return a sandbox without the seed tree, which takes seconds."""
    monkeypatch.setattr('fsp_pyramid.sandbox.seed.tree', lambda: iter(()))


@pytest.fixture
def settings(sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    """Return settings of an application over an empty Egnyte."""
    return {
        'fsp.username': 'beefree',
        'fsp.password': 'secret-password',
        'fsp.egnyte.url': f'sandbox:{tmp_path / "egnyte"}',
        'fsp.sources.allow': '127.0.0.1',
        'tm.manager_hook': 'pyramid_tm.explicit_manager',
        'tm.annotate_user': 'false',
    }


@pytest.fixture
def make(settings: dict[str, str]) -> Callable[..., TestApp]:
    """Return a factory of applications with loopback callers; keywords are more settings."""

    def make(**more: str) -> Any:
        more = {f'fsp.{key.replace("__", ".")}': value for key, value in more.items()}
        app = TestApp(main({}, **settings | more), extra_environ=dict(LOCAL))
        app.authorization = ('Basic', ('beefree', 'secret-password'))
        return app

    return make
