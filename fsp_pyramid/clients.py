"""One client's connections and accounts, shared by its requests, and the storage of each request."""

import hashlib
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace

from pyramid.registry import Registry
from requests import Session

from . import egnyte, embedded
from .accounts import AccountKey, TokenAccounts
from .concurrency.bulkhead import Bulkhead, BulkheadFull
from .egnyte import Priority
from .errors import Busy
from .i18n import _
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
from .model import Account, Identity
from .settings import ClientSettings
from .storage.factory import StorageFactory, StorageListener
from .storage.mapped import MappedStorage
from .storage.operations import Operations
from .storage.undo import UndoStorage

# Outcomes of calls that do not show that Egnyte is within reach and well.
UNREACHED = {kind.__name__ for kind in (egnyte.Unavailable, egnyte.Unreachable, egnyte.TimedOut, egnyte.EgnyteError)}
IGNORE = StorageListener()
NAMELESS = '-'  # in URLs, for the client without a name; no name has a hyphen


class ClientBackend:
    """One client's access to Egnyte. Making one does no I/O.

    :param settings: settings of the client
    :param public_token: token that fetches public content of accounts whose own one has ended; '' for none
    :param backends: shared by all clients of all mounts
    :param stores: accounts that users connected; None without connected accounts
    :param observer: returns the observer of an account's files, by domain and the account's key
    :param metrics: counts the calls
    :ivar reached_at: time of Egnyte's last answer, of time.monotonic(); refusals are answers
    """

    reached_at = float('-inf')

    def __init__(
        self,
        key: AccountKey,
        settings: ClientSettings,
        public_token: str,
        backends: IBackends,
        stores: IAccountStores | None,
        observer: Callable[[str, str], IObserver],
        metrics: Metrics,
    ) -> None:
        self.settings = settings
        self._backends, self._metrics = backends, metrics
        session = egnyte.new_session()
        url, token = settings.egnyte.url, settings.egnyte.token
        if settings.egnyte.sandbox_directory:
            embedded.mount_sandbox(session, settings.egnyte.sandbox_directory)
            url, token = embedded.URL, token or embedded.TOKEN
        self.accounts: IAccounts = (
            _oauth_accounts(key, settings, public_token, session, backends, stores, self._call_made)
            if settings.accounts.mode == 'oauth'
            else TokenAccounts(Account(str(key), url, token))
        )
        self._storages = StorageFactory(
            session=session,
            backends=backends,
            observer=lambda account_key: observer(self.domain, account_key),
            on_call=self._call_made,
            on_quota=metrics.quota,
            timeout=settings.egnyte.timeout,
            max_wait=settings.egnyte.max_wait,
        )

    @property
    def domain(self) -> str:
        """Name of the Egnyte, within which the ids of files are unique."""
        return self.settings.egnyte.url

    def storage(
        self, account: Account, listener: StorageListener = IGNORE, priority: Priority = Priority.READ
    ) -> IStorage:
        """Return the account's files, at Egnyte's own paths, for one request: see StorageFactory.build."""
        return self._storages.build(account, self._owner(account), listener, priority)

    def download_slot(self, identity: Identity) -> AbstractContextManager[None]:
        """Return one of the process's slots for downloads, of which each user has a share. Entering may raise Busy."""
        return download_slot(self._backends.downloads, (identity.client, identity.uid))

    def _call_made(self, call: egnyte.CallInfo) -> None:
        self._metrics.call_made(call)
        if call.outcome not in UNREACHED:
            self.reached_at = time.monotonic()

    def _owner(self, account: Account) -> str:
        """Return the key under which locks and listings are shared: all mounts with one token have its rights."""
        if self.settings.accounts.mode == 'oauth':
            # Not its tokens, which change. Another user or domain that is connected in its place gets another key.
            return f'{account.key} {account.username} {account.url}'
        # Not the account's URL: all embedded sandboxes have the same.
        return f'{self.settings.egnyte.url} {hashlib.sha256(account.token.encode()).hexdigest()}'

    def operations(
        self,
        identity: Identity,
        account: Account,
        undo_log: IUndoLog,
        listener: StorageListener = IGNORE,
        priority: Priority = Priority.READ,
    ) -> Operations:
        """Return the caller's operations, for one request. The last two parameters are those of :meth:`storage`."""
        mappings = [mapping.resolve(identity, account) for mapping in self.settings.folders]
        if self.settings.read_only:
            mappings = [replace(mapping, read_only=True) for mapping in mappings]
        storage = UndoStorage(self.storage(account, listener, priority), undo_log)
        return Operations(MappedStorage(storage, mappings, own_account=self.settings.accounts.mode == 'oauth'))


@contextmanager
def download_slot(downloads: Bulkhead, user: Hashable) -> Iterator[None]:
    """Run the block in a slot of the user's. Raises Busy if none is free in time."""
    with ExitStack() as stack:
        try:
            stack.enter_context(downloads.slot(user))
        except BulkheadFull as error:
            raise Busy(
                _(
                    'many-uploads',
                    'Many files are being uploaded at the moment. Please try again in a minute.',
                ),
                retry_after=30,
            ) from error
        yield


def _oauth_accounts(
    key: AccountKey,
    settings: ClientSettings,
    public_token: str,
    session: Session,
    backends: IBackends,
    stores: IAccountStores | None,
    on_call: Callable[[egnyte.CallInfo], None],
) -> IAccounts:
    from .accounts.oauth import OAuthAccounts  # it needs the extra "accounts"

    assert stores is not None, 'accounts that users connect have stores'  # noqa: S101 - invariant
    return OAuthAccounts(key, settings, public_token, session, backends.rate_limiter, stores, on_call)


def find_client(registry: Registry, mount: str, client: str) -> ClientBackend:
    """Return the backend of a mount's client. Raises LookupError, which names what is missing."""
    found = registry.queryUtility(IMount, name=mount)
    backend = found and found.client_backends.get(client)
    if backend is None:
        raise LookupError(f'there is no client {client!r}' if found else f'there is no mount {mount!r}')
    return backend
