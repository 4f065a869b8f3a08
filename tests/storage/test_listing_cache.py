"""What is remembered, and what is not remembered any more."""

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from dogpile.cache import CacheRegion

from fsp_pyramid.model import Access, Entry, Listing
from fsp_pyramid.storage import cache_backends
from fsp_pyramid.storage.listing_cache import ListingCache

from ..services import RedisServer
from ..timing import PATIENCE
from .conftest import Clock


@pytest.fixture
def listing_cache(region: CacheRegion, clock: Clock) -> ListingCache:
    return ListingCache(60, region, clock=clock)


def listing(name: str, items: int = 0) -> Listing:
    directory = Entry((name,), is_directory=True, id=name, modified=0, access=Access.FULL)
    files = (Entry((name, str(n)), False, f'{name}{n}', 5, Access.EDIT, 7, 'v', 'c') for n in range(items))
    return Listing(directory, tuple(files))


def put(listing_cache: ListingCache, name: str, items: int = 0, account: str = '') -> Listing:
    listing_cache.learn((account, (name,)), listing(name, items), listing_cache.lease(account))
    return listing(name, items)


def known(listing_cache: ListingCache, names: str) -> str:
    found = ''
    for name in names:
        with suppress(KeyError):
            listing_cache.get(('', (name,)))
            found += name
    return found


def test_what_was_learnt_is_known(listing_cache: ListingCache, clock: Clock) -> None:
    kept = put(listing_cache, 'x', items=3)
    assert listing_cache.get(('', ('x',))).listing == kept
    assert listing_cache.get(('', ('x',))).asked == clock.now
    assert listing_cache.heads([('', ('x',)), ('', ('y',))])[0].listing == Listing(kept.entry, ())
    listing_cache.learn(('', ('y',)), None, listing_cache.lease(''))
    assert listing_cache.get(('', ('y',))).listing is None
    assert listing_cache.heads([('', ('y',)), ('', ('z',))])[1] is None


def test_accounts_share_nothing(listing_cache: ListingCache) -> None:
    put(listing_cache, 'x', account='a')
    with pytest.raises(KeyError):
        listing_cache.get(('b', ('x',)))


def test_it_is_kept_for_a_day(listing_cache: ListingCache, clock: Clock) -> None:
    put(listing_cache, 'x', items=1)
    clock.now += 86399
    listing_cache.patch(('', ('x',)), lambda old: Listing(old.entry, old.items))
    assert known(listing_cache, 'x') == 'x'
    clock.now += 1
    assert known(listing_cache, 'x') == ''


def test_what_is_below_a_directory_is_dropped_with_it(listing_cache: ListingCache) -> None:
    """Even where nothing is remembered of what is between them."""
    for path in (('d',), ('d', 'e', 'f'), ('dd',), ()):
        listing_cache.learn(('', path), listing('any'), listing_cache.lease(''))
    listing_cache.drop_below(('', ('d',)))
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
        lambda listing_cache: listing_cache.drop_below(('', ('y',))),
    ],
    ids=['patch', 'drop'],
)
def test_an_answer_older_than_our_write_is_not_kept(
    listing_cache: ListingCache, region: CacheRegion, write: Callable[[ListingCache], None]
) -> None:
    lease = listing_cache.lease('')
    write(ListingCache(60, region))  # another process
    listing_cache.learn(('', ('x',)), None, lease)
    assert known(listing_cache, 'x') == ''
    listing_cache.learn(('', ('x',)), None, listing_cache.lease(''))
    assert known(listing_cache, 'x') == 'x'


def test_two_patches_are_both_there(listing_cache: ListingCache, region: CacheRegion, clock: Clock) -> None:
    """Another one waits while somebody changes a listing."""
    put(listing_cache, 'x', items=2)
    other, begun = ListingCache(60, region, clock=clock), threading.Event()
    kept = ('', ('x',))

    def slow(old: Listing) -> Listing:
        thread.start()
        assert not begun.wait(timeout=0.1)
        return Listing(old.entry, old.items[:1])

    def quick(old: Listing) -> Listing:
        begun.set()
        return Listing(replace(old.entry, id='new'), old.items)

    thread = threading.Thread(target=lambda: other.patch(kept, quick))
    listing_cache.patch(kept, slow)
    thread.join(timeout=PATIENCE)
    found = listing_cache.get(kept).listing
    assert (found.entry.id, len(found.items)) == ('new', 1)


def test_memory_has_an_end_that_entries_count_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_backends, 'MAX_ENTRIES', 500)
    listing_cache = ListingCache(60)
    for name in 'abcde':
        put(listing_cache, name, items=150)
    assert known(listing_cache, 'abcde') == 'cde'
    listing_cache.patch(('', ('c',)), lambda old: Listing(old.entry, old.items * 2))
    assert known(listing_cache, 'abcde') == 'ce'
    put(listing_cache, 'x', items=600)
    assert known(listing_cache, 'abcdex') == ''
    assert listing_cache._region.backend._cache._size <= 500


def test_what_cannot_be_read_is_not_there(redis_server: RedisServer, clock: Clock) -> None:
    """Another version of us wrote it."""
    client = redis_server.client()
    listing_cache = ListingCache(60, cache_backends.redis_region(client), clock=clock)
    put(listing_cache, 'x')
    for key in client.keys('fsp:listing:*'):
        data = client.get(key)
        metadata, _, payload = data.partition(b'|')
        for wrong in (payload.replace(b'kept 2', b'kept 0', 1), payload[:-9], b'', b'{}', b'\x80\x04K\x01.'):
            client.set(key, metadata + b'|' + wrong)
            assert known(listing_cache, 'x') == ''


def test_nothing_is_pickled(redis_server: RedisServer) -> None:
    client = redis_server.client()
    listing_cache = ListingCache(60, cache_backends.redis_region(client))
    put(listing_cache, 'x', items=2)
    for key in client.keys('fsp:*'):
        assert 0 < client.ttl(key) <= 86400
        json.loads(client.get(key).partition(b'|')[2])
