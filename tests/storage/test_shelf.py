"""What is remembered, and what is not remembered any more."""

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from dogpile.cache import CacheRegion

from fsp_pyramid.model import Access, Entry, Listing
from fsp_pyramid.storage import regions
from fsp_pyramid.storage.shelf import Shelf

from ..services import RedisServer
from ..timing import PATIENCE
from .conftest import Clock


@pytest.fixture
def shelf(region: CacheRegion, clock: Clock) -> Shelf:
    return Shelf(60, region, clock=clock)


def listing(name: str, items: int = 0) -> Listing:
    directory = Entry((name,), is_directory=True, id=name, modified=0, access=Access.FULL)
    files = (Entry((name, str(n)), False, f'{name}{n}', 5, Access.EDIT, 7, 'v', 'c') for n in range(items))
    return Listing(directory, tuple(files))


def put(shelf: Shelf, name: str, items: int = 0, account: str = '') -> Listing:
    shelf.learn((account, (name,)), listing(name, items), shelf.ticket(account))
    return listing(name, items)


def known(shelf: Shelf, names: str) -> str:
    found = ''
    for name in names:
        with suppress(KeyError):
            shelf.get(('', (name,)))
            found += name
    return found


def test_what_was_learnt_is_known(shelf: Shelf, clock: Clock) -> None:
    kept = put(shelf, 'x', items=3)
    assert shelf.get(('', ('x',))).listing == kept
    assert shelf.get(('', ('x',))).asked == clock.now
    assert shelf.heads([('', ('x',)), ('', ('y',))])[0].listing == Listing(kept.entry, ())
    shelf.learn(('', ('y',)), None, shelf.ticket(''))
    assert shelf.get(('', ('y',))).listing is None
    assert shelf.heads([('', ('y',)), ('', ('z',))])[1] is None


def test_accounts_share_nothing(shelf: Shelf) -> None:
    put(shelf, 'x', account='a')
    with pytest.raises(KeyError):
        shelf.get(('b', ('x',)))


def test_it_is_kept_for_a_day(shelf: Shelf, clock: Clock) -> None:
    put(shelf, 'x', items=1)
    clock.now += 86399
    shelf.patch(('', ('x',)), lambda old: Listing(old.entry, old.items))
    assert known(shelf, 'x') == 'x'
    clock.now += 1
    assert known(shelf, 'x') == ''


def test_what_is_below_a_directory_is_dropped_with_it(shelf: Shelf) -> None:
    """Even where nothing is remembered of what is between them."""
    for path in (('d',), ('d', 'e', 'f'), ('dd',), ()):
        shelf.learn(('', path), listing('any'), shelf.ticket(''))
    shelf.drop_below(('', ('d',)))
    assert known(shelf, 'd') == ''
    with pytest.raises(KeyError):
        shelf.get(('', ('d', 'e', 'f')))
    assert shelf.heads([('', ('d', 'e', 'f'))]) == [None]
    assert shelf.get(('', ('dd',)))
    assert shelf.get(('', ()))
    put(shelf, 'd')
    assert known(shelf, 'd') == 'd'


@pytest.mark.parametrize(
    'write',
    [lambda shelf: shelf.patch(('', ('x',)), lambda kept: kept), lambda shelf: shelf.drop_below(('', ('y',)))],
    ids=['patch', 'drop'],
)
def test_an_answer_older_than_our_write_is_not_kept(
    shelf: Shelf, region: CacheRegion, write: Callable[[Shelf], None]
) -> None:
    ticket = shelf.ticket('')
    write(Shelf(60, region))  # another process
    shelf.learn(('', ('x',)), None, ticket)
    assert known(shelf, 'x') == ''
    shelf.learn(('', ('x',)), None, shelf.ticket(''))
    assert known(shelf, 'x') == 'x'


def test_two_patches_are_both_there(shelf: Shelf, region: CacheRegion, clock: Clock) -> None:
    """Another one waits while somebody changes a listing."""
    put(shelf, 'x', items=2)
    other, begun = Shelf(60, region, clock=clock), threading.Event()
    kept = ('', ('x',))

    def slow(old: Listing) -> Listing:
        thread.start()
        assert not begun.wait(timeout=0.1)
        return Listing(old.entry, old.items[:1])

    def quick(old: Listing) -> Listing:
        begun.set()
        return Listing(replace(old.entry, id='new'), old.items)

    thread = threading.Thread(target=lambda: other.patch(kept, quick))
    shelf.patch(kept, slow)
    thread.join(timeout=PATIENCE)
    found = shelf.get(kept).listing
    assert (found.entry.id, len(found.items)) == ('new', 1)


def test_memory_has_an_end_that_entries_count_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regions, 'MAX_ENTRIES', 500)
    shelf = Shelf(60)
    for name in 'abcde':
        put(shelf, name, items=150)
    assert known(shelf, 'abcde') == 'cde'
    shelf.patch(('', ('c',)), lambda old: Listing(old.entry, old.items * 2))
    assert known(shelf, 'abcde') == 'ce'
    put(shelf, 'x', items=600)
    assert known(shelf, 'abcdex') == ''
    assert shelf._region.backend._cache._size <= 500


def test_what_cannot_be_read_is_not_there(redis_server: RedisServer, clock: Clock) -> None:
    """Another version of us wrote it."""
    client = redis_server.client()
    shelf = Shelf(60, regions.redis_region(client), clock=clock)
    put(shelf, 'x')
    for key in client.keys('fsp:listing:*'):
        data = client.get(key)
        metadata, _, payload = data.partition(b'|')
        for wrong in (payload.replace(b'kept 2', b'kept 0', 1), payload[:-9], b'', b'{}', b'\x80\x04K\x01.'):
            client.set(key, metadata + b'|' + wrong)
            assert known(shelf, 'x') == ''


def test_nothing_is_pickled(redis_server: RedisServer) -> None:
    client = redis_server.client()
    shelf = Shelf(60, regions.redis_region(client))
    put(shelf, 'x', items=2)
    for key in client.keys('fsp:*'):
        assert 0 < client.ttl(key) <= 86400
        json.loads(client.get(key).partition(b'|')[2])
