"""Permissions of users."""

import sqlite3
from pathlib import Path

import pytest

from fsp_pyramid.sandbox import make_app
from fsp_pyramid.sandbox.permissions import Level

from ..permissions import grant
from .api import Api
from .conftest import Clock

GROUP = 'group:editors'


@pytest.fixture
def brand(api: Api, tmp_path: Path) -> Api:
    """Return a tree with grants: alice is Editor and bob Viewer of /Shared/Brand, except for /Shared/Brand/secret."""
    api.upload('/Shared/Brand/logo.png', b'logo')
    api.upload('/Shared/Brand/secret/plan.txt', b'plan')
    api.upload('/Shared/Brand/secret/open/a.txt', b'a')
    api.upload('/Shared/Other/b.txt', b'b')
    grant(tmp_path, '/Shared/Brand', 'alice', Level.EDITOR)
    grant(tmp_path, '/Shared/Brand', 'bob', Level.VIEWER)
    grant(tmp_path, '/Shared/Brand/secret', 'bob', Level.NONE)
    return api


def put_into_group(tmp_path: Path, username: str) -> None:
    with sqlite3.connect(tmp_path / 'egnyte' / 'sandbox.sqlite') as db:
        db.execute("INSERT OR IGNORE INTO groups VALUES ('editors', 'Editors')")
        db.execute("INSERT INTO members SELECT 'editors', id FROM users WHERE username = ?", (username,))
    db.close()


def level(api: Api, path: str) -> str:
    return api.fs(path, {'include_perm': 'True'})['permission']


def test_levels(brand: Api) -> None:
    alice, bob = brand.by('alice'), brand.by('bob')
    assert level(brand, '/Shared/Brand') == level(brand, '/Private/bob') == 'Owner'
    assert level(alice, '/Shared/Brand') == level(alice, '/Shared/Brand/secret/plan.txt') == 'Editor'
    assert level(bob, '/Shared/Brand') == level(bob, '/Shared/Brand/logo.png') == 'Viewer'
    assert level(bob, '/') == level(bob, '/Shared') == level(bob, '/Private') == 'Nav'
    assert level(bob, '/Private/bob') == 'Owner'


def test_what_may_not_be_seen_is_missing(brand: Api) -> None:
    bob = brand.by('bob')
    for path in ('/Shared/Other', '/Shared/Other/b.txt', '/Shared/Brand/secret', '/Private/alice'):
        bob.fs(path, status=404)
        bob.content(path, status=404)
        bob.delete(f'fs{path}', status=404)
        bob.act(path, 'move', destination='/Private/bob/x', status=404)
    folder_id = brand.fs('/Shared/Other')['folder_id']
    bob.fs(f'/ids/folder/{folder_id}', status=404)
    assert bob.names('/Shared') == ['Brand']
    assert bob.names('/Shared/Brand') == ['logo.png']
    assert bob.fs('/Shared/Brand')['total_count'] == 1
    assert bob.names('/Private') == ['bob']
    assert brand.names('/Private') == ['alice', 'bob', 'demo']


def test_one_may_pass_through_to_what_is_allowed(brand: Api, tmp_path: Path) -> None:
    grant(tmp_path, '/Shared/Brand/secret/open', 'bob', Level.EDITOR)
    bob = brand.by('bob')
    assert level(bob, '/Shared/Brand/secret') == 'Nav'
    assert bob.names('/Shared/Brand') == ['secret', 'logo.png']
    assert bob.names('/Shared/Brand/secret') == ['open']
    bob.fs('/Shared/Brand/secret/plan.txt', status=404)
    bob.upload('/Shared/Brand/secret/open/new.txt')
    bob.upload('/Shared/Brand/secret/new.txt', status=403)


def test_viewers_read_and_do_nothing_else(brand: Api) -> None:
    bob = brand.by('bob')
    assert bob.content('/Shared/Brand/logo.png').body == b'logo'
    assert set(bob.upload('/Shared/Brand/new.png', status=403)) == {'message'}
    assert set(bob.upload('/Shared/Brand/logo.png', status=403)) == {'message'}
    assert set(bob.mkdir('/Shared/Brand/new', status=403)) == {'errorMessage'}
    bob.delete('fs/Shared/Brand/logo.png', status=403)
    bob.act('/Shared/Brand/logo.png', 'move', destination='/Private/bob/logo.png', status=403)
    bob.act('/Shared/Brand/logo.png', 'copy', destination='/Shared/Brand/copy.png', status=403)
    bob.act('/Shared/Brand/logo.png', 'copy', destination='/Private/bob/logo.png')


def test_editors_add_but_neither_move_nor_delete(brand: Api) -> None:
    alice = brand.by('alice')
    alice.upload('/Shared/Brand/new.png')
    alice.upload('/Shared/Brand/logo.png', b'newer')
    alice.act('/Shared/Brand/logo.png', 'copy', destination='/Shared/Brand/copy.png')
    alice.delete('fs/Shared/Brand/logo.png', status=403)
    entry_id = brand.fs('/Shared/Brand/logo.png')['entry_id']
    alice.delete(f'fs/Shared/Brand/logo.png?entry_id={entry_id}', status=403)
    alice.act('/Shared/Brand/logo.png', 'move', destination='/Shared/Brand/renamed.png', status=403)


def test_full_moves_and_deletes(brand: Api, tmp_path: Path) -> None:
    grant(tmp_path, '/Shared/Brand', 'bob', Level.FULL)
    bob = brand.by('bob')
    bob.act('/Shared/Brand/logo.png', 'move', destination='/Shared/Brand/renamed.png')
    bob.delete('fs/Shared/Brand/renamed.png')


def test_who_creates_a_folder_owns_it(brand: Api) -> None:
    alice = brand.by('alice')
    alice.mkdir('/Shared/Brand/mine/deep')
    assert level(alice, '/Shared/Brand/mine/deep') == 'Owner'
    alice.delete('fs/Shared/Brand/mine')


def test_ordinary_users_create_nothing_directly_below_shared(brand: Api, tmp_path: Path) -> None:
    grant(tmp_path, '/Shared', 'alice', Level.OWNER)
    alice = brand.by('alice')
    alice.mkdir('/Shared/new', status=403)
    alice.upload('/Shared/new/a.txt', status=403)
    alice.upload('/Shared/Other/new.txt')


def test_listing_without_download(brand: Api, tmp_path: Path) -> None:
    grant(tmp_path, '/Shared/Brand', 'bob', Level.VIEWER_ONLY)
    bob = brand.by('bob')
    assert bob.names('/Shared/Brand') == ['logo.png']
    assert level(bob, '/Shared/Brand') == 'Viewer Only'
    bob.content('/Shared/Brand/logo.png', status=403)


def test_groups(brand: Api, tmp_path: Path) -> None:
    put_into_group(tmp_path, 'bob')
    bob = brand.by('bob')
    grant(tmp_path, '/Shared/Other', GROUP, Level.FULL)
    assert level(bob, '/Shared/Other/b.txt') == 'Full'
    grant(tmp_path, '/Shared/Brand', GROUP, Level.FULL)
    assert level(bob, '/Shared/Brand') == 'Viewer', "the user's own grant goes first"
    grant(tmp_path, '/Shared/Brand/secret', GROUP, Level.OWNER)
    bob.fs('/Shared/Brand/secret', status=404)
    grant(tmp_path, '/Shared/Brand/secret/open', GROUP, Level.EDITOR)
    assert level(bob, '/Shared/Brand/secret') == 'Nav'
    assert level(bob, '/Shared/Brand/secret/open') == 'Editor', 'the nearest grant decides'


def test_a_copy_leaves_out_what_may_not_be_read(brand: Api) -> None:
    brand.by('bob').act('/Shared/Brand', 'copy', destination='/Private/bob/Brand')
    assert brand.names('/Private/bob/Brand') == ['logo.png']


@pytest.mark.parametrize(('permissions', 'left'), [('keep_original', 'Viewer'), (None, 'Editor')])
def test_permissions_may_come_along(brand: Api, tmp_path: Path, permissions: str | None, left: str) -> None:
    brand.mkdir('/Shared/Brand/sub')
    grant(tmp_path, '/Shared/Other', 'bob', Level.EDITOR)
    more = {'permissions': permissions} if permissions else {}
    for action in ('copy', 'move'):
        target = f'/Shared/Other/{action}'
        brand.act('/Shared/Brand/sub', action, destination=target, **more)
        assert level(brand.by('bob'), target) == left


def test_permissions_may_be_left_behind(brand: Api, tmp_path: Path) -> None:
    grant(tmp_path, '/Shared/Other', 'bob', Level.EDITOR)
    brand.act('/Shared/Brand', 'move', destination='/Shared/Other/Brand', permissions='inherit_from_parent')
    assert level(brand.by('bob'), '/Shared/Other/Brand') == 'Editor'


def test_labels() -> None:
    assert [Level.parse(level.label) for level in Level] == list(Level)
    assert Level.parse(' viewer only ') is Level.VIEWER_ONLY
    assert Level.parse('King') is None


def test_seeded_users(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = [('/Shared/Brand', None, 1000), ('/Shared/Brand/a.txt', b'a', 2000)]
    monkeypatch.setattr('fsp_pyramid.sandbox.seed.tree', lambda: iter(tree))
    api = Api(make_app(tmp_path, seed=True, clock=clock))
    assert level(api.by('alice'), '/Shared/Brand') == 'Editor'
    assert level(api.by('bob'), '/Shared/Brand/a.txt') == 'Viewer'
