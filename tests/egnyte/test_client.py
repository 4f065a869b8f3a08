"""The client, against the sandbox."""

import hashlib
import io
from pathlib import Path
from typing import Any

import pytest
import requests

from fsp_pyramid import egnyte
from fsp_pyramid.egnyte import Client, Pace, errors
from fsp_pyramid.embedded import TOKEN, URL
from fsp_pyramid.testing import Sandbox


class Paced(Pace):
    """A pace that notes waits instead of waiting."""

    def __init__(self) -> None:
        self.now, self.waits = 1_700_000_000.0, []
        super().__init__(clock=lambda: self.now, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture
def pace() -> Paced:
    return Paced()


@pytest.fixture
def client(sandbox: Sandbox, pace: Paced) -> Client:
    client = Client(URL, TOKEN, session=sandbox.session, pace=pace, max_wait=5)
    client.create_folder('/Shared/home')
    sandbox.forget_calls()
    return client


def upload(client: Client, path: str, data: bytes) -> egnyte.Stored:
    return client.upload(path, io.BytesIO(data), len(data), hashlib.sha512(data).hexdigest())


def read(client: Client, file_id: str) -> bytes:
    download = client.download(file_id)
    try:
        return b''.join(download)
    finally:
        download.close()


def test_a_file_goes_up_and_down(client: Client) -> None:
    stored = upload(client, '/Shared/home/a b+%41&#é.txt', b'hello')
    assert stored.checksum == hashlib.sha512(b'hello').hexdigest()
    assert stored.modified > 1_600_000_000_000
    file = client.stat_file('/Shared/home/a b+%41&#é.txt')
    assert (file.file_id, file.version_id, file.size) == (stored.file_id, stored.version_id, 5)
    assert client.stat_file_by_id(stored.file_id).path == '/Shared/home/a b+%41&#é.txt'
    download = client.download(stored.file_id)
    assert (download.size, download.version_id) == (5, stored.version_id)
    assert download.mime_type.startswith('text/plain')
    assert b''.join(download) == b'hello'
    download.close()


def test_another_checksum_is_refused_by_egnyte(client: Client) -> None:
    with pytest.raises(errors.Rejected):
        client.upload('/Shared/home/a', io.BytesIO(b'x'), 1, hashlib.sha512(b'y').hexdigest())


def test_large_files_go_up_in_chunks(sandbox: Sandbox, tmp_path: Path, pace: Paced) -> None:
    sandbox = Sandbox(tmp_path / 'chunks', chunk_minimum=1000)
    client = Client(URL, TOKEN, session=sandbox.session, pace=pace, chunk_size=1000)
    data = bytes(range(250)) * 10
    stored = upload(client, '/Shared/home/large', data)
    assert [call for call in sandbox.calls if 'chunked' in call] == [
        'POST /pubapi/v1/fs-content-chunked/Shared/home/large'
    ] * 3
    assert stored.checksum.startswith('2-3-1000-')
    assert read(client, stored.file_id) == data


def test_a_chunk_whose_answer_got_lost_is_sent_again(tmp_path: Path, pace: Paced) -> None:
    sandbox = Sandbox(tmp_path / 'chunks', chunk_minimum=1000)
    client = Client(URL, TOKEN, session=sandbox.session, pace=pace, chunk_size=1000)
    upload(client, '/Shared/home/other', b'x')
    sent = 0

    class Cutting(type(sandbox.session.get_adapter(URL))):  # type: ignore[misc]
        def send(self, request: Any, **options: Any) -> Any:
            nonlocal sent
            response = super().send(request, **options)
            sent += 'fs-content-chunked' in request.url
            if sent == 2:
                sent += 1
                response.close()
                raise requests.ConnectionError('cut')
            return response

    sandbox.session.mount(URL, Cutting(sandbox.application))
    data = bytes(range(250)) * 10
    assert read(client, upload(client, '/Shared/home/large', data).file_id) == data


def test_folders_are_listed_page_by_page(client: Client, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('fsp_pyramid.egnyte.client.PAGE', 3)
    for name in 'abcd':
        client.create_folder(f'/Shared/home/{name}')
        upload(client, f'/Shared/home/{name}.txt', b'x')
    sandbox.forget_calls()
    listing = client.list_folder('/Shared/home')
    assert len(sandbox.calls) == 3
    assert sorted(folder.name for folder in listing.folders) == list('abcd')
    assert sorted(file.name for file in listing.files) == ['a.txt', 'b.txt', 'c.txt', 'd.txt']
    assert listing.folder.permission == 'Owner'
    assert client.count_items(listing.folder.folder_id) == 8


def test_moving_deleting_restoring(client: Client, sandbox: Sandbox) -> None:
    stored = upload(client, '/Shared/home/a', b'1')
    upload(client, '/Shared/home/a', b'2')
    client.move('/Shared/home/a', '/Shared/home/b')
    assert client.stat_file('/Shared/home/b').file_id == stored.file_id
    client.delete_file(stored.file_id, client.stat_file('/Shared/home/b').version_id)
    assert read(client, stored.file_id) == b'1'
    client.delete_file(stored.file_id)
    (item,) = client.trash()
    assert (item.path, item.is_folder) == ('/Shared/home/b', False)
    assert item.deleted > 0
    client.restore(item.item_id)
    assert client.stat_file('/Shared/home/b').file_id == stored.file_id


def test_kinds_are_told_apart(client: Client) -> None:
    upload(client, '/Shared/home/a', b'x')
    with pytest.raises(errors.NotFound):
        client.list_folder('/Shared/home/a')
    with pytest.raises(errors.NotFound):
        client.stat_file('/Shared/home')


def test_refusals_have_classes(client: Client, sandbox: Sandbox, pace: Paced) -> None:
    stored = upload(client, '/Shared/home/a', b'x')
    with pytest.raises(errors.AlreadyExists):
        client.create_folder('/Shared/home')
    upload(client, '/Shared/home/b', b'x')
    with pytest.raises(errors.AlreadyExists):
        client.move('/Shared/home/a', '/Shared/home/b')
    with pytest.raises(errors.Rejected):
        client.create_folder('/Shared/home/a*b')
    with pytest.raises(errors.Rejected):
        upload(client, '/Shared/home/empty', b'')
    with pytest.raises(errors.NotFound):
        client.delete_file('00000000-0000-0000-0000-000000000000')
    with pytest.raises(errors.Rejected) as caught:
        client.download(stored.file_id, (5, None))
    assert caught.value.status == 416
    with pytest.raises(errors.Unauthorized):
        Client(URL, 'wrong', session=sandbox.session, pace=pace).list_folder('/Shared')
    bob = Client(URL, 'sandbox-bob', session=sandbox.session, pace=pace)
    with pytest.raises(errors.NotFound):
        bob.list_folder('/Shared/home')
    sandbox.api('POST', '/pubapi/v1/fs/Shared/home/a', json={'action': 'lock'}, token='sandbox')
    grant = {'users': ['bob'], 'permission': 'Full'}
    sandbox.api('POST', '/pubapi/v1/perms/folder/Shared/home', json=grant)
    with pytest.raises(errors.Locked):
        upload(bob, '/Shared/home/a', b'y')


@pytest.mark.parametrize('style', ['429', 'mashery'])
def test_a_throttled_call_is_made_again_when_egnyte_says(tmp_path: Path, pace: Paced, style: Any) -> None:
    sandbox = Sandbox(tmp_path / style, qps=1, throttle=style, clock=lambda: pace.now)
    client = Client(URL, TOKEN, session=sandbox.session, pace=pace, max_wait=5)
    client.list_folder('/Shared')  # it learns that there is one call a second...
    sandbox.api('GET', '/pubapi/v1/fs/Shared')  # ...and another application uses it up
    client.list_folder('/Shared')
    assert sum(pace.waits) > 0
    impatient = Client(URL, TOKEN, session=sandbox.session, pace=pace, max_wait=0)
    sandbox.api('GET', '/pubapi/v1/fs/Shared')
    with pytest.raises(errors.Throttled) as caught:
        impatient.list_folder('/Shared')
    assert type(caught.value) is errors.Throttled


@pytest.mark.parametrize('style', ['429', 'mashery'])
def test_a_used_up_day_is_told_at_once_and_asked_once(tmp_path: Path, pace: Paced, style: Any) -> None:
    sandbox = Sandbox(tmp_path / style, daily=2, throttle=style, clock=lambda: pace.now)
    for _ in range(2):
        sandbox.api('GET', '/pubapi/v1/fs/Shared')
    client = Client(URL, TOKEN, session=sandbox.session, pace=pace)
    for _ in range(3):
        with pytest.raises(errors.QuotaExceeded) as caught:
            client.list_folder('/Shared')
        assert caught.value.wait == pytest.approx(86400 - 1_700_000_000 % 86400, abs=2)
    assert len(sandbox.calls) == 3
    assert pace.waits == []


def test_reading_is_tried_again_when_the_connection_breaks(client: Client, sandbox: Sandbox) -> None:
    sandbox.fail({'drop': True, 'times': 2})
    assert client.list_folder('/Shared').folder.name == 'Shared'
    assert len(sandbox.calls) == 3
    sandbox.fail({'drop': True, 'times': 3})
    with pytest.raises(errors.Unreachable):
        client.list_folder('/Shared')


def test_a_deletion_is_tried_again_and_was_done_the_first_time(client: Client, sandbox: Sandbox) -> None:
    stored = upload(client, '/Shared/home/a', b'x')
    sandbox.forget_calls()
    sandbox.fail({'drop': True, 'times': 1})
    client.delete_file(stored.file_id)
    assert len(sandbox.calls) == 2
    assert not sandbox.exists('/Shared/home/a')


@pytest.mark.parametrize('call', ['upload', 'move', 'create'])
def test_other_changes_are_not_tried_again(client: Client, sandbox: Sandbox, call: str) -> None:
    upload(client, '/Shared/home/a', b'x')
    sandbox.forget_calls()
    sandbox.fail({'drop': True, 'times': 1})
    with pytest.raises(errors.Unreachable):
        {
            'upload': lambda: upload(client, '/Shared/home/b', b'x'),
            'move': lambda: client.move('/Shared/home/a', '/Shared/home/c'),
            'create': lambda: client.create_folder('/Shared/home/d'),
        }[call]()
    assert len(sandbox.calls) == 1


def test_a_download_that_breaks_off_is_an_error(client: Client, sandbox: Sandbox) -> None:
    stored = upload(client, '/Shared/home/a', b'x' * 100_000)
    sandbox.fail({'drop': True, 'path_prefix': '/pubapi/v1/fs-content', 'times': 1})
    download = client.download(stored.file_id)
    with pytest.raises(errors.Unreachable):
        b''.join(download)
    download.close()


def test_nobody_there(pace: Paced) -> None:
    with egnyte.new_session() as session:
        client = Client('http://127.0.0.1:1', 'a-secret-token', session=session, pace=pace)
        with pytest.raises(errors.Unreachable) as caught:
            client.list_folder('/Shared/secret plans')
    assert 'plans' not in str(caught.value)
    assert 'a-secret-token' not in repr(caught.value)


def test_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('http_proxy', 'http://127.0.0.1:1')
    with egnyte.new_session() as session:
        assert session.merge_environment_settings('http://x', {}, None, None, None)['proxies'] == {}
