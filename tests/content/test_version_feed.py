"""Version feed: changes by other machines, through a Redis."""

from collections.abc import Callable
from typing import Any

import pytest

from fsp_pyramid.concurrency.circuit_breaker import CircuitBreaker
from fsp_pyramid.content.version_feed import INTERVAL, TTL, Changes, RedisVersionFeed, Version

from ..services import RedisServer

VERSION = Version('file', 'v1', 'c' * 128, 5, 1_700_000_000_000, 'a.png', 100.0)


@pytest.fixture
def feed(redis_server: RedisServer) -> RedisVersionFeed:
    return RedisVersionFeed(redis_server.client(), CircuitBreaker())


@pytest.fixture
def reader(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> RedisVersionFeed:
    monkeypatch.setattr('fsp_pyramid.content.version_feed.INTERVAL', 0)
    return RedisVersionFeed(redis_server.client(), CircuitBreaker())


def test_version_settles_all_intents(feed: RedisVersionFeed, reader: RedisVersionFeed) -> None:
    assert reader.changes('acme', 'file') is None
    feed.publish_intent('acme', 'file', 'one', 99.5)
    feed.publish_intent('acme', 'file', 'two', 99.75)
    assert reader.changes('acme', 'file') == Changes(None, {'one': 99.5, 'two': 99.75})
    feed.publish('acme', VERSION)
    assert reader.changes('acme', 'file') == Changes(VERSION, {})
    assert reader.changes('other', 'file') is None


@pytest.mark.parametrize(
    'lost',
    [
        lambda feed: feed.publish_intent('acme', 'file', 'killed', 99.0),
        lambda feed: (
            feed.publish_intent('acme', 'file', 'one', 98.0),
            feed.abandon_intent('acme', 'file', 'one', 99.0),
        ),
    ],
    ids=['of a killed process', 'with an unknown outcome'],
)
def test_intent_outlives_another_change(
    feed: RedisVersionFeed, reader: RedisVersionFeed, lost: Callable[[RedisVersionFeed], Any]
) -> None:
    lost(feed)
    feed.publish_intent('acme', 'file', 'one', 100.0)
    feed.clear_intent('acme', 'file', 'one')
    changes = reader.changes('acme', 'file')
    assert changes is not None
    assert list(changes.intents.values()) == [99.0]


def test_changes_are_kept_for_one_time(feed: RedisVersionFeed, redis_server: RedisServer) -> None:
    feed.publish('acme', VERSION)
    feed.publish_intent('acme', 'file', 'one', 99.0)
    feed.publish_intent('acme', 'other', 'one', 99.0)
    feed.abandon_intent('acme', 'other', 'one', 100.0)
    client = redis_server.client()
    assert [client.ttl(key) > TTL - 3600 for key in client.scan_iter('fsp:*')] == [True] * 3


def test_redis_is_asked_once_in_an_interval(redis_server: RedisServer) -> None:
    now, client = 0.0, redis_server.client()
    feed = RedisVersionFeed(client, CircuitBreaker(), lambda: now)
    feed.publish('acme', VERSION)
    assert feed.changes('acme', 'file') == Changes(VERSION, {})
    assert feed.changes('acme', 'file') is None
    now += INTERVAL
    assert feed.changes('acme', 'file') == Changes(VERSION, {})


def test_changes_take_one_round_trip(
    feed: RedisVersionFeed, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed.publish('acme', VERSION)
    feed.publish_intent('acme', 'file', 'one', 100.0)
    connection = feed._client.connection_pool.connection_class
    sent, send = [], connection.send_packed_command
    monkeypatch.setattr(
        connection, 'send_packed_command', lambda *args, **more: (sent.append(args), send(*args, **more))
    )
    assert feed.changes('acme', 'file') == Changes(VERSION, {'one': 100.0})
    assert len(sent) == 1
