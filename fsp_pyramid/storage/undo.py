"""Undo log: changes at Egnyte are rolled back if the request's transaction does not commit."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from transaction.interfaces import IDataManagerSavepoint, ISavepointDataManager
from zope.interface import implementer

from ..interfaces import IStorage, IUndoLog
from ..model import Change, Content, Entry
from ..paths import Path, text
from .layer import StorageLayer
from .recovery import CorruptUpload

T = TypeVar('T')

log = logging.getLogger(__name__)


@implementer(IUndoLog)
class UndoLog:
    """Changes in their order, rolled back in the reverse one. Used as it is where there is no transaction manager."""

    def __init__(self) -> None:
        self._changes: list[tuple[Change, IStorage]] = []

    def begin(self) -> None:
        """Do nothing: the owner of this log calls roll_back."""

    def record(self, change: Change, storage: IStorage) -> None:
        """Append the change."""
        self._changes.append((change, storage))

    def __len__(self) -> int:
        return len(self._changes)

    def roll_back(self, length: int = 0) -> None:
        """Roll changes back until *length* of them are left. Never raises: the error that led here is being raised."""
        while len(self._changes) > length:
            change, storage = self._changes.pop()
            try:
                storage.revert(change)
            except Exception:
                # All that a person needs to repair it by hand.
                log.exception(
                    'could not take back: %s %s (id %s, version %s)%s',
                    change.verb,
                    text(change.entry.path, directory=change.entry.is_directory),
                    change.entry.id,
                    change.entry.version_id,
                    f', before at {text(change.before.path)}' if change.before else '',
                )

    def forget(self) -> None:
        """Drop the changes: they are final."""
        self._changes.clear()


@implementer(ISavepointDataManager)
class UndoManager(UndoLog):
    """Undo log that takes part in the transactions of *manager*: the one data manager of a request.

    Every phase may come in any order, and twice: transaction aborts a manager that has not voted by ``abort`` *and*
    ``tpc_abort``, and after a successful commit as well, as soon as there is an after-commit hook.
    """

    def __init__(self, manager: Any) -> None:
        super().__init__()
        self.transaction_manager = manager
        self._joined: Any = None

    def begin(self) -> None:
        """Join the current transaction before the first change in it, because joining may be refused."""
        transaction = self.transaction_manager.get()
        if self._joined is not transaction:
            transaction.join(self)
            self._joined = transaction

    def abort(self, transaction: Any) -> None:
        """Roll all changes back."""
        del transaction
        self._joined = None
        self.roll_back()

    tpc_abort = abort

    def tpc_begin(self, transaction: Any) -> None:
        """Do nothing: Egnyte was written to already."""

    def commit(self, transaction: Any) -> None:
        """Do nothing."""

    def tpc_vote(self, transaction: Any) -> None:
        """Vote for the commit."""

    def tpc_finish(self, transaction: Any) -> None:
        """Drop the changes: the transaction is committed."""
        del transaction
        self._joined = None
        self.forget()

    def sortKey(self) -> str:  # noqa: N802 - transaction's name
        """Sort before ``~sqlalchemy``, which commits when it votes: if that fails, we have voted and are aborted."""
        return f'fsp_pyramid:{id(self):x}'

    def savepoint(self) -> '_Savepoint':
        """Return a position in the log to roll back to."""
        return _Savepoint(self, len(self))


@implementer(IDataManagerSavepoint)
class _Savepoint:
    def __init__(self, manager: UndoManager, length: int) -> None:
        self._manager, self._length = manager, length

    def rollback(self) -> None:
        self._manager.roll_back(self._length)


class UndoStorage(StorageLayer):
    """Record all changes in an undo log."""

    def __init__(self, storage: IStorage, undo_log: IUndoLog) -> None:
        super().__init__(storage)
        self._undo_log = undo_log

    def _recorded(self, write: Callable[[], tuple[T, Change]]) -> tuple[T, Change]:
        self._undo_log.begin()
        try:
            result, change = write()
        except CorruptUpload as error:
            self._undo_log.record(error.change, self._storage)
            raise
        self._undo_log.record(change, self._storage)
        return result, change

    def create_directory(self, path: Path, with_parent: bool = False) -> tuple[Entry, Change]:
        """Record the change."""
        return self._recorded(lambda: self._storage.create_directory(path, with_parent))

    def store_file(self, path: Path, content: Content, over: Entry | None = None) -> tuple[Entry, Change]:
        """Record the change, or that of a corrupt upload."""
        return self._recorded(lambda: self._storage.store_file(path, content, over))

    def delete(self, entry: Entry) -> Change:
        """Record the change."""
        return self._recorded(lambda: (entry, self._storage.delete(entry)))[1]

    def move_file(self, entry: Entry, path: Path) -> tuple[Entry, Change]:
        """Record the change."""
        return self._recorded(lambda: self._storage.move_file(entry, path))
