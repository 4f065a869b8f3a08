"""The whole application over a small sandbox, in process."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fsp_pyramid import main
from fsp_pyramid.testing import Sandbox

from .beefree import Beefree

FOLDERS = """
    /         /Shared/Beefree/{uid}
    /shared/  /Shared/Brand            ro
    /team/    /Shared/Team
"""


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """Return the sandbox of the application, with a few files instead of the seed tree."""
    monkeypatch.setattr('fsp_pyramid.sandbox.seed.tree', lambda: iter(()))
    sandbox = Sandbox(tmp_path / 'egnyte')
    for path in ('Brand', 'Team', 'Beefree', 'Beefree/u1'):
        answer = sandbox.api('POST', f'/pubapi/v1/fs/Shared/{path}', json={'action': 'add_folder'})
        assert answer.status_code == 201
    sandbox.upload('/Shared/Brand/logo.png', b'logo')
    sandbox.forget_calls()
    return sandbox


@pytest.fixture
def make_app(sandbox: Sandbox, tmp_path: Path) -> Callable[..., Any]:
    """Return a factory of applications; keywords are more settings, with double underscores for dots."""

    def make(**more: str) -> Any:
        settings = {
            'fsp.username': 'beefree',
            'fsp.password': 'secret-password',
            'fsp.egnyte.url': f'sandbox:{tmp_path / "egnyte"}',
            'fsp.folders': FOLDERS,
            'fsp.sources.allow': '127.0.0.1',
            'tm.manager_hook': 'pyramid_tm.explicit_manager',
            'tm.annotate_user': 'false',
        }
        return main({}, **settings | {f'fsp.{key.replace("__", ".")}': value for key, value in more.items()})

    return make


@pytest.fixture
def client(make_app: Callable[..., Any]) -> Beefree:
    """Return a user with an empty directory."""
    return Beefree(make_app())
