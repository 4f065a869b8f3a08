"""No acknowledged upload of a new file is overwritten, with or without a lock that excludes all processes."""

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from redis import RedisError

from fsp_pyramid import errors
from fsp_pyramid.backends import redis_client
from fsp_pyramid.concurrency.circuit_breaker import CircuitBreaker
from fsp_pyramid.concurrency.locks import KeyedLocks
from fsp_pyramid.concurrency.redis_locks import RedisKeyedLocks
from fsp_pyramid.egnyte import Client
from fsp_pyramid.embedded import TOKEN, URL
from fsp_pyramid.model import Content, Entry, Strategy
from fsp_pyramid.sandbox.permissions import Level
from fsp_pyramid.storage.cache_backends import RedisBackend
from fsp_pyramid.storage.cached import CachedStorage
from fsp_pyramid.storage.egnyte import EgnyteStorage
from fsp_pyramid.storage.listing_cache import ListingCache
from fsp_pyramid.storage.operations import Operations
from fsp_pyramid.storage.undo import UndoLog, UndoStorage
from fsp_pyramid.testing import Sandbox, content

from ..permissions import ORDINARY, grant
from ..services import RedisServer, redis_server
from ..timing import PATIENCE
from .hooks import Connection, once
from .test_two_processes import fast

HOME = ('Shared', 'Home')
UNGUESSABLE = r'a_[0-9a-f]{8}\.png'
Failure = Callable[[RedisServer], None]


def flush(server: RedisServer) -> None:
    server.client().flushall()


def restart(server: RedisServer) -> None:
    server.stop()
    server.start()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """Return a Redis of this test alone, which may stop, hang and lose data."""
    with redis_server(tmp_path) as server:
        yield server
        server.resume() if server._process else None


class Process:
    """The storage of one process."""

    def __init__(self, locks: Any, listing_cache: ListingCache, connection: Connection, token: str = TOKEN) -> None:
        client = Client(URL, token, session=connection.session, rate_limiter=fast())
        self.log, self.listing_cache = UndoLog(), listing_cache
        self._storage = CachedStorage(EgnyteStorage(client, locks, 'a'), listing_cache, 'a')
        self.operations = self._operations(self.log)

    def _operations(self, log: UndoLog) -> Operations:
        return Operations(UndoStorage(self._storage, log))

    def upload(self, data: bytes, name: str, strategy: Strategy, log: UndoLog | None = None) -> Entry:
        @contextmanager
        def fetch() -> Iterator[Content]:
            yield content(data)

        return self._operations(self.log if log is None else log).upload((*HOME, name), strategy, fetch)

    def keep(self, data: bytes, name: str = 'a.png') -> Entry:
        return self.upload(data, name, Strategy.KEEP)


@pytest.fixture
def home(sandbox: Sandbox) -> None:
    sandbox.api('POST', '/pubapi/v1/fs/Shared/Home', json={'action': 'add_folder'}).raise_for_status()


@pytest.fixture
def make(redis: RedisServer, sandbox: Sandbox, home: None) -> Callable[..., Process]:
    """Return a function that makes a process; without *patient*, it waits for Redis as long as the application does."""

    def make(connection: Connection | None = None, patient: bool = True, token: str = TOKEN) -> Process:
        client = redis.client() if patient else redis_client(redis.url)
        breaker = CircuitBreaker('Redis', (RedisError,))
        return Process(
            RedisKeyedLocks(client, breaker),
            ListingCache(60, RedisBackend(client), breaker),
            connection or Connection(sandbox),
            token,
        )

    return make


def test_numbered_names_within_one_process(sandbox: Sandbox, home: None) -> None:
    process = Process(KeyedLocks(), ListingCache(60), Connection(sandbox))
    assert [process.keep(b'x').name for _ in range(3)] == ['a.png', 'a_1.png', 'a_2.png']


def test_numbered_names_with_an_exclusive_lock(make: Callable[..., Process]) -> None:
    assert [make().keep(b'x').name for _ in range(3)] == ['a.png', 'a_1.png', 'a_2.png']


@pytest.mark.parametrize('fail', [RedisServer.stop, RedisServer.pause, flush], ids=['refuses', 'hangs', 'is flushed'])
def test_directory_is_not_deleted_without_the_lock(
    make: Callable[..., Process], redis: RedisServer, sandbox: Sandbox, fail: Failure
) -> None:
    """Another process may be storing a file in it, which would go with it."""
    sandbox.api('POST', '/pubapi/v1/fs/Shared/Home/d', json={'action': 'add_folder'}).raise_for_status()
    connection = Connection(sandbox)
    process = make(connection, patient=False)
    connection.before = lambda request: fail(redis) if request.method == 'GET' else None
    with pytest.raises(errors.Busy):
        process.operations.delete_directory((*HOME, 'd'))
    connection.heal()
    assert 'd' in {item.name for item in process.operations.list_directory(HOME, fresh=True).items}


@pytest.mark.parametrize('fail', [RedisServer.stop, RedisServer.pause], ids=['refuses', 'hangs'])
def test_name_without_the_lock_is_unguessable_and_costs_no_call(
    make: Callable[..., Process], redis: RedisServer, sandbox: Sandbox, fail: Failure
) -> None:
    process = make(patient=False)
    process.keep(b'first')
    fail(redis)
    process.upload(b'x', 'c.png', Strategy.REPLACE)  # from here on nothing is remembered
    sandbox.forget_calls()
    process.upload(b'x', 'c.png', Strategy.REPLACE)
    usual = len(sandbox.calls)
    names = {process.keep(b'x').name for _ in range(3)}
    assert len(names) == 3
    assert all(re.fullmatch(UNGUESSABLE, name) for name in names)
    assert len(sandbox.calls) == 4 * usual
    assert re.fullmatch(UNGUESSABLE.replace('a', 'b', 1), process.keep(b'x', 'b.png').name), 'others may want it, too'


@pytest.mark.parametrize('fail', [RedisServer.stop, RedisServer.pause], ids=['refuses', 'hangs'])
def test_moved_file_without_the_lock_gets_an_unguessable_name(
    make: Callable[..., Process], redis: RedisServer, sandbox: Sandbox, fail: Failure
) -> None:
    process = make(patient=False)
    sandbox.upload('/Shared/Home/a.png', b'x')
    sandbox.upload('/Shared/Home/d/a.png', b'y')
    fail(redis)
    moved = process.operations.move_file((*HOME, 'a.png'), (*HOME, 'd'), Strategy.KEEP)
    assert re.fullmatch(UNGUESSABLE, moved.name)
    assert sandbox.content('/Shared/Home/d/a.png') == b'y'


@pytest.mark.parametrize('strategy', [Strategy.ASK, Strategy.REPLACE, Strategy.REFUSE])
def test_other_strategies_keep_the_name(
    make: Callable[..., Process], redis: RedisServer, sandbox: Sandbox, strategy: Strategy
) -> None:
    redis.stop()
    sandbox.upload('/Shared/Home/d/a.png', b'x')
    assert make().operations.move_file((*HOME, 'd', 'a.png'), HOME, strategy).name == 'a.png'


@pytest.mark.parametrize('fail', [flush, restart], ids=['flushed', 'restarted'])
@pytest.mark.parametrize('first', ['theirs', 'ours'])
def test_lock_lost_during_an_upload(
    make: Callable[..., Process], redis: RedisServer, sandbox: Sandbox, fail: Failure, first: str
) -> None:
    """Another process gets the lock, and counts the same name: both files stay, whichever was stored first."""
    connection, others_connection = Connection(sandbox), Connection(sandbox)
    process, other = make(connection), make(others_connection)
    they_may_look, they_may_store, they_looked = threading.Event(), threading.Event(), threading.Event()

    def keep_theirs() -> Entry:
        assert they_may_look.wait(PATIENCE)
        return other.keep(b'theirs')

    def before_theirs(_request: Any) -> None:
        they_looked.set()
        assert they_may_store.wait(PATIENCE)

    def before_ours(_request: Any) -> None:
        fail(redis)
        they_may_look.set()
        assert they_looked.wait(PATIENCE)
        if first == 'theirs':
            they_may_store.set()
            theirs.result(timeout=PATIENCE)

    connection.before = once('POST', before_ours)
    connection.after = once('POST', lambda _: they_may_store.set())
    others_connection.before = once('POST', before_theirs)
    with ThreadPoolExecutor(1) as pool:
        theirs = pool.submit(keep_theirs)
        ours = process.keep(b'ours')
        assert theirs.result(timeout=PATIENCE).name == 'a.png'
    assert re.fullmatch(UNGUESSABLE, ours.name)
    assert sandbox.content('/Shared/Home/a.png') == b'theirs'
    assert sandbox.content(f'/Shared/Home/{ours.name}') == b'ours'
    process.log.roll_back()
    assert sandbox.content('/Shared/Home/a.png') == b'theirs'
    assert not sandbox.exists(f'/Shared/Home/{ours.name}')


def upload_as_new(process: Process) -> None:
    process.upload(b'ours', 'a.png', Strategy.ASK)


def move_as_new(process: Process) -> None:
    process.operations.move_file((*HOME, 'd', 'a.png'), HOME, Strategy.ASK)


@pytest.mark.parametrize('change', [upload_as_new, move_as_new])
@pytest.mark.parametrize('fail', [flush, restart], ids=['flushed', 'restarted'])
def test_lock_lost_before_a_change_is_taken_again(
    make: Callable[..., Process],
    redis: RedisServer,
    sandbox: Sandbox,
    fail: Failure,
    change: Callable[[Process], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another process that has the lock now has seen the name free, and stores its file a moment later."""
    sandbox.upload('/Shared/Home/d/a.png', b'ours')
    connection, others_connection = Connection(sandbox), Connection(sandbox)
    process, other = make(connection), make(others_connection)
    they_looked, they_may_store, taken = threading.Event(), threading.Event(), []
    take = RedisKeyedLocks.lock

    def counting(locks: RedisKeyedLocks, *keys: Any, urgent: bool = False) -> Any:
        taken.append(keys)
        if len(taken) == 3:  # ours, theirs, ours again
            they_may_store.set()
        return take(locks, *keys, urgent=urgent)

    def before_theirs(_request: Any) -> None:
        they_looked.set()
        assert they_may_store.wait(PATIENCE)

    def after_our_listing(_request: Any) -> None:
        if taken:  # before that, an upload looks without a lock
            connection.heal()
            fail(redis)
            theirs.append(pool.submit(other.upload, b'theirs', 'a.png', Strategy.ASK))
            assert they_looked.wait(PATIENCE)

    monkeypatch.setattr(RedisKeyedLocks, 'lock', counting)
    connection.after = lambda request: after_our_listing(request) if request.method == 'GET' else None
    others_connection.before = once('POST', before_theirs)
    process.listing_cache.ttl = 0
    theirs: list[Future[Entry]] = []
    with ThreadPoolExecutor(1) as pool:
        try:
            with pytest.raises(errors.Conflict):
                change(process)
        finally:
            they_may_store.set()
        assert theirs[0].result(timeout=PATIENCE).name == 'a.png'
    assert sandbox.content('/Shared/Home/a.png') == b'theirs'


@pytest.mark.parametrize('fail', [RedisServer.stop, RedisServer.pause, flush, restart])
def test_concurrent_processes_overwrite_nothing(
    make: Callable[..., Process], redis: RedisServer, sandbox: Sandbox, fail: Failure
) -> None:
    patient = fail is not RedisServer.pause
    processes, started = [make(patient=patient), make(patient=patient)], threading.Semaphore(0)

    def keep(number: int) -> tuple[str, bytes]:
        data = str(number).encode()
        started.release()
        return processes[number % 2].keep(data).name, data

    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(keep, number) for number in range(16)]
        for _ in range(6):
            started.acquire()
        fail(redis)
        acknowledged = [future.result(timeout=PATIENCE) for future in futures]
    for name, data in acknowledged:
        assert sandbox.content(f'/Shared/Home/{name}') == data, name


@pytest.mark.parametrize('strategy', [Strategy.ASK, Strategy.REFUSE])
@pytest.mark.parametrize('fail', [RedisServer.stop, RedisServer.pause, flush])
def test_one_of_concurrent_processes_gets_the_name(
    make: Callable[..., Process], redis: RedisServer, sandbox: Sandbox, fail: Failure, strategy: Strategy
) -> None:
    patient, names = fail is not RedisServer.pause, [f'{number}.png' for number in range(8)]
    processes, started = [make(patient=patient), make(patient=patient)], threading.Semaphore(0)

    def upload(process: Process, name: str) -> bytes | None:
        data, log = f'{processes.index(process)} {name}'.encode(), UndoLog()
        started.release()
        try:
            process.upload(data, name, strategy, log)
        except (errors.Conflict, errors.NameTaken):
            log.roll_back()
            return None
        return data

    with ThreadPoolExecutor(4) as pool:
        futures = {name: [pool.submit(upload, process, name) for process in processes] for name in names}
        for _ in range(6):
            started.acquire()
        fail(redis)
        acknowledged = {name: [future.result(timeout=PATIENCE) for future in both] for name, both in futures.items()}
    for name, both in acknowledged.items():
        (data,) = filter(None, both)
        assert sandbox.content(f'/Shared/Home/{name}') == data, name
    listing = sandbox.api('GET', '/pubapi/v1/fs/Shared/Home').json()
    assert sorted(file['name'] for file in listing['files']) == names


def test_upload_without_the_lock_to_a_folder_for_editors_keeps_the_name(
    make: Callable[..., Process], redis: RedisServer, sandbox: Sandbox, tmp_path: Path
) -> None:
    grant(tmp_path, '/Shared/Home', 'alice', Level.EDITOR)
    redis.stop()
    process = make(token=ORDINARY)
    assert process.upload(b'x', 'a.png', Strategy.ASK).name == 'a.png'
    with pytest.raises(errors.Conflict):
        process.upload(b'y', 'a.png', Strategy.ASK)
