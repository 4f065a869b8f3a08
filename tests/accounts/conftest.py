"""Account stores on each kind of database."""

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
    """Give the URL of an empty database."""
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
    """Return the transaction manager of a request."""
    return transaction.TransactionManager(explicit=True)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys() -> tuple[str, ...]:
    return (Fernet.generate_key().decode(),)


@pytest.fixture
def make_store(database: Database, clock: Clock, keys: tuple[str, ...]) -> Callable[..., AccountStore]:
    """Return a factory of stores, each with its own sessions, as requests have them."""

    def make(manager: transaction.TransactionManager, keys: tuple[str, ...] = keys) -> AccountStore:
        return AccountStore(database.sessions(manager), TokenCipher(keys), clock)

    return make


@pytest.fixture
def store(make_store: Callable[..., AccountStore], manager: transaction.TransactionManager) -> AccountStore:
    return make_store(manager)


@pytest.fixture
def ann(store: AccountStore, manager: transaction.TransactionManager) -> Connection:
    """Connect an account whose tokens expire after 1000 seconds."""
    with manager:
        return store.connect(*ANN, *GRANT)
