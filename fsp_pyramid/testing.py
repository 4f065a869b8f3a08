"""Test tools for integrators: a controlled sandbox, and the contract tests of IStorage.

To test a storage or a layer of your own, subclass :class:`StorageContract` and provide ``storage`` and ``home`` as
pytest fixtures.
"""

import hashlib
import io
import threading
from concurrent.futures import Future
from pathlib import Path as FilePath
from typing import Any

import pytest
import requests
from zope.interface.verify import verifyObject

from . import errors
from .embedded import URL, WSGIAdapter
from .interfaces import IStorage
from .model import Access, Content, Entry
from .paths import Path
from .sandbox import make_app


class Sandbox:
    """Sandbox in *directory*, with control over its calls, faults and files."""

    def __init__(self, directory: FilePath | str, **options: Any) -> None:
        self.session = requests.Session()
        self.session.trust_env = False
        self.application = make_app(str(directory), **options)
        self.session.mount(URL, WSGIAdapter(self.application))

    @property
    def calls(self) -> list[str]:
        """Calls since the last :meth:`forget_calls`, each as ``GET /pubapi/v1/fs/Shared``."""
        calls = self._control('GET', 'calls').json()['calls']
        return [f'{call["method"]} {call["path"]}' for call in calls]

    def forget_calls(self) -> None:
        """Count from zero."""
        self._control('DELETE', 'calls')

    def fail(self, *faults: dict[str, Any]) -> None:
        """Let calls fail as the sandbox's documentation describes; without arguments remove all faults."""
        self._control('PUT', 'faults', json=list(faults))

    @property
    def faults(self) -> list[dict[str, Any]]:
        """Faults that are still active."""
        return self._control('GET', 'faults').json()

    def api(self, method: str, path: str, *, token: str = 'sandbox', **kwargs: Any) -> requests.Response:  # noqa: S107
        """Make a call to Egnyte as another application does: ``api('GET', '/pubapi/v1/fs/Shared')``."""
        headers = {'Authorization': f'Bearer {token}'} | kwargs.pop('headers', {})
        return self.session.request(method, URL + path, headers=headers, **kwargs)

    def upload(self, path: str, content: bytes) -> dict[str, Any]:
        """Upload a file as another application does."""
        response = self.api('POST', f'/pubapi/v1/fs-content{path}', data=content)
        response.raise_for_status()
        return response.json()

    def content(self, path: str) -> bytes | None:
        """Return the content of the file at *path*; None if there is none."""
        response = self.api('GET', f'/pubapi/v1/fs-content{path}')
        return response.content if response.status_code == 200 else None

    def exists(self, path: str) -> bool:
        """Return whether there is a file or a folder at *path*."""
        return self.api('GET', f'/pubapi/v1/fs{path}').status_code == 200

    def _control(self, method: str, resource: str, **kwargs: Any) -> requests.Response:
        response = self.session.request(method, f'{URL}/_sandbox/{resource}', **kwargs)
        response.raise_for_status()
        return response


def content(data: bytes) -> Content:
    """Return *data* as content to store."""
    digest: Future[str] = Future()
    digest.set_result(hashlib.sha512(data).hexdigest())
    return Content(io.BytesIO(data), len(data), digest)


def read(storage: IStorage, entry: Entry) -> bytes:
    """Return the stored bytes of *entry*."""
    download = storage.open_file(entry.id or '')
    try:
        return b''.join(download)
    finally:
        download.close()


class StorageContract:
    """Contract tests of IStorage.

    Fixtures of the subclass: ``storage``, and ``home``, the path of an empty directory with all permissions.
    """

    def test_it_provides_the_interface(self, storage: Any) -> None:
        assert verifyObject(IStorage, storage)

    def test_an_empty_directory_has_an_empty_listing(self, storage: Any, home: Path) -> None:
        listing = storage.list_directory(home)
        assert listing.items == ()
        assert listing.entry.path == home
        assert listing.entry.is_directory
        assert listing.entry.item_count == 0
        assert listing.entry.access is Access.FULL

    def test_stored_file_is_listed_and_read(self, storage: Any, home: Path) -> None:
        entry, change = storage.store_file((*home, 'a.txt'), content(b'hello'))
        assert (entry.path, entry.size, entry.is_directory) == ((*home, 'a.txt'), 5, False)
        assert entry.checksum == content(b'hello').sha512
        assert entry.modified > 1_600_000_000_000
        assert change.verb == 'stored'
        listed = storage.list_directory(home).find('a.txt')
        assert (listed.id, listed.version_id, listed.size) == (entry.id, entry.version_id, 5)
        assert storage.stat_file((*home, 'a.txt')).id == entry.id
        assert read(storage, entry) == b'hello'

    def test_a_range_is_read(self, storage: Any, home: Path) -> None:
        entry, _ = storage.store_file((*home, 'a.txt'), content(b'0123456789'))
        download = storage.open_file(entry.id, (2, 4))
        assert b''.join(download) == b'234'
        download.close()
        download = storage.open_file(entry.id, (7, None))
        assert b''.join(download) == b'789'
        download.close()

    def test_storing_again_makes_a_version_of_the_same_file(self, storage: Any, home: Path) -> None:
        first, _ = storage.store_file((*home, 'a.txt'), content(b'one'))
        second, _ = storage.store_file((*home, 'a.txt'), content(b'two'), first)
        assert second.id == first.id
        assert second.version_id != first.version_id
        assert read(storage, first) == b'two'
        assert [item.version_id for item in storage.list_directory(home).items] == [second.version_id]

    def test_listings_have_directories_first_and_ignore_case(self, storage: Any, home: Path) -> None:
        for name in ('b.txt', 'A.txt', 'c.txt'):
            storage.store_file((*home, name), content(b'x'))
        for name in ('Z', 'y'):
            storage.create_directory((*home, name))
        names = [item.name for item in storage.list_directory(home).items]
        assert names == ['y', 'Z', 'A.txt', 'b.txt', 'c.txt']
        assert [item.name for item in storage.list_directory(home, fresh=True).items] == names
        assert storage.list_directory(home).entry.item_count == 5

    def test_names_are_found_in_any_case_and_listed_as_stored(self, storage: Any, home: Path) -> None:
        storage.create_directory((*home, 'Album'))
        storage.store_file((*home, 'Album', 'Straße+&#%1.PNG'), content(b'x'))
        assert storage.stat_file((*home, 'ALBUM', 'straße+&#%1.png')).name == 'Straße+&#%1.PNG'
        assert storage.list_directory((*home, 'album'), fresh=True).entry.name == 'Album'

    def test_files_and_directories_are_distinguished(self, storage: Any, home: Path) -> None:
        storage.create_directory((*home, 'd'))
        storage.store_file((*home, 'f'), content(b'x'))
        for fresh in (False, True):
            with pytest.raises(errors.NotFound):
                storage.list_directory((*home, 'f'), fresh)
        with pytest.raises(errors.NotFound):
            storage.stat_file((*home, 'd'))

    def test_missing_paths_and_ids_are_not_found(self, storage: Any, home: Path) -> None:
        with pytest.raises(errors.NotFound):
            storage.list_directory((*home, 'none'))
        with pytest.raises(errors.NotFound):
            storage.stat_file((*home, 'none'))
        with pytest.raises(errors.NotFound):
            storage.open_file('00000000-0000-0000-0000-000000000000')
        with pytest.raises(errors.NotFound):
            storage.find_file('00000000-0000-0000-0000-000000000000')

    def test_directories_come_with_missing_parents(self, storage: Any, home: Path) -> None:
        entry, change = storage.create_directory((*home, 'a', 'b', 'c'))
        assert (entry.path, change.verb) == ((*home, 'a', 'b', 'c'), 'created')
        assert storage.list_directory((*home, 'a', 'b', 'c')).entry.id == entry.id
        assert [item.name for item in storage.list_directory(home, fresh=True).items] == ['a']

    def test_a_taken_name_is_refused_to_directories(self, storage: Any, home: Path) -> None:
        storage.create_directory((*home, 'a'))
        with pytest.raises(errors.NameTaken):
            storage.create_directory((*home, 'A'))

    def test_names_that_egnyte_refuses(self, storage: Any, home: Path) -> None:
        with pytest.raises(errors.NameNotAllowed, match='\\*'):
            storage.create_directory((*home, 'a*b'))
        with pytest.raises(errors.NameNotAllowed, match='period'):
            storage.store_file((*home, 'a.'), content(b'x'))
        entry, _ = storage.store_file((*home, 'a'), content(b'x'))
        with pytest.raises(errors.NameNotAllowed, match='temporary'):
            storage.move_file(entry, (*home, 'a.tmp'))

    def test_deleting(self, storage: Any, home: Path) -> None:
        directory, _ = storage.create_directory((*home, 'd'))
        file, _ = storage.store_file((*home, 'f'), content(b'x'))
        for entry in (directory, file):
            assert storage.delete(entry).verb == 'deleted'
            with pytest.raises(errors.NotFound):
                storage.delete(entry)
        assert storage.list_directory(home).items == ()
        assert storage.list_directory(home, fresh=True).items == ()

    def test_moving_keeps_the_id(self, storage: Any, home: Path) -> None:
        storage.create_directory((*home, 'd'))
        entry, _ = storage.store_file((*home, 'f'), content(b'x'))
        moved, change = storage.move_file(entry, (*home, 'd', 'g'))
        assert (moved.path, moved.id, change.verb) == ((*home, 'd', 'g'), entry.id, 'moved')
        assert storage.stat_file((*home, 'd', 'g')).id == entry.id
        assert storage.find_file(entry.id).path == (*home, 'd', 'g')
        with pytest.raises(errors.NotFound):
            storage.stat_file((*home, 'f'))
        assert [item.name for item in storage.list_directory((*home, 'd')).items] == ['g']

    def test_a_move_to_a_taken_name_is_refused(self, storage: Any, home: Path) -> None:
        first, _ = storage.store_file((*home, 'f'), content(b'1'))
        storage.store_file((*home, 'g'), content(b'2'))
        with pytest.raises(errors.Conflict):
            storage.move_file(first, (*home, 'g'))
        assert read(storage, storage.stat_file((*home, 'g'))) == b'2'

    def test_reverting_a_creation(self, storage: Any, home: Path) -> None:
        _, change = storage.create_directory((*home, 'd'))
        storage.revert(change)
        assert storage.list_directory(home).items == ()
        storage.revert(change)  # a missing item counts as reverted

    def test_reverting_a_creation_keeps_new_files_in_it(self, storage: Any, home: Path) -> None:
        _, change = storage.create_directory((*home, 'd'))
        storage.store_file((*home, 'd', 'f'), content(b'x'))
        storage.revert(change)
        assert storage.stat_file((*home, 'd', 'f')).size == 1

    def test_reverting_an_upload(self, storage: Any, home: Path) -> None:
        entry, change = storage.store_file((*home, 'f'), content(b'x'))
        storage.revert(change)
        assert storage.list_directory(home).items == ()
        with pytest.raises(errors.NotFound):
            storage.open_file(entry.id)

    def test_reverting_a_version(self, storage: Any, home: Path) -> None:
        first, _ = storage.store_file((*home, 'f'), content(b'one'))
        _, change = storage.store_file((*home, 'f'), content(b'two'), first)
        storage.revert(change)
        assert read(storage, first) == b'one'
        assert storage.stat_file((*home, 'f')).size == 3

    def test_reverting_a_version_keeps_a_later_one(self, storage: Any, home: Path) -> None:
        first, _ = storage.store_file((*home, 'f'), content(b'one'))
        second, change = storage.store_file((*home, 'f'), content(b'two'), first)
        storage.store_file((*home, 'f'), content(b'three'), second)
        storage.revert(change)
        assert read(storage, first) == b'three'

    def test_reverting_a_deletion(self, storage: Any, home: Path) -> None:
        file, _ = storage.store_file((*home, 'f'), content(b'x'))
        directory, _ = storage.create_directory((*home, 'd'))
        for entry in (file, directory):
            storage.revert(storage.delete(entry))
        assert storage.stat_file((*home, 'f')).id == file.id
        assert storage.list_directory((*home, 'd')).entry.id == directory.id

    def test_reverting_a_deletion_restores_no_older_one(self, storage: Any, home: Path) -> None:
        older, _ = storage.store_file((*home, 'f'), content(b'older'))
        storage.delete(older)
        file, _ = storage.store_file((*home, 'f'), content(b'x'))
        storage.revert(storage.delete(file))
        assert storage.stat_file((*home, 'f')).id == file.id
        assert read(storage, file) == b'x'

    def test_reverting_a_move(self, storage: Any, home: Path) -> None:
        storage.create_directory((*home, 'd'))
        entry, _ = storage.store_file((*home, 'f'), content(b'x'))
        _, change = storage.move_file(entry, (*home, 'd', 'f'))
        storage.revert(change)
        assert storage.stat_file((*home, 'f')).id == entry.id
        assert storage.list_directory((*home, 'd')).items == ()

    def test_reverting_a_move_leaves_a_file_that_moved_on(self, storage: Any, home: Path) -> None:
        entry, _ = storage.store_file((*home, 'f'), content(b'x'))
        moved, change = storage.move_file(entry, (*home, 'g'))
        storage.move_file(moved, (*home, 'h'))
        storage.revert(change)
        assert storage.stat_file((*home, 'h')).id == entry.id

    def test_lock_excludes_other_threads(self, storage: Any, home: Path) -> None:
        entered = threading.Event()

        def enter() -> None:
            with storage.lock((*home, 'D'), home):
                entered.set()

        with storage.lock(home, (*home, 'd'), home):
            other = threading.Thread(target=enter)
            other.start()
            assert not entered.wait(timeout=0.1), 'two threads hold one lock'
        assert entered.wait(timeout=20)
        other.join()
