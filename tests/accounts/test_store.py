from collections.abc import Callable

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text
from transaction import TransactionManager

from fsp_pyramid.accounts.encryption import DecryptionError
from fsp_pyramid.accounts.models import State
from fsp_pyramid.accounts.store import AccountStore, Connection, Rotation
from fsp_pyramid.egnyte.oauth import Tokens
from fsp_pyramid.errors import NotFound

from .support import (
    ANN,
    GRANT,
    NEW,
    NOW,
    OLD,
    URL,
    Clock,
    engine_of,
)

MakeStore = Callable[..., AccountStore]


def run(url: str, sql: str) -> list[tuple[object, ...]]:
    """Change rows directly, as an intruder in the database would."""
    engine = engine_of(url)
    with engine.begin() as connection:
        result = connection.execute(text(sql))
        rows = [tuple(row) for row in result] if result.returns_rows else []
    engine.dispose()
    return rows


def test_new_store_is_empty(store: AccountStore, manager: TransactionManager) -> None:
    with manager:
        assert store.find(*ANN) is None
        assert store.by_number(1) is None
        assert store.list_all() == ()


def test_connected(store: AccountStore, manager: TransactionManager) -> None:
    with manager:
        made = store.connect(*ANN, *GRANT)
    assert made == Connection(1, *ANN, URL, 'ann.smith', State.CONNECTED, None, NOW + 1000, NOW, NOW, OLD)
    with manager:
        assert store.find(*ANN) == store.by_number(1) == made


def test_each_user_has_an_account(store: AccountStore, manager: TransactionManager) -> None:
    owners = [
        ANN,
        ('shop', 'client-1', 'Ann'),
        ('shop', 'client-1', 'ann '),
        ('shop', 'Client-1', 'ann'),
        ('Shop', 'client-1', 'ann'),
        ('shop', 'client-1', 'änn'),
        ('shop', 'client-1', 'a\u0308nn'),
        ('shop', 'client-1ann', ''),
        ('shop', 'client-1', '_nn'),
        ('shop', 'client-1', '%'),
    ]
    with manager:
        made = [
            store.connect(*owner, URL, f'user{n}', Tokens(f'access{n}', None, None)) for n, owner in enumerate(owners)
        ]
    assert len({connection.number for connection in made}) == len(owners)
    with manager:
        assert [store.find(*owner) for owner in owners] == made
        assert store.find('shop', 'client-1', 'ANN') is None


def test_reconnect_keeps_the_number(
    store: AccountStore, manager: TransactionManager, ann: Connection, clock: Clock
) -> None:
    with manager:
        store.set_folder(ann.number, '/Shared/Pictures')
        store.disconnect(ann.number)
    with manager:
        gone = store.find(*ANN)
        assert gone
        assert (gone.number, gone.state, gone.tokens, gone.expires_at) == (ann.number, State.DISCONNECTED, None, None)
        other = store.connect('shop', 'client-1', 'ben', URL, 'ben', OLD)
    clock.now += 60
    with manager:
        back = store.connect(*ANN, URL, 'ann.smith', NEW)
    assert (back.number, back.tokens, back.folder) == (ann.number, NEW, '/Shared/Pictures')
    assert (back.created_at, back.updated_at) == (NOW, NOW + 60)
    assert other.number != ann.number


def test_number_of_deleted_row_is_not_reused(
    store: AccountStore, manager: TransactionManager, ann: Connection, url: str
) -> None:
    run(url, 'DELETE FROM fsp_accounts')
    with manager:
        assert store.connect('shop', 'client-1', 'ben', URL, 'ben', OLD).number > ann.number


@pytest.mark.parametrize('grant', [('https://other.egnyte.com', 'ann.smith'), (URL, 'somebody')])
def test_folder_is_reset_for_another_egnyte_user(
    grant: tuple[str, str], store: AccountStore, manager: TransactionManager, ann: Connection
) -> None:
    with manager:
        store.set_folder(ann.number, '/Private/ann.smith')
    with manager:
        assert store.connect(*ANN, *grant, NEW).folder is None
    with manager:
        assert store.by_number(ann.number) == store.find(*ANN)


def test_folder_can_be_set_and_reset(store: AccountStore, manager: TransactionManager, ann: Connection) -> None:
    for folder in ('/Shared/ä', None):
        with manager:
            store.set_folder(ann.number, folder)
        with manager:
            assert store.by_number(ann.number).folder == folder


def test_lists_accounts_of_all_clients_or_of_one(
    store: AccountStore, manager: TransactionManager, ann: Connection
) -> None:
    with manager:
        store.connect('news', 'client-2', 'ben', URL, 'ben', OLD)
        everybody = store.list_all()
        assert [(one.account_key, one.uid, one.tokens) for one in everybody] == [
            ('shop', 'ann', None),
            ('news', 'ben', None),
        ]
        assert store.list_all('news') == everybody[1:]
        assert store.list_all('shops') == ()


def test_unknown_number_is_not_found(store: AccountStore, manager: TransactionManager, ann: Connection) -> None:
    for change in (store.disconnect, lambda number: store.set_folder(number, '/'), store.expire):
        with manager, pytest.raises(NotFound):
            change(ann.number + 1)
    with pytest.raises(NotFound):
        store.fresh_tokens(ann.number + 1, lambda url, tokens: NEW)


def test_expires(store: AccountStore, manager: TransactionManager, ann: Connection) -> None:
    assert store.expire(ann.number)
    assert not store.expire(ann.number)
    with manager:
        now = store.find(*ANN)
    assert now
    assert (now.state, now.tokens) == (State.EXPIRED, None)


def test_replaced_tokens_do_not_expire_the_account(
    store: AccountStore, manager: TransactionManager, ann: Connection
) -> None:
    assert not store.expire(ann.number, NEW)
    with manager:
        assert store.find(*ANN) == ann
    assert store.expire(ann.number, OLD)


def test_state_is_used_once(store: AccountStore) -> None:
    assert store.use_state('one', NOW + 600)
    assert not store.use_state('one', NOW + 600)
    assert store.use_state('two', NOW + 600)
    assert store.use_state('ONE', NOW + 600)


def test_expired_state_is_refused(store: AccountStore, clock: Clock, url: str) -> None:
    assert store.use_state('one', NOW + 600)
    clock.now += 600
    assert not store.use_state('one', NOW + 600)
    assert store.use_state('two', clock.now + 600)
    assert not store.use_state('one', NOW + 600)
    assert run(url, 'SELECT nonce FROM fsp_states') == [('two',)]


@pytest.mark.parametrize('column', ['sealed', 'egnyte_url'])
def test_swapped_rows_are_refused(
    column: str,
    store: AccountStore,
    manager: TransactionManager,
    ann: Connection,
    url: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with manager:
        ben = store.connect('shop', 'client-1', 'ben', 'https://evil.egnyte.com', 'ben', NEW)
    run(
        url,
        f'UPDATE fsp_accounts SET {column} = (SELECT {column} FROM fsp_accounts WHERE id = {ann.number}) '
        f'WHERE id = {ben.number}',
    )
    with manager:
        found = store.find('shop', 'client-1', 'ben')
        assert (found.state, found.tokens) == (State.EXPIRED, None)
        assert f'account {ben.number}: it was encrypted for another owner' in caplog.text
        assert OLD.access not in caplog.text
        assert NEW.access not in caplog.text
        assert store.find(*ANN) == ann
        assert len(store.list_all()) == 2
    with pytest.raises(DecryptionError):
        store.fresh_tokens(ben.number, lambda url, tokens: NEW)


def test_wrong_key_expires_until_reconnect(make_store: MakeStore, manager: TransactionManager, ann: Connection) -> None:
    store = make_store(manager, (Fernet.generate_key().decode(),))
    with manager:
        assert store.find(*ANN).state == State.EXPIRED
    with pytest.raises(DecryptionError, match='none of the encryption keys'):
        store.fresh_tokens(ann.number, lambda url, tokens: NEW)
    with manager:
        assert store.connect(*ANN, URL, 'ann.smith', NEW).number == ann.number
    with manager:
        assert store.find(*ANN).tokens == NEW


def test_keys_are_rotated(
    make_store: MakeStore, manager: TransactionManager, ann: Connection, keys: tuple[str, ...]
) -> None:
    new = (Fernet.generate_key().decode(),)
    both = make_store(manager, new + keys)
    with manager:
        ben = both.connect('shop', 'client-1', 'ben', URL, 'ben', NEW)
        gone = both.connect('shop', 'client-1', 'gone', URL, 'gone', NEW)
        both.disconnect(gone.number)
    assert both.rotate() == both.rotate() == Rotation(2, ())
    with manager:
        assert make_store(manager, new).find(*ANN) == ann
        assert make_store(manager, new).by_number(ben.number) == ben
        assert make_store(manager, keys).find(*ANN).tokens is None


def test_rotation_skips_undecryptable_accounts(
    make_store: MakeStore, manager: TransactionManager, ann: Connection, keys: tuple[str, ...]
) -> None:
    new = (Fernet.generate_key().decode(),)
    with manager:
        ben = make_store(manager, new).connect('shop', 'client-1', 'ben', URL, 'ben', NEW)
    assert make_store(manager, new).rotate() == Rotation(1, (ann.number,))
    with manager:
        assert make_store(manager, new).by_number(ben.number).tokens == NEW
        assert make_store(manager, keys).find(*ANN) == ann
