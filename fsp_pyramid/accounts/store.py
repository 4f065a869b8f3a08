"""The accounts that users connected: who has one, what it may be used for, and its tokens, kept fresh."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from sqlalchemy import case, delete, select, update
from sqlalchemy.orm import Session

from ..database.inserts import INSERT
from ..egnyte.errors import EgnyteError, GrantRefused
from ..egnyte.oauth import Tokens
from ..errors import Busy, NotFound
from .database import Sessions
from .encryption import TokenCipher, VaultError
from .models import AccountRow, State, StateRow

log = logging.getLogger(__name__)

# Rows are read to be told of, so what a session remembers of them is of no use.
AS_IT_IS = {'populate_existing': True}


class NotConnected(Exception):
    """The account has no tokens; *state* says why."""

    def __init__(self, number: int, state: State) -> None:
        super().__init__(f'account {number} is {state}')
        self.state = state


@dataclass(frozen=True, slots=True)
class Connection:
    """A user's account at Egnyte.

    :param number: names it in public links; never given to another (client, client_id, uid)
    :param client: the name of the configured client
    :param egnyte_url: ``https://acme.egnyte.com``
    :param folder: the Egnyte path that the user picked; None where none was
    :param expires_at: when the access token ends, in UNIX seconds; None if it does not
    :param tokens: None where the state is not ``connected``, and in lists
    """

    number: int
    client: str
    client_id: str
    uid: str
    egnyte_url: str
    username: str
    state: State
    folder: str | None
    expires_at: float | None
    created_at: float
    updated_at: float
    tokens: Tokens | None = field(default=None, repr=False)


class Rotation(NamedTuple):
    """How many accounts are sealed anew, and the numbers of those that no key opens: they have to connect again."""

    sealed: int
    unreadable: tuple[int, ...]


class AccountStore:
    """The accounts, for one request.

    All methods raise Busy where the database does not answer, or others keep it busy for too long.

    :meth:`connect`, :meth:`disconnect`, :meth:`set_folder` and what looks accounts up take part in the request's
    transaction. The others commit by themselves, because a failing request must not take them back, and see only what
    is committed.

    :param clock: UNIX time in seconds
    """

    def __init__(self, sessions: Sessions, vault: TokenCipher, clock: Callable[[], float]) -> None:
        self._sessions, self._vault, self._clock = sessions, vault, clock

    def find(self, client: str, client_id: str, uid: str) -> Connection | None:
        """The account of a user, in any state; None if there never was one.

        Where its tokens cannot be opened it is ``expired``, and has none.
        """
        owner = {'client': client, 'client_id': client_id, 'uid': uid}
        with self._sessions.looking() as session:
            row = session.scalar(select(AccountRow).filter_by(**owner), execution_options=AS_IT_IS)
            return row and self._connection(row)

    def by_number(self, number: int) -> Connection | None:
        """The account of that number, as :meth:`find` tells it."""
        with self._sessions.looking() as session:
            row = _row(session, number)
            return row and self._connection(row)

    def list_all(self, client: str | None = None) -> tuple[Connection, ...]:
        """All accounts, or those of one configured client, by number and without their tokens."""
        rows = select(AccountRow).order_by(AccountRow.id)
        if client is not None:
            rows = rows.filter_by(client=client)
        with self._sessions.looking() as session:
            return tuple(_told(row) for row in session.scalars(rows, execution_options=AS_IT_IS))

    def connect(
        self, client: str, client_id: str, uid: str, egnyte_url: str, username: str, tokens: Tokens
    ) -> Connection:
        """Keep what the user granted, in place of what was there.

        The folder stays picked if this is the same user at the same Egnyte.
        """
        now = self._clock()
        owner = {'client': client, 'client_id': client_id, 'uid': uid}
        granted = {
            'egnyte_url': egnyte_url,
            'username': username,
            'sealed': self._seal(tokens, (client, client_id, uid, egnyte_url)),
            'expires_at': tokens.expires_at,
            'state': State.CONNECTED,
            'updated_at': now,
        }
        same = (AccountRow.egnyte_url == egnyte_url) & (AccountRow.username == username)
        replaced = granted | {'folder': case((same, AccountRow.folder))}
        with self._sessions.changing() as session:
            number = session.execute(
                _insert(session, AccountRow)
                .values(**owner, **granted, created_at=now)
                .on_conflict_do_update(index_elements=list(owner), set_=replaced)
                .returning(AccountRow.id)
            ).scalar_one()
            return self._connection(_existing(session, number))

    def disconnect(self, number: int) -> None:
        """Forget the tokens; the number and the folder stay for the day when the user comes back. Raises NotFound."""
        with self._sessions.changing() as session:
            self._change(session, number, sealed=None, expires_at=None, state=State.DISCONNECTED)

    def set_folder(self, number: int, path: str | None) -> None:
        """Where the account's files go. Raises NotFound."""
        with self._sessions.changing() as session:
            self._change(session, number, folder=path)

    def expire(self, number: int, refused: Tokens | None = None) -> bool:
        """Egnyte takes the tokens no more: forget them. Commits by itself.

        *refused* are those that Egnyte refused; where the account has others by now, or none, nothing happens and the
        result is False. Raises NotFound, Busy.
        """
        with self._sessions.own() as session:
            row = _locked(session, number)
            if row.state != State.CONNECTED or (refused and self._tokens(row).access != refused.access):
                return False
            self._expire(session, number)
        return True

    def fresh(
        self,
        number: int,
        refresh: Callable[[str, Tokens], Tokens],
        margin: float = 300,
        refused: Tokens | None = None,
    ) -> Tokens:
        """The account's tokens, good for *margin* seconds or more. Commits by itself.

        They are refreshed once, however many threads and processes ask at once; the others wait for it. Where Egnyte
        is in trouble or the refresh of another takes too long, tokens that are still good are given as they are.

        :param refresh: gets the account's ``egnyte_url`` and its tokens, and gives new ones
        :param refused: tokens that Egnyte refused although their time had not come: due for a refresh, too

        Raises NotFound, NotConnected, GrantRefused (the account is ``expired`` from then on), VaultError, Busy where
        the refresh of another takes too long, and the other errors of *refresh*.
        """

        def due(tokens: Tokens, seconds: float = margin) -> bool:
            return self._ends_within(tokens, seconds) or (refused is not None and tokens.access == refused.access)

        with self._sessions.own() as session:
            tokens = self._tokens(_existing(session, number))
        if not due(tokens):
            return tokens
        try:
            return self._refreshed(number, refresh, due)
        except Busy:
            if due(tokens, 0):
                raise
            return tokens

    def _refreshed(self, number: int, refresh: Callable[[str, Tokens], Tokens], due: Callable[..., bool]) -> Tokens:
        with self._sessions.own() as session:
            row = _locked(session, number)
            tokens = self._tokens(row)
            if not due(tokens):
                return tokens
            try:
                return self._renew(session, row, tokens, refresh)
            except GrantRefused as error:
                refusal = error
                self._expire(session, number)
            except EgnyteError as error:
                if due(tokens, 0):
                    raise
                log.warning('account %d: not refreshed yet: %s', number, error)
                return tokens
        # Only here: inside, it would take back what was just noted.
        raise refusal

    def rotate(self) -> Rotation:
        """Seal all tokens with the newest key. Commits account by account; doing it again does no harm."""
        with self._sessions.own() as session:
            numbers = session.scalars(select(AccountRow.id).where(AccountRow.sealed.is_not(None))).all()
        unreadable = tuple(number for number in numbers if not self._seal_anew(number))
        return Rotation(len(numbers) - len(unreadable), unreadable)

    def use_state(self, nonce: str, expires_at: float) -> bool:
        """Whether an OAuth ``state`` is used for the first time, and in time. Commits by itself."""
        now = self._clock()
        if expires_at <= now:
            # It may have been used, and be forgotten since.
            return False
        with self._sessions.own() as session:
            used = session.execute(
                _insert(session, StateRow)
                .values(nonce=nonce, expires_at=expires_at)
                .on_conflict_do_nothing()
                .returning(StateRow.nonce)
            )
            first = used.scalar() is not None
            session.execute(delete(StateRow).where(StateRow.expires_at <= now))
        return first

    def _ends_within(self, tokens: Tokens, seconds: float) -> bool:
        return tokens.expires_at is not None and tokens.expires_at <= self._clock() + seconds

    def _renew(
        self, session: Session, row: AccountRow, tokens: Tokens, refresh: Callable[[str, Tokens], Tokens]
    ) -> Tokens:
        new = refresh(row.egnyte_url, tokens)
        self._change(session, row.id, sealed=self._seal(new, _owner(row)), expires_at=new.expires_at)
        log.info('account %d: refreshed', row.id)
        return new

    def _expire(self, session: Session, number: int) -> None:
        self._change(session, number, sealed=None, expires_at=None, state=State.EXPIRED)
        log.info('account %d: expired', number)

    def _seal_anew(self, number: int) -> bool:
        with self._sessions.own() as session:
            row = _locked(session, number)
            try:
                sealed = row.sealed and self._vault.rotate(row.sealed, _owner(row))
            except VaultError as error:
                log.warning('account %d: %s', number, error)
                return False
            self._change(session, number, sealed=sealed)
        return True

    def _change(self, session: Session, number: int, **values: Any) -> None:
        _update(session, number, updated_at=self._clock(), **values)

    def _seal(self, tokens: Tokens, owner: tuple[str, ...]) -> str:
        return self._vault.seal({'access': tokens.access, 'refresh': tokens.refresh}, owner)

    def _tokens(self, row: AccountRow) -> Tokens:
        if row.sealed is None:
            raise NotConnected(row.id, row.state)
        try:
            return Tokens(**self._vault.open(row.sealed, _owner(row)), expires_at=row.expires_at)
        except VaultError as error:
            raise VaultError(f'the tokens of account {row.id}: {error}') from None

    def _connection(self, row: AccountRow) -> Connection:
        try:
            return replace(_told(row), tokens=self._tokens(row) if row.sealed else None)
        except VaultError as error:
            # As good as expired: its user can connect again, or disconnect.
            log.warning('%s', error)
            return replace(_told(row), state=State.EXPIRED)


def _told(row: AccountRow) -> Connection:
    return Connection(
        number=row.id,
        client=row.client,
        client_id=row.client_id,
        uid=row.uid,
        egnyte_url=row.egnyte_url,
        username=row.username,
        state=row.state,
        folder=row.folder,
        expires_at=row.expires_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _owner(row: AccountRow) -> tuple[str, ...]:
    # With the URL: whoever can write to the database could otherwise have tokens sent elsewhere.
    return (row.client, row.client_id, row.uid, row.egnyte_url)


def _row(session: Session, number: int) -> AccountRow | None:
    return session.get(AccountRow, number, populate_existing=True)


def _existing(session: Session, number: int) -> AccountRow:
    row = _row(session, number)
    if row is None:
        raise NotFound('There is no such account.')
    return row


def _locked(session: Session, number: int) -> AccountRow:
    """The row as it is once nobody else can change it, until the session's transaction ends."""
    # SQLite knows no SELECT ... FOR UPDATE; a change that changes nothing locks on both.
    _update(session, number, updated_at=AccountRow.updated_at)
    return _existing(session, number)


def _update(session: Session, number: int, **values: Any) -> None:
    statement = update(AccountRow).where(AccountRow.id == number).values(**values)
    if not session.execute(statement, execution_options={'synchronize_session': False}).rowcount:
        raise NotFound('There is no such account.')


def _insert(session: Session, model: type[AccountRow] | type[StateRow]) -> Any:
    return INSERT[session.get_bind(AccountRow).dialect.name](model)
