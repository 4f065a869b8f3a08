"""Two processes with one cache: each sees the writes of both at once."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from fsp_pyramid.concurrency.locks import KeyedLocks
from fsp_pyramid.egnyte import Client, RateLimiter
from fsp_pyramid.embedded import TOKEN, URL
from fsp_pyramid.errors import NotFound
from fsp_pyramid.model import Change, Entry
from fsp_pyramid.paths import Path
from fsp_pyramid.storage.cache_backends import CacheBackend, MemoryBackend, RedisBackend
from fsp_pyramid.storage.cached import CachedStorage
from fsp_pyramid.storage.egnyte import EgnyteStorage
from fsp_pyramid.storage.listing_cache import ListingCache
from fsp_pyramid.testing import Sandbox, content

from ..services import RedisServer

NAMES = st.sampled_from(('a', 'b', 'c'))
WHO = st.integers(0, 1)


class TwoProcesses(RuleBasedStateMachine):
    """Model: the files of each directory, with their sizes. One of the two writes, both read."""

    def __init__(self, cache_backend: CacheBackend, sandbox: Sandbox, number: int) -> None:
        super().__init__()
        locks = KeyedLocks()
        lowest = [
            EgnyteStorage(Client(URL, TOKEN, session=sandbox.session, rate_limiter=fast()), locks, 'a')
            for _ in range(2)
        ]
        self.storages = [CachedStorage(storage, ListingCache(3600, cache_backend), 'a') for storage in lowest]
        self.home: Path = ('Shared', f'Home{number}')
        self.model: dict[str, dict[str, int]] = {}
        self.changes: list[tuple[Change, str, dict[str, int] | None]] = []

    @initialize(who=WHO)
    def begin(self, who: int) -> None:
        self.storages[who].create_directory(self.home)

    def seen(self, who: int, path: Path) -> dict[str, int] | None:
        try:
            return {item.name: item.size for item in self.storages[who].list_directory(path).items}
        except NotFound:
            return None

    def entry(self, who: int, directory: str, name: str) -> Entry | None:
        try:
            return self.storages[who].stat_file((*self.home, directory, name))
        except NotFound:
            return None

    @rule(who=WHO, name=NAMES)
    def create(self, who: int, name: str) -> None:
        if name not in self.model:
            self.storages[who].create_directory((*self.home, name))
            self.model[name] = {}

    @rule(who=WHO, name=NAMES)
    def delete_directory(self, who: int, name: str) -> None:
        if name in self.model:
            self.storages[who].delete(self.storages[who].list_directory((*self.home, name)).entry)
            del self.model[name]

    @rule(who=WHO, directory=NAMES, name=NAMES, size=st.integers(1, 9), back=st.booleans())
    def store(self, who: int, directory: str, name: str, size: int, back: bool) -> None:
        if directory not in self.model:
            return
        over = self.entry(who, directory, name)
        assert (over is not None) is (name in self.model[directory])
        _, change = self.storages[who].store_file((*self.home, directory, name), content(b'x' * size), over)
        assert self.seen(1 - who, (*self.home, directory)) == self.model[directory] | {name: size}
        if back:
            self.storages[1 - who].revert(change)
        else:
            self.model[directory][name] = size

    @rule(who=WHO, directory=NAMES, name=NAMES, back=st.booleans())
    def delete_file(self, who: int, directory: str, name: str, back: bool) -> None:
        if name in self.model.get(directory, ()):
            change = self.storages[who].delete(self.entry(who, directory, name))
            assert self.entry(1 - who, directory, name) is None
            if back:
                self.storages[1 - who].revert(change)
            else:
                del self.model[directory][name]

    @rule(who=WHO, start=NAMES, end=NAMES, name=NAMES)
    def move(self, who: int, start: str, end: str, name: str) -> None:
        if name in self.model.get(start, ()) and end in self.model and name not in self.model[end]:
            entry = self.entry(who, start, name)
            self.storages[who].move_file(entry, (*self.home, end, name))
            self.model[end][name] = self.model[start].pop(name)

    @rule(who=WHO, directory=NAMES)
    def look_afresh(self, who: int, directory: str) -> None:
        try:
            listing = self.storages[who].list_directory((*self.home, directory), fresh=True)
            assert {item.name: item.size for item in listing.items} == self.model[directory]
        except NotFound:
            assert directory not in self.model

    @invariant()
    def both_see_the_same(self) -> None:
        for who in range(2):
            for name in 'abc':
                assert self.seen(who, (*self.home, name)) == self.model.get(name)
            for item in self.storages[who].list_directory(self.home).items:
                assert item.item_count == len(self.model[item.name])
            assert set(self.seen(who, self.home)) == set(self.model)


def fast() -> RateLimiter:
    """Return a rate limiter that makes no caller wait."""
    rate_limiter = RateLimiter()
    allotted = {'X-Accesstoken-Qps-Allotted': '1000000', 'X-Accesstoken-Quota-Allotted': '1000000000'}
    rate_limiter.observe(rate_limiter.acquire(TOKEN, 0), allotted)
    return rate_limiter


@pytest.mark.parametrize('where', ['memory', 'redis'])
def test_two_processes_see_the_writes_of_both(sandbox: Sandbox, redis_server: RedisServer, where: str) -> None:
    cache_backend = MemoryBackend() if where == 'memory' else RedisBackend(redis_server.client())
    number = 0

    def machine() -> TwoProcesses:
        nonlocal number
        number += 1
        return TwoProcesses(cache_backend, sandbox, number)

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=8, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
