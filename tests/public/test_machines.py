"""Several machines: each keeps public files on a disk of its own, and all share a Redis."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fsp_pyramid.testing import Sandbox

from ..background import settle
from ..conftest import Source
from ..imaging.pictures import picture
from ..protocol.beefree import PNG, Beefree
from ..services import RedisServer


@pytest.fixture
def machines(make_app: Callable[..., Any], tmp_path: Path, redis_server: RedisServer) -> list[Beefree]:
    """Return two clients of one user, each on a machine of its own."""
    shared = {'cache__backend': 'redis', 'redis_url': redis_server.patient_url}
    return [Beefree(make_app(public__cache_dir=str(tmp_path / name), **shared)) for name in ('one', 'two')]


def test_replacement_on_one_machine_is_served_by_the_other(
    machines: list[Beefree], source: Source, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('fsp_pyramid.content.version_feed.INTERVAL', 0)
    one, two = machines
    first = one.upload('/a.png', source.offer(picture(400, 400))).json['data']['meta']
    assert two.public(first['public-url']).body == picture(400, 400)
    settle()
    second = one.upload('/a.png', source.offer(picture(400, 100)), 'replace').json['data']['meta']
    sandbox.forget_calls()
    assert two.get('/a.png').json['data']['meta']['thumbnail'] == second['thumbnail']
    two.public(first['public-url'])  # perhaps the last good one, while the right one is fetched
    settle()
    assert two.public(first['public-url']).body == picture(400, 100)
    two.public(second['thumbnail'])
    settle()
    assert 'immutable' in two.public(second['thumbnail']).headers['Cache-Control']
    assert len(sandbox.calls) == 1, 'the content, once'


def test_deletion_is_known_to_the_other_machine(
    machines: list[Beefree], source: Source, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('fsp_pyramid.content.version_feed.INTERVAL', 0)
    one, two = machines
    url = one.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']
    assert two.public(url).body == PNG
    settle()
    one.delete('/a.png')
    sandbox.forget_calls()
    assert two.public(url).status_int == 404
    assert sandbox.calls == []


def test_redis_is_asked_once_in_an_interval(machines: list[Beefree], source: Source, redis_server: RedisServer) -> None:
    one, _ = machines
    url = one.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']
    client = redis_server.client()
    one.public(url)
    before = client.info('stats')['total_commands_processed']
    for _ in range(20):
        assert one.public(url).body == PNG
    assert client.info('stats')['total_commands_processed'] - before < 5


def test_cached_content_is_served_without_redis(
    machines: list[Beefree], source: Source, redis_server: RedisServer
) -> None:
    one, _ = machines
    url = one.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']
    redis_server.stop()
    try:
        assert one.public(url).body == PNG
    finally:
        redis_server.start()
