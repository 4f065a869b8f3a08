"""Factory of storages: the layers on top of one account, and the callbacks between them."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial

from requests import Session

from .. import egnyte
from ..concurrency.bulkhead import BulkheadFull
from ..egnyte import Priority
from ..interfaces import IBackends, IObserver, IStorage
from ..model import Access, Account, Entry
from .adaptive_ttl import ttl_factor
from .cached import CachedStorage, CacheLookup
from .egnyte import EgnyteStorage
from .egnyte_errors import as_fsp_errors
from .observed import ObservedStorage

# Seconds that rollback and background calls may wait for the rate limit: rollback happens after the request is
# answered, and is not retried; no request waits for background calls.
PATIENCE = 60.0
# Seconds after which a request may try again that found too many threads waiting for Egnyte.
SLOT_WAIT = 5.0


class StorageListener:
    """Listener for the events of a request's storage. This one ignores them."""

    def call_made(self, call: egnyte.CallInfo) -> None:
        """Handle a call to Egnyte, retries included."""

    def cache_lookup(self, lookup: CacheLookup) -> None:
        """Handle a look-up in the listing cache."""


class CallListener(StorageListener):
    """Listener that passes calls to Egnyte to a function."""

    def __init__(self, on_call: Callable[[egnyte.CallInfo], None]) -> None:
        self._on_call = on_call

    def call_made(self, call: egnyte.CallInfo) -> None:
        """Call the function."""
        self._on_call(call)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageFactory:
    """Builds the storages of one client's accounts. Does no I/O.

    :param session: HTTP session for calls to Egnyte
    :param backends: rate limiter, locks, listing cache and event poller of the application
    :param observer: returns the observer of an account's files, by the account's key
    :param on_call: is called after each call to Egnyte
    :param on_quota: is called after each call with a short digest of the account, and a function that returns its usage
    :param timeout: of a call, in seconds
    :param max_wait: longest wait of a request for the rate limit, in seconds
    """

    session: Session
    backends: IBackends
    observer: Callable[[str], IObserver]
    on_call: Callable[[egnyte.CallInfo], None]
    on_quota: Callable[[str, Callable[[], egnyte.Usage]], None]
    timeout: float
    max_wait: float

    def build(self, account: Account, owner: str, listener: StorageListener, priority: Priority) -> IStorage:
        """Return the storage of an account for one request, at Egnyte's own paths.

        :param owner: key under which the account's listings are shared
        :param priority: WRITE if the request is going to change something, so that the reads before it may use the
            calls that are reserved for writes
        """
        max_wait = PATIENCE if priority is Priority.BACKGROUND else self.max_wait
        context = _AccountContext(self, account, owner, listener, max_wait)
        # Rollback is part of a write, including its reads.
        recovery_client = context.client(PATIENCE, Priority.WRITE, partial(context.slot, forced=True))
        # Background calls occupy no thread of the server.
        client = context.client(max_wait, priority, nullcontext if priority is Priority.BACKGROUND else context.slot)
        lowest = EgnyteStorage(client, self.backends.locks, account.url, recovery_client)
        observed = ObservedStorage(lowest, context.observer)
        return CachedStorage(
            observed,
            self.backends.listing_cache,
            owner,
            context.ttl_factor,
            listener.cache_lookup,
            context.catch_up,
            context.waiting_slot,
        )


class _AccountContext:
    """Callbacks of the layers of one account's storage."""

    def __init__(
        self, factory: StorageFactory, account: Account, owner: str, listener: StorageListener, max_wait: float
    ) -> None:
        self._factory, self._account, self._owner = factory, account, owner
        self._listener, self._max_wait = listener, max_wait
        self.observer = factory.observer(account.key)

    @contextmanager
    def slot(self, *, forced: bool = False) -> Iterator[None]:
        """Run a call to Egnyte, which may be silent, in a slot of the process. Raises Throttled if there is none.

        :param forced: for a rollback
        """
        with ExitStack() as stack:
            try:
                stack.enter_context(self._factory.backends.calls.slot(forced=forced))
            except BulkheadFull:
                raise egnyte.Throttled('too many threads wait for Egnyte', SLOT_WAIT) from None
            yield

    @contextmanager
    def waiting_slot(self) -> Iterator[None]:
        """Wait for the call of another thread in a slot, too. Raises Busy."""
        with as_fsp_errors(()), self.slot():
            yield

    def client(
        self, max_wait: float, priority: Priority, slot: Callable[[], AbstractContextManager[None]]
    ) -> egnyte.Client:
        return egnyte.Client(
            self._account.url,
            self._account.token,
            session=self._factory.session,
            rate_limiter=self._factory.backends.rate_limiter,
            timeout=self._factory.timeout,
            max_wait=max_wait,
            priority=priority,
            on_call=self._call_made,
            slot=slot,
        )

    def _call_made(self, call: egnyte.CallInfo) -> None:
        self._factory.on_call(call)
        self._factory.on_quota(hashlib.sha256(self._owner.encode()).hexdigest()[:8], self._usage)
        self._listener.call_made(call)

    def _usage(self) -> egnyte.Usage:
        return self._factory.backends.rate_limiter.usage(self._account.token)

    def ttl_factor(self) -> float:
        usage = self._usage()
        return ttl_factor(usage.used, usage.daily, usage.resets_in)

    def catch_up(self) -> bool:
        poller = self._factory.backends.event_poller
        if poller is None:
            return True
        return poller.catch_up(
            self._owner, self.client(self._max_wait, Priority.BACKGROUND, self.slot), self._invalidate
        )

    def _invalidate(self, file_id: str) -> None:
        self.observer.invalidated(Entry((), is_directory=False, id=file_id, modified=0, access=Access.VIEW))
