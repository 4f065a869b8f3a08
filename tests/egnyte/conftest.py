"""Clients with a manual clock."""

from pathlib import Path

import pytest

from fsp_pyramid.egnyte import Client
from fsp_pyramid.embedded import TOKEN, URL
from fsp_pyramid.testing import Sandbox

from .support import Hooked, Paced


@pytest.fixture
def rate_limiter() -> Paced:
    return Paced()


@pytest.fixture
def client(sandbox: Sandbox, rate_limiter: Paced) -> Client:
    client = Client(URL, TOKEN, session=sandbox.session, rate_limiter=rate_limiter, max_wait=5)
    client.create_folder('/Shared/home')
    sandbox.forget_calls()
    return client


@pytest.fixture
def chunking(tmp_path: Path, rate_limiter: Paced) -> tuple[Client, Hooked]:
    """Return a client with chunks of 1,000 bytes."""
    hooks = Hooked(sandbox := Sandbox(tmp_path / 'chunks', chunk_minimum=1000))
    return Client(URL, TOKEN, session=sandbox.session, rate_limiter=rate_limiter, chunk_size=1000), hooks
