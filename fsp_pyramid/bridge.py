"""What the requests of one client share, and the stack of storages that is built from it for each of them."""

from collections.abc import Callable
from dataclasses import replace

from requests import Session

from . import egnyte, embedded
from .accounts import AccountKey, TokenAccounts
from .interfaces import IAccounts, IAccountStores, IStorage, IUndoLog
from .model import Account, Identity
from .settings import Settings
from .storage.cached import CachedStorage, Shelf
from .storage.egnyte import EgnyteStorage
from .storage.folders import FoldersStorage
from .storage.locks import Locks
from .storage.operations import Operations
from .storage.undo import UndoStorage


class Shared:
    """What all clients of a mount share. Whose is what is told by the keys of accounts and by tokens.

    :param ttl: seconds that listings are remembered
    :param stores: the accounts that users connected; None where nobody does
    """

    def __init__(self, ttl: float, pace: egnyte.Pace, stores: IAccountStores | None) -> None:
        self.pace, self.stores, self.locks, self.shelf = pace, stores, Locks(), Shelf(ttl)


class Bridge:
    """One client's way to Egnyte. Making one does no I/O.

    :param settings: the client's
    """

    def __init__(self, key: AccountKey, settings: Settings, shared: Shared) -> None:
        self.settings = settings
        self._shared = shared
        self._session = egnyte.new_session()
        url, token = settings.egnyte_url, settings.egnyte_token
        if settings.sandbox:
            embedded.mount_sandbox(self._session, settings.sandbox)
            url, token = embedded.URL, token or embedded.TOKEN
        self.accounts: IAccounts = (
            _oauth_accounts(key, settings, self._session, shared)
            if settings.accounts_mode == 'oauth'
            else TokenAccounts(Account(str(key), url, token))
        )

    def storage(self, account: Account, on_call: Callable[[], None] = lambda: None) -> IStorage:
        """The account's files, at Egnyte's own paths, for one request. *on_call* is called for each call."""
        client = egnyte.Client(
            account.url,
            account.token,
            session=self._session,
            pace=self._shared.pace,
            timeout=self.settings.egnyte_timeout,
            max_wait=self.settings.egnyte_max_wait,
            on_call=on_call,
        )
        lowest = EgnyteStorage(client, self._shared.locks, account.key)
        return CachedStorage(lowest, self._shared.shelf, self._shared.locks, account.key)

    def operations(
        self, identity: Identity, account: Account, undo_log: IUndoLog, on_call: Callable[[], None]
    ) -> Operations:
        """What the caller may do, for one request."""
        mounts = [mount.filled(identity, account) for mount in self.settings.folders]
        if self.settings.read_only:
            mounts = [replace(mount, read_only=True) for mount in mounts]
        return Operations(FoldersStorage(UndoStorage(self.storage(account, on_call), undo_log), mounts))


def _oauth_accounts(key: AccountKey, settings: Settings, session: Session, shared: Shared) -> IAccounts:
    from .accounts.oauth import OAuthAccounts  # it needs the extra "accounts"

    return OAuthAccounts(key, settings, session, shared.pace, shared.stores)
