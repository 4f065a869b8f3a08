"""Ends of a transaction with the real storage: changes at Egnyte are kept or rolled back with it."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import transaction
from pyramid_tm import explicit_manager
from sqlalchemy import ForeignKey, NullPool, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from transaction.interfaces import ISavepointDataManager, NoTransaction
from zope.interface.verify import verifyObject
from zope.sqlalchemy import register

from fsp_pyramid.concurrency.locks import KeyedLocks
from fsp_pyramid.egnyte import Client, RateLimiter
from fsp_pyramid.embedded import TOKEN, URL
from fsp_pyramid.errors import FSPError
from fsp_pyramid.interfaces import IStorage
from fsp_pyramid.model import Strategy
from fsp_pyramid.sandbox.permissions import Level
from fsp_pyramid.storage.cached import CachedStorage, ListingCache
from fsp_pyramid.storage.egnyte import EgnyteStorage
from fsp_pyramid.storage.operations import Operations
from fsp_pyramid.storage.undo import UndoManager, UndoStorage
from fsp_pyramid.testing import Sandbox, content

from ..permissions import ORDINARY, grant

HOME = ('Shared', 'Home')


class Refused(Exception):
    """Another participant refuses the commit."""


PHASES = ('abort', 'tpc_begin', 'commit', 'tpc_vote', 'tpc_finish', 'tpc_abort')


class Other:
    """Another participant, which fails in one phase; *key* is its sort key among the participants."""

    def __init__(self, fails: str = '', key: str = '~other') -> None:
        def phase(name: str) -> None:
            if name == fails:
                raise Refused(name)

        for name in PHASES:
            setattr(self, name, lambda _transaction, name=name: phase(name))
        self.sortKey = lambda: key

    def savepoint(self) -> Any:
        return self

    def rollback(self) -> None:
        """Do nothing, as a savepoint."""


class Files:
    """Files of a user in one request: storage over an undo log that joins the transactions of *manager*."""

    def __init__(self, sandbox: Sandbox, manager: Any, token: str) -> None:
        client = Client(URL, token, session=sandbox.session, rate_limiter=RateLimiter())
        self.real: IStorage = CachedStorage(EgnyteStorage(client, KeyedLocks(), 'a'), ListingCache(60), 'a')
        self.manager, self.log = manager, UndoManager(manager)
        self.storage = UndoStorage(self.real, self.log)

    def store(self, name: str, data: bytes = b'x') -> Any:
        over = self.storage.list_directory(HOME).find(name)
        return self.storage.store_file((*HOME, name), content(data), over)[0]

    @property
    def names(self) -> list[str]:
        """Return the names at Egnyte, after a check that the cache has the same."""
        names = [item.name for item in self.real.list_directory(HOME, fresh=True).items]
        assert [item.name for item in self.real.list_directory(HOME).items] == names
        return names


@pytest.fixture(params=['explicit', 'implicit', 'of the thread'])
def manager(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Return a transaction manager, of each of the three kinds in use by hosts."""
    kinds = {
        'explicit': lambda: explicit_manager(None),
        'implicit': transaction.TransactionManager,
        'of the thread': lambda: transaction.manager,
    }
    manager = kinds[request.param]()
    manager.begin()
    yield manager
    with suppress(NoTransaction):
        manager.abort()


@pytest.fixture(params=[TOKEN, ORDINARY], ids=['administrator', 'ordinary user'])
def token(request: pytest.FixtureRequest) -> str:
    """Return the token of an administrator, or of a user with full permission in their folder but no trash."""
    return request.param


@pytest.fixture
def files(sandbox: Sandbox, manager: Any, token: str, tmp_path: Path) -> Files:
    sandbox.api('POST', '/pubapi/v1/fs/Shared/Home', json={'action': 'add_folder'}).raise_for_status()
    grant(tmp_path, '/Shared/Home', 'alice', Level.FULL)
    return Files(sandbox, manager, token)


def test_undo_log_provides_data_manager(files: Files) -> None:
    assert verifyObject(ISavepointDataManager, files.log)


def test_committed_change_stays(files: Files) -> None:
    files.store('a')
    files.manager.commit()
    assert files.names == ['a']
    files.manager.begin()
    files.manager.abort()
    assert files.names == ['a']


def test_abort_rolls_back_change(files: Files) -> None:
    files.store('a')
    files.manager.abort()
    assert files.names == []


def test_abort_rolls_back_in_reverse_order(files: Files, sandbox: Sandbox) -> None:
    files.storage.create_directory((*HOME, 'd'))
    entry = files.store('a')
    files.storage.move_file(entry, (*HOME, 'd', 'b'))
    files.store('a', b'another')
    files.manager.abort()
    assert files.names == []
    assert not sandbox.exists('/Shared/Home/d')


def test_abort_restores_former_version(files: Files, sandbox: Sandbox) -> None:
    sandbox.upload('/Shared/Home/a', b'former')
    files.store('a', b'new')
    files.store('a', b'newer')
    files.manager.abort()
    assert sandbox.content('/Shared/Home/a') == b'former'


def test_abort_keeps_concurrent_changes(files: Files, sandbox: Sandbox) -> None:
    files.store('a', b'ours')
    files.storage.create_directory((*HOME, 'd'))
    sandbox.upload('/Shared/Home/a', b'theirs')
    sandbox.upload('/Shared/Home/d/b', b'theirs')
    files.manager.abort()
    assert sandbox.content('/Shared/Home/a') == b'theirs'
    assert sandbox.content('/Shared/Home/d/b') == b'theirs'


@pytest.mark.parametrize('token', [TOKEN])
def test_abort_restores_deleted_items(files: Files, sandbox: Sandbox) -> None:
    entry = files.real.store_file((*HOME, 'a'), content(b'first'))[0]
    entry = files.real.store_file((*HOME, 'a'), content(b'second'), entry)[0]
    directory = files.real.create_directory((*HOME, 'd'))[0]
    files.storage.delete(entry)
    files.storage.delete(directory)
    assert files.names == []
    files.manager.abort()
    assert files.names == ['d', 'a']
    assert sandbox.content('/Shared/Home/a') == b'second'
    assert files.real.stat_file((*HOME, 'a')).id == entry.id


@pytest.mark.parametrize('token', [ORDINARY])
def test_unrestorable_deletion_is_logged_for_repair(
    files: Files, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    files.store('b')
    entry = files.real.store_file((*HOME, 'a'), content(b'x'))[0]
    files.storage.delete(entry)
    files.manager.abort()
    assert files.names == [], 'all the rest was taken back'
    assert f'could not take back: deleted /Shared/Home/a (id {entry.id}' in caplog.text
    items = sandbox.api('GET', '/pubapi/v2/fs/trash').json()['items']
    assert '/Shared/Home/a' in [item['path'] for item in items]


def move_over(files: Files, sandbox: Sandbox) -> None:
    sandbox.upload('/Shared/Home/a', b'a')
    sandbox.upload('/Shared/Home/d/a', b'replaced')
    Operations(files.storage).move_file((*HOME, 'a'), (*HOME, 'd'), Strategy.REPLACE)
    assert sandbox.content('/Shared/Home/d/a') == b'a'


@pytest.mark.parametrize('token', [TOKEN])
def test_abort_rolls_back_replacing_move(files: Files, sandbox: Sandbox) -> None:
    move_over(files, sandbox)
    files.manager.abort()
    assert (sandbox.content('/Shared/Home/a'), sandbox.content('/Shared/Home/d/a')) == (b'a', b'replaced')
    assert [item.name for item in files.real.list_directory((*HOME, 'd'), fresh=True).items] == ['a']


@pytest.mark.parametrize('token', [ORDINARY])
def test_abort_without_trash_access_leaves_replaced_file_in_trash(
    files: Files, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    move_over(files, sandbox)
    files.manager.abort()
    assert (sandbox.content('/Shared/Home/a'), sandbox.content('/Shared/Home/d/a')) == (b'a', None)
    assert 'could not take back: deleted /Shared/Home/d/a_' in caplog.text
    (item,) = sandbox.api('GET', '/pubapi/v2/fs/trash').json()['items']
    sandbox.api('POST', '/pubapi/v1/fs/trash', json={'action': 'RESTORE', 'ids': [item['id']]}).raise_for_status()
    assert sandbox.content(item['path']) == b'replaced'


def test_failed_replacing_move_needs_no_trash(files: Files, sandbox: Sandbox) -> None:
    sandbox.fail({'method': 'DELETE', 'times': 9, 'status': 500})
    with pytest.raises(FSPError):
        move_over(files, sandbox)
    files.manager.abort()
    assert (sandbox.content('/Shared/Home/a'), sandbox.content('/Shared/Home/d/a')) == (b'a', b'replaced')


def test_reading_joins_no_transaction(files: Files) -> None:
    entry = files.real.store_file((*HOME, 'a'), content(b'x'))[0]
    files.storage.list_directory(HOME)
    files.storage.stat_file((*HOME, 'a'))
    files.storage.open_file(entry.id).close()
    assert files.manager.get()._resources == []


@pytest.mark.parametrize('phase', ['tpc_begin', 'commit', 'tpc_vote'])
@pytest.mark.parametrize('key', ['!first', '~last'])
@pytest.mark.parametrize('joins', ['before', 'after'])
def test_failing_participant_rolls_back_changes(files: Files, phase: str, key: str, joins: str) -> None:
    other = Other(phase, key)
    if joins == 'before':
        files.manager.get().join(other)
    files.store('a')
    if joins == 'after':
        files.manager.get().join(other)
    with pytest.raises(Refused):
        files.manager.commit()
    assert files.names == []
    files.manager.abort()
    files.manager.begin()
    files.store('b')
    files.manager.commit()
    assert files.names == ['b']


def test_participant_failing_in_tpc_finish_keeps_changes(files: Files) -> None:
    """Keep the changes: all participants have voted, and the undo log has finished."""
    files.manager.get().join(Other('tpc_finish'))
    files.store('a')
    with pytest.raises(Refused):
        files.manager.commit()
    assert files.names == ['a']


def test_after_commit_hook_keeps_changes(files: Files) -> None:
    # transaction aborts every participant after such a hook, in case it changed something.
    outcomes: list[bool] = []
    files.manager.get().addAfterCommitHook(outcomes.append)
    files.store('a')
    files.manager.commit()
    assert outcomes == [True]
    assert files.names == ['a']


def test_before_commit_hook_may_write(files: Files) -> None:
    files.manager.get().addBeforeCommitHook(files.store, ('a',))
    files.manager.get().join(Other('tpc_vote'))
    with pytest.raises(Refused):
        files.manager.commit()
    assert files.names == []


def test_doomed_transaction_rolls_back_changes(files: Files) -> None:
    files.store('a')
    files.manager.doom()
    with pytest.raises(transaction.interfaces.DoomedTransaction):
        files.manager.commit()
    files.manager.abort()
    assert files.names == []


def test_abort_is_idempotent(files: Files, sandbox: Sandbox) -> None:
    files.store('a')
    current = files.manager.get()
    files.log.tpc_begin(current)
    files.log.commit(current)
    files.log.tpc_vote(current)
    sandbox.forget_calls()
    for abort in (files.log.tpc_abort, files.log.abort, files.log.tpc_abort):
        abort(current)
        assert len(sandbox.calls) == 1
    assert files.names == []


def test_abort_after_finish_keeps_changes(files: Files) -> None:
    files.store('a')
    current = files.manager.get()
    for phase in ('tpc_begin', 'commit', 'tpc_vote', 'tpc_finish', 'abort', 'tpc_abort'):
        getattr(files.log, phase)(current)
    assert files.names == ['a']


def test_savepoint_rollback_undoes_later_changes(files: Files) -> None:
    files.store('a')
    savepoint = files.manager.savepoint()
    files.store('b')
    inner = files.manager.savepoint()
    files.store('c')
    inner.rollback()
    assert files.names == ['a', 'b']
    files.store('d')
    savepoint.rollback()
    assert files.names == ['a']
    savepoint.rollback()
    files.store('e')
    files.manager.commit()
    assert files.names == ['a', 'e']


def test_abort_after_savepoint_rollback_undoes_all_changes(files: Files) -> None:
    files.store('a')
    files.manager.savepoint().rollback()
    files.store('b')
    files.manager.abort()
    assert files.names == []


def test_savepoint_before_first_change_rolls_back(files: Files) -> None:
    files.manager.get().join(Other())
    savepoint = files.manager.savepoint()
    files.store('a')
    # The undo log joined after the savepoint, so transaction aborts it and removes it from the participants.
    savepoint.rollback()
    assert files.names == []
    files.store('b')
    files.manager.commit()
    assert files.names == ['b']


def test_abort_after_savepoint_before_first_change_rolls_back(files: Files) -> None:
    files.manager.get().join(Other())
    savepoint = files.manager.savepoint()
    for name in ('a', 'b'):
        files.store(name)
        savepoint.rollback()
    files.store('c')
    files.manager.abort()
    assert files.names == []


def test_failed_transaction_refuses_writes(files: Files) -> None:
    class Broken(Other):
        def savepoint(self) -> Any:
            raise Refused('savepoint')

    files.manager.get().join(Broken())
    with pytest.raises(Refused):
        files.manager.savepoint()
    with pytest.raises(transaction.interfaces.TransactionFailedError):
        files.storage.store_file((*HOME, 'a'), content(b'x'))
    files.manager.abort()
    assert files.names == []


def test_undo_log_is_reusable_across_transactions(files: Files) -> None:
    for name, end in (('a', 'commit'), ('b', 'abort'), ('c', 'commit')):
        files.store(name)
        getattr(files.manager, end)()
        files.manager.begin()
    assert files.names == ['a', 'c']


def test_failed_rollback_is_logged_for_repair(files: Files, sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    first = files.store('a')
    moved = files.storage.move_file(first, (*HOME, 'b'))[0]
    files.store('c')
    sandbox.fail({'method': 'POST', 'path_prefix': '/pubapi/v1/fs/Shared/Home/b', 'times': 9, 'status': 500})
    sandbox.forget_calls()
    files.manager.abort()  # raises nothing
    failures = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(failures) == 1
    message = failures[0].getMessage()
    for needed in ('moved', '/Shared/Home/b', '/Shared/Home/a', str(moved.id), str(moved.version_id)):
        assert needed in message
    assert failures[0].exc_info is not None
    assert issubclass(failures[0].exc_info[0], FSPError)
    assert 'Bearer' not in caplog.text
    # The rollback continued with the other changes: the file stored as "a" and moved is deleted by its id.
    assert files.names == []


def test_failed_rollback_does_not_mask_original_error(files: Files, sandbox: Sandbox) -> None:
    files.store('a')
    files.manager.get().join(Other('tpc_vote'))
    sandbox.fail({'method': 'DELETE', 'times': 9, 'status': 500})
    with pytest.raises(Refused):
        files.manager.commit()
    sandbox.fail()
    assert files.names == ['a']


class Base(DeclarativeBase):
    pass


class Owner(Base):
    __tablename__ = 'owner'
    id: Mapped[int] = mapped_column(primary_key=True)


class Row(Base):
    """Row with a deferred foreign key, checked at COMMIT: the latest possible failure."""

    __tablename__ = 'row'
    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[int] = mapped_column(ForeignKey('owner.id', deferrable=True, initially='DEFERRED'))


@pytest.fixture
def session(tmp_path: Path, manager: Any) -> Session:
    # NullPool: SQLite leaves the transaction open after a failed COMMIT, without SQLAlchemy's knowledge.
    engine = create_engine(f'sqlite:///{tmp_path}/rows.sqlite', poolclass=NullPool)
    event.listen(engine, 'connect', lambda connection, _: connection.execute('PRAGMA foreign_keys = ON').close())
    Base.metadata.create_all(engine)
    session = Session(engine)
    register(session, transaction_manager=manager)
    return session


@pytest.mark.parametrize('order', ['file first', 'row first'])
@pytest.mark.parametrize('row', [{'owner': 7}, {'owner': None}], ids=['fails at COMMIT', 'fails before'])
def test_failed_database_rolls_back_upload(files: Files, session: Session, row: Any, order: str) -> None:
    steps = [lambda: files.store('a'), lambda: session.add(Row(**row))]
    for step in steps if order == 'file first' else reversed(steps):
        step()
    with pytest.raises(Exception, match='constraint failed'):
        files.manager.commit()
    assert files.names == []
    files.manager.abort()
    files.manager.begin()
    assert session.query(Row).all() == []


def test_failed_upload_rolls_back_row(files: Files, session: Session, sandbox: Sandbox) -> None:
    session.add(Owner(id=1))
    session.flush()
    sandbox.fail({'method': 'POST', 'path_prefix': '/pubapi/v1/fs-content', 'times': 9, 'status': 500})
    with pytest.raises(FSPError):
        files.store('a')
    files.manager.abort()
    files.manager.begin()
    assert session.query(Owner).all() == []


def test_row_and_upload_are_committed_together(files: Files, session: Session) -> None:
    session.add_all((Owner(id=1), Row(owner=1)))
    files.store('a')
    files.manager.commit()
    files.manager.begin()
    assert len(session.query(Row).all()) == 1
    assert files.names == ['a']
