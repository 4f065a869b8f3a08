"""Behaviour that only a real server shows: chunked bodies, raw paths, cut connections, load."""

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests

from ..timing import PATIENCE
from .servers import serving

HEADERS = {'Authorization': 'Bearer sandbox'}


@pytest.fixture(scope='module')
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp('egnyte')) as url:
        yield url


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.headers.update(HEADERS)
        yield session


def test_bodies_of_unknown_length(url: str, session: requests.Session) -> None:
    parts = (b'x' * 10_000 for _ in range(100))
    response = session.post(f'{url}/pubapi/v1/fs-content/Shared/x/stream.bin', data=parts, timeout=PATIENCE)
    assert response.status_code == 200
    content = session.get(f'{url}/pubapi/v1/fs-content/Shared/x/stream.bin', timeout=PATIENCE).content
    assert content == b'x' * 1_000_000


def test_multipart(url: str, session: requests.Session) -> None:
    content = b'\r\n--' * 100_000
    response = session.post(f'{url}/pubapi/v1/fs-content/Shared/x/part.bin', files={'file': content}, timeout=PATIENCE)
    assert response.headers['ETag'] == response.json()['entry_id']
    part = session.get(f'{url}/pubapi/v1/fs-content/Shared/x/part.bin', headers={'Range': 'bytes=-4'}, timeout=PATIENCE)
    assert (part.status_code, part.content) == (206, b'\r\n--')


def test_raw_characters_in_paths(url: str, session: requests.Session) -> None:
    session.post(f'{url}/pubapi/v1/fs-content/Shared/x/a%20%26%2Bb%2C%23.txt', data=b'1', timeout=PATIENCE)
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
    connection.request('GET', '/pubapi/v1/fs//Shared//x/a%20&+b,%23.txt', headers=HEADERS)
    response = connection.getresponse()
    assert response.status == 200
    assert b'a &+b,#.txt' in response.read()
    connection.close()


def test_an_ordered_cut_breaks_the_connection(url: str, session: requests.Session) -> None:
    fault = {'method': 'POST', 'path_prefix': '/pubapi/v1/fs-content/', 'times': 1, 'drop': True}
    assert session.put(f'{url}/_sandbox/faults', json=[fault], timeout=PATIENCE).status_code == 204
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        session.post(f'{url}/pubapi/v1/fs-content/Shared/x/cut.txt', data=b'hello', timeout=PATIENCE)
    content = session.get(f'{url}/pubapi/v1/fs-content/Shared/x/cut.txt', timeout=PATIENCE).content
    assert content == b'hello'
