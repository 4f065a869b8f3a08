"""Origin of a public file: its account, client and Egnyte, found by the configuration."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from pyramid.registry import Registry
from pyramid.request import Request
from pyramid.scripting import prepare

from ..accounts import AccountKey
from ..clients import find_client
from ..content.links import Link
from ..egnyte import CallInfo, Priority
from ..errors import NotFound, TokenRefused
from ..interfaces import IStorage
from ..model import Download, Entry
from ..storage.factory import CallListener


class RequestOrigin:
    """Origin that finds its account by a request. Raises NotFound if the configuration has no such account (any more).

    :param request: None to find the account by a request of its own at each call, as in the background
    :param on_call: is called after each call to Egnyte
    """

    def __init__(
        self,
        registry: Registry,
        link: Link,
        request: Request | None = None,
        on_call: Callable[[CallInfo], None] = lambda _call: None,
    ) -> None:
        self._registry, self._link, self._request, self._on_call = registry, link, request, on_call
        self._key = AccountKey.parse(link.account)
        try:
            self._backend = find_client(registry, self._key.mount, self._key.client)
        except LookupError:
            raise NotFound from None

    @property
    def domain(self) -> str:
        """Name of the Egnyte, within which the id of a file is unique."""
        return self._backend.domain

    @property
    def account(self) -> str:
        """Key of the account."""
        return self._link.account

    @property
    def file_id(self) -> str:
        """Id of the file."""
        return self._link.file_id

    def open(self, priority: Priority) -> Download:
        """Open the content of the current version: one call."""
        with self._storage(priority) as storage:
            return storage.open_file(self.file_id)

    def stat(self) -> Entry:
        """Look up the current version, at the lowest priority: one call."""
        with self._storage(Priority.BACKGROUND) as storage:
            return storage.find_file(self.file_id)

    def background(self) -> Self:
        """Return the same origin without the visitor's request."""
        if self._request is None:
            return self
        origin = copy.copy(self)
        origin._request = None
        return origin

    @contextmanager
    def _storage(self, priority: Priority) -> Iterator[IStorage]:
        if self._request is None:
            with background_request(self._registry) as request, self._storage_for(request, priority) as storage:
                yield storage
        else:
            with self._storage_for(self._request, priority) as storage:
                yield storage

    @contextmanager
    def _storage_for(self, request: Request, priority: Priority) -> Iterator[IStorage]:
        account = self._backend.accounts.numbered(self._key.number, request)
        try:
            yield self._backend.storage(account, CallListener(self._on_call), priority)
        except TokenRefused:
            self._backend.accounts.refused(account, request)
            raise


@contextmanager
def background_request(registry: Registry) -> Iterator[Request]:
    """Make a request for work that no visitor waits for; in a transaction if the application has them."""
    environment = prepare(registry=registry)
    request = environment['request']
    try:
        if hasattr(request, 'tm'):
            request.environ['tm.active'] = True
            with request.tm:
                yield request
        else:
            yield request
    finally:
        environment['closer']()
