"""Move that replaces a file: neither a failed call nor a killed process loses one of the contents."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from fsp_pyramid import errors
from fsp_pyramid.concurrency.locks import KeyedLocks
from fsp_pyramid.egnyte import Client, RateLimiter
from fsp_pyramid.embedded import TOKEN, URL
from fsp_pyramid.model import Strategy
from fsp_pyramid.sandbox.permissions import Level
from fsp_pyramid.storage.cached import CachedStorage
from fsp_pyramid.storage.egnyte import EgnyteStorage
from fsp_pyramid.storage.listing_cache import ListingCache
from fsp_pyramid.storage.operations import Operations
from fsp_pyramid.storage.undo import UndoLog, UndoStorage
from fsp_pyramid.testing import Sandbox

from ..permissions import ORDINARY, grant
from .hooks import Connection, answering, cut

HOME = ('Shared', 'Home')
SOURCE, TARGET = '/Shared/Home/a', '/Shared/Home/d/a'


@pytest.fixture
def connection(sandbox: Sandbox) -> Connection:
    return Connection(sandbox)


@pytest.fixture(params=['administrator', 'ordinary user'])
def token(request: pytest.FixtureRequest) -> str:
    return TOKEN if request.param == 'administrator' else ORDINARY


class Mover:
    """A user who moves /Shared/Home/a over /Shared/Home/d/a, with an undo log."""

    def __init__(self, connection: Connection, token: str) -> None:
        # Patient enough for a fault that goes away at once, and not for one that stays.
        client = Client(URL, token, session=connection.session, rate_limiter=RateLimiter(), max_wait=0.01)
        self.cached = CachedStorage(EgnyteStorage(client, KeyedLocks(), 'a'), ListingCache(60), 'a')
        self.log = UndoLog()
        self.operations = Operations(UndoStorage(self.cached, self.log))

    def move(self) -> None:
        self.operations.move_file((*HOME, 'a'), (*HOME, 'd'), Strategy.REPLACE)

    def listed(self, *names: str) -> list[str]:
        return [item.name for item in self.operations.list_directory((*HOME, *names)).items]


@pytest.fixture
def mover(sandbox: Sandbox, connection: Connection, token: str, tmp_path: Path) -> Mover:
    sandbox.upload(SOURCE, b'mine')
    sandbox.upload(TARGET, b'precious')
    grant(tmp_path, '/Shared/Home', 'alice', Level.FULL)
    sandbox.forget_calls()
    return Mover(connection, token)


def contents(sandbox: Sandbox) -> set[bytes | None]:
    """Return all contents in the two directories, under any name."""
    found = set()
    for folder in ('/Shared/Home', '/Shared/Home/d'):
        listing = sandbox.api('GET', f'/pubapi/v1/fs{folder}').json()
        found |= {sandbox.content(file['path']) for file in listing['files']}
    return found


def is_change(request: requests.PreparedRequest) -> bool:
    return request.method != 'GET'


def at(number: int, then: Callable[[Any], Any], *, for_ever: bool = False) -> Callable[[Any], Any]:
    """Return a hook that calls *then* at the change of that number, and at all later ones if *for_ever*."""
    count = 0

    def hook(request: requests.PreparedRequest) -> requests.Response | None:
        nonlocal count
        if not is_change(request):
            return None
        count += 1
        return then(request) if count == number or (for_ever and count > number) else None

    return hook


def test_replacing_move_takes_three_calls_and_deletes_last(mover: Mover, sandbox: Sandbox) -> None:
    mover.move()
    assert [call.partition(' ')[0] for call in sandbox.calls] == ['GET', 'GET', 'POST', 'POST', 'DELETE']
    assert (sandbox.content(SOURCE), sandbox.content(TARGET)) == (None, b'mine')
    assert (mover.listed(), mover.listed('d')) == (['d'], ['a'])


def test_move_stands_if_the_calls_of_the_day_end_before_the_deletion(
    mover: Mover, sandbox: Sandbox, connection: Connection
) -> None:
    """Rolling it back would need calls, too."""
    used_up = answering(403, X_Mashery_Error_Code='ERR_403_DEVELOPER_OVER_RATE', Retry_After='3600')
    connection.before = at(3, used_up, for_ever=True)
    mover.move()
    connection.heal()
    assert sandbox.content(TARGET) == b'mine'
    assert contents(sandbox) == {b'mine', b'precious'}


@pytest.mark.parametrize('replaced', [(TARGET,), (SOURCE, TARGET)], ids=['target', 'both'])
def test_files_that_were_replaced_at_egnyte_stay_where_they_are(
    mover: Mover, sandbox: Sandbox, replaced: tuple[str, ...]
) -> None:
    """The listings are of the time before that."""
    mover.listed()
    mover.listed('d')
    for path in replaced:
        sandbox.api('DELETE', f'/pubapi/v1/fs{path}').raise_for_status()
        sandbox.upload(path, path.encode())
    with pytest.raises(errors.NotFound):
        mover.move()
    mover.log.roll_back()
    assert contents(sandbox) == {b'mine' if SOURCE not in replaced else SOURCE.encode(), TARGET.encode()}
    assert sandbox.content(TARGET) == TARGET.encode()
    assert (mover.listed(), mover.listed('d')) == (['d', 'a'], ['a'])


def test_folder_that_took_the_place_of_the_target_stays_where_it_is(mover: Mover, sandbox: Sandbox) -> None:
    mover.listed()
    mover.listed('d')
    sandbox.api('DELETE', f'/pubapi/v1/fs{TARGET}').raise_for_status()
    sandbox.upload(f'{TARGET}/inner', b'theirs')
    with pytest.raises(errors.NotFound):
        mover.move()
    mover.log.roll_back()
    assert sandbox.content(f'{TARGET}/inner') == b'theirs'
    assert sandbox.content(SOURCE) == b'mine'


@pytest.mark.parametrize('number', [1, 2, 3])
@pytest.mark.parametrize(
    ('side', 'fault'),
    [('before', answering(status)) for status in (400, 403, 404, 409, 500, 503)] + [('before', cut), ('after', cut)],
    ids=['400', '403', '404', '409', '500', '503', 'cut before', 'cut after'],
)
def test_failure_of_one_call_is_rolled_back(
    mover: Mover, sandbox: Sandbox, connection: Connection, number: int, side: str, fault: Any
) -> None:
    """The answer describes the stored state, without permission for the trash."""
    setattr(connection, side, at(number, fault))
    try:
        mover.move()
    except errors.FSPError:
        mover.log.roll_back()
        assert (sandbox.content(SOURCE), sandbox.content(TARGET)) == (b'mine', b'precious')
        assert (mover.listed(), mover.listed('d')) == (['d', 'a'], ['a'])
    else:
        assert (sandbox.content(SOURCE), sandbox.content(TARGET)) == (None, b'mine')


@pytest.mark.parametrize(
    ('number', 'fault'),
    [(1, cut), (2, cut), *((number, answering(status)) for number in (1, 2, 3) for status in (503, 403))],
)
def test_failure_of_all_later_calls_loses_nothing(
    mover: Mover, sandbox: Sandbox, connection: Connection, number: int, fault: Any
) -> None:
    """The rollback fails as well, as if the process were killed."""
    connection.before = at(number, fault, for_ever=True)
    with pytest.raises(errors.FSPError):
        mover.move()
    mover.log.roll_back()
    assert contents(sandbox) == {b'mine', b'precious'}


def test_deletion_that_takes_effect_late_loses_nothing(
    mover: Mover, sandbox: Sandbox, connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    """It goes by the id: if the old file were moved back, it would be deleted there after the answer with an error."""
    late: list[str] = []

    def lose(request: requests.PreparedRequest) -> None:
        late.append(str(request.path_url))
        cut(request)

    connection.before = at(3, lose, for_ever=True)
    mover.move()
    mover.log.forget()
    assert contents(sandbox) == {b'mine', b'precious'}
    assert sandbox.content(TARGET) == b'mine'
    assert 'may be left at /Shared/Home/d/a_' in caplog.text
    connection.heal()
    sandbox.api('DELETE', late[0])
    assert contents(sandbox) == {b'mine'}


def test_name_taken_by_another_caller_in_between(mover: Mover, sandbox: Sandbox, connection: Connection) -> None:
    """The move is not retried after its first call: a retry would move a second file aside and lose the first one."""

    def theirs(_request: Any) -> None:
        connection.heal()
        sandbox.upload(TARGET, b'theirs')

    connection.after = at(1, theirs)
    with pytest.raises(errors.Conflict):
        mover.move()
    mover.log.roll_back()
    assert contents(sandbox) == {b'mine', b'precious', b'theirs'}
    assert (sandbox.content(SOURCE), sandbox.content(TARGET)) == (b'mine', b'theirs')


def test_deleted_file_that_was_moved_aside_is_no_failure(
    mover: Mover, sandbox: Sandbox, connection: Connection
) -> None:
    def theirs(_request: Any) -> None:
        connection.heal()
        listing = sandbox.api('GET', '/pubapi/v1/fs/Shared/Home/d').json()
        (aside,) = [file['path'] for file in listing['files'] if file['name'] != 'a']
        sandbox.api('DELETE', f'/pubapi/v1/fs{aside}').raise_for_status()

    connection.after = at(2, theirs)
    mover.move()
    assert contents(sandbox) == {b'mine'}


def test_refused_deletion_of_the_old_file_is_rolled_back(
    mover: Mover, sandbox: Sandbox, connection: Connection
) -> None:
    """Egnyte says that there is no such file, and there is: two files must not remain."""
    connection.before = at(3, answering(404))
    with pytest.raises(errors.NotFound):
        mover.move()
    connection.heal()
    mover.log.roll_back()
    assert (sandbox.content(SOURCE), sandbox.content(TARGET)) == (b'mine', b'precious')
    assert (mover.listed(), mover.listed('d')) == (['d', 'a'], ['a'])


def test_deletion_whose_answers_all_get_lost_is_done(mover: Mover, sandbox: Sandbox, connection: Connection) -> None:
    connection.after = at(3, cut, for_ever=True)
    mover.move()
    assert contents(sandbox) == {b'mine'}
    assert (mover.listed(), mover.listed('d')) == (['d'], ['a'])


@pytest.mark.parametrize('status', [302, 400, 401, 403, 408, 500, 503])
def test_deletion_that_is_carried_out_in_spite_of_an_error_succeeds(
    mover: Mover, sandbox: Sandbox, connection: Connection, status: int
) -> None:
    connection.after = at(3, answering(status))
    mover.move()
    assert contents(sandbox) == {b'mine'}
    assert (mover.listed(), mover.listed('d')) == (['d'], ['a'])


def test_deletion_with_an_unknown_outcome_is_not_rolled_back(
    mover: Mover, sandbox: Sandbox, connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    """Egnyte deletes the old file, and answers nothing from then on."""

    def silence(_request: Any) -> None:
        connection.before = cut
        cut(_request)

    connection.after = at(3, silence)
    mover.move()
    connection.heal()
    mover.log.forget()
    assert contents(sandbox) == {b'mine'}
    assert [record.message for record in caplog.records if 'may be left' in record.message]


@pytest.mark.parametrize('path', [SOURCE, TARGET])
@pytest.mark.parametrize('known', [False, True], ids=['cold', 'known'])
def test_locked_file_is_refused_before_any_change(mover: Mover, sandbox: Sandbox, path: str, known: bool) -> None:
    sandbox.api('POST', f'/pubapi/v1/fs{path}', json={'action': 'lock'}).raise_for_status()
    if known:
        mover.listed()
        mover.listed('d')
    sandbox.forget_calls()
    with pytest.raises(errors.Locked, match='"a" is locked'):
        mover.move()
    assert all(call.startswith('GET ') for call in sandbox.calls)


def test_file_unlocked_since_it_was_listed(mover: Mover, sandbox: Sandbox) -> None:
    sandbox.api('POST', f'/pubapi/v1/fs{SOURCE}', json={'action': 'lock'}).raise_for_status()
    mover.listed()
    mover.listed('d')
    sandbox.api('POST', f'/pubapi/v1/fs{SOURCE}', json={'action': 'unlock'}).raise_for_status()
    mover.move()
    assert sandbox.content(TARGET) == b'mine'


@pytest.mark.parametrize('folder', ['/Shared/Home/s', '/Shared/Home/d'])
@pytest.mark.parametrize('token', [ORDINARY])
def test_missing_permission_to_delete_changes_nothing(
    sandbox: Sandbox, connection: Connection, tmp_path: Path, folder: str, token: str
) -> None:
    sandbox.upload('/Shared/Home/s/a', b'mine')
    sandbox.upload(TARGET, b'precious')
    grant(tmp_path, '/Shared/Home', 'alice', Level.FULL)
    grant(tmp_path, folder, 'alice', Level.EDITOR)
    mover = Mover(connection, token)
    sandbox.forget_calls()
    with pytest.raises(errors.Forbidden, match='neither deleted nor moved'):
        mover.operations.move_file((*HOME, 's', 'a'), (*HOME, 'd'), Strategy.REPLACE)
    assert all(call.startswith('GET ') for call in sandbox.calls)


@pytest.mark.parametrize('token', [ORDINARY])
def test_editor_adds_and_changes_only(sandbox: Sandbox, connection: Connection, tmp_path: Path, token: str) -> None:
    sandbox.upload('/Shared/Home/d/a', b'x')
    grant(tmp_path, '/Shared/Home', 'alice', Level.EDITOR)
    operations = Mover(connection, token).operations
    sandbox.forget_calls()
    operations.create_directory((*HOME, 'new'))
    refused: list[Callable[[], Any]] = [
        lambda: operations.delete_file((*HOME, 'd', 'a')),
        lambda: operations.move_file((*HOME, 'd', 'a'), HOME, Strategy.ASK),
        lambda: operations.delete_directory((*HOME, 'd')),
    ]
    for call in refused:
        with pytest.raises(errors.Forbidden, match='neither deleted nor moved'):
            call()
    assert [call.partition(' ')[0] for call in sandbox.calls].count('POST') == 1
