"""Public files when Egnyte, the disk or the clock fail: recipients see the picture if it is available at all."""

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
from fsp_pyramid.public.origin import RequestOrigin
from fsp_pyramid.testing import Sandbox

from ..background import settle
from ..conftest import Source
from ..imaging.pictures import picture
from ..protocol.beefree import PNG, Beefree
from ..timing import PATIENCE
from .test_content import later, make_client, url_of

__all__ = ['make_client']


# Egnyte


def test_version_too_large_for_the_cache_is_served(
    make_client: Callable[..., Beefree], sandbox: Sandbox, source: Source
) -> None:
    client = make_client(public__cache_size='1 MB')
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


def test_answer_of_a_gateway_is_not_served(
    make_client: Callable[..., Beefree], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway responds with a page and status 200."""
    sandbox.upload('/Shared/Beefree/u1/a.png', PNG)
    client = make_client()
    url = url_of(client, '/a.png')
    original = Download.__init__

    def without_version(self: Download, response: Any) -> None:
        original(self, response)
        self.version_id = ''

    with monkeypatch.context() as patch:
        patch.setattr(Download, '__init__', without_version)
        assert client.public(url).status_int == 503
        settle()
        patch.setattr('fsp_pyramid.content.backoff.PAUSE', 0.0)
    content_service(client).backoff.clear()
    assert client.public(url).body == PNG


def test_error_of_a_gateway_does_not_hide_a_file(
    make_client: Callable[..., Beefree], sandbox: Sandbox, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client()
    url = client.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']
    sandbox.fail({'status': 596, 'times': 1000, 'path_prefix': '/pubapi'})
    later(client, 86401, monkeypatch)
    for _ in range(2):
        assert client.public(url).body == PNG
        settle()


@pytest.mark.parametrize('status', [403, 401, 400])
def test_failed_revalidation_backs_off_and_hides_nothing(
    make_client: Callable[..., Beefree], sandbox: Sandbox, source: Source, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    client = make_client()
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
def test_refusal_costs_one_call(make_client: Callable[..., Beefree], sandbox: Sandbox, status: int, told: int) -> None:
    sandbox.upload('/Shared/Beefree/u1/a.png', PNG)
    client = make_client()
    url = url_of(client, '/a.png')
    sandbox.forget_calls()
    sandbox.fail({'status': status, 'times': 1000, 'path_prefix': '/pubapi'})
    answers = [client.public(url) for _ in range(3)]
    assert [answer.status_int for answer in answers] == [told] * 3
    assert all(('Retry-After' in answer.headers) == (told == 503) for answer in answers)
    assert len(sandbox.calls) == 1


def test_pictures_without_checksums_do_not_share_a_thumbnail(
    make_client: Callable[..., Beefree], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client()
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


def content_service(client: Beefree) -> Any:
    return client.app.app.registry.getUtility(IPublic).content_service


def test_full_disk_costs_no_call(
    make_client: Callable[..., Beefree], sandbox: Sandbox, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client()
    url = client.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']
    sandbox.upload('/Shared/Beefree/u1/b.png', PNG)
    never_seen = url_of(make_client(), '/b.png')
    monkeypatch.setattr('fsp_pyramid.content.directory.LEAST_SPACE', 1 << 60)
    sandbox.forget_calls()
    answer = client.public(never_seen)
    assert (answer.status_int, answer.headers['Retry-After']) == (503, '10')
    assert client.public(url).body == PNG
    assert sandbox.calls == []


def test_content_is_served_if_its_use_cannot_be_recorded(
    make_client: Callable[..., Beefree], source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client()
    meta = client.upload('/a.png', source.offer(picture())).json['data']['meta']
    settle()

    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise PermissionError(1, 'Operation not permitted')

    monkeypatch.setattr('fsp_pyramid.content.directory.USE_INTERVAL', -1.0)
    monkeypatch.setattr(os, 'utime', refuse)
    assert client.public(meta['public-url']).body == picture()
    assert client.public(meta['thumbnail']).status_int == 200


@pytest.mark.parametrize('method', ['record_versions', 'add_copy'])
def test_content_is_served_if_the_index_is_read_only(
    make_client: Callable[..., Beefree], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    content = PNG + bytes(300_000)
    sandbox.upload('/Shared/Beefree/u1/a.png', content)
    client = make_client()
    url = url_of(client, '/a.png')

    def refuse(*_arguments: Any) -> None:
        raise sqlite3.OperationalError('database or disk is full')

    monkeypatch.setattr(Index, method, refuse)
    assert client.public(url).body == content
    settle()


def test_upload_survives_a_read_only_directory(
    make_client: Callable[..., Beefree], sandbox: Sandbox, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client()

    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('fsp_pyramid.content.thumbnails.ThumbnailStore.make', refuse)
    answer = client.upload('/a.png', source.offer(picture()))
    assert answer.status_int == 201
    thumbnail = client.public(answer.json['data']['meta']['thumbnail'])
    assert (thumbnail.status_int, thumbnail.headers['Cache-Control']) == (200, 'no-store')


def test_directory_may_be_deleted_at_any_time(
    make_client: Callable[..., Beefree], sandbox: Sandbox, source: Source, tmp_path: Path
) -> None:
    first, second = make_client(), make_client()
    url = first.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']
    assert second.public(url).body == PNG
    (tmp_path / 'cache').rename(tmp_path / 'gone')
    assert first.public(url).body == second.public(url).body == PNG
    first.upload('/a.png', source.offer(PNG + b'2'), 'replace')
    assert first.public(url).body == second.public(url).body == PNG + b'2', 'they share what is new'


def test_directory_that_becomes_a_file_is_a_failing_disk(
    make_client: Callable[..., Beefree],
    sandbox: Sandbox,
    source: Source,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = make_client()
    url = client.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']
    settle()
    (tmp_path / 'cache').rename(tmp_path / 'gone')
    (tmp_path / 'cache').write_text('no directory')
    for _ in range(2):
        answer = client.public(url)
        assert (answer.status_int, answer.headers['Retry-After'], answer.text) == (503, '60', 'Storage is busy')
    assert client.upload('/b.png', source.offer(PNG)).status_int == 201
    settle()
    index = str(tmp_path / 'cache' / 'index.sqlite')
    assert f'a disk fails: [Errno 5] unable to open database file: {index!r}' in caplog.text
    assert 'Traceback' not in caplog.text
    (tmp_path / 'cache').unlink()
    (tmp_path / 'gone').rename(tmp_path / 'cache')
    assert client.public(url).body == PNG


def test_index_that_becomes_corrupt_is_recreated(
    make_client: Callable[..., Beefree], sandbox: Sandbox, source: Source, tmp_path: Path
) -> None:
    client = make_client()
    url = client.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']
    with sqlite3.connect(tmp_path / 'cache' / 'index.sqlite') as connection:
        connection.execute('PRAGMA wal_checkpoint(TRUNCATE)')
    path = tmp_path / 'cache' / 'index.sqlite'
    broken = path.read_bytes()
    path.write_bytes(broken[:4096] + b'\xff' * (len(broken) - 4096))
    answers = [client.public(url) for _ in range(3)]
    assert [answer.body for answer in answers[1:]] == [PNG] * 2


def test_clock_that_was_set_back_causes_a_revalidation(
    make_client: Callable[..., Beefree], sandbox: Sandbox, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client()
    url = client.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']
    sandbox.forget_calls()
    later(client, -86400, monkeypatch)
    assert client.public(url).body == PNG
    settle()
    assert len(sandbox.calls) == 1


def test_hanging_egnyte_does_not_take_all_threads(
    make_client: Callable[..., Beefree], sandbox: Sandbox, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('fsp_pyramid.content.fetcher.SLOTS', 2)
    monkeypatch.setattr('fsp_pyramid.content.fetcher.WAIT', 0.05)
    for number in range(3):
        sandbox.upload(f'/Shared/Beefree/u1/{number}.png', PNG + bytes([number]))
    client = make_client()
    here = client.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']
    *urls, last = [url_of(client, f'/{number}.png') for number in range(3)]
    asked, go_on, download = threading.Semaphore(0), threading.Event(), RequestOrigin.open

    def hanging(self: RequestOrigin, *arguments: Any) -> Any:
        asked.release()
        assert go_on.wait(PATIENCE)
        return download(self, *arguments)

    monkeypatch.setattr(RequestOrigin, 'open', hanging)
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
