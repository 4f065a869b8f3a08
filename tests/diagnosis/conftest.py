"""Installations of applications that are made from settings, and what a diagnosis finds in them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fsp_pyramid import main
from fsp_pyramid.diagnosis import Installation, Options, Proxy, Result, diagnose
from fsp_pyramid.settings import KEYS, variable
from fsp_pyramid.testing import Sandbox

GOOD = 'Zq8-lk2V_0pXy7Rt4mNc'
SECRET = 'c1f7a9e04b6d82533e9f7a1c5b80d264'
SERVER = {
    'use': 'waitress',
    'host': '127.0.0.1',
    'threads': '32',
    'connection_limit': '200',
    'asyncore_use_poll': 'true',
}

Make = Callable[..., Installation]


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove settings from the environment, and the seed tree, which takes seconds."""
    for key in KEYS:
        monkeypatch.delenv(variable(key), raising=False)
    monkeypatch.setattr('fsp_pyramid.sandbox.seed.tree', lambda: iter(()))


@pytest.fixture
def make(sandbox: Sandbox, tmp_path: Path) -> Make:
    """Return a factory of installations over an empty Egnyte; keywords are more settings, or parts of them."""

    def make(
        server: dict[str, str] | None = SERVER,
        environ: dict[str, str] | None = None,
        proxy: Proxy | None = None,
        file: Path | None = None,
        request: Any = None,
        **more: str,
    ) -> Installation:
        settings = {
            'fsp.username': 'bridge',
            'fsp.password': GOOD,
            'fsp.egnyte.url': f'sandbox:{tmp_path / "egnyte"}',
            'fsp.public.secret': SECRET,
            'tm.manager_hook': 'pyramid_tm.explicit_manager',
        } | {f'fsp.{key.replace("__", ".")}': value for key, value in more.items()}
        return Installation.of(
            main({}, **settings).registry,
            environ or {},
            server=server,
            proxy=proxy or Proxy(),
            file=file,
            request=request,
        )

    return make


def found(installation: Installation, group: str, **options: Any) -> list[Result]:
    """Return the results of a group of checks, or of one."""
    return [
        result
        for result in diagnose(installation, Options(**{'with_egnyte': False} | options))
        if f'{result.id}.'.startswith(f'{group}.')
    ]


def said(installation: Installation, group: str, **options: Any) -> list[str]:
    """Return the results of a group as texts."""
    return [f'{result.level} {result.id}: {result.found}' for result in found(installation, group, **options)]
