"""What is remembered, for how long, and what is not."""

import pytest

from fsp_pyramid import errors
from fsp_pyramid.egnyte import Client, Pace
from fsp_pyramid.embedded import TOKEN, URL
from fsp_pyramid.model import Access, Entry, Listing
from fsp_pyramid.storage import cached
from fsp_pyramid.storage.cached import CachedStorage, Shelf
from fsp_pyramid.storage.egnyte import EgnyteStorage
from fsp_pyramid.storage.locks import Locks
from fsp_pyramid.testing import Sandbox, content

HOME = ('Shared', 'Home')


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def storage(sandbox: Sandbox, clock: Clock) -> CachedStorage:
    lowest = EgnyteStorage(Client(URL, TOKEN, session=sandbox.session, pace=Pace()), Locks(), 'a')
    lowest.create_directory(HOME)
    sandbox.forget_calls()
    return CachedStorage(lowest, Shelf(60, clock), Locks(), 'a')


def test_a_listing_is_believed_for_its_time(storage: CachedStorage, sandbox: Sandbox, clock: Clock) -> None:
    storage.list_directory(HOME)
    sandbox.upload('/Shared/Home/f', b'x')
    clock.now = 59.9
    assert storage.list_directory(HOME).items == ()
    assert storage.list_directory(HOME, fresh=True).find('f')
    assert storage.list_directory(HOME).find('f')
    sandbox.upload('/Shared/Home/g', b'x')
    clock.now += 60
    assert storage.list_directory(HOME).find('g')


def test_our_writes_make_a_listing_no_younger(storage: CachedStorage, sandbox: Sandbox, clock: Clock) -> None:
    storage.list_directory(HOME)
    sandbox.upload('/Shared/Home/f', b'x')
    clock.now = 50
    storage.store_file((*HOME, 'g'), content(b'x'))
    assert [item.name for item in storage.list_directory(HOME).items] == ['g']
    clock.now = 60
    assert [item.name for item in storage.list_directory(HOME).items] == ['f', 'g']


def test_what_is_missing_is_remembered(storage: CachedStorage, sandbox: Sandbox) -> None:
    for _ in range(2):
        with pytest.raises(errors.NotFound):
            storage.list_directory((*HOME, 'none'))
    assert len(sandbox.calls) == 1
    storage.create_directory((*HOME, 'none', 'deep'))
    assert [item.name for item in storage.list_directory((*HOME, 'none')).items] == ['deep']


def test_a_known_parent_answers_for_what_it_lacks(storage: CachedStorage, sandbox: Sandbox) -> None:
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


def test_a_write_that_fails_makes_it_look_again(storage: CachedStorage, sandbox: Sandbox) -> None:
    storage.list_directory(HOME)
    sandbox.api('POST', '/pubapi/v1/fs/Shared/Home/d', json={'action': 'add_folder'})
    with pytest.raises(errors.FSPError):
        storage.create_directory((*HOME, 'd'))
    assert storage.list_directory(HOME).find('d')


def test_counts_of_directories_are_told_once_they_were_listed(storage: CachedStorage) -> None:
    storage.create_directory((*HOME, 'd'))
    storage.store_file((*HOME, 'd', 'f'), content(b'x'))
    assert storage.list_directory(HOME).find('d').item_count == 1
    assert storage.known_directory((*HOME, 'd')).item_count == 1
    assert storage.known_directory((*HOME, 'other')) is None


def test_a_deleted_tree_is_forgotten_with_all_that_was_in_it(storage: CachedStorage, sandbox: Sandbox) -> None:
    entry, _ = storage.create_directory((*HOME, 'd'))
    storage.create_directory((*HOME, 'd', 'e'))
    storage.delete(entry)
    sandbox.api('POST', '/pubapi/v1/fs/Shared/Home/d/other', json={'action': 'add_folder'})
    with pytest.raises(errors.NotFound):
        storage.list_directory((*HOME, 'd', 'e'))


def listing(name: str) -> Listing:
    return Listing(Entry((name,), is_directory=True, id=name, modified=0, access=Access.FULL), ())


def test_accounts_share_nothing() -> None:
    shelf = Shelf(60)
    shelf.put(('a', ('x',)), listing('x'))
    with pytest.raises(KeyError):
        shelf.get(('b', ('x',)))


def test_the_shelf_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached, 'MAX_LISTINGS', 3)
    shelf = Shelf(60)
    for name in 'abcd':
        shelf.put(('', (name,)), listing(name))
    with pytest.raises(KeyError):
        shelf.get(('', ('a',)))
    assert shelf.get(('', ('d',))) == listing('d')


def test_an_answer_older_than_our_write_is_not_kept() -> None:
    shelf = Shelf(60)
    writes = shelf.writes('')
    shelf.patch(('', ('x',)), lambda known: known)
    shelf.learn(('', ('x',)), listing('x'), writes)
    with pytest.raises(KeyError):
        shelf.get(('', ('x',)))
