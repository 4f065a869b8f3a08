"""What the lowest layer does when a connection breaks in the middle of a change."""

from pathlib import Path
from typing import Any

import pytest
import requests

from fsp_pyramid import errors
from fsp_pyramid.egnyte import Client, Pace
from fsp_pyramid.embedded import TOKEN, URL
from fsp_pyramid.model import Access
from fsp_pyramid.storage.egnyte import EgnyteStorage
from fsp_pyramid.storage.locks import Locks
from fsp_pyramid.testing import Sandbox, content, read

HOME = ('Shared', 'Home')
CUT = {'drop': True, 'times': 1}


def storage_of(sandbox: Sandbox, token: str = TOKEN) -> EgnyteStorage:
    return EgnyteStorage(Client(URL, token, session=sandbox.session, pace=Pace()), Locks(), 'a')


@pytest.fixture
def storage(sandbox: Sandbox) -> EgnyteStorage:
    storage = storage_of(sandbox)
    storage.create_directory(HOME)
    sandbox.forget_calls()
    return storage


def versions(sandbox: Sandbox, path: str) -> int:
    return sandbox.api('GET', f'/pubapi/v1/fs{path}').json()['num_versions']


def test_an_upload_that_happened_is_not_made_again(storage: EgnyteStorage, sandbox: Sandbox) -> None:
    sandbox.fail(CUT | {'path_prefix': '/pubapi/v1/fs-content'})
    entry, change = storage.store_file((*HOME, 'a'), content(b'x'))
    assert [call.partition(' ')[0] for call in sandbox.calls] == ['POST', 'GET']
    assert versions(sandbox, '/Shared/Home/a') == 1
    storage.revert(change)
    assert not sandbox.exists('/Shared/Home/a')
    assert entry.checksum == content(b'x').sha512


def test_an_upload_that_did_not_happen_is_made_again(storage: EgnyteStorage, sandbox: Sandbox) -> None:
    """The same bytes were there before: they are not taken for the new version."""
    before, _ = storage.store_file((*HOME, 'a'), content(b'x'))

    class Refusing(type(sandbox.session.get_adapter(URL))):  # type: ignore[misc]
        refusals = 1

        def send(self, request: Any, **options: Any) -> Any:
            if request.method == 'POST' and self.refusals:
                self.refusals -= 1
                raise requests.ConnectionError('nobody there')
            return super().send(request, **options)

    sandbox.session.mount(URL, Refusing(sandbox.application))
    entry, change = storage.store_file((*HOME, 'a'), content(b'x'), before)
    assert entry.version_id != before.version_id
    assert versions(sandbox, '/Shared/Home/a') == 2
    storage.revert(change)
    assert storage.stat_file((*HOME, 'a')).version_id == before.version_id


def test_a_move_that_happened_is_not_made_again(storage: EgnyteStorage, sandbox: Sandbox) -> None:
    entry, _ = storage.store_file((*HOME, 'a'), content(b'x'))
    sandbox.forget_calls()
    sandbox.fail(CUT)
    moved, _ = storage.move_file(entry, (*HOME, 'b'))
    assert [call.partition(' ')[0] for call in sandbox.calls] == ['POST', 'GET']
    assert storage.stat_file((*HOME, 'b')).id == moved.id == entry.id


def test_a_folder_that_was_created_is_not_created_again(storage: EgnyteStorage, sandbox: Sandbox) -> None:
    sandbox.fail(CUT)
    entry, change = storage.create_directory((*HOME, 'd'))
    assert [call.partition(' ')[0] for call in sandbox.calls] == ['POST', 'GET']
    assert storage.list_directory((*HOME, 'd')).entry.id == entry.id
    storage.revert(change)
    assert not sandbox.exists('/Shared/Home/d')


def test_where_egnyte_wants_parents_they_are_created_first(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path / 'strict', strict_parents=True)
    storage = storage_of(sandbox)
    entry, _ = storage.create_directory((*HOME, 'a', 'b'))
    assert storage.list_directory((*HOME, 'a', 'b')).entry.id == entry.id
    with pytest.raises(errors.FSPError):
        storage.store_file((*HOME, 'none', 'f'), content(b'x'))


def test_bytes_that_changed_on_their_way_do_not_stay(storage: EgnyteStorage, sandbox: Sandbox) -> None:
    first, _ = storage.store_file((*HOME, 'a'), content(b'one'))

    class Lying(type(sandbox.session.get_adapter(URL))):  # type: ignore[misc]
        def send(self, request: Any, **options: Any) -> Any:
            if request.method == 'POST':  # the checksum would make Egnyte refuse it at once
                request.headers.pop('X-Sha512-Checksum')
                request.body = b'two'
                request.headers['Content-Length'] = '3'
            return super().send(request, **options)

    sandbox.session.mount(URL, Lying(sandbox.application))
    with pytest.raises(errors.SourceFailed):
        storage.store_file((*HOME, 'a'), content(b'new'), first)
    assert read(storage, first) == b'one'


def test_levels_are_what_egnyte_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_errors_hold_nothing_of_egnyte(storage: EgnyteStorage, sandbox: Sandbox) -> None:
    with pytest.raises(errors.NotFound) as caught:
        storage.list_directory((*HOME, 'secret folder', 'name'))
    assert 'secret folder' not in caught.value.details
    assert '"name"' in caught.value.details
