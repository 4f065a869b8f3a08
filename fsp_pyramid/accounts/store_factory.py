"""The store of accounts for each request: in a database of our own, or in the host's."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from pyramid.exceptions import ConfigurationError
from pyramid.request import RequestLocalCache
from sqlalchemy.orm import Session
from zope.interface import implementer

from ..interfaces import IAccountStores
from ..settings import Settings
from .database import (
    Database,
    HostDatabase,
    Sessions,
    engine_of,
)
from .encryption import TokenCipher
from .store import AccountStore


@implementer(IAccountStores)
class AccountStoreFactory:
    """See IAccountStores. Making one does no I/O.

    :param host_session: gives a request's session of the host application, joined to ``request.tm`` (zope.sqlalchemy);
        None for a database of our own
    """

    def __init__(self, settings: Settings, host_session: Callable[[Any], Session] | None) -> None:
        try:
            self._vault = TokenCipher(settings.accounts.keys)
            self._own = Database(settings.database_url) if host_session is None else None
        except ValueError as error:
            raise ConfigurationError(f'fsp_pyramid cannot start with these settings:\n  {error}') from error
        self._hosts, self._host_session = HostDatabase(), host_session
        self._stores = RequestLocalCache(self._make)

    def __call__(self, request: Any) -> AccountStore:
        """See IAccountStores."""
        return self._stores.get_or_create(request)

    def _make(self, request: Any) -> AccountStore:
        return AccountStore(self._sessions(request), self._vault, time.time)

    def _sessions(self, request: Any) -> Sessions:
        if self._own is None:
            return self._hosts.sessions(lambda: self._host_session(request))
        return self._own.sessions(request.tm)

    def probe(self, request: Any) -> Callable[[], None]:
        """See IAccountStores."""
        if self._own is not None:
            return self._own.probe
        # A session belongs to the thread of its request, its engine to nobody.
        return partial(self._hosts.probe, engine_of(self._host_session(request)))

    def close(self) -> None:
        """Close the connections to the database that are not in use; the next use opens new ones."""
        for database in filter(None, (self._own, self._hosts)):
            database.close()
