"""Fixtures for tests of the cache: a clock, and the backends."""

import pytest

from fsp_pyramid.storage.cache_backends import CacheBackend, MemoryBackend, RedisBackend


class Clock:
    now = 1e9

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=['memory', 'redis'])
def cache_backend(request: pytest.FixtureRequest) -> CacheBackend:
    """Return each of the backends, empty."""
    if request.param == 'memory':
        return MemoryBackend()
    return RedisBackend(request.getfixturevalue('redis_server').client())
