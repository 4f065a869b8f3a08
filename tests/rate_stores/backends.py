"""A ledger on each real backend."""

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
def place(backend: str, directory: Path) -> Iterator[str]:
    """The URL of a place for a shared ledger; skips where the service is missing."""
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
    """The ledger that is there."""
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
