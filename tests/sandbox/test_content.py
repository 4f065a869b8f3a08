"""Uploads and downloads."""

import hashlib
from pathlib import Path

import pytest

from fsp_pyramid.sandbox import make_app

from .api import Api, raw_call

CONTENT = '/pubapi/v1/fs-content/Shared/x/a.txt'


def sha512(content: bytes) -> str:
    return hashlib.sha512(content).hexdigest()


def files_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_an_upload_is_answered_like_the_captured_one(api: Api) -> None:
    response = api.put('/Shared/x/a.txt', b'hello', Last_Modified='Tue, 16 Apr 2024 13:21:41 GMT')
    file = api.fs('/Shared/x/a.txt')
    assert response.json == {
        'checksum': sha512(b'hello'),
        'path': '/Shared/x/a.txt',
        'group_id': file['group_id'],
        'entry_id': file['entry_id'],
    }
    assert response.headers['ETag'] == file['entry_id']
    assert response.headers['X-Sha512-Checksum'] == sha512(b'hello')
    assert response.headers['Last-Modified'] == 'Tue, 16 Apr 2024 13:21:41 GMT'
    assert file['last_modified'] == 'Tue, 16 Apr 2024 13:21:41 GMT'


def test_an_upload_onto_a_file_is_a_new_version(api: Api) -> None:
    first = api.upload('/Shared/x/a.txt', b'one')
    second = api.upload('/Shared/x/a.txt', b'two', Last_Modified='not a date')
    assert second['group_id'] == first['group_id']
    assert second['entry_id'] != first['entry_id']
    assert api.content('/Shared/x/a.txt').body == b'two'
    assert api.content('/Shared/x/a.txt', {'entry_id': first['entry_id']}).body == b'one'
    by_id = api.get(f'fs-content/ids/file/{first["group_id"]}', {'entry_id': first['entry_id']})
    assert (by_id.body, by_id.headers['ETag']) == (b'one', first['entry_id'])
    api.content('/Shared/x/a.txt', {'entry_id': 'other'}, status=404)


def test_the_checksum_is_verified_and_nothing_stays_of_a_bad_upload(api: Api, tmp_path: Path) -> None:
    api.upload('/Shared/x/a.txt', b'hello', X_Sha512_Checksum=sha512(b'hello').upper())
    api.upload('/Shared/x/a.txt', b'hello', X_Sha512_Checksum=sha512(b'other'), status=400)
    assert api.fs('/Shared/x/a.txt')['num_versions'] == 1
    assert len(files_in(tmp_path / 'egnyte' / 'contents')) == 1
    assert files_in(tmp_path / 'egnyte' / 'incoming') == []


def test_empty_files_are_refused_unless_switched_on(api: Api, tmp_path: Path) -> None:
    api.upload('/Shared/x/a.txt', b'', status=400)
    other = Api(make_app(tmp_path / 'other', empty_uploads=True))
    other.upload('/Shared/x/a.txt', b'')
    assert other.content('/Shared/x/a.txt').body == b''


def test_files_directly_in_shared_are_refused_unless_switched_on(api: Api, tmp_path: Path) -> None:
    api.upload('/Shared/a.txt', status=403)
    other = Api(make_app(tmp_path / 'other', files_in_shared=True))
    other.upload('/Shared/a.txt')
    assert other.names('/Shared') == ['a.txt']


def test_an_upload_onto_a_folder_or_below_a_file(api: Api) -> None:
    api.upload('/Shared/x/a.txt')
    assert 'errorMessage' in api.upload('/Shared/x', status=403)
    api.upload('/Shared/x/a.txt/b.txt', status=403)


def test_multipart_uploads(api: Api, tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000
    url = '/pubapi/v1/fs-content/Shared/x/a.bin'
    files = [('other', 'b.bin', b'no'), ('file', 'zażółć.bin', content)]
    stored = api.web.post(url, {'path': 'x'}, upload_files=files, headers=api.headers).json
    assert stored['checksum'] == sha512(content)
    assert api.content('/Shared/x/a.bin').body == content
    api.web.post(url, upload_files=[('picture', 'b.bin', b'any name')], headers=api.headers)
    assert api.content('/Shared/x/a.bin').body == b'any name'


@pytest.mark.parametrize(
    'body', [b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\ntext\r\n--b--\r\n', b'', b'--c--']
)
def test_multipart_without_a_file(api: Api, body: bytes) -> None:
    api.upload('/Shared/x/a.txt', body, Content_Type='multipart/form-data; boundary=b', status=400)
    api.upload('/Shared/x/a.txt', body, Content_Type='multipart/form-data', status=400)


def test_other_content_types_are_raw(api: Api) -> None:
    api.upload('/Shared/x/a.txt', b'a=1&b=2', Content_Type='application/x-www-form-urlencoded')
    assert api.content('/Shared/x/a.txt').body == b'a=1&b=2'


def test_a_chunked_body_is_read_to_its_end(api: Api) -> None:
    content = b'0123456789' * 100_000
    status, _, _ = raw_call(api.app, 'POST', CONTENT, content, **{'wsgi.input_terminated': True})
    assert status == '200 OK'
    assert api.content('/Shared/x/a.txt').body == content


def test_a_body_that_breaks_off_is_not_stored(api: Api, tmp_path: Path) -> None:
    status, _, _ = raw_call(api.app, 'POST', CONTENT, b'half', CONTENT_LENGTH='8')
    assert status == '400 Bad Request'
    api.fs('/Shared/x', status=404)
    assert files_in(tmp_path / 'egnyte' / 'contents') == files_in(tmp_path / 'egnyte' / 'incoming') == []


def test_a_download_has_type_and_length(api: Api) -> None:
    api.upload('/Shared/x/a.txt', 'ä'.encode())
    stored = api.upload('/Shared/x/a.png', b'\x89PNG')
    response = api.content('/Shared/x/a.png')
    assert response.headers['Content-Type'] == 'image/png'
    assert response.headers['Content-Length'] == '4'
    assert response.headers['ETag'] == stored['entry_id']
    assert response.headers['X-Sha512-Checksum'] == sha512(b'\x89PNG')
    assert api.content('/Shared/x/a.txt').text == 'ä'
    api.content('/Shared/x/b.txt', status=404)
    api.content('/Shared/x', status=403)
    head = api.web.head('/pubapi/v1/fs-content/Shared/x/a.png', headers=api.headers)
    assert (head.body, head.headers['Content-Length']) == (b'', '4')


@pytest.mark.parametrize(
    ('asked', 'told', 'body'),
    [
        ('bytes=0-3', 'bytes 0-3/10', b'0123'),
        ('bytes=8-', 'bytes 8-9/10', b'89'),
        ('bytes=8-100', 'bytes 8-9/10', b'89'),
        ('bytes=-3', 'bytes 7-9/10', b'789'),
    ],
)
def test_a_part_of_a_file(api: Api, asked: str, told: str, body: bytes) -> None:
    api.upload('/Shared/x/a.txt', b'0123456789')
    response = api.content('/Shared/x/a.txt', status=206, Range=asked)
    assert (response.headers['Content-Range'], response.body) == (told, body)
    assert response.headers['Content-Length'] == str(len(body))


def test_a_part_behind_the_end(api: Api) -> None:
    api.upload('/Shared/x/a.txt', b'0123456789')
    response = api.content('/Shared/x/a.txt', status=416, Range='bytes=10-')
    assert response.headers['Content-Range'] == 'bytes */10'
    assert api.content('/Shared/x/a.txt', Range='lines=1-2').body == b'0123456789'


def test_large_files_stream(api: Api) -> None:
    """The application hands out blocks, so a server never holds a whole file."""
    content = b'x' * 1_000_000
    api.upload('/Shared/x/a.txt', content)
    _, _, parts = raw_call(api.app, 'GET', CONTENT)
    assert b''.join(parts) == content
    assert max(map(len, parts)) <= 65536
