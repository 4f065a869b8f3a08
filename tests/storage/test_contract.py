"""All layers of storage keep the one contract, each on top of those below it."""

from pathlib import Path as FilePath
from typing import Any

import pytest
from dogpile.cache import CacheRegion
from zope.interface.verify import verifyObject

from fsp_pyramid.egnyte import Client, Pace
from fsp_pyramid.embedded import TOKEN, URL
from fsp_pyramid.interfaces import IObserver, IStorage
from fsp_pyramid.paths import Path
from fsp_pyramid.public.index import Index
from fsp_pyramid.public.memory import Memory
from fsp_pyramid.public.news import NoNews
from fsp_pyramid.public.place import Place
from fsp_pyramid.storage.cached import CachedStorage, Shelf
from fsp_pyramid.storage.egnyte import EgnyteStorage
from fsp_pyramid.storage.folders import FoldersStorage
from fsp_pyramid.storage.locks import Locks
from fsp_pyramid.storage.mounts import parse_mounts
from fsp_pyramid.storage.observed import ObservedStorage
from fsp_pyramid.storage.undo import UndoLog, UndoStorage
from fsp_pyramid.testing import Sandbox, StorageContract


@pytest.fixture
def lowest(sandbox: Sandbox) -> EgnyteStorage:
    client = Client(URL, TOKEN, session=sandbox.session, pace=Pace())
    storage = EgnyteStorage(client, Locks(), 'a')
    storage.create_directory(('Shared', 'Home'))
    return storage


class TestEgnyte(StorageContract):
    home = pytest.fixture(lambda self: ('Shared', 'Home'))

    @pytest.fixture
    def storage(self, lowest: EgnyteStorage) -> IStorage:
        return lowest


class TestCached(TestEgnyte):
    @pytest.fixture
    def storage(self, lowest: EgnyteStorage, region: CacheRegion) -> IStorage:
        return CachedStorage(lowest, Shelf(60, region), 'a')


class TestCachedForNoTime(TestEgnyte):
    @pytest.fixture
    def storage(self, lowest: EgnyteStorage) -> IStorage:
        return CachedStorage(lowest, Shelf(0), 'a')


@pytest.fixture
def memory(tmp_path: FilePath) -> Memory:
    place = Place(str(tmp_path / 'cache'))
    return Memory(place, Index(place), NoNews(), 'acme', 'fsp', 1 << 20, lambda _copy: None)


class TestObserved(TestEgnyte):
    @pytest.fixture
    def storage(self, lowest: EgnyteStorage, memory: Memory) -> IStorage:
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
        return FoldersStorage(lowest, parse_mounts('/ /Shared/Home'))


class TestAllLayers(StorageContract):
    @pytest.fixture
    def home(self) -> Path:
        return ('mounted', 'home')

    @pytest.fixture
    def storage(self, lowest: EgnyteStorage, memory: Memory) -> Any:
        mounts = parse_mounts('/ /Shared/u\n/mounted/home/ /Shared/Home')
        cached = CachedStorage(ObservedStorage(lowest, memory), Shelf(60), 'a')
        return FoldersStorage(UndoStorage(cached, UndoLog()), mounts)
