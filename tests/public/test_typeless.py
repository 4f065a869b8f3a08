"""Pictures with typeless names: Beefree's image editor uploads to ``/editor_images/{uuid}``."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fsp_pyramid.content.index import Index
from fsp_pyramid.egnyte import Download
from fsp_pyramid.testing import Sandbox

from ..background import settle
from ..conftest import Source
from ..imaging.pictures import picture
from ..protocol.beefree import Beefree, outcome
from .test_content import make_client, url_of

__all__ = ['make_client']

UUID = '0b5f3c1e-7d0c-4b7e-9d5a-1c2d3e4f5a6b'
NAMES = [UUID, '0b5f.7d0c.9d5a', 'photo.v2', 'image.final', 'logo.3f9c2ab41', 'é']
TYPES = {'PNG': 'image/png', 'JPEG': 'image/jpeg', 'GIF': 'image/gif', 'WEBP': 'image/webp'}
PAGE = b'<!doctype html><script>alert(1)</script>'
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
UNKNOWN = 'application/octet-stream'


def listed(client: Beefree, name: str, directory: str = '/') -> dict[str, Any]:
    return next(item for item in client.get(directory).json['data']['items'] if item['name'] == name)


@pytest.mark.parametrize('name', NAMES)
def test_typeless_picture_has_its_type_everywhere(
    make_client: Callable[..., Beefree], sandbox: Sandbox, source: Source, name: str
) -> None:
    client = make_client()
    meta = client.upload(f'/{name}', source.offer(picture())).json['data']['meta']
    settle()
    sandbox.forget_calls()
    assert meta['mime-type'] == 'image/png'
    assert listed(client, name) == meta
    assert client.get(f'/{name}').json['data']['meta'] == meta
    for user in (client, make_client()):
        answer = user.public(meta['public-url'])
        assert (answer.body, answer.headers['Content-Type']) == (picture(), 'image/png')
        assert answer.headers['X-Content-Type-Options'] == 'nosniff'
        assert answer.headers['Content-Disposition'].startswith('inline')
        head = user.public(meta['public-url'], method='HEAD')
        assert (head.headers['Content-Type'], head.content_length) == ('image/png', len(picture()))
        part = user.public(meta['public-url'], headers={'Range': 'bytes=100-199'})
        assert (part.status_int, part.headers['Content-Type'], part.body) == (206, 'image/png', picture()[100:200])
        assert user.public(meta['thumbnail']).headers['Cache-Control'].endswith('immutable')
    assert [call for call in sandbox.calls if 'fs-content' in call] == []
    assert listed(make_client(), name)['mime-type'] == 'image/png', 'after a restart'


@pytest.mark.parametrize('kind', TYPES)
def test_type_of_a_foreign_file_is_known_after_its_download(
    make_client: Callable[..., Beefree], sandbox: Sandbox, kind: str
) -> None:
    content = picture(kind=kind)
    sandbox.upload(f'/Shared/Beefree/u1/{UUID}', content)
    client = make_client()
    before = listed(client, UUID)
    assert before['mime-type'] == UNKNOWN
    assert 'thumbnail' not in before
    sandbox.forget_calls()
    answer = client.public(before['public-url'])
    assert (answer.headers['Content-Type'], answer.body) == (TYPES[kind], content), 'while it comes'
    settle()
    assert client.public(before['public-url']).headers['Content-Type'] == TYPES[kind]
    for user in (client, make_client()):
        after = listed(user, UUID)
        assert after['mime-type'] == TYPES[kind]
        answer = user.public(after['thumbnail'])
        settle()
        assert user.public(after['thumbnail']).headers['Content-Type'] == 'image/webp'
    assert len([call for call in sandbox.calls if 'fs-content' in call]) == 1


def test_new_version_has_its_own_type(client: Beefree, source: Source) -> None:
    client.upload(f'/{UUID}', source.offer(picture()))
    meta = client.upload(f'/{UUID}', source.offer(picture(kind='JPEG')), 'replace').json['data']['meta']
    assert meta['mime-type'] == 'image/jpeg'
    assert client.public(meta['public-url']).headers['Content-Type'] == 'image/jpeg'


def test_type_survives_a_rename_at_egnyte(client: Beefree, sandbox: Sandbox, source: Source) -> None:
    """The file is renamed at Egnyte; a copy has the same content."""
    client.upload('/a.png', source.offer(picture()))
    settle()
    body = {'action': 'move', 'destination': f'/Shared/Beefree/u1/{UUID}'}
    assert sandbox.api('POST', '/pubapi/v1/fs/Shared/Beefree/u1/a.png', json=body).status_code == 200
    sandbox.upload(f'/Shared/Team/{UUID}', picture())
    assert listed(client, UUID, '/team/')['mime-type'] == 'image/png'
    assert 'thumbnail' in listed(client, UUID, '/team/')


@pytest.mark.parametrize('content', [PAGE, SVG, b'<!--' + b' ' * 20_000 + b'-->' + PAGE, SVG.decode().encode('utf-16')])
@pytest.mark.parametrize('told', [None, 'text/html', 'image/svg+xml'])
def test_active_content_is_not_served_under_a_typeless_name(
    make_client: Callable[..., Beefree],
    sandbox: Sandbox,
    source: Source,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
    told: str | None,
) -> None:
    client = make_client()
    sandbox.upload(f'/Shared/Beefree/u1/{UUID}', content)
    if told:
        original = Download.__init__

        def telling(self: Download, response: Any) -> None:
            original(self, response)
            self.mime_type = told

        monkeypatch.setattr(Download, '__init__', telling)
    url = url_of(client, f'/{UUID}')
    for _ in range(2):
        for name in (UUID, 'x.svg', 'x.html', 'x.png'):
            answer = client.public(f'{url.rpartition("/")[0]}/{name}')
            assert answer.headers['Content-Type'] == UNKNOWN
            assert answer.headers['X-Content-Type-Options'] == 'nosniff'
            assert answer.headers['Content-Security-Policy'] == "sandbox; default-src 'none'"
        settle()
    assert listed(client, UUID)['mime-type'] == UNKNOWN
    assert outcome(client.upload('/another', source.offer(content))) == (422, 3907)


@pytest.mark.parametrize(
    ('content', 'mime_type', 'disposition'),
    [(b'%PDF-1.4', 'application/pdf', 'attachment'), (b'plain text', UNKNOWN, 'inline')],
)
def test_other_typeless_content_is_served(
    client: Beefree, sandbox: Sandbox, content: bytes, mime_type: str, disposition: str
) -> None:
    sandbox.upload(f'/Shared/Beefree/u1/{UUID}', content)
    url = url_of(client, f'/{UUID}')
    for _ in range(2):
        answer = client.public(url)
        assert (answer.headers['Content-Type'], answer.body) == (mime_type, content)
        assert answer.headers['Content-Disposition'].startswith(disposition)
        settle()
    assert listed(client, UUID)['mime-type'] == mime_type
    assert 'thumbnail' not in listed(client, UUID)


def test_cache_directory_without_types_is_usable(
    make_client: Callable[..., Beefree], source: Source, tmp_path: Path
) -> None:
    """An earlier release kept contents without their types."""
    client = make_client()
    url = client.upload(f'/{UUID}', source.offer(picture())).json['data']['meta']['public-url']
    settle()
    with sqlite3.connect(tmp_path / 'cache' / 'index.sqlite') as connection:
        connection.execute('DROP TABLE types')
    connection.close()
    client = make_client()
    assert listed(client, UUID)['mime-type'] == UNKNOWN
    assert client.public(url).headers['Content-Type'] == 'image/png'
    assert listed(client, UUID)['mime-type'] == 'image/png'


def test_listing_survives_an_unreadable_index(
    client: Beefree, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ('a', 'b', 'c.png'):
        sandbox.upload(f'/Shared/Beefree/u1/{name}', picture())

    def refuse(*_arguments: Any) -> None:
        raise sqlite3.OperationalError('disk I/O error')

    monkeypatch.setattr(Index, 'types', refuse)
    types = {item['name']: item['mime-type'] for item in client.get('/').json['data']['items'] if item['size']}
    assert types == {'a': UNKNOWN, 'b': UNKNOWN, 'c.png': 'image/png'}
    assert len(caplog.records) == 1, 'however many have no type'
