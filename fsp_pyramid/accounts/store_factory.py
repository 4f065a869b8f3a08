"""Factory of account stores for requests, on our own database or the host's."""

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
    """Factory of the account store of each request. The constructor does no I/O.

    :param host_session: returns a request's session of the host application, joined to ``request.tm``
        (zope.sqlalchemy); None for a database of our own
    """

    def __init__(self, settings: Settings, host_session: Callable[[Any], Session] | None) -> None:
        try:
            self._cipher = TokenCipher(settings.accounts.keys)
            self._own = None if host_session else Database(settings.database_url)
        except ValueError as error:
            raise ConfigurationError(f'fsp_pyramid cannot start with these settings:\n  {error}') from error
        self._hosts, self._host_session = HostDatabase(), host_session or _no_session
        self._stores = RequestLocalCache(self._make)

    def __call__(self, request: Any) -> AccountStore:
        return self._stores.get_or_create(request)

    def _make(self, request: Any) -> AccountStore:
        return AccountStore(self._sessions(request), self._cipher, time.time)

    def _sessions(self, request: Any) -> Sessions:
        if self._own is None:
            return self._hosts.sessions(lambda: self._host_session(request))
        return self._own.sessions(request.tm)

    def probe(self, request: Any) -> Callable[[], None]:
        if self._own is not None:
            return self._own.probe
        # A session belongs to the thread of its request; its engine does not.
        return partial(self._hosts.probe, engine_of(self._host_session(request)))

    def close(self) -> None:
        """Close the idle connections to the database. The next use opens new ones."""
        if self._own is not None:
            self._own.close()
        self._hosts.close()


def _no_session(_request: Any) -> Session:
    raise AssertionError('our own database has no session of a host')
