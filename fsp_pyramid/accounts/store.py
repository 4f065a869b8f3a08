"""Store of the accounts that users connected: their state, and their tokens, which it refreshes."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, cast

from sqlalchemy import CursorResult, case, delete, select, update
from sqlalchemy.orm import Session

from ..database.inserts import INSERT
from ..egnyte.errors import EgnyteError, GrantRefused
from ..egnyte.oauth import Tokens
from ..errors import Busy, NotFound
from . import NO_ACCOUNT
from .database import Sessions
from .encryption import DecryptionError, TokenCipher
from .models import AccountRow, State, StateRow

log = logging.getLogger(__name__)

# Rows are read as they are in the database: cached attributes of a session may be stale.
UNCACHED = {'populate_existing': True}


class NoTokens(Exception):
    """The account has no tokens; *state* tells the reason."""

    def __init__(self, number: int, state: State) -> None:
        super().__init__(f'account {number} is {state}')
        self.state = state


@dataclass(frozen=True, slots=True)
class Connection:
    """Account of a user at Egnyte.

    :param number: its number in public links; never reused for another (account_key, client_id, uid)
    :param account_key: key of the client's accounts (AccountKey without a number)
    :param egnyte_url: ``https://acme.egnyte.com``
    :param folder: Egnyte path that the user picked; None if none was picked
    :param expires_at: end of the access token in UNIX seconds; None if it has none
    :param tokens: None if the state is not ``connected``, and in lists
    """

    number: int
    account_key: str
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
    """Result of a key rotation: count of encrypted accounts, and numbers of those that no key decrypts."""

    encrypted: int
    unreadable: tuple[int, ...]


class AccountStore:
    """Accounts, for one request.

    All methods raise Busy if the database does not answer, or if other transactions hold it for too long.

    :meth:`connect`, :meth:`disconnect`, :meth:`set_folder` and the look-ups take part in the request's transaction. The
    other methods commit by themselves, because a failing request must not roll them back, and see only committed data.

    :param clock: UNIX time in seconds
    """

    def __init__(self, sessions: Sessions, cipher: TokenCipher, clock: Callable[[], float]) -> None:
        self._sessions, self._cipher, self._clock = sessions, cipher, clock

    def find(self, account_key: str, client_id: str, uid: str) -> Connection | None:
        """Return the account of a user in any state; None if there never was one.

        An account whose tokens cannot be decrypted is ``expired`` and has none.
        """
        owner = {'account_key': account_key, 'client_id': client_id, 'uid': uid}
        with self._sessions.reading() as session:
            row = session.scalar(select(AccountRow).filter_by(**owner), execution_options=UNCACHED)
            return None if row is None else self._connection(row)

    def by_number(self, number: int) -> Connection | None:
        """Return the account of that number, as :meth:`find` does."""
        with self._sessions.reading() as session:
            row = _row(session, number)
            return None if row is None else self._connection(row)

    def list_all(self, account_key: str | None = None) -> tuple[Connection, ...]:
        """Return all accounts, or those of one client, by number and without their tokens."""
        rows = select(AccountRow).order_by(AccountRow.id)
        if account_key is not None:
            rows = rows.filter_by(account_key=account_key)
        with self._sessions.reading() as session:
            return tuple(_to_connection(row) for row in session.scalars(rows, execution_options=UNCACHED))

    def connect(
        self, account_key: str, client_id: str, uid: str, egnyte_url: str, username: str, tokens: Tokens
    ) -> Connection:
        """Store the tokens that a user granted, in place of earlier ones.

        The picked folder stays if this is the same user at the same Egnyte.
        """
        now = self._clock()
        owner = {AccountRow.account_key: account_key, AccountRow.client_id: client_id, AccountRow.uid: uid}
        granted: dict[Any, Any] = {
            'egnyte_url': egnyte_url,
            'username': username,
            'sealed': self._encrypt(tokens, (account_key, client_id, uid, egnyte_url)),
            'expires_at': tokens.expires_at,
            'state': State.CONNECTED,
            'updated_at': now,
        }
        same = (AccountRow.egnyte_url == egnyte_url) & (AccountRow.username == username)
        replaced = granted | {'folder': case((same, AccountRow.folder))}
        with self._sessions.writing() as session:
            number = session.execute(
                _insert(session, AccountRow)
                .values(owner | {'created_at': now} | granted)
                .on_conflict_do_update(index_elements=list(owner), set_=replaced)
                .returning(AccountRow.id)
            ).scalar_one()
            return self._connection(_existing(session, number))

    def disconnect(self, number: int) -> None:
        """Delete the tokens; keep the number and the folder for a later reconnect. Raises NotFound."""
        with self._sessions.writing() as session:
            self._change(session, number, sealed=None, expires_at=None, state=State.DISCONNECTED)

    def set_folder(self, number: int, path: str | None) -> None:
        """Set the folder of the account's files; None for the default. Raises NotFound."""
        with self._sessions.writing() as session:
            self._change(session, number, folder=path)

    def expire(self, number: int, refused: Tokens | None = None) -> bool:
        """Delete tokens that Egnyte refuses. Commits by itself.

        If the account has other tokens than *refused* by now, or none, do nothing and return False. Raises NotFound,
        Busy.
        """
        with self._sessions.own() as session:
            row = _locked(session, number)
            if row.state != State.CONNECTED or (refused and self._tokens(row).access != refused.access):
                return False
            self._expire(session, number)
        return True

    def fresh_tokens(
        self,
        number: int,
        refresh: Callable[[str, Tokens], Tokens],
        margin: float = 300,
        refused: Tokens | None = None,
    ) -> Tokens:
        """Return the account's tokens, valid for *margin* seconds or more. Commits by itself.

        Concurrent callers in all threads and processes share one refresh. If Egnyte fails, or if the refresh of another
        caller takes too long, tokens that are still valid are returned as they are.

        :param refresh: returns new tokens for the account's ``egnyte_url`` and tokens
        :param refused: tokens that Egnyte refused before their expiry: these are refreshed as well

        Raises NotFound, NoTokens, GrantRefused (the account is ``expired`` from then on), DecryptionError, Busy if the
        refresh of another caller takes too long, and the other errors of *refresh*.
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
                log.warning('account %d: refresh failed, its tokens are still valid: %s', number, error)
                return tokens
        # Not inside: there, it would roll back the expiry.
        raise refusal

    def rotate(self) -> Rotation:
        """Encrypt all tokens with the newest key. Commits account by account; it may be repeated."""
        with self._sessions.own() as session:
            numbers = session.scalars(select(AccountRow.id).where(AccountRow.sealed.is_not(None))).all()
        unreadable = tuple(number for number in numbers if not self._reencrypt(number))
        return Rotation(len(numbers) - len(unreadable), unreadable)

    def use_state(self, nonce: str, expires_at: float) -> bool:
        """Mark an OAuth ``state`` as used. Return False if it was used before or is expired. Commits by itself."""
        now = self._clock()
        if expires_at <= now:
            # Its row may have been deleted since its first use.
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
        self._change(session, row.id, sealed=self._encrypt(new, owner_of(row)), expires_at=new.expires_at)
        log.info('account %d: refreshed', row.id)
        return new

    def _expire(self, session: Session, number: int) -> None:
        self._change(session, number, sealed=None, expires_at=None, state=State.EXPIRED)
        log.info('account %d: expired', number)

    def _reencrypt(self, number: int) -> bool:
        with self._sessions.own() as session:
            row = _locked(session, number)
            try:
                sealed = row.sealed and self._cipher.rotate(row.sealed, owner_of(row))
            except DecryptionError as error:
                log.warning('account %d: %s', number, error)
                return False
            self._change(session, number, sealed=sealed)
        return True

    def _change(self, session: Session, number: int, **values: Any) -> None:
        _update(session, number, updated_at=self._clock(), **values)

    def _encrypt(self, tokens: Tokens, owner: tuple[str, ...]) -> str:
        return self._cipher.encrypt({'access': tokens.access, 'refresh': tokens.refresh}, owner)

    def _tokens(self, row: AccountRow) -> Tokens:
        if row.sealed is None:
            raise NoTokens(row.id, row.state)
        try:
            return Tokens(**self._cipher.decrypt(row.sealed, owner_of(row)), expires_at=row.expires_at)
        except DecryptionError as error:
            raise DecryptionError(f'the tokens of account {row.id}: {error}') from None

    def _connection(self, row: AccountRow) -> Connection:
        try:
            return replace(_to_connection(row), tokens=self._tokens(row) if row.sealed else None)
        except DecryptionError as error:
            # Treated as expired: its user can connect again, or disconnect.
            log.warning('%s', error)
            return replace(_to_connection(row), state=State.EXPIRED)


def _to_connection(row: AccountRow) -> Connection:
    return Connection(
        number=row.id,
        account_key=row.account_key,
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


def owner_of(row: Any) -> tuple[str, ...]:
    """Return the owner that the tokens of a row are encrypted for."""
    # With the URL: otherwise write access to the database would suffice to send tokens to another host.
    return (row.account_key, row.client_id, row.uid, row.egnyte_url)


def _row(session: Session, number: int) -> AccountRow | None:
    return session.get(AccountRow, number, populate_existing=True)


def _existing(session: Session, number: int) -> AccountRow:
    row = _row(session, number)
    if row is None:
        raise NotFound(NO_ACCOUNT)
    return row


def _locked(session: Session, number: int) -> AccountRow:
    """Return the row, locked until the session's transaction ends."""
    # SQLite has no SELECT ... FOR UPDATE; an update without a change locks on both databases.
    _update(session, number, updated_at=AccountRow.updated_at)
    return _existing(session, number)


def _update(session: Session, number: int, **values: Any) -> None:
    statement = update(AccountRow).where(AccountRow.id == number).values(**values)
    result = session.execute(statement, execution_options={'synchronize_session': False})
    if not cast(CursorResult[Any], result).rowcount:
        raise NotFound(NO_ACCOUNT)


def _insert(session: Session, model: type[AccountRow] | type[StateRow]) -> Any:
    return INSERT[session.get_bind(AccountRow).dialect.name](model)
