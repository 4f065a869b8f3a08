"""The client, against the sandbox."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from fsp_pyramid import egnyte
from fsp_pyramid.egnyte import Client, errors
from fsp_pyramid.embedded import TOKEN, URL
from fsp_pyramid.testing import Sandbox, content

from .support import (
    LARGE,
    Hooked,
    Paced,
    read,
    upload,
)


def test_upload_and_download(client: Client) -> None:
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


def test_wrong_checksum_is_refused(client: Client) -> None:
    with pytest.raises(errors.ChecksumRefused):
        client.upload('/Shared/home/a', replace(content(b'x'), digest=content(b'y').digest))


def test_large_files_are_uploaded_in_chunks(sandbox: Sandbox, tmp_path: Path, rate_limiter: Paced) -> None:
    sandbox = Sandbox(tmp_path / 'chunks', chunk_minimum=1000)
    client = Client(URL, TOKEN, session=sandbox.session, rate_limiter=rate_limiter, chunk_size=1000)
    stored = upload(client, '/Shared/home/large', LARGE)
    assert [call for call in sandbox.calls if 'chunked' in call] == [
        'POST /pubapi/v1/fs-content-chunked/Shared/home/large'
    ] * 3
    assert stored.checksum.startswith('2-3-1000-')
    assert read(client, stored.file_id) == LARGE


def test_checksum_of_an_upload_is_known_without_a_call(chunking: tuple[Client, Hooked]) -> None:
    client, hooks = chunking
    for data in (b'x', bytes(1000), bytes(1001), LARGE):
        before = len(hooks.sent)
        expected = client.checksum(content(data))
        assert len(hooks.sent) == before
        assert upload(client, '/Shared/home/file', data).checksum == expected


def test_bodies_have_a_length_and_no_chunked_encoding(chunking: tuple[Client, Hooked]) -> None:
    client, hooks = chunking
    upload(client, '/Shared/home/small', b'hello')
    upload(client, '/Shared/home/large', LARGE)
    assert [request.headers['Content-Length'] for request, _ in hooks.sent] == ['5', '1000', '1000', '500']
    assert not any('Transfer-Encoding' in request.headers for request, _ in hooks.sent)


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


def test_files_and_folders_are_distinguished(client: Client) -> None:
    upload(client, '/Shared/home/a', b'x')
    with pytest.raises(errors.NotFound):
        client.list_folder('/Shared/home/a')
    with pytest.raises(errors.NotFound):
        client.stat_file('/Shared/home')


def test_refusals_have_classes(client: Client, sandbox: Sandbox, rate_limiter: Paced) -> None:
    stored = upload(client, '/Shared/home/a', b'x')
    with pytest.raises(errors.AlreadyExists):
        client.create_folder('/Shared/home')
    upload(client, '/Shared/home/b', b'x')
    with pytest.raises(errors.AlreadyExists):
        client.move('/Shared/home/a', '/Shared/home/b')
    with pytest.raises(errors.NameRejected):
        client.create_folder('/Shared/home/a*b')
    with pytest.raises(errors.NameRejected):
        client.move('/Shared/home/a', '/Shared/home/a*b')
    with pytest.raises(errors.NameRejected):
        upload(client, '/Shared/home/a*b', b'x')
    with pytest.raises(errors.NameRejected):
        upload(client, '/Shared/home/empty', b'')
    with pytest.raises(errors.NotFound):
        client.delete_file('00000000-0000-0000-0000-000000000000')
    with pytest.raises(errors.RangeRefused):
        client.download(stored.file_id, (5, None))
    with pytest.raises(errors.Unauthorized):
        Client(URL, 'wrong', session=sandbox.session, rate_limiter=rate_limiter).list_folder('/Shared')
    bob = Client(URL, 'sandbox-bob', session=sandbox.session, rate_limiter=rate_limiter)
    with pytest.raises(errors.NotFound):
        bob.list_folder('/Shared/home')
    sandbox.api('POST', '/pubapi/v1/fs/Shared/home/a', json={'action': 'lock'}, token='sandbox')
    grant = {'users': ['bob'], 'permission': 'Full'}
    sandbox.api('POST', '/pubapi/v1/perms/folder/Shared/home', json=grant)
    with pytest.raises(errors.Locked):
        upload(bob, '/Shared/home/a', b'y')


def test_download_asks_for_identity_encoding(client: Client, sandbox: Sandbox) -> None:
    stored = upload(client, '/Shared/home/a', b'x')
    hooks = Hooked(sandbox)
    read(client, stored.file_id)
    assert hooks.sent[0][0].headers['Accept-Encoding'] == 'identity'


def test_timeout_is_the_configured_one(sandbox: Sandbox, rate_limiter: Paced) -> None:
    hooks = Hooked(sandbox)
    for timeout in (30.0, 3.0):
        Client(URL, TOKEN, session=sandbox.session, rate_limiter=rate_limiter, timeout=timeout).userinfo()
    assert [options['timeout'] for _, options in hooks.sent] == [(10.0, 30.0), (3.0, 3.0)]


def test_environment_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('http_proxy', 'http://127.0.0.1:1')
    with egnyte.new_session() as session:
        assert session.merge_environment_settings('http://x', {}, None, None, None)['proxies'] == {}


def test_events(client: Client, sandbox: Sandbox) -> None:
    begin = client.events_cursor()
    assert client.events(begin) == []
    sandbox.upload('/Shared/home/f', b'x')
    sandbox.api('POST', '/pubapi/v1/fs/Shared/home/f', json={'action': 'move', 'destination': '/Shared/home/g'})
    client.create_folder('/Shared/home/d')
    stored, moved, folder = client.events(begin)
    file_id = client.stat_file('/Shared/home/g').file_id
    assert (stored.paths, stored.is_folder, stored.file_id) == (('/Shared/home/f',), False, file_id)
    assert (moved.paths, moved.file_id) == (('/Shared/home/f', '/Shared/home/g'), file_id)
    assert (folder.paths, folder.is_folder, folder.file_id) == (('/Shared/home/d',), True, '')
    assert client.events(moved.id) == [folder]
    assert client.events_cursor() == folder.id
    with pytest.raises(errors.NotFound):
        client.events(folder.id + 1)
