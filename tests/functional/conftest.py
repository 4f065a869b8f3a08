"""Fixtures of the functional tests: a seeded sandbox, and applications over it."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyramid.config import Configurator

from fsp_pyramid.testing import Sandbox


@pytest.fixture(scope='session')
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of a seeded sandbox; a copy is a hundred times faster than seeding."""
    directory = tmp_path_factory.mktemp('seeded')
    assert Sandbox(directory, seed=True).exists('/Shared/Brand')
    return directory


@pytest.fixture
def egnyte(tmp_path: Path, seeded: Path) -> Sandbox:
    """Return a sandbox with the seed tree."""
    shutil.copytree(seeded, tmp_path / 'egnyte')
    return Sandbox(tmp_path / 'egnyte')


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """Return the settings of a mount over the seeded sandbox, or over an empty one."""
    return {
        'fsp.username': 'beefree',
        'fsp.password': 'beefree',
        'fsp.egnyte.url': f'sandbox:{tmp_path / "egnyte"}',
        'fsp.folders': '/ /Shared/Beefree/{uid}\n/shared/ /Shared/Brand ro',
    }


@pytest.fixture
def make(settings: dict[str, str]) -> Callable[..., Any]:
    """Make an application by steps of configuration; keywords are settings, with double underscores for dots."""

    def include(config: Any) -> None:
        config.include('fsp_pyramid')

    def make(*steps: Callable[[Any], object], **more: str) -> Any:
        more = {f'fsp.{key.replace("__", ".")}': value for key, value in more.items()}
        with Configurator(settings=settings | more) as config:
            for step in steps or (include,):
                step(config)
        return config.make_wsgi_app()

    return make
