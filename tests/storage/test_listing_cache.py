"""Listing cache."""

import json
import threading
from collections.abc import Callable
from contextlib import suppress

import pytest

from fsp_pyramid.model import Access, Entry, Listing
from fsp_pyramid.storage import cache_backends
from fsp_pyramid.storage.cache_backends import CacheBackend
from fsp_pyramid.storage.listing_cache import ListingCache

from ..services import RedisServer
from ..timing import PATIENCE
from .conftest import Clock


@pytest.fixture
def listing_cache(cache_backend: CacheBackend, clock: Clock) -> ListingCache:
    return ListingCache(60, cache_backend, clock=clock)


def listing(name: str, items: int = 0) -> Listing:
    directory = Entry((name,), is_directory=True, id=name, modified=0, access=Access.FULL)
    files = (Entry((name, str(n)), False, f'{name}{n}', 5, Access.EDIT, 7, 'v', 'c') for n in range(items))
    return Listing(directory, tuple(files))


def put(listing_cache: ListingCache, name: str, items: int = 0, account: str = '') -> Listing:
    listing_cache.store((account, (name,)), listing(name, items), listing_cache.lease(account))
    return listing(name, items)


def known(listing_cache: ListingCache, names: str) -> str:
    found = ''
    for name in names:
        with suppress(KeyError):
            listing_cache.get(('', (name,)))
            found += name
    return found


def test_stored_listing_is_returned(listing_cache: ListingCache, clock: Clock) -> None:
    kept = put(listing_cache, 'x', items=3)
    assert listing_cache.get(('', ('x',))).listing == kept
    assert listing_cache.get(('', ('x',))).as_of == clock.now
    assert listing_cache.heads([('', ('x',)), ('', ('y',))])[0].listing == Listing(kept.entry, ())
    listing_cache.store(('', ('y',)), None, listing_cache.lease(''))
    assert listing_cache.get(('', ('y',))).listing is None
    assert listing_cache.heads([('', ('y',)), ('', ('z',))])[1] is None


def test_accounts_share_nothing(listing_cache: ListingCache) -> None:
    put(listing_cache, 'x', account='a')
    with pytest.raises(KeyError):
        listing_cache.get(('b', ('x',)))


def test_listing_expires_after_a_day(listing_cache: ListingCache, clock: Clock) -> None:
    put(listing_cache, 'x', items=1)
    clock.now += 86399
    listing_cache.patch(('', ('x',)), lambda old: Listing(old.entry, old.items))
    assert known(listing_cache, 'x') == 'x'
    clock.now += 1
    assert known(listing_cache, 'x') == ''


def test_invalidation_covers_the_tree(listing_cache: ListingCache) -> None:
    """Directories in between need not be cached."""
    for path in (('d',), ('d', 'e', 'f'), ('dd',), ()):
        listing_cache.store(('', path), listing('any'), listing_cache.lease(''))
    listing_cache.invalidate_tree(('', ('d',)))
    assert known(listing_cache, 'd') == ''
    with pytest.raises(KeyError):
        listing_cache.get(('', ('d', 'e', 'f')))
    assert listing_cache.heads([('', ('d', 'e', 'f'))]) == [None]
    assert listing_cache.get(('', ('dd',)))
    assert listing_cache.get(('', ()))
    put(listing_cache, 'd')
    assert known(listing_cache, 'd') == 'd'


@pytest.mark.parametrize(
    'write',
    [
        lambda listing_cache: listing_cache.patch(('', ('x',)), lambda kept: kept),
        lambda listing_cache: listing_cache.invalidate_tree(('', ('y',))),
    ],
    ids=['patch', 'drop'],
)
def test_answer_older_than_our_write_is_not_stored(
    listing_cache: ListingCache, cache_backend: CacheBackend, write: Callable[[ListingCache], None]
) -> None:
    lease = listing_cache.lease('')
    write(ListingCache(60, cache_backend))  # another process
    listing_cache.store(('', ('x',)), None, lease)
    assert known(listing_cache, 'x') == ''
    listing_cache.store(('', ('x',)), None, listing_cache.lease(''))
    assert known(listing_cache, 'x') == 'x'


def test_concurrent_patches_are_both_applied(
    listing_cache: ListingCache, cache_backend: CacheBackend, clock: Clock
) -> None:
    """The second patch waits for the first one."""
    put(listing_cache, 'x', items=2)
    other, begun = ListingCache(60, cache_backend, clock=clock), threading.Event()
    kept = ('', ('x',))

    def slow(old: Listing) -> Listing:
        thread.start()
        assert not begun.wait(timeout=0.1)
        return Listing(old.entry, old.items[:1])

    def quick(old: Listing) -> Listing:
        begun.set()
        return Listing(old.entry._replace(id='new'), old.items)

    thread = threading.Thread(target=lambda: other.patch(kept, quick))
    listing_cache.patch(kept, slow)
    thread.join(timeout=PATIENCE)
    found = listing_cache.get(kept).listing
    assert (found.entry.id, len(found.items)) == ('new', 1)


def test_memory_is_bounded_by_entries() -> None:
    backend = cache_backends.MemoryBackend(500 * cache_backends.ENTRY_SIZE)
    listing_cache = ListingCache(60, backend)
    for name in 'abcde':
        put(listing_cache, name, items=150)
    assert known(listing_cache, 'abcde') == 'cde'
    listing_cache.patch(('', ('c',)), lambda old: Listing(old.entry, old.items * 2))
    assert known(listing_cache, 'abcde') == 'ce'
    put(listing_cache, 'x', items=600)
    assert known(listing_cache, 'abcdex') == 'ce', 'a listing above the bound evicts no other'
    assert backend._size <= 500 * cache_backends.ENTRY_SIZE


def test_stored_listings_have_versions_of_their_own(listing_cache: ListingCache) -> None:
    def version() -> object:
        return listing_cache.get(('', ('x',))).listing.version

    put(listing_cache, 'x', items=3)
    first = version()
    assert first is not None
    assert version() == first
    put(listing_cache, 'x', items=3)
    second = version()
    listing_cache.patch(('', ('x',)), lambda old: Listing(old.entry, old.items[:1]))
    assert len({first, second, version()}) == 3


def test_unchanged_listing_is_not_decoded_again(redis_server: RedisServer, clock: Clock) -> None:
    mine, other = (ListingCache(60, cache_backends.RedisBackend(redis_server.client()), clock=clock) for _ in range(2))
    key = ('', ('x',))
    put(other, 'x', items=3)
    found = mine.get(key).listing
    assert mine.get(key).listing is found
    other.patch(key, lambda old: Listing(old.entry, old.items[:2]))
    changed = mine.get(key).listing
    assert len(changed.items) == 2
    assert mine.get(key).listing is changed
    other.invalidate_tree(key)
    with pytest.raises(KeyError):
        mine.get(key)
    put(other, 'x', items=1)
    assert len(mine.get(key).listing.items) == 1
    other.patch(key, lambda _old: None)
    with pytest.raises(KeyError):
        mine.get(key)


def test_unreadable_value_is_missing(redis_server: RedisServer, clock: Clock) -> None:
    """The value may be of another version."""
    client = redis_server.client()
    listing_cache = ListingCache(60, cache_backends.RedisBackend(client), clock=clock)
    put(listing_cache, 'x')
    for key in client.keys('fsp:listing:*'):
        data = client.get(key)
        header, _, payload = data.partition(b'|')
        for wrong in (payload.replace(b'kept 3', b'kept 0', 1), payload[:-9], b'', b'{}', b'\x80\x04K\x01.'):
            client.set(key, header + b'|' + wrong)
            assert known(listing_cache, 'x') == ''


def test_nothing_is_pickled(redis_server: RedisServer) -> None:
    client = redis_server.client()
    listing_cache = ListingCache(60, cache_backends.RedisBackend(client))
    put(listing_cache, 'x', items=2)
    for key in client.keys('fsp:*'):
        assert 0 < client.ttl(key) <= 86400
        json.loads(client.get(key).partition(b'|')[2])


def test_values_are_shared_with_version_0_1(redis_server: RedisServer) -> None:
    """Values of version 0.1 come from dogpile.cache, which puts metadata and a separator before them."""
    client = redis_server.client()
    listing_cache = ListingCache(60, cache_backends.RedisBackend(client))
    put(listing_cache, 'x', items=2)
    for key in client.keys('fsp:*'):
        metadata, separator, payload = client.get(key).partition(b'|')
        assert json.loads(metadata)['v'] == 2
        assert separator
        client.set(key, b'{"ct": 1700000000.5, "v": 2}|' + payload)
    assert {key.split(b':')[1] for key in client.keys('fsp:*')} == {b'listing', b'head', b'era', b'write'}
    assert listing_cache.get(('', ('x',))).listing == listing('x', 2)
    lease = listing_cache.lease('')
    listing_cache.store(('', ('y',)), None, lease)
    assert known(listing_cache, 'xy') == 'xy'


def test_mutex_without_waiting_is_refused_while_it_is_held(cache_backend: CacheBackend) -> None:
    mutex, other = cache_backend.mutex('a'), cache_backend.mutex('a')
    assert mutex.acquire()
    assert not other.acquire(blocking=False)
    mutex.release()
    assert other.acquire(blocking=False)
    other.release()
