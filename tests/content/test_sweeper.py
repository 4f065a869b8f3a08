"""Sweeper: eviction by size and age."""

import fcntl
import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsp_pyramid.content import cache as cache_module
from fsp_pyramid.content.background import BackgroundTasks
from fsp_pyramid.content.cache import ContentCache
from fsp_pyramid.content.directory import (
    COPIES,
    PARTS,
    THUMBNAILS,
    CacheDirectory,
)
from fsp_pyramid.content.index import Copy, Index, key_of
from fsp_pyramid.content.sweeper import Sweeper
from fsp_pyramid.content.version_feed import NullVersionFeed

NOW = 1_800_000_000.0
DAY = 86400.0


class Cache:
    """Cache with copies whose last use was some days ago."""

    def __init__(self, directory: str, size: int, age: float = 0) -> None:
        self.directory = CacheDirectory(directory)
        self.index = Index(self.directory)
        self.sweeper = Sweeper(self.directory, self.index, size, age, lambda: NOW)

    def add(self, name: str, size: int, days: float) -> Copy:
        copy = Copy('fsp', name, 'v1', '', size, 0, '', NOW)
        self.directory.put(COPIES, copy.key, bytes(size))
        self.index.add_copy(copy)
        os.utime(self.directory.path(COPIES, copy.key), (NOW - days * DAY, NOW))
        return copy

    def has(self, copy: Copy) -> bool:
        there = self.directory.path(COPIES, copy.key).exists()
        assert there == (self.index.copy(copy.account, copy.file_id, copy.version_id) is not None)
        return there


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 9)), max_size=12), st.integers(1, 300))
def test_least_recently_used_files_are_evicted(files: list[tuple[int, int]], size: int) -> None:
    cache = Cache('', size)
    copies = [(days, cache.add(f'{number}', bytes_, days)) for number, (bytes_, days) in enumerate(files)]
    total = sum(bytes_ for bytes_, _ in files)
    cache.sweeper.sweep()
    left = [(days, copy) for days, copy in copies if cache.has(copy)]
    assert sum(copy.size for _, copy in left) <= size
    if total <= size:
        assert left == copies
    gone = [days for days, copy in copies if (days, copy) not in left]
    assert not gone or not left or min(gone) >= max(days for days, _ in left)
    assert cache.sweeper.sweep() == 0


def test_sweep_lists_only_files_that_may_be_evicted(tmp_path: Path) -> None:
    """A cache may have a million files, of which a list would take hundreds of MB each minute."""
    cache = Cache(str(tmp_path), 10_000)
    for number in range(30):
        cache.add(f'{number}', 10, days=number // 10)
    sizes = cache.sweeper._sizes()
    assert [*sizes.values()] == [100, 100, 100]
    assert cache.sweeper._candidates(sizes, 0.0, 0) == []
    assert len(cache.sweeper._candidates(sizes, 0.0, 5)) == 10
    assert len(cache.sweeper._candidates(sizes, NOW - 0.5 * DAY, 0)) == 20


def test_unused_files_are_evicted_by_age(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path), 10_000, age=30 * DAY)
    old, new = cache.add('old', 5, 31), cache.add('new', 5, 29)
    cache.directory.put(THUMBNAILS, key_of('old'), b'x')
    os.utime(cache.directory.path(THUMBNAILS, key_of('old')), (NOW - 31 * DAY, NOW))
    assert cache.sweeper.sweep() == 2
    assert (cache.has(old), cache.has(new)) == (False, True)


def test_partial_files_of_a_killed_process_are_removed_after_a_day(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path), 10_000)
    for name, days in (('aa1', 2), ('aa2', 0.5)):
        path = cache.directory.path(PARTS, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b'x')
        os.utime(path, (NOW - days * DAY, NOW - days * DAY))
    cache.sweeper.sweep()
    assert [key for _, key in cache.directory.files(PARTS)] == ['aa2']


class Immediate(BackgroundTasks):
    """Tasks that are done at once."""

    def schedule(self, key: tuple[str, ...], task: Callable[[], object]) -> None:
        del key
        task()


def test_sweeps_take_a_hundredth_of_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, swept = 1000.0, list[float]()
    monkeypatch.setattr(cache_module, 'time', SimpleNamespace(monotonic=lambda: now))
    cache = ContentCache(str(tmp_path), 1000, 0, 0, NullVersionFeed(), Immediate(), lambda: NOW)

    def sweep() -> int:
        nonlocal now
        swept.append(now)
        now += 5.0
        return 0

    monkeypatch.setattr(cache._sweeper, 'sweep', sweep)
    for at in (1000.0, 1001.0, 1061.0, 1499.0, 1501.0, 1502.0):
        now = at
        cache.store(Copy('fsp', 'a', f'{at}', '', 1, 0, '', NOW), BytesIO(b'x'))
    assert swept == [1000.0, 1501.0]


def test_concurrent_sweep_does_nothing(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path), 1)
    cache.add('a', 5, 1)
    with open(tmp_path / 'sweep.lock', 'wb') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert cache.sweeper.sweep() == 0
    assert cache.sweeper.sweep() == 1


@pytest.mark.parametrize('size', [0, 3])
def test_open_reader_survives_eviction(tmp_path: Path, size: int) -> None:
    cache = Cache(str(tmp_path), 1)
    copy = cache.add('a', 5, 1)
    with cache.directory.path(COPIES, copy.key).open('rb') as file:
        file.read(size)
        assert cache.sweeper.sweep() == 1
        assert len(file.read()) == 5 - size
