"""Compatibility with the data that earlier versions left on disk."""

import json
from pathlib import Path
from typing import Any

import pytest
from webtest import TestApp

from fsp_pyramid import main
from fsp_pyramid.scripts.accounts import main as accounts

from .snapshot import (
    DATA,
    lay_out,
    picture,
    settings,
)

VERSIONS = sorted(path.stem for path in DATA.glob('*.json'))


@pytest.fixture(params=VERSIONS)
def snapshot(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """Return the snapshot of a version, laid out below the temporary directory."""
    snapshot = json.loads((DATA / f'{request.param}.json').read_text())
    lay_out(snapshot, tmp_path)
    return snapshot


def test_public_files_are_served_from_an_old_cache_directory(snapshot: dict[str, Any], tmp_path: Path) -> None:
    """Serve everything from the disk, since Egnyte has no listener."""
    backend = TestApp(main({}, **settings(tmp_path)))
    answer = backend.get(snapshot['links']['file'])
    assert (answer.body, answer.content_type) == (picture(), 'image/png')
    thumbnail = backend.get(snapshot['links']['thumbnail'])
    assert thumbnail.content_type == 'image/webp'
    assert 'immutable' in thumbnail.headers['Cache-Control']


def test_accounts_of_an_old_database_can_be_read(
    snapshot: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [f'{key} = {value}' for key, value in settings(tmp_path).items()]
    ini = tmp_path / 'site.ini'
    ini.write_text('\n'.join(['[app:main]', 'use = egg:fsp-pyramid', *lines]))
    assert accounts([str(ini), 'list', '--json']) == 0
    (account,) = json.loads(capsys.readouterr().out)
    assert (account['user'], account['uid']) == ('alice', 'anna')
    # All tokens are decrypted and encrypted again.
    assert accounts([str(ini), 'rotate-keys']) == 0


def test_snapshots_exist() -> None:
    assert VERSIONS
