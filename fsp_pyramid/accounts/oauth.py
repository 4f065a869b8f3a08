"""Accounts that users connect by OAuth 2: each (client id, uid) has tokens of its own."""

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
from ..i18n import _
from ..interfaces import IAccounts
from ..model import Account, Identity
from ..paths import parse
from ..settings import ClientSettings
from ..storage.egnyte_errors import as_fsp_errors
from . import NO_ACCOUNT, AccountKey
from .encryption import DecryptionError
from .models import State
from .store import AccountStore, Connection, NoTokens

# Seconds before their end at which tokens are refreshed, so that a request can finish with the tokens it began with.
MARGIN = 300.0


def default_folder(username: str) -> str:
    """Return the folder until the user picks one. Ordinary users may not create folders directly below ``/Shared``."""
    return f'/Private/{username}/Beefree'


def account_of(connection: Connection, key: str = '', token: str = '') -> Account:
    """Return the account of a connection, with the folder that the user picked or the default one."""
    folder = parse(connection.folder or default_folder(connection.username))[0]
    return Account(key, connection.egnyte_url, token, connection.username, folder)


@implementer(IAccounts)
class OAuthAccounts:
    """Accounts of one client's users.

    :param key: account key of the client, without a number
    :param settings: the client's
    :param public_token: token that fetches public content of accounts whose own one has ended; '' for none
    :param session: HTTP session for Egnyte
    :param stores: returns the account store of a request, which takes part in its transaction
    :param on_call: listener for calls that are made with a token
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

    # For requests

    def of(self, identity: Identity, request: Any) -> Account:
        return self.account(request, self.connection(request, identity.client_id, identity.uid))

    def numbered(self, number: int, request: Any) -> Account:
        with self._translated():
            connection = self._stores(request).by_number(number)
        if connection is None or connection.account_key != str(self._key):
            raise errors.NotFound(NO_ACCOUNT)
        try:
            return self.account(request, connection)
        except (errors.NotConnected, errors.ConnectionExpired):
            # The public token is for the configured Egnyte, and users may have connected accounts of another one.
            if not self._public_token or connection.egnyte_url != self.settings.egnyte.url:
                raise
            return Account(str(self._key._replace(number=number)), connection.egnyte_url, self._public_token)

    def refused(self, account: Account, request: Any) -> None:
        """Refresh a refused token: it may be revoked before its expiry while its refresh token is valid."""
        if account.token == self._public_token:
            return  # only the operator can replace it
        number = AccountKey.parse(account.key).number
        with self._translated():
            self._stores(request).fresh_tokens(number, self._refresh, refused=oauth.Tokens(account.token, None, None))
        raise errors.Busy(
            _('connection-renewed', 'The connection to Egnyte was renewed. Please try again.'), retry_after=0
        )

    def account(self, request: Any, connection: Connection | None) -> Account:
        """Return the account of a connection, with a token that is valid for some minutes.

        Raises errors.NotConnected, ConnectionExpired, and the errors of a refresh.
        """
        if connection is None or connection.state == State.DISCONNECTED:
            raise self._not_connected()
        tokens = connection.tokens
        if tokens is None:
            raise self._connection_expired()
        if tokens.expires_at is not None and tokens.expires_at < self._clock() + MARGIN:
            with self._translated():
                tokens = self._stores(request).fresh_tokens(connection.number, self._refresh, MARGIN)
        return account_of(connection, str(self._key._replace(number=connection.number)), tokens.access)

    # For the connect pages

    def start_url(self, url: str, redirect_uri: str, state: str) -> str:
        """Return the URL for a user's consent: at their Egnyte *url*, or at the service that asks for the domain."""
        if self.settings.oauth.domain == 'service':
            service = self.settings.oauth.service_url
            return oauth.service_authorize_url(service, self._application, redirect_uri, state)
        return oauth.authorize_url(url, self._application, redirect_uri, state)

    def connect(self, request: Any, client_id: str, uid: str, url: str, code: str, redirect_uri: str) -> Connection:
        """Exchange the *code* of a user's consent at *url* and store the tokens.

        Raises ConnectionExpired for a code that Egnyte refuses, and the errors of calls to Egnyte.
        """
        timeout = self.settings.egnyte.timeout
        with self._translated():
            tokens = oauth.exchange(
                self._session, url, self._application, code, redirect_uri, timeout=timeout, now=self._clock()
            )
        try:
            return self._store(request, client_id, uid, url, tokens)
        except BaseException:
            self._revoke(url, tokens)  # otherwise they would stay valid without a way to revoke them
            raise

    def _store(self, request: Any, client_id: str, uid: str, url: str, tokens: oauth.Tokens) -> Connection:
        def on_call(call: CallInfo) -> None:
            self._on_call(call)
            request.fsp_stats.count_call(call)

        with self._translated():
            user = Client(
                url,
                tokens.access,
                session=self._session,
                rate_limiter=self._rate_limiter,
                timeout=self.settings.egnyte.timeout,
                max_wait=self.settings.egnyte.max_wait,
                on_call=on_call,
            ).userinfo()
            store = self._stores(request)
            before = store.find(str(self._key), client_id, uid)
            connection = store.connect(str(self._key), client_id, uid, url, user.username, tokens)
        if before is not None and before.tokens is not None and before.tokens.access != tokens.access:
            # After the commit: if the new tokens are not stored, the old ones must stay valid.
            request.tm.get().addAfterCommitHook(
                lambda committed: committed and self._revoke(before.egnyte_url, before.tokens)
            )
        return connection

    def connection(self, request: Any, client_id: str, uid: str) -> Connection | None:
        """Return the user's connection in any state; None if there never was one."""
        with self._translated():
            return self._stores(request).find(str(self._key), client_id, uid)

    def set_folder(self, request: Any, number: int, path: str | None) -> None:
        """Set the folder of the account's files; None for the default."""
        self._stores(request).set_folder(number, path)

    def disconnect(self, request: Any, connection: Connection) -> bool:
        """Revoke the tokens at Egnyte and delete them here. Return False if the revocation failed."""
        store, revoked = self._stores(request), True
        if connection.tokens is not None:
            try:
                # An expired access token cannot be revoked, and its refresh token would stay valid.
                tokens = store.fresh_tokens(connection.number, self._refresh, MARGIN)
                revoked = self._revoke(connection.egnyte_url, tokens)
            except (EgnyteError, NoTokens, DecryptionError) as error:
                revoked = isinstance(error, GrantRefused)  # nothing is left to revoke
        store.disconnect(connection.number)
        return revoked

    def _revoke(self, url: str, tokens: oauth.Tokens) -> bool:
        try:
            oauth.revoke(self._session, url, self._application, tokens, timeout=self.settings.egnyte.timeout)
        except EgnyteError as error:
            return isinstance(error, Unauthorized)  # it was invalid already
        return True

    def use_state(self, request: Any, nonce: str, expires_at: float) -> bool:
        """Mark an OAuth state as used. Return False if it was used before or is expired."""
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
    def _translated(self) -> Iterator[None]:
        """Translate errors of the store and of calls to Egnyte to FSPErrors."""
        try:
            with as_fsp_errors(()):
                yield
        except NoTokens as error:
            raise (self._connection_expired() if error.state == State.EXPIRED else self._not_connected()) from error
        except DecryptionError as error:  # a key is missing from fsp.accounts.keys, or the row was changed
            raise errors.InternalError from error

    def _not_connected(self) -> errors.NotConnected:
        """Return the error, which names the application if ``fsp.title`` is set."""
        if not self.settings.title:
            return errors.NotConnected()
        return errors.NotConnected(
            _(
                'error-not-connected-named',
                'Your files are kept in Egnyte, and you have not connected your Egnyte account yet. '
                'Look for "Connect Egnyte" in ${application}, or ask its support.',
                application=self.settings.title,
            )
        )

    def _connection_expired(self) -> errors.ConnectionExpired:
        """Return the error, which names the application if ``fsp.title`` is set."""
        if not self.settings.title:
            return errors.ConnectionExpired()
        return errors.ConnectionExpired(
            _(
                'error-connection-expired-named',
                'Your connection to Egnyte has expired or was taken back. '
                'Connect your Egnyte account again in ${application}; your files are safe.',
                application=self.settings.title,
            )
        )
