"""Uploads in chunks."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from webtest import TestResponse

from fsp_pyramid.sandbox import make_app

from .api import Api
from .conftest import Clock
from .test_content import files_in, sha512

PARTS = [b'a' * 1000, b'b' * 1000, b'c' * 10]
URL = '/pubapi/v1/fs-content-chunked/Shared/x/big.bin'


@pytest.fixture
def api(tmp_path: Path, clock: Clock) -> Api:
    return Api(make_app(tmp_path, clock=clock, chunk_minimum=1000))


def send(api: Api, part: bytes, *, url: str = URL, status: int = 200, **headers: str) -> TestResponse:
    names = {
        'number': 'X-Egnyte-Chunk-Num',
        'upload': 'X-Egnyte-Upload-Id',
        'last': 'X-Egnyte-Last-Chunk',
        'chunk_sum': 'X-Egnyte-Chunk-Sha512-Checksum',
        'file_sum': 'X-Sha512-Checksum',
    }
    named = {names.get(name, name): value for name, value in headers.items()}
    return api.web.post(url, part, headers=api.headers | named, status=status, content_type='application/octet-stream')


def composite(*parts: bytes) -> str:
    digest = hashlib.sha512(''.join(map(sha512, parts)).encode()).hexdigest()
    return f'2-{len(parts)}-{len(parts[0])}-{digest}'


def test_parts_become_a_file(api: Api, tmp_path: Path) -> None:
    first = send(api, PARTS[0])
    upload = first.headers['X-Egnyte-Upload-Id']
    assert (first.body, first.headers['X-Egnyte-Chunk-Num']) == (b'', '1')
    assert first.headers['X-Egnyte-Chunk-Sha512-Checksum'] == sha512(PARTS[0])
    api.fs('/Shared/x', status=404)
    send(api, PARTS[1], number='2', upload=upload, chunk_sum=sha512(PARTS[1]))
    last = send(api, PARTS[2], number='3', upload=upload, last='true', file_sum=composite(*PARTS))
    file = api.fs('/Shared/x/big.bin')
    assert last.json == {
        'checksum': composite(*PARTS),
        'path': '/Shared/x/big.bin',
        'group_id': file['group_id'],
        'entry_id': file['entry_id'],
    }
    assert last.headers['ETag'] == file['entry_id']
    assert last.headers['X-Sha512-Checksum'] == file['checksum'] == composite(*PARTS)
    assert last.headers['X-Egnyte-Chunk-Sha512-Checksum'] == sha512(PARTS[2])
    assert file['size'] == 2010
    assert api.content('/Shared/x/big.bin').body == b''.join(PARTS)
    assert files_in(tmp_path / 'contents') == [file['entry_id']]
    send(api, PARTS[2], number='3', upload=upload, last='true', status=404)


def test_parts_may_come_in_any_order_and_twice(api: Api) -> None:
    upload = send(api, b'x' * 1000).headers['X-Egnyte-Upload-Id']
    send(api, PARTS[1], number='2', upload=upload)
    send(api, PARTS[0], number='1', upload=upload)
    send(api, PARTS[2], number='3', upload=upload, last='true')
    assert api.content('/Shared/x/big.bin').body == b''.join(PARTS)


def test_one_part_is_enough(api: Api) -> None:
    send(api, b'small', last='True')
    assert api.fs('/Shared/x/big.bin')['checksum'] == composite(b'small')


def test_a_new_version_by_id(api: Api) -> None:
    stored = api.upload('/Shared/x/big.bin', b'old')
    url = f'/pubapi/v1/fs-content-chunked/ids/file/{stored["group_id"]}'
    upload = send(api, PARTS[0], url=url).headers['X-Egnyte-Upload-Id']
    new = send(api, PARTS[2], url=url, number='2', upload=upload, last='true').json
    assert new['group_id'] == stored['group_id']
    assert api.fs('/Shared/x/big.bin')['num_versions'] == 2
    send(api, PARTS[0], url=url + 'x', status=404)


@pytest.mark.parametrize(
    ('part', 'headers'),
    [
        (PARTS[1], {'number': '2', 'chunk_sum': sha512(b'other')}),
        (PARTS[2], {'number': '2'}),
        (b'', {'number': '2', 'last': 'true'}),
        (PARTS[1], {'number': '0'}),
        (PARTS[1], {'number': 'two'}),
        (PARTS[2], {'number': '3', 'last': 'true'}),
        (PARTS[2], {'number': '2', 'last': 'true', 'file_sum': sha512(PARTS[0] + PARTS[2])}),
        (b'x' * 1001, {'number': '2', 'last': 'true'}),
    ],
)
def test_bad_parts(api: Api, part: bytes, headers: dict[str, Any]) -> None:
    upload = send(api, PARTS[0]).headers['X-Egnyte-Upload-Id']
    send(api, part, upload=upload, status=400, **headers)
    api.fs('/Shared/x', status=404)


def test_an_upload_belongs_to_a_user_and_a_path(api: Api) -> None:
    upload = send(api, PARTS[0]).headers['X-Egnyte-Upload-Id']
    send(api, PARTS[1], number='2', status=400)
    send(api, PARTS[1], number='2', upload='other', status=404)
    send(api, PARTS[1], number='2', upload=upload, url=URL + 'x', status=404)
    send(api.by('bob'), PARTS[1], number='2', upload=upload, status=403)


def test_parts_are_forgotten_after_a_day(api: Api, clock: Clock, tmp_path: Path) -> None:
    upload = send(api, PARTS[0]).headers['X-Egnyte-Upload-Id']
    clock.now += 24 * 60 * 60
    send(api, PARTS[2], number='2', upload=upload, last='true', status=404)
    send(api, PARTS[0])
    assert len(files_in(tmp_path / 'contents')) == 1


def test_the_place_is_checked_with_every_part(api: Api) -> None:
    send(api, PARTS[0], url='/pubapi/v1/fs-content-chunked/Shared/bad.tmp', status=400)
    api.mkdir('/Shared/x/big.bin')
    send(api, PARTS[0], status=403)
