"""Refresh of tokens: once for concurrent callers, and durable."""

import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import transaction
from transaction import TransactionManager

from fsp_pyramid.accounts import database as database_module
from fsp_pyramid.accounts.database import Database
from fsp_pyramid.accounts.encryption import TokenCipher
from fsp_pyramid.accounts.models import State
from fsp_pyramid.accounts.store import AccountStore, Connection, NoTokens
from fsp_pyramid.egnyte.errors import GrantRefused, Rejected, Unreachable
from fsp_pyramid.egnyte.oauth import Tokens
from fsp_pyramid.errors import Busy

from ..timing import PATIENCE
from .support import (
    ANN,
    GRANT,
    NEW,
    NOW,
    OLD,
    URL,
    Clock,
    Egnyte,
)

MakeStore = Callable[..., AccountStore]
FOREVER = Tokens('access-secret-3', None, None)


def state_of(store: AccountStore, manager: TransactionManager) -> tuple[State, Tokens | None]:
    with manager:
        found = store.find(*ANN)
    assert found
    return found.state, found.tokens


@pytest.mark.parametrize(('seconds', 'asked'), [(0, 0), (699, 0), (700, 1), (999, 1), (1000, 1), (99999, 1)])
def test_tokens_are_refreshed_before_their_expiry(
    seconds: int, asked: int, store: AccountStore, ann: Connection, clock: Clock
) -> None:
    clock.now += seconds
    egnyte = Egnyte()
    assert store.fresh_tokens(ann.number, egnyte.refresh) == (NEW if asked else OLD)
    assert egnyte.asked == [(URL, OLD)] * asked


def test_margin_can_be_chosen(store: AccountStore, ann: Connection) -> None:
    assert store.fresh_tokens(ann.number, Egnyte().refresh, margin=999) == OLD
    assert store.fresh_tokens(ann.number, Egnyte().refresh, margin=1000) == NEW


def test_refreshed_tokens_are_stored(
    store: AccountStore, manager: TransactionManager, ann: Connection, clock: Clock
) -> None:
    clock.now += 900
    egnyte = Egnyte()
    assert store.fresh_tokens(ann.number, egnyte.refresh) == store.fresh_tokens(ann.number, egnyte.refresh) == NEW
    assert len(egnyte.asked) == 1
    with manager:
        now = store.find(*ANN)
    assert now
    assert (now.number, now.tokens, now.expires_at, now.updated_at) == (ann.number, NEW, NEW.expires_at, NOW + 900)


def test_tokens_without_an_expiry_are_never_refreshed(
    store: AccountStore, manager: TransactionManager, clock: Clock
) -> None:
    with manager:
        number = store.connect(*ANN, URL, 'ann', FOREVER).number
    clock.now *= 2
    egnyte = Egnyte()
    assert store.fresh_tokens(number, egnyte.refresh) == FOREVER
    assert egnyte.asked == []


def test_refused_tokens_are_refreshed_before_their_expiry(store: AccountStore, ann: Connection) -> None:
    egnyte = Egnyte()
    assert store.fresh_tokens(ann.number, egnyte.refresh, refused=OLD) == NEW
    # A second caller reports the same refused token later.
    assert store.fresh_tokens(ann.number, egnyte.refresh, refused=OLD) == NEW
    assert len(egnyte.asked) == 1


def test_refused_grant_expires_the_account(
    store: AccountStore, manager: TransactionManager, ann: Connection, clock: Clock
) -> None:
    clock.now += 900
    egnyte = Egnyte(GrantRefused('no'))
    with pytest.raises(GrantRefused):
        store.fresh_tokens(ann.number, egnyte.refresh)
    assert state_of(store, manager) == (State.EXPIRED, None)
    with pytest.raises(NoTokens, match='expired') as caught:
        store.fresh_tokens(ann.number, egnyte.refresh)
    assert caught.value.state == State.EXPIRED
    assert len(egnyte.asked) == 1


def test_disconnected_account_is_not_refreshed(
    store: AccountStore, manager: TransactionManager, ann: Connection
) -> None:
    with manager:
        store.disconnect(ann.number)
    with pytest.raises(NoTokens, match='disconnected'):
        store.fresh_tokens(ann.number, Egnyte().refresh)


@pytest.mark.parametrize('error', [Unreachable('gone'), Rejected('bad'), OSError('full')])
def test_failed_refresh_changes_nothing(
    error: Exception, store: AccountStore, manager: TransactionManager, ann: Connection, clock: Clock
) -> None:
    clock.now += 1000
    with pytest.raises(type(error)):
        store.fresh_tokens(ann.number, Egnyte(error).refresh)
    assert state_of(store, manager) == (State.CONNECTED, OLD)
    assert store.fresh_tokens(ann.number, Egnyte().refresh) == NEW


def test_valid_tokens_are_used_while_egnyte_fails(
    store: AccountStore, manager: TransactionManager, ann: Connection, clock: Clock
) -> None:
    clock.now += 900
    assert store.fresh_tokens(ann.number, Egnyte(Unreachable('gone')).refresh) == OLD
    with pytest.raises(Unreachable):
        store.fresh_tokens(ann.number, Egnyte(Unreachable('gone')).refresh, refused=OLD)
    assert state_of(store, manager) == (State.CONNECTED, OLD)


def test_refresh_survives_the_abort_of_the_request(
    store: AccountStore, manager: TransactionManager, ann: Connection, clock: Clock
) -> None:
    clock.now += 900
    manager.begin()
    assert store.find(*ANN) == ann
    assert store.fresh_tokens(ann.number, Egnyte().refresh) == NEW
    # Visible to the request, although it read the account before.
    assert store.find(*ANN).tokens == NEW
    store.set_folder(ann.number, '/Shared')
    manager.abort()
    assert state_of(store, manager) == (State.CONNECTED, NEW)
    with manager:
        assert store.find(*ANN).folder is None


def test_expiry_survives_the_abort_of_the_request(
    store: AccountStore, manager: TransactionManager, ann: Connection
) -> None:
    manager.begin()
    assert store.expire(ann.number, OLD)
    assert store.use_state('nonce', NOW + 1)
    manager.abort()
    assert state_of(store, manager) == (State.EXPIRED, None)
    assert not store.use_state('nonce', NOW + 1)


def test_request_that_blocks_itself_is_busy(
    store: AccountStore, manager: TransactionManager, ann: Connection, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, 'LOCK_TIMEOUT', 1)
    impatient = Database(url)
    store = AccountStore(impatient.sessions(manager), store._cipher, store._clock)
    manager.begin()
    store.set_folder(ann.number, '/Shared')
    with pytest.raises(Busy):
        store.expire(ann.number)
    manager.abort()
    assert store.expire(ann.number)
    impatient.close()


def test_eight_threads_refresh_once(make_store: MakeStore, ann: Connection, clock: Clock) -> None:
    clock.now += 900
    clock.readings = 0
    # The first one holds the lock until all others have found the tokens due.
    egnyte = Egnyte(meanwhile=lambda: clock.wait_for(8 + 1))
    start = threading.Barrier(8)

    def ask() -> Tokens:
        store = make_store(transaction.TransactionManager(explicit=True))
        start.wait(PATIENCE)
        return store.fresh_tokens(ann.number, egnyte.refresh)

    with ThreadPoolExecutor(8) as threads:
        results = [thread.result() for thread in [threads.submit(ask) for _ in range(8)]]
    assert results == [NEW] * 8
    assert egnyte.asked == [(URL, OLD)]


def test_eight_threads_share_a_refused_grant(make_store: MakeStore, ann: Connection, clock: Clock) -> None:
    clock.now += 900
    clock.readings = 0
    egnyte = Egnyte(GrantRefused('no'), lambda: clock.wait_for(8 + 1))

    def ask() -> BaseException | None:
        try:
            make_store(transaction.TransactionManager(explicit=True)).fresh_tokens(ann.number, egnyte.refresh)
        except (GrantRefused, NoTokens) as error:
            return error
        return None

    with ThreadPoolExecutor(8) as threads:
        results = [thread.result() for thread in [threads.submit(ask) for _ in range(8)]]
    assert sorted(type(result).__name__ for result in results) == ['GrantRefused'] + ['NoTokens'] * 7
    assert len(egnyte.asked) == 1


def ask_in_a_process(url: str, keys: tuple[str, ...], number: int, shared: dict[str, Any]) -> None:
    condition, reads, asked, answers = (shared[name] for name in ('condition', 'reads', 'asked', 'answers'))

    def clock() -> float:
        with condition:
            reads.value += 1
            condition.notify_all()
        return NOW + 900

    def refresh(url: str, tokens: Tokens) -> Tokens:
        with condition:
            asked.value += 1
            condition.wait_for(lambda: reads.value >= 2 + 1, timeout=PATIENCE)
        return NEW

    database = Database(url)
    store = AccountStore(database.sessions(transaction.TransactionManager(explicit=True)), TokenCipher(keys), clock)
    answers.put(store.fresh_tokens(number, refresh).access)
    database.close()


def test_two_processes_refresh_once(
    url: str, keys: tuple[str, ...], store: AccountStore, manager: TransactionManager
) -> None:
    with manager:
        number = store.connect(*ANN, *GRANT).number
    context = multiprocessing.get_context('spawn')
    condition = context.Condition()
    shared = {
        'condition': condition,
        'reads': context.Value('i', 0, lock=False),
        'asked': context.Value('i', 0, lock=False),
        'answers': context.SimpleQueue(),
    }
    processes = [context.Process(target=ask_in_a_process, args=(url, keys, number, shared)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(PATIENCE)
    assert [process.exitcode for process in processes] == [0, 0]
    assert [shared['answers'].get() for _ in processes] == [NEW.access] * 2
    assert shared['asked'].value == 1
    # Both found the tokens due, and both read them again with the lock.
    assert shared['reads'].value >= 2 + 2
    assert state_of(store, manager) == (State.CONNECTED, NEW)


def test_two_users_connect_concurrently(make_store: MakeStore, database: Database) -> None:
    start = threading.Barrier(8)

    def connect(n: int) -> int:
        manager = transaction.TransactionManager(explicit=True)
        start.wait(PATIENCE)
        with manager:
            return make_store(manager).connect('shop', 'client-1', f'user{n % 2}', *GRANT).number

    with ThreadPoolExecutor(8) as threads:
        numbers = list(threads.map(connect, range(8)))
    assert len(set(numbers[::2])) == len(set(numbers[1::2])) == 1
    assert numbers[0] != numbers[1]


def test_state_is_used_by_one_of_eight_threads(make_store: MakeStore) -> None:
    start = threading.Barrier(8)

    def use(n: int) -> bool:
        store = make_store(transaction.TransactionManager(explicit=True))
        start.wait(PATIENCE)
        return store.use_state('nonce', NOW + 600)

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(use, range(8))) == [False] * 7 + [True]
