"""What the requests of one mount share, and the stack of storages that is built from it for each of them."""

from . import egnyte, embedded
from .accounts import TokenAccounts
from .interfaces import IStorage, IUndoLog
from .model import Account, Identity
from .settings import Settings
from .storage.cached import CachedStorage, Shelf
from .storage.egnyte import EgnyteStorage
from .storage.folders import FoldersStorage
from .storage.locks import Locks
from .storage.operations import Operations
from .storage.undo import UndoStorage


class Bridge:
    """Connections, pace, cache and locks. Making one does no I/O.

    :param key: the name of the mount, and of its account in public links
    """

    def __init__(self, key: str, settings: Settings) -> None:
        self._settings = settings
        self._session = egnyte.new_session()
        self._pace = egnyte.Pace()
        self._locks = Locks()
        self._shelf = Shelf(settings.cache_ttl)
        self._url, token = settings.egnyte_url, settings.egnyte_token
        if settings.sandbox:
            embedded.mount_sandbox(self._session, settings.sandbox)
            self._url, token = embedded.URL, token or embedded.TOKEN
        self.accounts = TokenAccounts(key, token)

    def storage(self, account: Account) -> IStorage:
        """The account's files, at Egnyte's own paths, for one request."""
        client = egnyte.Client(
            self._url,
            account.token,
            session=self._session,
            pace=self._pace,
            timeout=self._settings.egnyte_timeout,
            max_wait=self._settings.egnyte_max_wait,
        )
        return CachedStorage(EgnyteStorage(client, self._locks, account.key), self._shelf, self._locks, account.key)

    def operations(self, identity: Identity, undo_log: IUndoLog) -> Operations:
        """What the caller may do, for one request."""
        storage = UndoStorage(self.storage(self.accounts.of(identity)), undo_log)
        return Operations(FoldersStorage(storage, self._settings.folders, identity))
