"""Ledgers, and tokens that nobody else uses."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from fsp_pyramid.backends import redis_client
from fsp_pyramid.egnyte import RateStore
from fsp_pyramid.rate_stores.redis import PREFIX

from .backends import SHARED, place, rate_store_at


@pytest.fixture(params=SHARED)
def shared_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a shared ledger can be."""
    with place(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def shared(shared_url: str) -> Iterator[RateStore]:
    """A ledger of several processes."""
    with rate_store_at(shared_url) as rate_store:
        yield rate_store


@pytest.fixture(params=('memory', *SHARED))
def rate_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RateStore]:
    """Any ledger."""
    if request.param == 'memory':
        with rate_store_at('memory') as rate_store:
            yield rate_store
        return
    with place(request.param, tmp_path) as url, rate_store_at(url) as rate_store:
        yield rate_store


@pytest.fixture
def token(request: pytest.FixtureRequest) -> Iterator[str]:
    """A token of Egnyte's; what Redis remembers of it is deleted in the end."""
    token = f'token-{uuid4().hex}'
    yield token
    for name in ('shared_url', 'ledger'):
        if name in request.fixturenames and 'redis' in request.node.callspec.params.values():
            client = redis_client('redis://127.0.0.1:6379/0')
            client.delete(PREFIX + hashlib.sha256(token.encode()).hexdigest())
            client.close()


@pytest.fixture
def key(token: str) -> str:
    """The token's key in a ledger."""
    return hashlib.sha256(token.encode()).hexdigest()
