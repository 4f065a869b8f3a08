"""Rate stores on real backends."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from fsp_pyramid.backends import redis_client
from fsp_pyramid.egnyte import MemoryRateStore, RateStore
from fsp_pyramid.rate_stores import database
from fsp_pyramid.rate_stores.database import DatabaseRateStore, engine_by_url
from fsp_pyramid.rate_stores.redis import RedisRateStore

from .. import services
from ..timing import PATIENCE

SHARED = ('sqlite', 'postgresql', 'redis')


@contextmanager
def backend_url(backend: str, directory: Path) -> Iterator[str]:
    """Give the URL of an empty backend; skip the test without the service."""
    match backend:
        case 'sqlite':
            yield f'sqlite:///{directory}/var/fsp.sqlite'
        case 'postgresql':
            with services.postgresql() as url:
                yield url
        case 'redis':
            yield services.redis()


@contextmanager
def rate_store_at(url: str) -> Iterator[RateStore]:
    """Give the rate store at *url*."""
    if url == 'memory':
        yield MemoryRateStore(time.time)
    elif url.startswith('redis:'):
        client = redis_client(url)
        yield RedisRateStore(client)
        client.close()
    else:
        rate_store = DatabaseRateStore(engine_by_url(url))
        with patch.object(database, 'ANSWER', PATIENCE):
            yield rate_store
        rate_store.close()
