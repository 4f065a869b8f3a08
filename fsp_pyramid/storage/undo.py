"""The transaction: what was done at Egnyte is taken back if the request ends badly."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from transaction.interfaces import IDataManagerSavepoint, ISavepointDataManager
from zope.interface import implementer

from ..concurrency.locks import Held
from ..interfaces import IStorage, IUndoLog
from ..model import (
    Change,
    Content,
    Download,
    Entry,
    Listing,
)
from ..paths import Path, text
from .recovery import CorruptUpload

T = TypeVar('T')

log = logging.getLogger(__name__)


@implementer(IUndoLog)
class UndoLog:
    """Changes in their order, taken back in the reverse one. Used as it is where no transaction manager is about."""

    def __init__(self) -> None:
        self._changes: list[tuple[Change, IStorage]] = []

    def begin(self) -> None:
        """See IUndoLog: whoever owns this log will call roll_back."""

    def record(self, change: Change, storage: IStorage) -> None:
        """See IUndoLog."""
        self._changes.append((change, storage))

    def __len__(self) -> int:
        return len(self._changes)

    def roll_back(self, length: int = 0) -> None:
        """Take changes back until *length* of them are left. Never raises: somebody's real error is on its way."""
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
        """All is well: nothing will be taken back."""
        self._changes.clear()


@implementer(ISavepointDataManager)
class UndoManager(UndoLog):
    """An undo log that takes part in the transactions of *manager*: the one data manager of a request.

    Every phase may come in any order, and twice: transaction aborts a manager that has not voted by ``abort`` *and*
    ``tpc_abort``, and after a successful commit as well, as soon as anybody has an after-commit hook.
    """

    def __init__(self, manager: Any) -> None:
        super().__init__()
        self.transaction_manager = manager
        self._joined: Any = None

    def begin(self) -> None:
        """See IUndoLog: joins the current transaction before the first change in it, because that may be refused."""
        transaction = self.transaction_manager.get()
        if self._joined is not transaction:
            transaction.join(self)
            self._joined = transaction

    def abort(self, transaction: Any) -> None:
        """Take everything back."""
        del transaction
        self._joined = None
        self.roll_back()

    tpc_abort = abort

    def tpc_begin(self, transaction: Any) -> None:
        """Nothing: Egnyte was written to already."""

    def commit(self, transaction: Any) -> None:
        """Nothing."""

    def tpc_vote(self, transaction: Any) -> None:
        """Always for it."""

    def tpc_finish(self, transaction: Any) -> None:
        """Everybody agreed."""
        del transaction
        self._joined = None
        self.forget()

    def sortKey(self) -> str:  # noqa: N802 - transaction's name
        """Before ``~sqlalchemy``, which commits when it votes: if that fails we have voted, and are told to abort."""
        return f'fsp_pyramid:{id(self):x}'

    def savepoint(self) -> '_Savepoint':
        """A place in the log to go back to."""
        return _Savepoint(self, len(self))


@implementer(IDataManagerSavepoint)
class _Savepoint:
    def __init__(self, manager: UndoManager, length: int) -> None:
        self._manager, self._length = manager, length

    def rollback(self) -> None:
        self._manager.roll_back(self._length)


@implementer(IStorage)
class UndoStorage:
    """Notes in an undo log what it changes; reads pass through."""

    def __init__(self, storage: IStorage, undo_log: IUndoLog) -> None:
        self._storage, self._undo_log = storage, undo_log

    def _noted(self, write: Callable[[], tuple[T, Change]]) -> tuple[T, Change]:
        self._undo_log.begin()
        try:
            result, change = write()
        except CorruptUpload as error:
            self._undo_log.record(error.change, self._storage)
            raise
        self._undo_log.record(change, self._storage)
        return result, change

    def list_directory(self, path: Path, fresh: bool = False) -> Listing:
        """See IStorage."""
        return self._storage.list_directory(path, fresh)

    def peek_directory(self, path: Path) -> Entry | None:
        """See IStorage."""
        return self._storage.peek_directory(path)

    def stat_file(self, path: Path) -> Entry:
        """See IStorage."""
        return self._storage.stat_file(path)

    def find_file(self, file_id: str) -> Entry:
        """See IStorage."""
        return self._storage.find_file(file_id)

    def create_directory(self, path: Path, with_parent: bool = False) -> tuple[Entry, Change]:
        """See IStorage."""
        return self._noted(lambda: self._storage.create_directory(path, with_parent))

    def store_file(self, path: Path, content: Content, over: Entry | None = None) -> tuple[Entry, Change]:
        """See IStorage."""
        return self._noted(lambda: self._storage.store_file(path, content, over))

    def delete(self, entry: Entry) -> Change:
        """See IStorage."""
        return self._noted(lambda: (entry, self._storage.delete(entry)))[1]

    def move_file(self, entry: Entry, path: Path) -> tuple[Entry, Change]:
        """See IStorage."""
        return self._noted(lambda: self._storage.move_file(entry, path))

    def open_file(self, file_id: str, byte_range: tuple[int, int | None] | None = None) -> Download:
        """See IStorage."""
        return self._storage.open_file(file_id, byte_range)

    def lock(self, *paths: Path) -> AbstractContextManager[Held]:
        """See IStorage."""
        return self._storage.lock(*paths)

    def revert(self, change: Change) -> None:
        """See IStorage."""
        self._storage.revert(change)
