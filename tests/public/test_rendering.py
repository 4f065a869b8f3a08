"""Thumbnails of pictures that take long, or end their worker: requests wait no longer than a moment."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fsp_pyramid.content.thumbnails import ThumbnailStore
from fsp_pyramid.imaging.contract import Unrenderable
from fsp_pyramid.imaging.worker_pool import NoWorker
from fsp_pyramid.testing import Sandbox

from ..background import settle
from ..conftest import Source
from ..imaging.hostile import LYING_AVIF
from ..imaging.pictures import picture
from ..protocol.beefree import Beefree, outcome
from ..timing import PATIENCE
from .test_content import make_client, url_of

__all__ = ['make_client']


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Let no picture be rendered until this event is set."""
    go_on, make = threading.Event(), ThumbnailStore.make

    def waiting(*arguments: Any) -> None:
        assert go_on.wait(PATIENCE)
        make(*arguments)

    monkeypatch.setattr(ThumbnailStore, 'make', waiting)
    monkeypatch.setattr('fsp_pyramid.content.thumbnail_service.WAIT', 0.05)
    yield go_on
    go_on.set()
    settle()


def test_slow_rendering_delays_no_request(
    make_client: Callable[..., Beefree], sandbox: Sandbox, source: Source, slow: threading.Event
) -> None:
    sandbox.upload('/Shared/Beefree/u1/theirs.png', picture(99, 99))
    client = make_client()
    theirs = url_of(client, '/theirs.png')
    answers = [client.upload(f'/{n}.png', source.offer(picture(300 + n))) for n in range(6)]
    assert {outcome(answer) for answer in answers} == {(201, None)}
    assert outcome(client.get('/')) == (200, None)
    assert client.public(theirs).body == picture(99, 99), 'others are fetched meanwhile'
    urls = [answer.json['data']['meta']['thumbnail'] for answer in answers]
    assert {client.public(url).headers['Cache-Control'] for url in urls} == {'no-store'}
    slow.set()
    settle()
    sandbox.forget_calls()
    assert all(client.public(url).headers['Cache-Control'].endswith('immutable') for url in urls)
    assert sandbox.calls == []


def test_cached_picture_gets_a_thumbnail_while_egnyte_is_down(
    client: Beefree, sandbox: Sandbox, source: Source, slow: threading.Event
) -> None:
    url = client.upload('/a.png', source.offer(picture())).json['data']['meta']['thumbnail']
    sandbox.fail({'status': 503, 'times': 1000, 'path_prefix': '/pubapi'})
    assert client.public(url).headers['Cache-Control'] == 'no-store'
    slow.set()
    settle()
    assert client.public(url).headers['Cache-Control'].endswith('immutable')


def counted(monkeypatch: pytest.MonkeyPatch, error: Exception) -> list[Any]:
    asked: list[Any] = []

    def render(content: Any) -> bytes:
        asked.append(content)
        raise error

    monkeypatch.setattr('fsp_pyramid.content.thumbnails.render', render)
    return asked


def test_unrenderable_picture_is_remembered(client: Beefree, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = counted(monkeypatch, Unrenderable('its worker ended with -9'))
    url = client.upload('/a.png', source.offer(picture())).json['data']['meta']['thumbnail']
    settle()
    assert [client.public(url).status_int for _ in range(3)] == [404] * 3
    assert len(asked) == 1


def test_rendering_is_retried_after_a_missing_worker(
    client: Beefree, source: Source, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        counted(patch, NoWorker('no worker starts'))
        url = client.upload('/a.png', source.offer(picture())).json['data']['meta']['thumbnail']
        settle()
    assert 'no worker starts' in caplog.text
    client.public(url)
    settle()
    assert client.public(url).headers['Cache-Control'].endswith('immutable')


def test_hostile_picture_is_stored_without_thumbnail(client: Beefree, source: Source) -> None:
    meta = client.upload('/a.avif', source.offer(LYING_AVIF)).json['data']['meta']
    settle()
    assert client.public(meta['thumbnail']).status_int == 404
    assert client.public(meta['public-url']).body == LYING_AVIF
    meta = client.upload('/b.png', source.offer(picture())).json['data']['meta']
    settle()
    assert client.public(meta['thumbnail']).content_type == 'image/webp'
