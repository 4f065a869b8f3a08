"""Public files when Egnyte, the disk or the clock misbehave: recipients see the picture if anybody can show it."""

import os
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from fsp_pyramid.content.index import Index
from fsp_pyramid.egnyte import Download
from fsp_pyramid.interfaces import IPublic
from fsp_pyramid.public.origin import Origin
from fsp_pyramid.testing import Sandbox

from ..background import settle
from ..conftest import Source
from ..imaging.pictures import picture
from ..protocol.beefree import PNG, Beefree
from ..timing import PATIENCE
from .test_content import kept, later, url_of

__all__ = ['kept']


# Egnyte


def test_a_version_that_is_too_large_to_keep_is_served_all_the_same(
    kept: Callable[..., Beefree], sandbox: Sandbox, source: Source
) -> None:
    client = kept(public__cache_size='1 MB')
    url = client.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']
    large = PNG + bytes(300_000)
    assert client.upload('/a.png', source.offer(large), 'replace').status_int == 201
    assert client.public(url).body == large, 'not the version before'
    settle()
    sandbox.forget_calls()
    sandbox.fail({'status': 503, 'times': 1000, 'path_prefix': '/pubapi'})
    answer = client.public(url)
    assert (answer.status_int, answer.body) == (200, PNG), 'the last one that is here'
    assert 'Age' in answer.headers
    settle()
    assert len(sandbox.calls) == 1


def test_an_answer_that_is_not_of_egnyte_is_no_file(
    kept: Callable[..., Beefree], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway's page, with status 200."""
    sandbox.upload('/Shared/Beefree/u1/a.png', PNG)
    client = kept()
    url = url_of(client, '/a.png')
    original = Download.__init__

    def without_version(self: Download, response: Any) -> None:
        original(self, response)
        self.version_id = ''

    with monkeypatch.context() as patch:
        patch.setattr(Download, '__init__', without_version)
        assert client.public(url).status_int == 503
        settle()
        patch.setattr('fsp_pyramid.content.fetcher.TROUBLE', 0.0)
    registry_desk(client)._fetcher._trouble.clear()
    assert client.public(url).body == PNG


def test_a_gateway_that_finds_no_way_does_not_delete_a_file(
    kept: Callable[..., Beefree], sandbox: Sandbox, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = kept()
    url = client.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']
    sandbox.fail({'status': 596, 'times': 1000, 'path_prefix': '/pubapi'})
    later(client, 86401, monkeypatch)
    for _ in range(2):
        assert client.public(url).body == PNG
        settle()


@pytest.mark.parametrize('status', [403, 401, 400])
def test_a_look_that_fails_is_not_tried_again_at_once_and_hides_nothing(
    kept: Callable[..., Beefree], sandbox: Sandbox, source: Source, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    client = kept()
    url = client.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']
    sandbox.forget_calls()
    sandbox.fail({'status': status, 'times': 1000, 'path_prefix': '/pubapi'})
    later(client, 86401, monkeypatch)
    assert client.public(url).body == PNG
    settle()
    for _ in range(3):
        assert client.public(url).body == PNG
        settle()
    assert len(sandbox.calls) == 1


@pytest.mark.parametrize(('status', 'told'), [(403, 404), (401, 503), (400, 503)])
def test_a_refusal_costs_one_call(kept: Callable[..., Beefree], sandbox: Sandbox, status: int, told: int) -> None:
    sandbox.upload('/Shared/Beefree/u1/a.png', PNG)
    client = kept()
    url = url_of(client, '/a.png')
    sandbox.forget_calls()
    sandbox.fail({'status': status, 'times': 1000, 'path_prefix': '/pubapi'})
    answers = [client.public(url) for _ in range(3)]
    assert [answer.status_int for answer in answers] == [told] * 3
    assert all(('Retry-After' in answer.headers) == (told == 503) for answer in answers)
    assert len(sandbox.calls) == 1


def test_pictures_without_checksums_do_not_share_a_thumbnail(
    kept: Callable[..., Beefree], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = kept()
    urls = []
    for name, size in (('a', (400, 400)), ('b', (400, 100))):
        sandbox.upload(f'/Shared/Beefree/u1/{name}.png', picture(*size))
        urls.append(url_of(client, f'/{name}.png', 'thumbnail'))
    original = Download.__init__

    def without_checksum(self: Download, response: Any) -> None:
        original(self, response)
        self.checksum = ''

    monkeypatch.setattr(Download, '__init__', without_checksum)
    bodies = {client.public(url).body for url in urls}
    settle()
    bodies = {client.public(url).body for url in urls}
    assert len(bodies) == 2


# The disk


def registry_desk(client: Beefree) -> Any:
    return client.app.app.registry.getUtility(IPublic).content_service


def test_a_full_disk_costs_no_call(
    kept: Callable[..., Beefree], sandbox: Sandbox, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = kept()
    url = client.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']
    sandbox.upload('/Shared/Beefree/u1/b.png', PNG)
    never_seen = url_of(kept(), '/b.png')
    monkeypatch.setattr('fsp_pyramid.content.directory.LEAST_ROOM', 1 << 60)
    sandbox.forget_calls()
    answer = client.public(never_seen)
    assert (answer.status_int, answer.headers['Retry-After']) == (503, '10')
    assert client.public(url).body == PNG
    assert sandbox.calls == []


def test_a_use_that_cannot_be_noted_does_no_harm(
    kept: Callable[..., Beefree], source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = kept()
    meta = client.upload('/a.png', source.offer(picture())).json['data']['meta']
    settle()

    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise PermissionError(1, 'Operation not permitted')

    monkeypatch.setattr('fsp_pyramid.content.directory.NOTED', -1.0)
    monkeypatch.setattr(os, 'utime', refuse)
    assert client.public(meta['public-url']).body == picture()
    assert client.public(meta['thumbnail']).status_int == 200


@pytest.mark.parametrize('method', ['learn', 'add'])
def test_an_index_that_cannot_be_written_to_keeps_no_content_from_its_reader(
    kept: Callable[..., Beefree], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    content = PNG + bytes(300_000)
    sandbox.upload('/Shared/Beefree/u1/a.png', content)
    client = kept()
    url = url_of(client, '/a.png')

    def refuse(*_arguments: Any) -> None:
        raise sqlite3.OperationalError('database or disk is full')

    monkeypatch.setattr(Index, method, refuse)
    assert client.public(url).body == content
    settle()


def test_a_directory_that_cannot_be_written_to_spoils_no_upload(
    kept: Callable[..., Beefree], sandbox: Sandbox, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = kept()

    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('fsp_pyramid.content.thumbnails.Gallery.make', refuse)
    answer = client.upload('/a.png', source.offer(picture()))
    assert answer.status_int == 201
    thumbnail = client.public(answer.json['data']['meta']['thumbnail'])
    assert (thumbnail.status_int, thumbnail.headers['Cache-Control']) == (200, 'no-store')


def test_the_directory_may_be_deleted_at_any_time(
    kept: Callable[..., Beefree], sandbox: Sandbox, source: Source, tmp_path: Path
) -> None:
    first, second = kept(), kept()
    url = first.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']
    assert second.public(url).body == PNG
    (tmp_path / 'cache').rename(tmp_path / 'gone')
    assert first.public(url).body == second.public(url).body == PNG
    first.upload('/a.png', source.offer(PNG + b'2'), 'replace')
    assert first.public(url).body == second.public(url).body == PNG + b'2', 'they share what is new'


def test_an_index_that_breaks_is_begun_anew(
    kept: Callable[..., Beefree], sandbox: Sandbox, source: Source, tmp_path: Path
) -> None:
    client = kept()
    url = client.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']
    with sqlite3.connect(tmp_path / 'cache' / 'index.sqlite') as connection:
        connection.execute('PRAGMA wal_checkpoint(TRUNCATE)')
    path = tmp_path / 'cache' / 'index.sqlite'
    broken = path.read_bytes()
    path.write_bytes(broken[:4096] + b'\xff' * (len(broken) - 4096))
    answers = [client.public(url) for _ in range(3)]
    assert [answer.body for answer in answers[1:]] == [PNG] * 2


def test_a_clock_that_was_set_back_is_a_reason_to_look(
    kept: Callable[..., Beefree], sandbox: Sandbox, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = kept()
    url = client.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']
    sandbox.forget_calls()
    later(client, -86400, monkeypatch)
    assert client.public(url).body == PNG
    settle()
    assert len(sandbox.calls) == 1


def test_an_egnyte_that_hangs_does_not_take_all_threads(
    kept: Callable[..., Beefree], sandbox: Sandbox, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('fsp_pyramid.content.fetcher.FETCHING', 2)
    monkeypatch.setattr('fsp_pyramid.content.fetcher.WAIT', 0.05)
    for number in range(3):
        sandbox.upload(f'/Shared/Beefree/u1/{number}.png', PNG + bytes([number]))
    client = kept()
    here = client.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']
    *urls, last = [url_of(client, f'/{number}.png') for number in range(3)]
    asked, go_on, download = threading.Semaphore(0), threading.Event(), Origin.download

    def hanging(self: Origin, *arguments: Any) -> Any:
        asked.release()
        assert go_on.wait(PATIENCE)
        return download(self, *arguments)

    monkeypatch.setattr(Origin, 'download', hanging)
    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(client.public, url) for url in urls]
        try:
            assert asked.acquire(timeout=PATIENCE)
            assert asked.acquire(timeout=PATIENCE)
            refused = client.public(last)
            assert refused.status_int == 503
            assert 'Retry-After' in refused.headers
            assert client.public(here).body == PNG
        finally:
            go_on.set()
        assert [answer.result().status_int for answer in answers] == [200, 200]
    assert client.public(last).status_int == 200
