"""Recovery of calls whose answers get lost, and rollback while Egnyte fails."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from fsp_pyramid import errors
from fsp_pyramid.concurrency.locks import KeyedLocks
from fsp_pyramid.egnyte import Client, RateLimiter
from fsp_pyramid.embedded import TOKEN, URL
from fsp_pyramid.model import Strategy
from fsp_pyramid.storage.egnyte import EgnyteStorage
from fsp_pyramid.storage.operations import Operations
from fsp_pyramid.storage.recovery import CorruptUpload
from fsp_pyramid.storage.undo import UndoLog, UndoStorage
from fsp_pyramid.testing import Sandbox, content, read

from ..timing import PATIENCE
from .hooks import (
    Connection,
    answering,
    cut,
    once,
)

HOME = ('Shared', 'Home')
Make = Callable[..., EgnyteStorage]


@pytest.fixture
def connection(sandbox: Sandbox) -> Connection:
    return Connection(sandbox)


@pytest.fixture
def make(connection: Connection, sandbox: Sandbox) -> Make:
    """Return a function that makes a storage: its clock is *ahead* of Egnyte's, its longest wait *max_wait* seconds."""
    locks = KeyedLocks()

    def make(ahead: float = 0, max_wait: float = 10, rate_limiter: RateLimiter | None = None) -> EgnyteStorage:
        one, other = (
            Client(URL, TOKEN, session=connection.session, rate_limiter=rate_limiter or RateLimiter(), max_wait=seconds)
            for seconds in (max_wait, 60)
        )
        return EgnyteStorage(one, locks, 'a', other, lambda: time.time() + ahead)

    make().create_directory(HOME)
    sandbox.forget_calls()
    return make


# A call that took some seconds is told from what was there before; one that took none may not be.
LONG_AGO, NOW, AHEAD = -10, 0, 10


def methods(sandbox: Sandbox) -> list[str]:
    return [call.partition(' ')[0] for call in sandbox.calls]


def versions(sandbox: Sandbox, path: str) -> int:
    return sandbox.api('GET', f'/pubapi/v1/fs{path}').json()['num_versions']


@pytest.mark.parametrize(('began', 'stays'), [(LONG_AGO, False), (NOW, True)], ids=['sure', 'unsure'])
def test_upload_that_took_effect_is_not_repeated(
    make: Make, sandbox: Sandbox, connection: Connection, began: float, stays: bool
) -> None:
    storage = make(began)
    connection.after = once('POST', cut)
    entry, change = storage.store_file((*HOME, 'a'), content(b'x'))
    assert methods(sandbox) == ['POST', 'GET']
    assert versions(sandbox, '/Shared/Home/a') == 1
    assert entry.checksum == content(b'x').sha512
    storage.revert(change)
    assert sandbox.exists('/Shared/Home/a') is stays


def test_chunked_upload_that_took_effect_is_not_repeated(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path / 'chunked', chunk_minimum=4)
    connection = Connection(sandbox)
    client = Client(URL, TOKEN, session=connection.session, rate_limiter=RateLimiter(), chunk_size=4)
    storage = EgnyteStorage(client, KeyedLocks(), 'a')

    def cut_last(request: requests.PreparedRequest) -> None:
        if 'X-Egnyte-Last-Chunk' in request.headers:
            cut(request)

    connection.after = cut_last
    storage.store_file((*HOME, 'a'), content(b'0123456789'))
    assert versions(sandbox, '/Shared/Home/a') == 1
    assert sandbox.content('/Shared/Home/a') == b'0123456789'


@pytest.mark.parametrize('clock', [LONG_AGO, NOW, AHEAD])
def test_upload_without_effect_is_repeated(make: Make, sandbox: Sandbox, connection: Connection, clock: float) -> None:
    """The same bytes were there before: they are not taken for the new version."""
    storage = make(clock)
    before, _ = storage.store_file((*HOME, 'a'), content(b'x'))
    connection.before = once('POST', cut)
    entry, change = storage.store_file((*HOME, 'a'), content(b'x'), before)
    assert entry.version_id != before.version_id
    assert versions(sandbox, '/Shared/Home/a') == 2
    storage.revert(change)
    assert storage.stat_file((*HOME, 'a')).version_id == before.version_id


@pytest.mark.parametrize('clock', [NOW, AHEAD])
def test_equal_upload_by_another_user_is_not_rolled_back(
    make: Make, sandbox: Sandbox, connection: Connection, clock: float
) -> None:
    sandbox.upload('/Shared/Home/a', b'same')  # by another process, unseen
    connection.before = once('POST', cut)
    storage = make(clock)
    _, change = storage.store_file((*HOME, 'a'), content(b'same'))
    storage.revert(change)
    assert sandbox.content('/Shared/Home/a') == b'same'


@pytest.mark.parametrize(('began', 'stays'), [(LONG_AGO, False), (NOW, True)], ids=['sure', 'unsure'])
def test_created_folder_is_not_created_again(
    make: Make, sandbox: Sandbox, connection: Connection, began: float, stays: bool
) -> None:
    storage = make(began)
    connection.after = once('POST', cut)
    entry, change = storage.create_directory((*HOME, 'd'))
    assert methods(sandbox) == ['POST', 'GET']
    assert storage.list_directory((*HOME, 'd')).entry.id == entry.id
    storage.revert(change)
    assert sandbox.exists('/Shared/Home/d') is stays


def test_folder_of_another_user_is_not_taken_for_ours(make: Make, sandbox: Sandbox, connection: Connection) -> None:
    sandbox.api('POST', '/pubapi/v1/fs/Shared/Home/d', json={'action': 'add_folder'})
    connection.before = once('POST', cut)
    _, change = make(NOW).create_directory((*HOME, 'd'))
    make().revert(change)
    assert sandbox.exists('/Shared/Home/d')
    connection.before = once('POST', cut)
    with pytest.raises(errors.NameTaken):
        make(AHEAD).create_directory((*HOME, 'd'))


def test_creation_without_effect_is_repeated(make: Make, sandbox: Sandbox, connection: Connection) -> None:
    connection.before = once('POST', cut)
    storage = make()
    _, change = storage.create_directory((*HOME, 'd'))
    storage.revert(change)
    assert not sandbox.exists('/Shared/Home/d')


def test_move_that_took_effect_is_not_repeated(make: Make, sandbox: Sandbox, connection: Connection) -> None:
    storage = make()
    entry, _ = storage.store_file((*HOME, 'a'), content(b'x'))
    sandbox.forget_calls()
    connection.after = once('POST', cut)
    moved, _ = storage.move_file(entry, (*HOME, 'b'))
    assert methods(sandbox) == ['POST', 'GET']
    assert storage.stat_file((*HOME, 'b')).id == moved.id == entry.id


def lie(request: requests.PreparedRequest) -> None:
    """Send other bytes, without the checksum, with which Egnyte would refuse them at once."""
    request.headers.pop('X-Sha512-Checksum')
    request.headers['Content-Length'] = '3'
    request.body = b'two'


def test_corrupt_upload_is_removed(make: Make, connection: Connection) -> None:
    storage = make()
    first, _ = storage.store_file((*HOME, 'a'), content(b'one'))
    connection.before = once('POST', lie)
    with pytest.raises(errors.SourceFailed):
        storage.store_file((*HOME, 'a'), content(b'new'), first)
    assert read(storage, first) == b'one'


def test_corrupt_upload_is_rolled_back_with_the_transaction(make: Make, connection: Connection) -> None:
    storage, log = make(), UndoLog()
    first, _ = storage.store_file((*HOME, 'a'), content(b'one'))
    connection.before = once('POST', lie)
    connection.after = once('POST', lambda _: setattr(connection, 'before', once('DELETE', answering(503))))
    with pytest.raises(CorruptUpload, match='damaged on its way'):
        UndoStorage(storage, log).store_file((*HOME, 'a'), content(b'new'), first)
    assert read(storage, first) == b'two'
    log.roll_back()
    assert read(storage, first) == b'one'


def test_rollback_has_a_wait_of_its_own(make: Make, connection: Connection) -> None:
    storage, log = make(max_wait=0), UndoLog()
    UndoStorage(storage, log).store_file((*HOME, 'a'), content(b'x'))
    connection.before = once('DELETE', answering(429, Retry_After='0.01'))
    log.roll_back()
    with pytest.raises(errors.NotFound):
        storage.stat_file((*HOME, 'a'))


def test_rate_limited_replacing_move_loses_nothing(make: Make, sandbox: Sandbox, connection: Connection) -> None:
    now = time.time()

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    rate_limiter = RateLimiter(clock=lambda: now, sleep=sleep)

    sandbox.upload('/Shared/Home/a', b'mine')
    sandbox.upload('/Shared/Home/d/a', b'precious')
    connection.after = once('POST', lambda _: rate_limiter.block(TOKEN, 12))
    log = UndoLog()
    with pytest.raises(errors.Busy):
        Operations(UndoStorage(make(rate_limiter=rate_limiter), log)).move_file(
            (*HOME, 'a'), (*HOME, 'd'), Strategy.REPLACE
        )
    assert sandbox.content('/Shared/Home/d/a') is None, 'it was moved aside'
    log.roll_back()
    assert sandbox.content('/Shared/Home/d/a') == b'precious'
    assert sandbox.content('/Shared/Home/a') == b'mine'


def test_file_deleted_later_by_others_is_not_restored(make: Make, sandbox: Sandbox) -> None:
    storage = make()
    ours, _ = storage.store_file((*HOME, 'f'), content(b'ours'))
    change = storage.delete(ours)
    sandbox.upload('/Shared/Home/f', b'theirs')
    sandbox.api('DELETE', '/pubapi/v1/fs/Shared/Home/f')
    storage.revert(change)
    assert sandbox.content('/Shared/Home/f') == b'ours'
    items = sandbox.api('GET', '/pubapi/v2/fs/trash').json()['items']
    assert [item['path'] for item in items] == ['/Shared/Home/f'], 'theirs is in the trash again'


def test_folder_deleted_by_others_is_not_restored(make: Make, sandbox: Sandbox) -> None:
    storage = make()
    change = storage.delete(storage.create_directory((*HOME, 'd'))[0])
    sandbox.upload('/Shared/Home/d/f', b'theirs')
    sandbox.api('DELETE', '/pubapi/v1/fs/Shared/Home/d')
    storage.revert(change)
    assert storage.list_directory((*HOME, 'd')).entry.id == change.entry.id


def test_our_deletion_among_many_is_rolled_back(tmp_path: Path) -> None:
    now = time.time()
    sandbox = Sandbox(tmp_path / 'timed', clock=lambda: now)
    client = Client(URL, TOKEN, session=sandbox.session, rate_limiter=RateLimiter())
    storage = EgnyteStorage(client, KeyedLocks(), 'a', clock=lambda: now)
    changes = []
    for number in range(9):
        sandbox.upload('/Shared/d/f', str(number).encode())
        changes.append(storage.delete(storage.stat_file(('Shared', 'd', 'f'))))
        now += 60
    sandbox.forget_calls()
    storage.revert(changes[4])
    assert len(sandbox.calls) == 3
    assert sandbox.content('/Shared/d/f') == b'4'


def test_missing_item_in_the_trash_fails_the_rollback(make: Make, sandbox: Sandbox) -> None:
    storage = make()
    change = storage.delete(storage.store_file((*HOME, 'f'), content(b'x'))[0])
    ids = [item['id'] for item in sandbox.api('GET', '/pubapi/v2/fs/trash').json()['items']]
    sandbox.api('POST', '/pubapi/v1/fs/trash', json={'action': 'PURGE', 'ids': ids}).raise_for_status()
    with pytest.raises(errors.NotFound):
        storage.revert(change)


def test_file_stored_during_a_rollback_stays(make: Make, sandbox: Sandbox, connection: Connection) -> None:
    """The directory is held from the look whether it is empty to the deletion."""
    storage, entered, threads = make(), threading.Event(), []
    _, change = storage.create_directory((*HOME, 'd'))

    def store() -> None:
        with storage.lock((*HOME, 'd')):
            entered.set()
            storage.store_file((*HOME, 'd', 'f'), content(b'x'))

    def somebody_comes(_request: Any) -> None:
        threads.append(threading.Thread(target=store))
        threads[0].start()
        assert not entered.wait(timeout=0.1)

    connection.after = once('GET', somebody_comes)
    storage.revert(change)
    threads[0].join(timeout=PATIENCE)
    assert sandbox.content('/Shared/Home/d/f') == b'x'


def test_parents_created_by_another_caller_are_accepted(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path / 'strict', strict_parents=True)
    connection = Connection(sandbox)
    storage = EgnyteStorage(
        Client(URL, TOKEN, session=connection.session, rate_limiter=RateLimiter()), KeyedLocks(), 'a'
    )

    def faster(_request: Any) -> None:
        connection.heal()
        for path in ('a', 'a/b'):
            sandbox.api('POST', f'/pubapi/v1/fs/Shared/{path}', json={'action': 'add_folder'})

    connection.after = once('POST', faster)
    storage.create_directory(('Shared', 'a', 'b', 'c'))
    assert sandbox.exists('/Shared/a/b/c')


@pytest.mark.parametrize('is_directory', [False, True], ids=['file', 'directory'])
def test_deletion_whose_answers_all_get_lost_is_done(
    make: Make, sandbox: Sandbox, connection: Connection, is_directory: bool
) -> None:
    storage = make(max_wait=0.01)
    path = (*HOME, 'a')
    entry, _ = storage.create_directory(path) if is_directory else storage.store_file(path, content(b'x'))
    connection.after = lambda request: cut(request) if request.method == 'DELETE' else None
    storage.delete(entry)
    assert not sandbox.exists('/Shared/Home/a')


@pytest.mark.parametrize('is_directory', [False, True], ids=['file', 'directory'])
def test_deletion_that_never_arrived_is_an_error(
    make: Make, sandbox: Sandbox, connection: Connection, is_directory: bool
) -> None:
    storage = make(max_wait=0.01)
    path = (*HOME, 'a')
    entry, _ = storage.create_directory(path) if is_directory else storage.store_file(path, content(b'x'))
    connection.before = lambda request: cut(request) if request.method == 'DELETE' else None
    with pytest.raises(errors.EgnyteUnavailable):
        storage.delete(entry)
    assert sandbox.exists('/Shared/Home/a')
