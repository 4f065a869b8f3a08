"""Egnyte's own Python client, over a socket, against the sandbox."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from egnyte import base, exc
from egnyte.client import EgnyteClient

from .servers import serving

ROOT = '/Shared/test_python_sdk'
# What its authors test with.
NAME = 'Iñtërnâtiônàlizætiøν☃ test'


def connect(url: str, token: str) -> EgnyteClient:
    client = EgnyteClient({'domain': 'sandbox', 'access_token': token})
    client._url_prefix = f'{url}/'
    return client


@pytest.fixture(scope='module')
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp('egnyte'), chunk_minimum=1000) as url:
        yield url


@pytest.fixture
def client(url: str) -> Iterator[EgnyteClient]:
    client = connect(url, 'sandbox')
    client.folder(ROOT).create()
    yield client
    client.folder(ROOT).delete()
    client.close()


def test_folders(client: EgnyteClient) -> None:
    folder = client.folder(f'{ROOT}/{NAME}').create()
    with pytest.raises(exc.InsufficientPermissions):
        folder.create(ignore_if_exists=False)
    folder.create(ignore_if_exists=True)
    subfolder = folder.folder('sub').create()
    folder.file('test.txt').upload(b'content')
    folder.list()
    assert [one.path for one in folder.folders] == [subfolder.path]
    assert [one.path for one in folder.files] == [f'{ROOT}/{NAME}/test.txt']
    moved = folder.move(f'{ROOT}/moved')
    with pytest.raises(exc.NotFound):
        folder.check()
    copied = moved.copy(f'{ROOT}/copied')
    assert client.get(copied.path).files[0].size == 7
    copied.delete()
    with pytest.raises(exc.NotFound):
        copied.check()


def test_files(client: EgnyteClient) -> None:
    file = client.file(f"{ROOT}/made on the way/a & b + c, d's #1 50%.txt")
    file.upload(b'test content')
    file.upload(io.BytesIO(b'0123456789'))
    attributes = file._fetch_attributes()
    assert (attributes['num_versions'], attributes['size'], attributes['path']) == (2, 10, file.path)
    with file.download() as download:
        assert (download.read(), len(download)) == (b'0123456789', 10)
    with file.download((2, 4)) as download:
        assert download.read() == b'234'
    copied = file.copy(f'{ROOT}/copy.txt')
    moved = copied.move(f'{ROOT}/moved.txt')
    with pytest.raises(exc.NotFound):
        copied.check()
    moved.delete()
    with pytest.raises(exc.NotFound):
        moved.check()


def test_chunks(client: EgnyteClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('egnyte.resources.File._upload_chunk_size', 1000)
    content = bytes(range(250)) * 14
    file = client.file(f'{ROOT}/large.bin')
    told: list[int] = []
    file.upload(io.BytesIO(content), progress_callback=lambda _file, _size, done: told.append(done))
    assert told == [1000, 2000, 3000, 4000]
    assert file.checksum.startswith('2-4-1000-')
    with file.download() as download:
        assert download.read() == content


def test_bulk(client: EgnyteClient, tmp_path: Path) -> None:
    source = tmp_path / 'source'
    (source / 'sub').mkdir(parents=True)
    (source / 'a.txt').write_bytes(b'a')
    (source / 'sub' / 'b.txt').write_bytes(b'b')
    (source / 'empty.txt').touch()
    client.bulk_upload([str(source)], ROOT)
    client.bulk_download([f'{ROOT}/source'], str(tmp_path / 'target'))
    target = tmp_path / 'target' / 'source'
    assert (target / 'a.txt').read_bytes() == b'a'
    assert (target / 'sub' / 'b.txt').read_bytes() == b'b'
    assert not (target / 'empty.txt').exists()


def test_links(client: EgnyteClient) -> None:
    file = client.file(f'{ROOT}/a.txt')
    file.upload(b'content')
    (link,) = file.link('Anyone')
    assert (link.path, link.accessibility, link.type) == (file.path, 'anyone', 'file')
    one, two = client.folder(ROOT).link('Anyone', recipients=['1@example.com', '2@example.com'], send_email=False)
    assert (tuple(one.recipients), one.path) == (('1@example.com',), two.path)
    one.delete()
    two.check()
    with pytest.raises(exc.NotFound):
        one.check()
    tomorrow = datetime.now(UTC).date() + timedelta(2)
    assert client.links.list(created_after=tomorrow).total_count == 0
    assert list(client.links.list(created_before=tomorrow)) == list(client.links.list())


def test_permissions_users_and_groups(client: EgnyteClient) -> None:
    user = client.users.create('tester', 'tester', 'tester@example.com', 'Doe', 'John', active=False, sendInvite=False)
    group = client.groups.create('Testers', members=[user])
    assert client.users.by_email('tester@example.com') == client.users.by_username('tester') == user
    user.update(email='other@example.com')
    assert client.users.by_email('tester@example.com') is None
    group.full_update('Renamed')
    assert client.groups.by_displayName('Renamed').members[0]['username'] == 'tester'
    assert group in client.groups.list()
    folder = client.folder(f'{ROOT}/permissions').create()
    assert folder.get_permissions().user_to_permission == {'demo': 'Owner'}
    folder.set_permissions('Editor', users=['tester'])
    folder.set_permissions('Viewer', groups=['Renamed'])
    permissions = folder.get_permissions()
    assert permissions.user_to_permission['tester'] == 'Editor'
    assert permissions.group_to_permission == {'Renamed': 'Viewer'}
    assert folder.get_effective_permissions('demo') == 'Owner'
    user.delete()
    group.delete()


def test_notes(client: EgnyteClient) -> None:
    file = client.file(f'{ROOT}/a.txt')
    file.upload(b'content')
    note = file.add_note('test comment')
    assert (note.message, note.get_file()) == ('test comment', file)
    assert tuple(file.get_notes()) == (note,) == tuple(client.folder(ROOT).get_notes())
    assert note in client.notes.list()
    note.delete()
    assert tuple(file.get_notes()) == ()


def test_search(client: EgnyteClient) -> None:
    file = client.file(f'{ROOT}/search/test1.txt')
    file.upload(b'Lorem ipsum')
    (match,) = client.search.files('ipsum', folder=ROOT)
    assert 'ipsum' in match.snippet
    assert match.file() == file


def test_events(client: EgnyteClient) -> None:
    folder = client.folder(f'{ROOT}/EVENT').create()
    events = client.events
    events = events.filter(events.latest_event_id - 1)
    (event,) = events.poll(count=1)
    assert (event.action_source, event.action) == ('PublicAPI', 'create')
    assert event.data == {'target_path': folder.path, 'target_id': event.data['target_id'], 'is_folder': True}
    assert tuple(events.poll()) == ()
    assert event.user().userName == 'demo'


def test_settings_and_identity(client: EgnyteClient, url: str) -> None:
    assert {'users', 'links', 'file_system', 'audit'} == set(client.settings)
    assert client.user_info['username'] == 'demo'
    client.impersonate('alice')
    assert client.user_info['username'] == 'alice'
    client.stop_impersonating()
    stranger = connect(url, 'nonsense')
    with pytest.raises(exc.NotAuthorized):
        stranger.folder(ROOT).check()
    stranger.close()


def test_a_token_for_a_password(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # It forgets to close its session, and writes into the headers of all later calls.
    sessions: list[base.Session] = []
    monkeypatch.setattr(base, 'JSON_HEADERS', dict(base.JSON_HEADERS))

    class Session(base.Session):
        def __init__(self, config: dict[str, str]) -> None:
            super().__init__(config | {'domain': 'sandbox'})
            self._url_prefix = f'{url}/'
            sessions.append(self)

    monkeypatch.setattr(base, 'Session', Session)
    token = base.get_access_token({'api_key': 'sandbox-key', 'login': 'bob', 'password': 'bob'})
    sessions[0].close()
    client = connect(url, token)
    assert client.user_info['username'] == 'bob'
    client.folder('/Private/bob/made').create()
    client.close()
