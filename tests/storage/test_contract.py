"""Contract of IStorage, for each layer on top of those below it."""

from pathlib import Path as FilePath
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from fsp_pyramid.concurrency.locks import KeyedLocks
from fsp_pyramid.content.background import BackgroundTasks
from fsp_pyramid.content.cache import ContentCache
from fsp_pyramid.content.observer import ContentObserver
from fsp_pyramid.content.version_feed import NullVersionFeed
from fsp_pyramid.egnyte import Client, RateLimiter
from fsp_pyramid.embedded import TOKEN, URL
from fsp_pyramid.interfaces import IObserver, IStorage
from fsp_pyramid.paths import Path
from fsp_pyramid.storage.cache_backends import CacheBackend
from fsp_pyramid.storage.cached import CachedStorage, ListingCache
from fsp_pyramid.storage.egnyte import EgnyteStorage
from fsp_pyramid.storage.mapped import MappedStorage
from fsp_pyramid.storage.mappings import parse_mappings
from fsp_pyramid.storage.observed import ObservedStorage
from fsp_pyramid.storage.undo import UndoLog, UndoStorage
from fsp_pyramid.testing import Sandbox, StorageContract


@pytest.fixture
def lowest(sandbox: Sandbox) -> EgnyteStorage:
    client = Client(URL, TOKEN, session=sandbox.session, rate_limiter=RateLimiter())
    storage = EgnyteStorage(client, KeyedLocks(), 'a')
    storage.create_directory(('Shared', 'Home'))
    return storage


class TestEgnyte(StorageContract):
    home = pytest.fixture(lambda self: ('Shared', 'Home'))

    @pytest.fixture
    def storage(self, lowest: EgnyteStorage) -> IStorage:
        return lowest


class TestCached(TestEgnyte):
    @pytest.fixture
    def storage(self, lowest: EgnyteStorage, cache_backend: CacheBackend) -> IStorage:
        return CachedStorage(lowest, ListingCache(60, cache_backend), 'a')


class TestCachedForNoTime(TestEgnyte):
    @pytest.fixture
    def storage(self, lowest: EgnyteStorage) -> IStorage:
        return CachedStorage(lowest, ListingCache(0), 'a')


@pytest.fixture
def memory(tmp_path: FilePath) -> ContentObserver:
    cache = ContentCache(str(tmp_path / 'cache'), 4 << 20, 0, 0, NullVersionFeed(), BackgroundTasks())
    return ContentObserver(cache, 'acme', 'fsp')


class TestObserved(TestEgnyte):
    @pytest.fixture
    def storage(self, lowest: EgnyteStorage, memory: ContentObserver) -> IStorage:
        assert verifyObject(IObserver, memory)
        return ObservedStorage(lowest, memory)


class TestUndo(TestEgnyte):
    @pytest.fixture
    def storage(self, lowest: EgnyteStorage) -> IStorage:
        return UndoStorage(lowest, UndoLog())


class TestFolders(StorageContract):
    @pytest.fixture
    def home(self) -> Path:
        return ()

    @pytest.fixture
    def storage(self, lowest: EgnyteStorage) -> IStorage:
        return MappedStorage(lowest, parse_mappings('/ /Shared/Home'))


class TestAllLayers(StorageContract):
    @pytest.fixture
    def home(self) -> Path:
        return ('mounted', 'home')

    @pytest.fixture
    def storage(self, lowest: EgnyteStorage, memory: ContentObserver) -> Any:
        mounts = parse_mappings('/ /Shared/u\n/mounted/home/ /Shared/Home')
        cached = CachedStorage(ObservedStorage(lowest, memory), ListingCache(60), 'a')
        return MappedStorage(UndoStorage(cached, UndoLog()), mounts)
