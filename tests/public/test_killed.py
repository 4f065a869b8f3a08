"""Processes that are killed between Egnyte's answer and the index: public URLs are right at the second request."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fsp_pyramid.content.index import Index
from fsp_pyramid.content.sqlite_pool import SQLitePool
from fsp_pyramid.content.version_feed import RedisVersionFeed
from fsp_pyramid.testing import Sandbox

from ..background import settle
from ..conftest import Source
from ..imaging.pictures import picture
from ..protocol.beefree import PNG, Beefree
from ..services import RedisServer
from ..timing import PATIENCE

# A process that is killed by SIGKILL when Egnyte has answered, before anything is learnt from that.
KILLED = """
import os, signal, sys
from fsp_pyramid import main
from fsp_pyramid.content.observer import ContentObserver
from tests.protocol.beefree import Beefree

def die(*_arguments):
    os.kill(os.getpid(), signal.SIGKILL)

settings, method, path, body, dies = eval(sys.argv[1])
setattr(ContentObserver, dies, die)
client = Beefree(main({}, **settings))
client.request(method, path, body)
"""
ROOT = Path(__file__).parents[2]


@pytest.fixture
def site(make_app: Callable[..., Any], tmp_path: Path, sandbox: Sandbox) -> dict[str, str]:
    """Return the settings of an application; ``fsp.public.cache_dir`` stands for the machine."""
    return {
        'fsp.username': 'beefree',
        'fsp.password': 'secret-password',
        'fsp.egnyte.url': f'sandbox:{tmp_path / "egnyte"}',
        'fsp.folders': '/ /Shared/Beefree/{uid}',
        'fsp.sources.allow': '127.0.0.1',
        'fsp.public.cache_dir': str(tmp_path / 'cache'),
        'fsp.cache.ttl': '0',
        'tm.manager_hook': 'pyramid_tm.explicit_manager',
        'tm.annotate_user': 'false',
    }


def client_of(site: dict[str, str], **more: str) -> Beefree:
    from fsp_pyramid import main

    return Beefree(main({}, **site | {f'fsp.{name.replace("__", ".")}': value for name, value in more.items()}))


def killed(site: dict[str, str], method: str, path: str, body: Any = None, dies: str = 'stored') -> None:
    """Send a request to a new process, which is killed during it."""
    command = [sys.executable, '-c', KILLED, repr((site, method, path, body, dies))]
    assert subprocess.run(command, cwd=ROOT, timeout=PATIENCE, check=False).returncode == -signal.SIGKILL


def url_of(client: Beefree, source: Source, path: str = '/a.png', content: bytes = PNG) -> str:
    return client.upload(path, source.offer(content)).json['data']['meta']['public-url']


def test_replacement_is_served_at_the_second_request(site: dict[str, str], sandbox: Sandbox, source: Source) -> None:
    url = url_of(client_of(site), source)
    killed(site, 'POST', '/a.png', {'source': source.offer(PNG + b'new'), 'conflict_strategy': 'replace'})
    client = client_of(site)
    sandbox.forget_calls()
    first = client.public(url)
    assert (first.body, 'Age' in first.headers) == (PNG, True), 'nobody waits, and caches ask again'
    settle()
    second = client.public(url)
    assert (second.body, 'Age' in second.headers) == (PNG + b'new', False)
    assert len(sandbox.calls) == 2, 'one look, one fetch'
    settle()
    assert client.public(url).body == PNG + b'new'
    assert len(sandbox.calls) == 2


def test_deletion_is_known_at_the_second_request(site: dict[str, str], sandbox: Sandbox, source: Source) -> None:
    client = client_of(site)
    url = url_of(client, source)
    killed(site, 'DELETE', '/a.png', dies='deleted')
    sandbox.forget_calls()
    assert client.public(url).body == PNG
    settle()
    assert [client.public(url).status_int for _ in range(3)] == [404] * 3
    settle()
    assert len(sandbox.calls) == 1


def test_new_name_is_known_at_the_second_request(site: dict[str, str], sandbox: Sandbox, source: Source) -> None:
    client = client_of(site)
    url = url_of(client, source)
    client.create('/d/')
    url_of(client, source, '/d/a.png')
    killed(site, 'PATCH', '/a.png', {'new_path': '/d/', 'conflict_strategy': 'keep'}, dies='moved')
    assert 'filename="a.png"' in client.public(url).headers['Content-Disposition']
    settle()
    answer = client.public(url)
    assert answer.body == PNG
    assert 'filename="a.png"' not in answer.headers['Content-Disposition']


def test_killed_move_with_deleted_target_is_known(site: dict[str, str], sandbox: Sandbox, source: Source) -> None:
    client = client_of(site)
    url_of(client, source)
    client.create('/d/')
    other = url_of(client, source, '/d/a.png', PNG + b'old')
    killed(site, 'PATCH', '/a.png', {'new_path': '/d/', 'conflict_strategy': 'replace'}, dies='deleted')
    client.public(other)
    settle()
    assert client.public(other).status_int == 404


def test_thumbnail_of_the_new_version_is_served(site: dict[str, str], source: Source) -> None:
    client = client_of(site)
    old, new = picture(), picture(300, 600)
    meta = client.upload('/a.png', source.offer(old)).json['data']['meta']
    before = client.public(meta['thumbnail'])
    killed(site, 'POST', '/a.png', {'source': source.offer(new), 'conflict_strategy': 'replace'})
    assert client.public(meta['thumbnail']).body == before.body
    settle()
    after = client.public(meta['thumbnail'])
    assert (after.status_int, after.content_type, after.body == before.body) == (200, 'image/webp', False)
    assert 'immutable' not in after.headers['Cache-Control']


def test_intent_is_known_to_other_machines(
    site: dict[str, str], source: Source, tmp_path: Path, redis_server: RedisServer
) -> None:
    site |= {'fsp.redis_url': redis_server.url, 'fsp.cache.backend': 'redis'}
    here, there = client_of(site), client_of(site, public__cache_dir=str(tmp_path / 'other'))
    url = url_of(here, source)
    assert there.public(url).body == PNG
    settle()
    killed(site, 'POST', '/a.png', {'source': source.offer(PNG + b'new'), 'conflict_strategy': 'replace'})
    there = client_of(site, public__cache_dir=str(tmp_path / 'other'))  # it has asked nobody a moment ago
    for client in (there, here):
        client.public(url)
        settle()
        assert client.public(url).body == PNG + b'new'


def test_move_leaves_the_intent_of_a_killed_process(
    site: dict[str, str], source: Source, tmp_path: Path, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('fsp_pyramid.content.version_feed.INTERVAL', 0)
    site |= {'fsp.redis_url': redis_server.patient_url, 'fsp.cache.backend': 'redis'}
    here, there = client_of(site), client_of(site, public__cache_dir=str(tmp_path / 'other'))
    url = url_of(here, source)
    here.create('/d/')
    assert there.public(url).body == PNG
    settle()
    killed(site, 'POST', '/a.png', {'source': source.offer(PNG + b'new'), 'conflict_strategy': 'replace'})
    assert here.move('/a.png', '/d/').status_int == 200
    assert 'Age' in there.public(url).headers
    settle()
    assert there.public(url).body == PNG + b'new'


def test_change_in_progress_costs_no_call(
    site: dict[str, str], sandbox: Sandbox, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, reader = client_of(site), client_of(site)
    url = url_of(writer, source)
    answers = []
    record_intent = Index.record_intent

    def reading(self: Index, *arguments: str) -> None:
        record_intent(self, *arguments)
        sandbox.forget_calls()
        answers.append(reader.public(url))
        settle()
        assert sandbox.calls == []

    monkeypatch.setattr(Index, 'record_intent', reading)
    writer.upload('/a.png', source.offer(PNG + b'new'), 'replace')
    assert [answer.body for answer in answers] == [PNG]
    assert reader.public(url).body == PNG + b'new'


def test_unknown_outcome_is_revalidated(site: dict[str, str], sandbox: Sandbox, source: Source) -> None:
    client = client_of(site, egnyte__max_wait='0')
    url = url_of(client, source)
    sandbox.fail({'status': 500, 'method': 'POST', 'times': 9, 'path_prefix': '/pubapi/v1/fs-content'})
    assert client.upload('/a.png', source.offer(PNG + b'new'), 'replace').status_int == 503
    sandbox.fail()
    sandbox.upload('/Shared/Beefree/u1/a.png', PNG + b'late')
    client.public(url)
    settle()
    assert client.public(url).body == PNG + b'late'


def test_unknown_outcome_is_known_to_other_machines_after_a_move(
    site: dict[str, str],
    sandbox: Sandbox,
    source: Source,
    tmp_path: Path,
    redis_server: RedisServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr('fsp_pyramid.content.version_feed.INTERVAL', 0)
    site |= {'fsp.redis_url': redis_server.patient_url, 'fsp.cache.backend': 'redis', 'fsp.egnyte.max_wait': '0'}
    here, there = client_of(site), client_of(site, public__cache_dir=str(tmp_path / 'other'))
    url = url_of(here, source)
    here.create('/d/')
    assert there.public(url).body == PNG
    settle()
    sandbox.fail({'status': 500, 'method': 'POST', 'times': 9, 'path_prefix': '/pubapi/v1/fs-content'})
    assert here.upload('/a.png', source.offer(PNG + b'new'), 'replace').status_int == 503
    sandbox.fail()
    sandbox.upload('/Shared/Beefree/u1/a.png', PNG + b'late')
    assert here.move('/a.png', '/d/').status_int == 200
    assert 'Age' in there.public(url).headers
    settle()
    assert there.public(url).body == PNG + b'late'


def test_upload_succeeds_without_a_recorded_intent(
    site: dict[str, str], source: Source, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = client_of(site)
    url_of(client, source)

    def full(*_arguments: str) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(Index, 'record_intent', full)
    monkeypatch.setattr(Index, 'abandon_intent', full)
    monkeypatch.setattr(RedisVersionFeed, 'publish_intent', full)
    assert client.upload('/a.png', source.offer(PNG + b'new'), 'replace').status_int == 201
    assert 'fsp.public.cache_dir' in caplog.text


def test_content_is_served_from_a_full_disk(
    site: dict[str, str], source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = url_of(client_of(site), source)
    killed(site, 'POST', '/a.png', {'source': source.offer(PNG + b'new'), 'conflict_strategy': 'replace'})

    def full(*_arguments: str) -> None:
        raise sqlite3.OperationalError('database or disk is full')

    monkeypatch.setattr(SQLitePool, 'transaction', full)
    answer = client_of(site).public(url)
    assert (answer.status_int, answer.body) == (200, PNG)
