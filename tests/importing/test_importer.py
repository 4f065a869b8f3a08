"""The importer over a destination in memory: interruptions, and other users at the same time."""

import hashlib
from pathlib import Path

import pytest

from fsp_pyramid import errors, paths
from fsp_pyramid.importing import Asset, Document, Importer, Rules, State, Stopped
from fsp_pyramid.model import Access, Content, Entry, Listing
from fsp_pyramid.paths import Path as EntryPath
from fsp_pyramid.sources import Allowances, TypePolicy

RULES = Rules(1000, TypePolicy.parse(['image']), Allowances(), 5)
PNG = b'\x89PNG\r\n\x1a\n'


class Directory:
    """A destination that is one directory.

    :ivar files: contents by name
    :ivar chunked: whether files have no checksums, as those that were uploaded in chunks
    :ivar failures: errors of the next uploads
    """

    def __init__(self) -> None:
        self.calls = 0
        self.files: dict[str, bytes] = {}
        self.chunked = False
        self.failures: list[errors.FSPError] = []

    def open_directory(self, path: EntryPath) -> Listing:
        self.calls += 1
        items = tuple(self._entry((*path, name)) for name in self.files)
        return Listing(Entry(path, is_directory=True, id='d', modified=0, access=Access.FULL), items)

    def store(self, path: EntryPath, content: Content) -> Entry:
        self.calls += 1
        if self.failures:
            raise self.failures.pop()
        if path[-1] in self.files:
            raise errors.NameTaken
        self.files[path[-1]] = content.file.read()
        return self._entry(path)

    def url(self, file: Entry) -> str:
        return f'https://new.example{paths.quoted(paths.text(file.path))}'

    def _entry(self, path: EntryPath) -> Entry:
        data = self.files[path[-1]]
        checksum = '' if self.chunked else hashlib.sha512(data).hexdigest()
        return Entry(path, False, path[-1], 1, Access.FULL, len(data), 'v', checksum)


@pytest.fixture
def picture(tmp_path: Path) -> str:
    path = tmp_path / 'a.png'
    path.write_bytes(PNG)
    return str(path)


def importer(directory: Directory, state: State) -> Importer:
    return Importer(directory, state, RULES, ('in',))


def test_chunked_file_of_a_killed_run_is_found(picture: str) -> None:
    directory = Directory()
    directory.chunked = True
    directory.files = {'a.png': b'????????', 'a_1.png': PNG}
    with State(':memory:', {}) as state:
        state.put(Asset(picture, '/in/', 'storing', '/in/a_1.png', hashlib.sha512(PNG).hexdigest(), len(PNG)))
        asset = importer(directory, state).import_asset(picture)
        assert (asset.status, asset.path) == ('present', '/in/a_1.png')
        assert list(state) == [asset]
    assert list(directory.files) == ['a.png', 'a_1.png']


def test_failed_run_forgets_no_upload_of_a_killed_one(picture: str) -> None:
    directory = Directory()
    directory.chunked, directory.files = True, {'a.png': PNG}
    path, away = Path(picture), Path(f'{picture}.away')
    with State(':memory:', {}) as state:
        state.put(Asset(picture, '/in/', 'storing', '/in/a.png', hashlib.sha512(PNG).hexdigest(), len(PNG)))
        path.rename(away)
        assert importer(directory, state).import_asset(picture).status == 'failed'
        away.rename(path)
        asset = importer(directory, state).import_asset(picture)
    assert (asset.status, asset.path, list(directory.files)) == ('present', '/in/a.png', ['a.png'])


def test_chunked_file_of_another_user_is_not_taken_for_ours(picture: str) -> None:
    directory = Directory()
    directory.chunked = True
    directory.files = {'a.png': b'????????'}
    with State(':memory:', {}) as state:
        assert importer(directory, state).import_asset(picture).path == '/in/a_1.png'
    assert directory.files['a_1.png'] == PNG


def test_name_that_another_user_takes_meanwhile_is_left(picture: str) -> None:
    directory = Directory()
    with State(':memory:', {}) as state:
        imported = importer(directory, state)
        imported._listing(('in',))
        directory.files['a.png'] = b'of another user'
        assert imported.import_asset(picture).path == '/in/a_1.png'
    assert directory.files == {'a.png': b'of another user', 'a_1.png': PNG}


def test_errors_that_pass_stop_the_import_and_others_do_not(picture: str) -> None:
    directory = Directory()
    with State(':memory:', {}) as state:
        imported = importer(directory, state)
        directory.failures = [errors.QuotaUsedUp('All calls are used up.', retry_after=60)]
        with pytest.raises(Stopped, match='All calls are used up') as stopped:
            imported.import_asset(picture)
        assert stopped.value.retry_after == 60
        directory.failures = [errors.FileTooLarge('It is too large.')]
        assert imported.import_asset(picture).reason == 'It is too large.'
        directory.failures = [errors.Forbidden('Not here.')]
        with pytest.raises(errors.Forbidden):
            imported.import_asset(picture)
        assert imported.import_asset(picture).status == 'moved'


def test_documents_of_a_database_are_rewritten(picture: str, tmp_path: Path) -> None:
    directory = Directory()
    markup = '<img src="a.png" alt="ü">'
    with State(':memory:', {}) as state:
        result = importer(directory, state).import_document(Document('x.html', markup.encode()), tmp_path)
        documents = [Document('y.json', b'{"src": "{{a}}"}'), Document('z.html', markup.encode())]
        others = list(importer(directory, state).import_documents(documents))
    assert result.document.data.decode() == '<img src="https://new.example/in/a.png" alt="ü">'
    assert [other.document for other in others] == documents, 'there are no files beside them'
    assert [str(left.reason) for other in others for left in other.left] == [
        'has a merge tag', 'is relative, and there is no such file beside the template',
    ]  # fmt: skip


def test_large_and_unreadable_files_are_refused(picture: str, tmp_path: Path) -> None:
    (tmp_path / 'large.png').write_bytes(PNG + bytes(1000))
    (tmp_path / 'page.html').write_bytes(b'<html>')
    with State(':memory:', {}) as state:
        imported = importer(Directory(), state)
        reasons = [
            imported.import_asset(str(tmp_path / name)).reason for name in ('large.png', 'none.png', 'page.html')
        ]
    for reason, expected in zip(reasons, ('larger than 1,000 bytes', 'cannot be read', 'are not allowed'), strict=True):
        assert expected in reason
