"""A store of accounts on each kind of database."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import transaction
from cryptography.fernet import Fernet

from fsp_pyramid.accounts.database import Database
from fsp_pyramid.accounts.encryption import TokenCipher
from fsp_pyramid.accounts.store import AccountStore, Connection

from ..services import postgresql
from .support import ANN, GRANT, Clock


@pytest.fixture(params=['sqlite', 'postgresql'])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Of an empty database."""
    if request.param == 'sqlite':
        yield f'sqlite:///{tmp_path}/var/fsp.sqlite'
    else:
        with postgresql() as url:
            yield url


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    database = Database(url)
    yield database
    database.close()


@pytest.fixture
def manager() -> transaction.TransactionManager:
    """The request's."""
    return transaction.TransactionManager(explicit=True)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys() -> tuple[str, ...]:
    return (Fernet.generate_key().decode(),)


@pytest.fixture
def make_store(database: Database, clock: Clock, keys: tuple[str, ...]) -> Callable[..., AccountStore]:
    """Stores as requests have them: each with sessions of its own."""

    def make(manager: transaction.TransactionManager, keys: tuple[str, ...] = keys) -> AccountStore:
        return AccountStore(database.sessions(manager), TokenCipher(keys), clock)

    return make


@pytest.fixture
def store(make_store: Callable[..., AccountStore], manager: transaction.TransactionManager) -> AccountStore:
    return make_store(manager)


@pytest.fixture
def ann(store: AccountStore, manager: transaction.TransactionManager) -> Connection:
    """Somebody who is connected; the tokens end after 1000 seconds."""
    with manager:
        return store.connect(*ANN, *GRANT)
