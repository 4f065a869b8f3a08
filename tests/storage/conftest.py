"""What tests of the cache share: a clock, and places where things are remembered."""

import pytest
from dogpile.cache import CacheRegion

from fsp_pyramid.storage.cache_backends import memory_region, redis_region


class Clock:
    now = 1e9

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=['memory', 'redis'])
def region(request: pytest.FixtureRequest) -> CacheRegion:
    """Each of them, empty."""
    if request.param == 'memory':
        return memory_region()
    return redis_region(request.getfixturevalue('redis_server').client())
