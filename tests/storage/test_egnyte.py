"""Lowest layer. Its recovery from failures is in test_recovery."""

from pathlib import Path

import pytest

from fsp_pyramid import errors
from fsp_pyramid.concurrency.locks import KeyedLocks
from fsp_pyramid.egnyte import Client, RateLimiter
from fsp_pyramid.embedded import TOKEN, URL
from fsp_pyramid.model import Access
from fsp_pyramid.storage.egnyte import EgnyteStorage
from fsp_pyramid.testing import Sandbox, content

HOME = ('Shared', 'Home')


def storage_of(sandbox: Sandbox, token: str = TOKEN) -> EgnyteStorage:
    return EgnyteStorage(Client(URL, token, session=sandbox.session, rate_limiter=RateLimiter()), KeyedLocks(), 'a')


@pytest.fixture
def storage(sandbox: Sandbox) -> EgnyteStorage:
    storage = storage_of(sandbox)
    storage.create_directory(HOME)
    sandbox.forget_calls()
    return storage


def test_missing_parents_are_created_if_egnyte_does_not(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path / 'strict', strict_parents=True)
    storage = storage_of(sandbox)
    entry, _ = storage.create_directory((*HOME, 'a', 'b'))
    assert storage.list_directory((*HOME, 'a', 'b')).entry.id == entry.id
    with pytest.raises(errors.FSPError):
        storage.store_file((*HOME, 'none', 'f'), content(b'x'))


def test_access_follows_permission_levels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = [('/Shared/Brand', None, 1), ('/Shared/Brand/sub', None, 1), ('/Shared/Brand/f', b'x', 1)]
    monkeypatch.setattr('fsp_pyramid.sandbox.seed.tree', lambda: iter(tree))
    sandbox = Sandbox(tmp_path / 'seeded', seed=True)
    for token, access in ((TOKEN, Access.FULL), ('sandbox-alice', Access.EDIT), ('sandbox-bob', Access.VIEW)):
        storage = storage_of(sandbox, token)
        listing = storage.list_directory(('Shared', 'Brand'))
        assert {listing.entry.access, *(item.access for item in listing.items)} == {access}
        assert storage.stat_file(('Shared', 'Brand', 'f')).access == access
    with pytest.raises(errors.Forbidden):
        storage.store_file(('Shared', 'Brand', 'g'), content(b'x'))
    with pytest.raises(errors.Forbidden):
        storage_of(sandbox, 'sandbox-alice').delete(listing.find('f'))


def test_errors_reveal_no_folders_at_egnyte(storage: EgnyteStorage, sandbox: Sandbox) -> None:
    with pytest.raises(errors.NotFound) as caught:
        storage.list_directory((*HOME, 'secret folder', 'name'))
    assert 'secret folder' not in str(caught.value)
    assert '"name"' in str(caught.value)
