"""Rate stores, and unique tokens."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from fsp_pyramid.backends import redis_client
from fsp_pyramid.egnyte import RateStore
from fsp_pyramid.rate_stores.redis import PREFIX

from .backends import SHARED, backend_url, rate_store_at


@pytest.fixture(params=SHARED)
def shared_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the URL of a shared rate store."""
    with backend_url(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def shared(shared_url: str) -> Iterator[RateStore]:
    """Give a shared rate store."""
    with rate_store_at(shared_url) as rate_store:
        yield rate_store


@pytest.fixture(params=('memory', *SHARED))
def rate_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RateStore]:
    """Give any rate store."""
    if request.param == 'memory':
        with rate_store_at('memory') as rate_store:
            yield rate_store
        return
    with backend_url(request.param, tmp_path) as url, rate_store_at(url) as rate_store:
        yield rate_store


@pytest.fixture
def token(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give a token; delete its record in Redis afterwards."""
    token = f'token-{uuid4().hex}'
    yield token
    for name in ('shared_url', 'rate_store'):
        if name in request.fixturenames and 'redis' in request.node.callspec.params.values():
            client = redis_client('redis://127.0.0.1:6379/0')
            client.delete(PREFIX + hashlib.sha256(token.encode()).hexdigest())
            client.close()


@pytest.fixture
def key(token: str) -> str:
    """Return the token's key in a rate store."""
    return hashlib.sha256(token.encode()).hexdigest()
