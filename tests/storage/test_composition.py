"""Composed and decomposed characters: NFC and NFD of a name are one name, however Egnyte treats them."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fsp_pyramid import errors
from fsp_pyramid.concurrency.locks import KeyedLocks
from fsp_pyramid.egnyte import Client
from fsp_pyramid.embedded import TOKEN, URL
from fsp_pyramid.interfaces import IStorage
from fsp_pyramid.model import Content, Entry, Strategy
from fsp_pyramid.paths import quoted
from fsp_pyramid.storage.cached import CachedStorage
from fsp_pyramid.storage.egnyte import EgnyteStorage
from fsp_pyramid.storage.listing_cache import ListingCache
from fsp_pyramid.storage.mapped import MappedStorage
from fsp_pyramid.storage.mappings import parse_mappings
from fsp_pyramid.storage.operations import Operations
from fsp_pyramid.testing import Sandbox, content

from .test_two_processes import fast

FORMS = ('NFC', 'NFD')


def nfc(text: str) -> str:
    return unicodedata.normalize('NFC', text)


def nfd(text: str) -> str:
    return unicodedata.normalize('NFD', text)


@pytest.fixture(params=[False, True], ids=['two names at Egnyte', 'one name at Egnyte'])
def sandbox(request: pytest.FixtureRequest, tmp_path: Path) -> Sandbox:
    return Sandbox(tmp_path / 'egnyte', normalizing=request.param)


def make(sandbox: Sandbox, folders: str = '/ /Shared/Home') -> Operations:
    """Return the storage of a process with an empty cache."""
    client = Client(URL, TOKEN, session=sandbox.session, rate_limiter=fast())
    storage: IStorage = CachedStorage(EgnyteStorage(client, KeyedLocks(), 'a'), ListingCache(60), 'a')
    return Operations(MappedStorage(storage, parse_mappings(folders)))


def upload(operations: Operations, *path: str, strategy: Strategy = Strategy.ASK) -> Entry:
    @contextmanager
    def fetch() -> Iterator[Content]:
        yield content(b'new')

    return operations.upload(path, strategy, fetch)


def stored(sandbox: Sandbox, folder: str) -> list[str]:
    listing = sandbox.api('GET', f'/pubapi/v1/fs{folder}').json()
    return sorted(item['name'] for item in listing['folders'] + listing['files'])


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> str:
    """Return the form in which names are stored; requests have the other one."""
    return request.param


@pytest.fixture
def there(form: str) -> Any:
    return nfc if form == 'NFC' else nfd


@pytest.fixture
def asked(form: str) -> Any:
    return nfd if form == 'NFC' else nfc


@pytest.fixture(params=[False, True], ids=['cold', 'known'])
def known(request: pytest.FixtureRequest) -> bool:
    return request.param


def operations_of(sandbox: Sandbox, known: bool, *directories: tuple[str, ...]) -> Operations:
    operations = make(sandbox)
    for path in directories if known else ():
        operations.list_directory(path)
    return operations


def test_file_is_found_in_its_stored_spelling(sandbox: Sandbox, there: Any, asked: Any, known: bool) -> None:
    sandbox.upload(f'/Shared/Home/{there("é")}/{there("ü.png")}', b'x')
    operations = operations_of(sandbox, known, (), (there('é'),))
    entry = operations.stat_file((asked('é'), asked('ü.png')))
    assert entry.name == there('ü.png')
    assert [item.name for item in operations.list_directory((asked('é'),)).items] == [there('ü.png')]


def test_conflict_is_found_and_keeps_the_spelling(sandbox: Sandbox, there: Any, asked: Any, known: bool) -> None:
    sandbox.upload(f'/Shared/Home/{there("é")}/{there("ü.png")}', b'old')
    operations = operations_of(sandbox, known, (), (there('é'),))
    path = (asked('é'), asked('Ü.png'))
    with pytest.raises(errors.Conflict):
        upload(operations, *path)
    assert upload(operations, *path, strategy=Strategy.REPLACE).name == there('ü.png')
    assert upload(operations, *path, strategy=Strategy.KEEP).name == nfc('Ü_1.png')
    with pytest.raises(errors.NameTaken):
        operations.create_directory((asked('É'),))
    assert stored(sandbox, '/Shared/Home') == [there('é')]
    assert sandbox.content(f'/Shared/Home/{there("é")}/{there("ü.png")}') == b'new'


def test_new_name_is_composed_in_the_existing_folder(sandbox: Sandbox, there: Any, asked: Any, known: bool) -> None:
    sandbox.upload(f'/Shared/Home/{there("é")}/x', b'x')
    operations = operations_of(sandbox, known, (), (there('é'),))
    assert upload(operations, asked('é'), nfd('ö.png')).name == nfc('ö.png')
    assert operations.create_directory((asked('é'), nfd('ä'))).name == nfc('ä')
    assert stored(sandbox, '/Shared/Home') == [there('é')]
    assert stored(sandbox, f'/Shared/Home/{there("é")}') == sorted(['x', nfc('ö.png'), nfc('ä')])


def test_moves_and_deletions(sandbox: Sandbox, there: Any, asked: Any, known: bool) -> None:
    for path in ('é/ü.png', 'ö/ü.png', 'ö/ß.png'):
        sandbox.upload(there(f'/Shared/Home/{path}'), path.encode())
    operations = operations_of(sandbox, known, (), (there('é'),), (there('ö'),))
    with pytest.raises(errors.Conflict):
        operations.move_file((asked('é'), asked('ü.png')), (asked('ö'),), Strategy.ASK)
    moved = operations.move_file((asked('é'), asked('ü.png')), (asked('ö'),), Strategy.REPLACE)
    assert moved.path == (there('ö'), there('ü.png'))
    assert sandbox.content(there('/Shared/Home/ö/ü.png')) == 'é/ü.png'.encode()
    operations.delete_file((asked('ö'), asked('ß.png')))
    operations.delete_directory((asked('é'),))
    assert stored(sandbox, '/Shared/Home') == [there('ö')]
    assert stored(sandbox, there('/Shared/Home/ö')) == [there('ü.png')]


def test_mapped_folder_is_found_in_its_stored_form(sandbox: Sandbox, there: Any, asked: Any) -> None:
    sandbox.upload(there('/Shared/Büro/é/x'), b'x')
    operations = make(sandbox, f'/ {asked("/Shared/Büro/é")}')
    assert upload(operations, 'y').path == ('y',)
    operations.move_file(('x',), (operations.create_directory(('d',)).name,), Strategy.ASK)
    assert stored(sandbox, '/Shared') == [there('Büro')]
    assert stored(sandbox, there('/Shared/Büro')) == [there('é')]
    assert stored(sandbox, there('/Shared/Büro/é')) == ['d', 'y']


def test_path_with_names_in_two_forms(sandbox: Sandbox, known: bool) -> None:
    sandbox.upload(f'/Shared/Home/{nfc("é")}/{nfd("ü")}/x', b'x')
    for path in ((nfd('é'), nfc('ü')), (nfc('é'), nfc('ü')), (nfd('é'), nfd('ü'))):
        operations = operations_of(sandbox, known, (), (nfc('é'),))
        assert [item.name for item in operations.list_directory(path).items] == ['x']


@pytest.mark.parametrize(
    ('path', 'calls'),
    [(('d',), 1), ((nfc('é'),), 1), ((nfd('ü'),), 1), (('none',), 1), ((nfc('none é'),), 2)],
)
def test_calls(sandbox: Sandbox, path: tuple[str, ...], calls: int) -> None:
    """Only a missing name with another form costs one more call."""
    for name in ('d', nfc('é'), nfd('ü')):
        sandbox.upload(f'/Shared/Home/{name}/x', b'x')
    sandbox.forget_calls()
    try:
        make(sandbox).list_directory(path)
    except errors.NotFound:
        assert 'none' in path[0]
    assert len(sandbox.calls) == calls


def test_cache_supplies_the_stored_form(sandbox: Sandbox, there: Any, asked: Any) -> None:
    sandbox.upload(f'/Shared/Home/{there("é")}/x', b'x')
    operations = make(sandbox)
    operations.list_directory(())
    sandbox.forget_calls()
    operations.list_directory((asked('é'),))
    assert len(sandbox.calls) == 1


def test_two_directories_of_two_forms(tmp_path: Path, there: Any, asked: Any, known: bool) -> None:
    """Egnyte may keep both: a listing of one says nothing about the other."""
    sandbox = Sandbox(tmp_path / 'egnyte')
    one, other = there('é'), asked('é')
    for path in (f'{one}/x', f'{other}/x', f'{other}/y'):
        sandbox.upload(f'/Shared/Home/{path}', b'old')
    operations = operations_of(sandbox, known, (one,))
    upload(operations, other, 'x', strategy=Strategy.REPLACE)
    upload(operations, other, 'z')
    assert [item.name for item in operations.list_directory((one,)).items] == ['x']
    operations.delete_file((other, 'x'))
    assert [item.name for item in operations.list_directory((other,)).items] == ['y', 'z']
    assert sandbox.content(f'/Shared/Home/{one}/x') == b'old'
    operations.delete_file((one, 'x'))
    with pytest.raises(errors.NotEmpty):
        operations.delete_directory((other,))
    operations.delete_directory((one,))
    assert stored(sandbox, '/Shared/Home') == [other]


def test_count_of_items_is_of_the_same_form(tmp_path: Path, there: Any, asked: Any) -> None:
    sandbox = Sandbox(tmp_path / 'egnyte')
    for path in (f'{there("é")}/x', f'{asked("é")}/x', f'{asked("é")}/y'):
        sandbox.upload(f'/Shared/Home/{path}', b'x')
    operations = operations_of(sandbox, True, (asked('é'),))
    counts = {item.name: item.item_count for item in operations.list_directory(()).items}
    assert counts == {there('é'): 0, asked('é'): 2}


def test_listing_in_another_form_is_cached(sandbox: Sandbox, there: Any, asked: Any) -> None:
    """The answer shows that Egnyte has no other form, and counts for both while it is fresh."""
    sandbox.upload(f'/Shared/Home/{there("é")}/x', b'x')
    operations = make(sandbox)
    operations.list_directory((asked('é'),))
    upload(operations, asked('é'), 'y')
    sandbox.forget_calls()
    for form in (asked, there):
        assert [item.name for item in operations.list_directory((form('é'),)).items] == ['x', 'y']
    assert not sandbox.calls


@pytest.mark.parametrize('character', ['\N{KELVIN SIGN}', '\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}'])
def test_singleton_character_is_another_name(tmp_path: Path, character: str, known: bool) -> None:
    sandbox = Sandbox(tmp_path / 'egnyte')
    plain = {'\N{KELVIN SIGN}': 'k'}.get(character, 'i')
    sandbox.upload(f'/Shared/Home/{plain}.txt', b'x')
    sandbox.upload(f'/Shared/Home/{plain}/{plain}.txt', b'y')
    calls: list[Callable[[Operations], Any]] = [
        lambda operations: operations.delete_file((f'{character}.txt',)),
        lambda operations: operations.stat_file((f'{character}.txt',)),
        lambda operations: operations.delete_file((character, f'{plain}.txt')),
        lambda operations: operations.delete_directory((character,)),
        lambda operations: operations.list_directory((character,)),
        lambda operations: operations.move_file((f'{character}.txt',), (plain,), Strategy.REPLACE),
    ]
    for call in calls:
        with pytest.raises(errors.NotFound):
            call(operations_of(sandbox, known, (), (plain,)))
    upload(make(sandbox), f'{character}.txt')
    assert sandbox.content(f'/Shared/Home/{plain}.txt') == b'x'
    assert sandbox.content(f'/Shared/Home/{plain}/{plain}.txt') == b'y'


@pytest.mark.parametrize('strategy', [Strategy.KEEP, Strategy.ASK, Strategy.REFUSE])
@pytest.mark.parametrize(
    ('plain', 'other'),
    [('k', '\N{KELVIN SIGN}'), ('Å', '\N{ANGSTROM SIGN}'), ('Ω', '\N{OHM SIGN}')],
    ids=['kelvin', 'angstrom', 'ohm'],
)
def test_file_of_a_name_that_only_egnyte_takes_for_the_same_stays(
    tmp_path: Path, strategy: Strategy, plain: str, other: str, known: bool
) -> None:
    """Egnyte's answer to the upload shows that it became a version of that file."""
    sandbox = Sandbox(tmp_path / 'egnyte', normalizing=True)
    sandbox.upload(f'/Shared/Home/{plain}.txt', b'old')
    operations = operations_of(sandbox, known, ())
    if strategy is Strategy.KEEP:
        kept = upload(operations, f'{other}.txt', strategy=strategy)
        assert re.fullmatch(rf'{other}_[0-9a-f]{{8}}\.txt', kept.name)
        assert sandbox.content(quoted(f'/Shared/Home/{kept.name}')) == b'new'
    else:
        with pytest.raises(errors.Conflict if strategy is Strategy.ASK else errors.NameTaken, match=f'"{plain}.txt"'):
            upload(operations, f'{other}.txt', strategy=strategy)
    assert sandbox.content(quoted(f'/Shared/Home/{plain}.txt')) == b'old'
    names = [item.name for item in operations.list_directory(()).items]
    assert names == stored(sandbox, '/Shared/Home')


def test_file_that_a_colleague_renamed_to_the_new_name_stays(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path / 'egnyte')
    sandbox.upload('/Shared/Home/a.txt', b'old')
    operations = operations_of(sandbox, True, ())
    move = {'action': 'move', 'destination': '/Shared/Home/b.txt'}
    sandbox.api('POST', '/pubapi/v1/fs/Shared/Home/a.txt', json=move).raise_for_status()
    kept = upload(operations, 'b.txt', strategy=Strategy.KEEP)
    assert sandbox.content('/Shared/Home/b.txt') == b'old'
    assert sandbox.content(f'/Shared/Home/{kept.name}') == b'new'
