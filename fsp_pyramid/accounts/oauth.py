"""Accounts that users connect: each (client id, uid) has tokens of its own, granted by OAuth 2."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import requests
from zope.interface import implementer

from .. import errors
from ..egnyte import (
    CallInfo,
    Client,
    EgnyteError,
    GrantRefused,
    RateLimiter,
    Unauthorized,
    oauth,
)
from ..interfaces import IAccounts
from ..model import Account, Identity
from ..paths import parse
from ..settings import ClientSettings
from ..storage.egnyte_errors import translated
from . import AccountKey
from .encryption import VaultError
from .models import State
from .store import AccountStore, Connection, NotConnected

# Refreshed so long before they end that a request which begins with them can finish with them.
MARGIN = 300.0


def default_folder(username: str) -> str:
    """Where files go until the user picks a folder. Ordinary users may not create any directly below ``/Shared``."""
    return f'/Private/{username}/Beefree'


def account_of(connection: Connection, key: str = '', token: str = '') -> Account:
    """Return the account of a connection, with the folder that the user picked or the default one."""
    folder = parse(connection.folder or default_folder(connection.username))[0]
    return Account(key, connection.egnyte_url, token, connection.username, folder)


@implementer(IAccounts)
class OAuthAccounts:
    """The accounts of one client's users.

    :param key: of the client, without a number
    :param settings: the client's
    :param public_token: token that fetches public content of accounts whose own one has ended; '' for none
    :param session: the connections to Egnyte
    :param stores: the store of a request, which takes part in its transaction
    :param on_call: hears of each call that is made with a token
    """

    def __init__(
        self,
        key: AccountKey,
        settings: ClientSettings,
        public_token: str,
        session: requests.Session,
        rate_limiter: RateLimiter,
        stores: Callable[[Any], AccountStore],
        on_call: Callable[[CallInfo], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings, self._public_token = settings, public_token
        self._key, self._session, self._rate_limiter, self._stores, self._clock = (
            key,
            session,
            rate_limiter,
            stores,
            clock,
        )
        self._on_call = on_call
        self._application = oauth.Application(settings.oauth.key, settings.oauth.secret, settings.oauth.scope)

    # What requests need

    def of(self, identity: Identity, request: Any) -> Account:
        """See IAccounts."""
        return self.account(request, self.connection(request, identity.client_id, identity.uid))

    def numbered(self, number: int, request: Any) -> Account:
        """See IAccounts."""
        with _told():
            connection = self._stores(request).by_number(number)
        if connection is None or connection.client != str(self._key):
            raise errors.NotFound('There is no such account.')
        try:
            return self.account(request, connection)
        except (errors.NotConnected, errors.ConnectionExpired):
            # The token of the site is for its own Egnyte: users may have been at another one.
            if not self._public_token or connection.egnyte_url != self.settings.egnyte.url:
                raise
            return Account(str(self._key._replace(number=number)), connection.egnyte_url, self._public_token)

    def refused(self, account: Account, request: Any) -> None:
        """See IAccounts: a token may have been taken back before its time, and its refresh token live."""
        if account.token == self._public_token:
            return  # nobody but the operator can mend that
        number = AccountKey.parse(account.key).number
        with _told():
            self._stores(request).fresh(number, self._refresh, refused=oauth.Tokens(account.token, None, None))
        raise errors.Busy('The connection to Egnyte was renewed. Please try again.', retry_after=0)

    def account(self, request: Any, connection: Connection | None) -> Account:
        """The account of a connection, with a token that is good for some minutes.

        Raises NotConnected, ConnectionExpired, and what a refresh may raise.
        """
        if connection is None or connection.state == State.DISCONNECTED:
            raise errors.NotConnected
        tokens = connection.tokens
        if tokens is None:
            raise errors.ConnectionExpired
        if tokens.expires_at is not None and tokens.expires_at < self._clock() + MARGIN:
            with _told():
                tokens = self._stores(request).fresh(connection.number, self._refresh, MARGIN)
        return account_of(connection, str(self._key._replace(number=connection.number)), tokens.access)

    # What the pages need

    def start_url(self, url: str, redirect_uri: str, state: str) -> str:
        """Where to send a user for consent: their Egnyte at *url*, or the service that asks them for it."""
        if self.settings.oauth.domain == 'service':
            service = self.settings.oauth.service_url
            return oauth.service_authorize_url(service, self._application, redirect_uri, state)
        return oauth.authorize_url(url, self._application, redirect_uri, state)

    def connect(self, request: Any, client_id: str, uid: str, url: str, code: str, redirect_uri: str) -> Connection:
        """Keep what the user granted at *url*.

        Raises ConnectionExpired for a code that Egnyte does not take (any more), and what calls to Egnyte may raise.
        """
        timeout = self.settings.egnyte.timeout
        with _told():
            tokens = oauth.exchange(
                self._session, url, self._application, code, redirect_uri, timeout=timeout, now=self._clock()
            )
        try:
            return self._keep(request, client_id, uid, url, tokens)
        except BaseException:
            self._revoke(url, tokens)  # nobody could, otherwise
            raise

    def _keep(self, request: Any, client_id: str, uid: str, url: str, tokens: oauth.Tokens) -> Connection:
        def heard(called: CallInfo) -> None:
            self._on_call(called)
            request.fsp_stats.count_call(called)

        with _told():
            user = Client(
                url,
                tokens.access,
                session=self._session,
                rate_limiter=self._rate_limiter,
                timeout=self.settings.egnyte.timeout,
                max_wait=self.settings.egnyte.max_wait,
                on_call=heard,
            ).userinfo()
            store = self._stores(request)
            before = store.find(str(self._key), client_id, uid)
            connection = store.connect(str(self._key), client_id, uid, url, user.username, tokens)
        if before is not None and before.tokens is not None and before.tokens.access != tokens.access:
            # Not before the new tokens are kept: the old ones are better than none.
            request.tm.get().addAfterCommitHook(lambda kept: kept and self._revoke(before.egnyte_url, before.tokens))
        return connection

    def connection(self, request: Any, client_id: str, uid: str) -> Connection | None:
        """The user's connection, in whatever state."""
        with _told():
            return self._stores(request).find(str(self._key), client_id, uid)

    def set_folder(self, request: Any, number: int, path: str | None) -> None:
        """Where the account's files go from now on; None for the default."""
        self._stores(request).set_folder(number, path)

    def disconnect(self, request: Any, connection: Connection) -> bool:
        """Revoke the tokens at Egnyte, and forget them. False if Egnyte could not be told: they are forgotten here."""
        store, revoked = self._stores(request), True
        if connection.tokens is not None:
            try:
                # An access token that has ended revokes nothing, and its refresh token would live on.
                tokens = store.fresh(connection.number, self._refresh, MARGIN)
                revoked = self._revoke(connection.egnyte_url, tokens)
            except (EgnyteError, NotConnected, VaultError) as error:
                revoked = isinstance(error, GrantRefused)  # there is nothing left to revoke
        store.disconnect(connection.number)
        return revoked

    def _revoke(self, url: str, tokens: oauth.Tokens) -> bool:
        try:
            oauth.revoke(self._session, url, self._application, tokens, timeout=self.settings.egnyte.timeout)
        except EgnyteError as error:
            return isinstance(error, Unauthorized)  # it had ended already
        return True

    def use_state(self, request: Any, nonce: str, expires_at: float) -> bool:
        """Whether an OAuth state is used for the first time, and in time."""
        return self._stores(request).use_state(nonce, expires_at)

    def _refresh(self, url: str, tokens: oauth.Tokens) -> oauth.Tokens:
        return oauth.refresh(
            self._session,
            url,
            self._application,
            tokens,
            timeout=self.settings.egnyte.timeout,
            now=self._clock(),
        )


@contextmanager
def _told() -> Iterator[None]:
    """Let errors of the store and of calls to Egnyte become what the user is told."""
    try:
        with translated(()):
            yield
    except NotConnected as error:
        raise (errors.ConnectionExpired if error.state == State.EXPIRED else errors.NotConnected) from error
    except VaultError as error:  # a key is missing from fsp.accounts.keys, or somebody changed the row
        raise errors.InternalError from error
