"""Content service over an origin without any web: the sandbox, through the storage layer."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fsp_pyramid.concurrency.locks import KeyedLocks
from fsp_pyramid.content.service import ContentService
from fsp_pyramid.content.version_feed import NullVersionFeed
from fsp_pyramid.egnyte import Client, Priority, RateLimiter
from fsp_pyramid.embedded import TOKEN, URL
from fsp_pyramid.errors import NotFound
from fsp_pyramid.model import Download, Entry
from fsp_pyramid.storage.egnyte import EgnyteStorage
from fsp_pyramid.testing import Sandbox

from ..background import settle

CONTENT = b'\x89PNG\r\n\x1a\n' + bytes(1000)


class SandboxOrigin:
    """A file of the sandbox."""

    domain, account = 'acme', 'fsp'

    def __init__(self, sandbox: Sandbox, file_id: str) -> None:
        self.file_id = file_id
        client = Client(URL, TOKEN, session=sandbox.session, rate_limiter=RateLimiter())
        self._storage = EgnyteStorage(client, KeyedLocks(), 'a')

    def open(self, priority: Priority) -> Download:
        return self._storage.open_file(self.file_id)

    def stat(self) -> Entry:
        return self._storage.find_file(self.file_id)

    def background(self) -> 'SandboxOrigin':
        return self


@pytest.fixture
def make_service(tmp_path: Path) -> Callable[[], ContentService]:
    return lambda: ContentService(str(tmp_path / 'cache'), 1 << 20, 0, 0, NullVersionFeed())


def upload(sandbox: Sandbox) -> str:
    """Upload the content, and return the id of the file."""
    answer = sandbox.api('POST', '/pubapi/v1/fs/Shared/Home', json={'action': 'add_folder'})
    assert answer.status_code == 201
    return sandbox.upload('/Shared/Home/a.png', CONTENT)['group_id']


def read(service: ContentService, origin: SandboxOrigin) -> tuple[bytes, bool]:
    found = service.open(origin)
    with found.file as file:
        content = b''.join(iter(lambda: file.read(1 << 16), b''))
    settle()
    return content, found.fetched


def test_content_is_fetched_once(make_service: Callable[[], ContentService], sandbox: Sandbox) -> None:
    origin = SandboxOrigin(sandbox, upload(sandbox))
    service = make_service()
    assert read(service, origin) == (CONTENT, True)
    assert read(service, origin) == read(make_service(), origin) == (CONTENT, False)


def test_refusal_is_remembered(make_service: Callable[[], ContentService], sandbox: Sandbox) -> None:
    origin, service = SandboxOrigin(sandbox, '00000000-0000-4000-8000-000000000000'), make_service()
    sandbox.forget_calls()
    for _ in range(2):
        with pytest.raises(NotFound):
            service.open(origin)
    assert len(sandbox.calls) == 1
