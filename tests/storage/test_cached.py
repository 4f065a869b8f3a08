"""Caching layer."""

from typing import Any

import pytest

from fsp_pyramid import errors
from fsp_pyramid.concurrency.locks import KeyedLocks
from fsp_pyramid.egnyte import Client, RateLimiter
from fsp_pyramid.embedded import TOKEN, URL
from fsp_pyramid.storage.cache_backends import CacheBackend
from fsp_pyramid.storage.cached import CachedStorage
from fsp_pyramid.storage.egnyte import EgnyteStorage
from fsp_pyramid.storage.listing_cache import ListingCache
from fsp_pyramid.testing import Sandbox, content

from .conftest import Clock

HOME = ('Shared', 'Home')


@pytest.fixture
def listing_cache(cache_backend: CacheBackend, clock: Clock) -> ListingCache:
    return ListingCache(60, cache_backend, clock=clock)


@pytest.fixture
def storage(sandbox: Sandbox, listing_cache: ListingCache) -> CachedStorage:
    lowest = EgnyteStorage(Client(URL, TOKEN, session=sandbox.session, rate_limiter=RateLimiter()), KeyedLocks(), 'a')
    lowest.create_directory(HOME)
    sandbox.forget_calls()
    return CachedStorage(lowest, listing_cache, 'a')


def test_listing_is_fresh_for_its_ttl(storage: CachedStorage, sandbox: Sandbox, clock: Clock) -> None:
    storage.list_directory(HOME)
    sandbox.upload('/Shared/Home/f', b'x')
    clock.now += 59.9
    assert storage.list_directory(HOME).items == ()
    assert storage.list_directory(HOME, fresh=True).find('f')
    assert storage.list_directory(HOME).find('f')
    sandbox.upload('/Shared/Home/g', b'x')
    clock.now += 60
    assert storage.list_directory(HOME).find('g')


def test_patched_listing_keeps_its_age(storage: CachedStorage, sandbox: Sandbox, clock: Clock) -> None:
    storage.list_directory(HOME)
    sandbox.upload('/Shared/Home/f', b'x')
    clock.now += 50
    storage.store_file((*HOME, 'g'), content(b'x'))
    assert [item.name for item in storage.list_directory(HOME).items] == ['g']
    clock.now += 10
    assert [item.name for item in storage.list_directory(HOME).items] == ['f', 'g']


def test_missing_directory_is_cached(storage: CachedStorage, sandbox: Sandbox) -> None:
    for _ in range(2):
        with pytest.raises(errors.NotFound):
            storage.list_directory((*HOME, 'none'))
    assert len(sandbox.calls) == 1
    storage.create_directory((*HOME, 'none', 'deep'))
    assert [item.name for item in storage.list_directory((*HOME, 'none')).items] == ['deep']


def test_cached_parent_answers_for_missing_items(storage: CachedStorage, sandbox: Sandbox) -> None:
    storage.store_file((*HOME, 'f'), content(b'x'))
    storage.list_directory(HOME)
    sandbox.forget_calls()
    for path in ((*HOME, 'none'), (*HOME, 'f')):
        with pytest.raises(errors.NotFound):
            storage.list_directory(path)
    with pytest.raises(errors.NotFound):
        storage.stat_file((*HOME, 'none'))
    assert storage.stat_file((*HOME, 'F')).size == 1
    assert sandbox.calls == []


def test_failed_write_invalidates_the_listing(storage: CachedStorage, sandbox: Sandbox) -> None:
    storage.list_directory(HOME)
    sandbox.api('POST', '/pubapi/v1/fs/Shared/Home/d', json={'action': 'add_folder'})
    with pytest.raises(errors.FSPError):
        storage.create_directory((*HOME, 'd'))
    assert storage.list_directory(HOME).find('d')


def test_item_count_is_known_once_a_directory_was_listed(storage: CachedStorage) -> None:
    storage.create_directory((*HOME, 'd'))
    storage.store_file((*HOME, 'd', 'f'), content(b'x'))
    assert storage.list_directory(HOME).find('d').item_count == 1
    assert storage.peek_directory((*HOME, 'd')).item_count == 1
    assert storage.peek_directory((*HOME, 'other')) is None


def test_deletion_invalidates_the_tree(storage: CachedStorage, sandbox: Sandbox) -> None:
    entry, _ = storage.create_directory((*HOME, 'd'))
    storage.create_directory((*HOME, 'd', 'e'))
    storage.delete(entry)
    sandbox.api('POST', '/pubapi/v1/fs/Shared/Home/d/other', json={'action': 'add_folder'})
    with pytest.raises(errors.NotFound):
        storage.list_directory((*HOME, 'd', 'e'))


def test_failed_move_invalidates_both_listings(storage: CachedStorage, sandbox: Sandbox) -> None:
    storage.create_directory((*HOME, 'd'))
    entry, _ = storage.store_file((*HOME, 'f'), content(b'x'))
    storage.list_directory(HOME)
    storage.list_directory((*HOME, 'd'))
    sandbox.api('DELETE', '/pubapi/v1/fs/Shared/Home/f')
    sandbox.upload('/Shared/Home/d/g', b'x')
    with pytest.raises(errors.NotFound):
        storage.move_file(entry, (*HOME, 'd', 'f'))
    assert storage.list_directory(HOME).find('f') is None
    assert storage.list_directory((*HOME, 'd')).find('g')


def test_file_stored_at_once_in_a_new_directory_is_listed(
    storage: CachedStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another caller finds the new directory in its parent before create_directory has returned."""
    replace = storage._patch

    def replace_and_store(*args: Any, **kwargs: Any) -> None:
        replace(*args, **kwargs)
        monkeypatch.undo()
        storage.store_file((*HOME, 'd', 'f'), content(b'x'))

    monkeypatch.setattr(storage, '_patch', replace_and_store)
    storage.create_directory((*HOME, 'd'))
    assert storage.list_directory((*HOME, 'd')).find('f')


def test_parents_created_with_a_directory_are_listed(storage: CachedStorage) -> None:
    storage.list_directory(HOME)
    with pytest.raises(errors.NotFound):
        storage.list_directory((*HOME, 'a'))
    storage.create_directory((*HOME, 'a', 'b', 'c'))
    assert storage.list_directory(HOME).find('a')
    assert storage.list_directory((*HOME, 'a')).find('b')


def test_listing_in_memory_is_not_copied(sandbox: Sandbox) -> None:
    lowest = EgnyteStorage(Client(URL, TOKEN, session=sandbox.session, rate_limiter=RateLimiter()), KeyedLocks(), 'a')
    storage = CachedStorage(lowest, ListingCache(60), 'a')
    storage.create_directory((*HOME, 'd'))
    storage.store_file((*HOME, 'f'), content(b'x'))
    storage.list_directory(HOME)
    assert storage.list_directory(HOME) is storage.list_directory(HOME)
