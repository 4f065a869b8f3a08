"""Pictures whose names tell no type: Beefree's image editor uploads to ``/editor_images/{uuid}``."""

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
from .test_content import kept, url_of

__all__ = ['kept']

UUID = '0b5f3c1e-7d0c-4b7e-9d5a-1c2d3e4f5a6b'
NAMES = [UUID, '0b5f.7d0c.9d5a', 'photo.v2', 'image.final', 'logo.3f9c2ab41', 'é']
TYPES = {'PNG': 'image/png', 'JPEG': 'image/jpeg', 'GIF': 'image/gif', 'WEBP': 'image/webp'}
PAGE = b'<!doctype html><script>alert(1)</script>'
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
UNKNOWN = 'application/octet-stream'


def listed(client: Beefree, name: str, directory: str = '/') -> dict[str, Any]:
    return next(item for item in client.get(directory).json['data']['items'] if item['name'] == name)


@pytest.mark.parametrize('name', NAMES)
def test_a_picture_is_one_everywhere(kept: Callable[..., Beefree], sandbox: Sandbox, source: Source, name: str) -> None:
    client = kept()
    meta = client.upload(f'/{name}', source.offer(picture())).json['data']['meta']
    settle()
    sandbox.forget_calls()
    assert meta['mime-type'] == 'image/png'
    assert listed(client, name) == meta
    assert client.get(f'/{name}').json['data']['meta'] == meta
    for user in (client, kept()):
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
    assert listed(kept(), name)['mime-type'] == 'image/png', 'after a restart'


@pytest.mark.parametrize('kind', TYPES)
def test_what_others_put_there_is_known_when_it_was_fetched(
    kept: Callable[..., Beefree], sandbox: Sandbox, kind: str
) -> None:
    content = picture(kind=kind)
    sandbox.upload(f'/Shared/Beefree/u1/{UUID}', content)
    client = kept()
    before = listed(client, UUID)
    assert before['mime-type'] == UNKNOWN
    assert 'thumbnail' not in before
    sandbox.forget_calls()
    answer = client.public(before['public-url'])
    assert (answer.headers['Content-Type'], answer.body) == (TYPES[kind], content), 'while it comes'
    settle()
    assert client.public(before['public-url']).headers['Content-Type'] == TYPES[kind]
    for user in (client, kept()):
        after = listed(user, UUID)
        assert after['mime-type'] == TYPES[kind]
        answer = user.public(after['thumbnail'])
        settle()
        assert user.public(after['thumbnail']).headers['Content-Type'] == 'image/webp'
    assert len([call for call in sandbox.calls if 'fs-content' in call]) == 1


def test_another_version_has_a_type_of_its_own(client: Beefree, source: Source) -> None:
    client.upload(f'/{UUID}', source.offer(picture()))
    meta = client.upload(f'/{UUID}', source.offer(picture(kind='JPEG')), 'replace').json['data']['meta']
    assert meta['mime-type'] == 'image/jpeg'
    assert client.public(meta['public-url']).headers['Content-Type'] == 'image/jpeg'


def test_a_name_that_is_taken_away_leaves_the_type(client: Beefree, sandbox: Sandbox, source: Source) -> None:
    """Somebody renames the file at Egnyte; a copy has the same content."""
    client.upload('/a.png', source.offer(picture()))
    settle()
    body = {'action': 'move', 'destination': f'/Shared/Beefree/u1/{UUID}'}
    assert sandbox.api('POST', '/pubapi/v1/fs/Shared/Beefree/u1/a.png', json=body).status_code == 200
    sandbox.upload(f'/Shared/Team/{UUID}', picture())
    assert listed(client, UUID, '/team/')['mime-type'] == 'image/png'
    assert 'thumbnail' in listed(client, UUID, '/team/')


@pytest.mark.parametrize('content', [PAGE, SVG, b'<!--' + b' ' * 20_000 + b'-->' + PAGE, SVG.decode().encode('utf-16')])
@pytest.mark.parametrize('told', [None, 'text/html', 'image/svg+xml'])
def test_nothing_active_hides_behind_such_a_name(
    kept: Callable[..., Beefree],
    sandbox: Sandbox,
    source: Source,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
    told: str | None,
) -> None:
    client = kept()
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
def test_what_is_no_picture(
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


def test_a_cache_directory_from_before_is_used_on(kept: Callable[..., Beefree], source: Source, tmp_path: Path) -> None:
    """Contents were kept there without their types."""
    client = kept()
    url = client.upload(f'/{UUID}', source.offer(picture())).json['data']['meta']['public-url']
    settle()
    with sqlite3.connect(tmp_path / 'cache' / 'index.sqlite') as connection:
        connection.execute('DROP TABLE types')
    connection.close()
    client = kept()
    assert listed(client, UUID)['mime-type'] == UNKNOWN
    assert client.public(url).headers['Content-Type'] == 'image/png'
    assert listed(client, UUID)['mime-type'] == 'image/png'


def test_a_directory_that_cannot_be_read_spoils_no_listing(
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
