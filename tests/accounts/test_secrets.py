"""Tokens are in no log, no message, no repr and no file."""

import logging
from pathlib import Path

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError
from transaction import TransactionManager

from fsp_pyramid.accounts.database import Database
from fsp_pyramid.accounts.models import AccountRow
from fsp_pyramid.accounts.store import AccountStore, Connection
from fsp_pyramid.egnyte.errors import GrantRefused, Unreachable

from .support import (
    ANN,
    GRANT,
    NEW,
    OLD,
    Clock,
    Egnyte,
    engine_of,
)


def live(store: AccountStore, manager: TransactionManager, clock: Clock) -> None:
    """Call all methods of a store on an account."""
    with manager:
        number = store.connect(*ANN, *GRANT).number
    clock.now += 900
    store.fresh_tokens(number, Egnyte(Unreachable('gone')).refresh)
    store.fresh_tokens(number, Egnyte().refresh)
    store.rotate()
    clock.now += 99999
    with pytest.raises(GrantRefused):
        store.fresh_tokens(number, Egnyte(GrantRefused('no')).refresh)
    with manager:
        store.connect(*ANN, *GRANT)
        store.set_folder(number, '/Shared')
        store.list_all()
    with manager:
        assert store.find(*ANN).tokens == OLD


def test_no_log_shows_a_token(
    store: AccountStore, manager: TransactionManager, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, 'sqlalchemy'):
        live(store, manager, clock)
    assert 'INSERT INTO fsp_accounts' in caplog.text
    assert 'account 1: refreshed' in caplog.text
    assert 'account 1: expired' in caplog.text
    assert 'SQL parameters hidden' in caplog.text
    assert '-secret-' not in caplog.text


def test_no_repr_shows_a_token(ann: Connection, store: AccountStore) -> None:
    assert '-secret-' not in repr(ann) + str(ann) + repr(ann.tokens) + repr(store) + repr(vars(store))
    assert '-secret-' not in repr(AccountRow(sealed='-secret-'))


def test_no_file_holds_a_token(
    tmp_path: Path, store: AccountStore, database: Database, url: str, manager: TransactionManager, clock: Clock
) -> None:
    live(store, manager, clock)
    if url.startswith('sqlite'):
        files = [path.read_bytes() for path in (tmp_path / 'var').iterdir()]
    else:
        engine = engine_of(url)
        with engine.connect() as connection:
            files = [repr(connection.execute(text('SELECT * FROM fsp_accounts')).all()).encode()]
        engine.dispose()
    content = b''.join(files)
    assert b'ann.smith' in content
    assert b'gAAAA' in content, 'nothing is encrypted'
    for tokens in (OLD, NEW):
        assert tokens.access.encode() not in content
        assert tokens.refresh
        assert tokens.refresh.encode() not in content


def test_errors_of_the_database_hide_parameters(database: Database, manager: TransactionManager) -> None:
    with database.sessions(manager).own() as session, pytest.raises(IntegrityError) as caught:
        session.execute(insert(AccountRow).values(sealed='-secret-'))
    assert '[SQL parameters hidden' in str(caught.value)
