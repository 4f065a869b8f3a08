"""Where the content behind a link comes from: the account, its client and its Egnyte."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pyramid.scripting import prepare

from ..accounts import AccountKey
from ..clients import ClientBackend
from ..content.links import Link
from ..egnyte import CallInfo, Priority
from ..errors import NotFound, TokenRefused
from ..interfaces import IMount, IStorage
from ..model import Download, Entry
from ..storage.factory import CallListener


class Origin:
    """One link's file at Egnyte. Raises NotFound where the configuration has no such account (any more).

    :param on_call: hears of each call to Egnyte
    """

    def __init__(self, registry: Any, link: Link, on_call: Callable[[CallInfo], None] = lambda _call: None) -> None:
        self.registry, self.link, self._on_call = registry, link, on_call
        self._key = AccountKey.parse(link.account)
        mount = registry.queryUtility(IMount, name=self._key.mount)
        backend: ClientBackend | None = mount and mount.client_backends.get(self._key.client)
        if backend is None:
            raise NotFound('There is no such file.')
        self._backend = backend

    @property
    def domain(self) -> str:
        """Within which the id of a file stands for one file."""
        return self._backend.domain

    def download(self, request: Any, priority: Priority) -> Download:
        """Begin to fetch the content: one call. Raises NotFound, Forbidden and what accounts and Egnyte may raise."""
        with self._storage(request, priority) as storage:
            return storage.open_file(self.link.file_id)

    def look(self, request: Any) -> Entry:
        """Ask which version the file has: one call, when nobody else needs it. Raises what :meth:`download` raises."""
        with self._storage(request, Priority.BACKGROUND) as storage:
            return storage.find_file(self.link.file_id)

    @contextmanager
    def _storage(self, request: Any, priority: Priority) -> Iterator[IStorage]:
        account = self._backend.accounts.numbered(self._key.number, request)
        try:
            yield self._backend.storage(account, CallListener(self._on_call), priority)
        except TokenRefused:
            self._backend.accounts.refused(account, request)
            raise


@contextmanager
def own_request(registry: Any) -> Iterator[Any]:
    """A request of our own, for what no request of somebody's waits for; with a transaction if there are any."""
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
