"""A failed first upload leaves no created folders, with an ordinary user's token as well."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fsp_pyramid.egnyte import Client
from fsp_pyramid.sandbox.permissions import Level
from fsp_pyramid.testing import Sandbox

from ..conftest import Source
from ..permissions import ORDINARY, grant
from .beefree import PNG, Beefree, outcome


@pytest.fixture(params=['sandbox', ORDINARY], ids=['administrator', 'ordinary user'])
def newcomer(request: pytest.FixtureRequest, make_app: Callable[..., Any], tmp_path: Path) -> Beefree:
    """Return a user without a folder."""
    grant(tmp_path, '/Shared/Beefree', 'alice', Level.FULL)
    return Beefree(make_app(egnyte__token=request.param), uid='new')


def fail(sandbox: Sandbox) -> None:
    sandbox.fail({'method': 'POST', 'path_prefix': '/pubapi/v1/fs-content', 'status': 403, 'times': 9})


@pytest.mark.parametrize('path', ['/a.png', '/editor_images/a.png', '/favicon_images/a.png'])
def test_created_folders_are_deleted(newcomer: Beefree, sandbox: Sandbox, source: Source, path: str) -> None:
    fail(sandbox)
    assert newcomer.upload(path, source.offer(PNG)).status_int == 403
    assert not sandbox.exists('/Shared/Beefree/new')
    assert sandbox.exists('/Shared/Beefree')
    assert newcomer.names('/') == ['shared/', 'team/'], 'the mounts'
    sandbox.fail()
    assert outcome(newcomer.upload(path, source.offer(PNG))) == (201, None)
    assert sandbox.content(f'/Shared/Beefree/new{path}') == PNG


def test_existing_folder_stays(newcomer: Beefree, sandbox: Sandbox, source: Source, tmp_path: Path) -> None:
    """An empty folder that existed before stays, too."""
    sandbox.api('POST', '/pubapi/v1/fs/Shared/Beefree/new', json={'action': 'add_folder'}).raise_for_status()
    with closing(sqlite3.connect(tmp_path / 'egnyte' / 'sandbox.sqlite')) as db, db:
        db.execute("UPDATE nodes SET created = created - 60000 WHERE name = 'new'")
    fail(sandbox)
    assert newcomer.upload('/editor_images/a.png', source.offer(PNG)).status_int == 403
    assert sandbox.exists('/Shared/Beefree/new')
    assert not sandbox.exists('/Shared/Beefree/new/editor_images')


def test_folder_used_by_another_user_stays(
    newcomer: Beefree, sandbox: Sandbox, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = Client.upload

    def used(self: Client, path: str, content: Any) -> Any:
        sandbox.upload('/Shared/Beefree/new/theirs.png', b'theirs')
        fail(sandbox)
        return upload(self, path, content)

    monkeypatch.setattr(Client, 'upload', used)
    assert newcomer.upload('/editor_images/a.png', source.offer(PNG)).status_int == 403
    assert sandbox.content('/Shared/Beefree/new/theirs.png') == b'theirs'
    assert not sandbox.exists('/Shared/Beefree/new/editor_images')
