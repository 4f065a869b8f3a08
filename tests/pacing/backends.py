"""A ledger on each real backend."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from fsp_pyramid.egnyte import Ledger, MemoryLedger
from fsp_pyramid.pacing import database
from fsp_pyramid.pacing.database import DatabaseLedger, engine_by_url
from fsp_pyramid.pacing.redis import RedisLedger
from fsp_pyramid.shared import redis_client

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
def ledger_at(url: str) -> Iterator[Ledger]:
    """The ledger that is there."""
    if url == 'memory':
        yield MemoryLedger(time.time)
    elif url.startswith('redis:'):
        client = redis_client(url)
        yield RedisLedger(client)
        client.close()
    else:
        ledger = DatabaseLedger(engine_by_url(url))
        with patch.object(database, 'LATE', PATIENCE):
            yield ledger
        ledger.close()
