"""What the requests of one client share, and the stack of storages that is built from it for each of them."""

import hashlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from pyramid.registry import Registry
from requests import Session

from . import egnyte, embedded
from .accounts import AccountKey, TokenAccounts
from .egnyte import Priority
from .interfaces import (
    IAccounts,
    IAccountStores,
    IBackends,
    IMount,
    IObserver,
    IStorage,
    IUndoLog,
)
from .metrics import Metrics
from .model import (
    Access,
    Account,
    Entry,
    Identity,
)
from .settings import ClientSettings
from .storage.adaptive_ttl import ttl_factor
from .storage.cached import CachedStorage, CacheLookup
from .storage.egnyte import EgnyteStorage
from .storage.mapped import MappedStorage
from .storage.observed import ObservedStorage
from .storage.operations import Operations
from .storage.undo import UndoStorage

# Seconds that taking changes back may wait for its turn: the request is answered anyway, and it is not tried again. And
# that those calls may wait for which nobody waits.
PATIENCE = 60.0
# Outcomes of calls that do not show that Egnyte is within reach and well.
UNREACHED = {kind.__name__ for kind in (egnyte.Unavailable, egnyte.Unreachable, egnyte.EgnyteError)}


def ignore(_happened: Any) -> None:
    """Nobody counts."""


class ClientBackend:
    """One client's way to Egnyte. Making one does no I/O.

    :param settings: the client's
    :param public_token: token that fetches public content of accounts whose own one has ended; '' for none
    :param shared: with all other clients of all mounts
    :param stores: the accounts that users connected; None where nobody does
    :param observer: who hears of the files of a domain's account, by the account's key
    :param meter: counts the calls
    :ivar reached_at: when Egnyte answered for the last time, of time.monotonic(); refusals are answers
    """

    reached_at = float('-inf')

    def __init__(
        self,
        key: AccountKey,
        settings: ClientSettings,
        public_token: str,
        shared: IBackends,
        stores: IAccountStores | None,
        observer: Callable[[str, str], IObserver],
        metrics: Metrics,
    ) -> None:
        self.settings = settings
        self._shared, self._observer, self._metrics = shared, observer, metrics
        self._session = egnyte.new_session()
        url, token = settings.egnyte.url, settings.egnyte.token
        if settings.egnyte.sandbox_directory:
            embedded.mount_sandbox(self._session, settings.egnyte.sandbox_directory)
            url, token = embedded.URL, token or embedded.TOKEN
        self.accounts: IAccounts = (
            _oauth_accounts(key, settings, public_token, self._session, shared, stores, self._heard)
            if settings.accounts.mode == 'oauth'
            else TokenAccounts(Account(str(key), url, token))
        )

    @property
    def domain(self) -> str:
        """Names the Egnyte: the ids of its files are its own."""
        return self.settings.egnyte.url

    def storage(
        self,
        account: Account,
        on_call: Callable[[egnyte.CallInfo], None] = ignore,
        priority: Priority = Priority.READ,
        on_look: Callable[[CacheLookup], None] = ignore,
    ) -> IStorage:
        """The account's files, at Egnyte's own paths, for one request.

        :param on_call: hears of each call
        :param urgency: WRITE where the request is going to change something, so that it may look before it does
        :param on_look: hears of each time that a listing is looked up
        """

        owner = self._owner(account)

        def usage() -> egnyte.Usage:
            return self._shared.rate_limiter.usage(account.token)

        def heard(called: egnyte.CallInfo) -> None:
            self._heard(called)
            self._metrics.quota(hashlib.sha256(owner.encode()).hexdigest()[:8], usage)
            on_call(called)

        def client(max_wait: float, priority: Priority) -> egnyte.Client:
            return egnyte.Client(
                account.url,
                account.token,
                session=self._session,
                rate_limiter=self._shared.rate_limiter,
                timeout=self.settings.egnyte.timeout,
                max_wait=max_wait,
                priority=priority,
                on_call=heard,
            )

        # What takes changes back is part of a write, even where it only looks.
        patient = client(PATIENCE, Priority.WRITE)
        max_wait = PATIENCE if priority is Priority.BACKGROUND else self.settings.egnyte.max_wait
        lowest = EgnyteStorage(client(max_wait, priority), self._shared.locks, owner, patient)
        observer = self._observer(self.domain, account.key)
        observed = ObservedStorage(lowest, observer)
        watch, background = self._shared.watch, client(max_wait, Priority.BACKGROUND)

        def doubt(file_id: str) -> None:
            observer.invalidated(Entry((), is_directory=False, id=file_id, modified=0, access=Access.VIEW))

        def catch_up() -> bool:
            return watch is None or watch.catch_up(owner, background, doubt)

        def scarce() -> float:
            told = usage()
            return ttl_factor(told.used, told.daily, told.resets_in)

        return CachedStorage(observed, self._shared.listing_cache, owner, scarce, on_look, catch_up)

    def download_slot(self, identity: Identity) -> AbstractContextManager[None]:
        """One of the process's slots for downloads, of which each user has a share. Entering it may raise Busy."""
        return self._shared.downloads.take((identity.client, identity.uid))

    def _heard(self, called: egnyte.CallInfo) -> None:
        self._metrics.call_made(called)
        if called.outcome not in UNREACHED:
            self.reached_at = time.monotonic()

    def _owner(self, account: Account) -> str:
        """Under which name locks and listings are shared: whoever has a token has its rights, at whatever mount."""
        if self.settings.accounts.mode == 'oauth':
            # Its tokens come and go; another user or domain that is connected in its place sees nothing of it.
            return f'{account.key} {account.username} {account.url}'
        # Not the account's URL: all embedded sandboxes have the same.
        return f'{self.settings.egnyte.url} {hashlib.sha256(account.token.encode()).hexdigest()}'

    def operations(
        self,
        identity: Identity,
        account: Account,
        undo_log: IUndoLog,
        on_call: Callable[[egnyte.CallInfo], None],
        priority: Priority = Priority.READ,
        on_look: Callable[[CacheLookup], None] = ignore,
    ) -> Operations:
        """What the caller may do, for one request. The last three parameters are those of :meth:`storage`."""
        mounts = [mount.filled(identity, account) for mount in self.settings.folders]
        if self.settings.read_only:
            mounts = [replace(mount, read_only=True) for mount in mounts]
        storage = self.storage(account, on_call, priority, on_look)
        own_account = self.settings.accounts.mode == 'oauth'
        return Operations(MappedStorage(UndoStorage(storage, undo_log), mounts, own_account=own_account))


def _oauth_accounts(
    key: AccountKey,
    settings: ClientSettings,
    public_token: str,
    session: Session,
    shared: IBackends,
    stores: IAccountStores | None,
    on_call: Callable[[egnyte.CallInfo], None],
) -> IAccounts:
    from .accounts.oauth import OAuthAccounts  # it needs the extra "accounts"

    return OAuthAccounts(key, settings, public_token, session, shared.rate_limiter, stores, on_call)


def find_client(registry: Registry, mount: str, client: str) -> ClientBackend:
    """Return the backend of a mount's client. Raises LookupError, which names what is missing."""
    found = registry.queryUtility(IMount, name=mount)
    backend = found and found.client_backends.get(client)
    if backend is None:
        raise LookupError(f'there is no client {client!r}' if found else f'there is no mount {mount!r}')
    return backend
