"""Who calls: Basic credentials of the integrator, and the two headers that Beefree adds.

The policy is pure: it reads headers, asks nobody and never raises, because pyramid_tm may call it before there is a
route and outside of every exception view. The view deriver is what enforces it, on our views only.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from pyramid.authentication import extract_http_basic_credentials
from pyramid.interfaces import ISecurityPolicy
from pyramid.request import RequestLocalCache
from pyramid.security import Allowed, Denied
from zope.interface import implementer

from ..concurrency.bulkhead import BulkheadFull
from ..errors import (
    BadRequest,
    Busy,
    Forbidden,
    FSPError,
    TokenRefused,
    Unauthorized,
)
from ..model import Identity
from ..passwords import Passwords
from ..settings import ClientSettings

MAX_HOST = 255 + len(':65535')  # the longest name in DNS, and a port
READ, WRITE = 'fsp.read', 'fsp.write'
CLIENT_ID, UID = 'X-BEE-ClientId', 'X-BEE-Uid'
# Seconds after which a login that was not checked may come again.
RETRY_AFTER = 2
NAME = re.compile(r'[A-Za-z0-9_-]{1,200}')


@implementer(ISecurityPolicy)
class SecurityPolicy:
    """Checks requests against the user names and passwords of a mount's clients."""

    def __init__(self, clients: Mapping[str, ClientSettings]) -> None:
        self._clients = {settings.username: (name, settings) for name, settings in clients.items()}
        self._passwords = Passwords({settings.username: settings.password for settings in clients.values()})
        self._verdicts = RequestLocalCache(self._judge)

    def verdict(self, request: Any) -> Identity | FSPError:
        """Who calls, or what to answer instead.

        That is Unauthorized, BadRequest where a header is missing or malformed, Forbidden where the client is switched
        off or may not send that client id, and Busy where too many passwords are being checked.
        """
        return self._verdicts.get_or_create(request)

    def _judge(self, request: Any) -> Identity | FSPError:
        username, password = extract_http_basic_credentials(request) or ('', '')
        try:
            # Not what X-Forwarded-For says: anybody may send that, and the server vouches for this.
            known = self._passwords.check(username, password, request.remote_addr or '')
        except BulkheadFull:
            return Busy(
                'Many user names and passwords are being checked at the moment. Please try again in a few seconds.',
                retry_after=RETRY_AFTER,
            )
        if not known:
            return Unauthorized()
        for header in (CLIENT_ID, UID):
            if not NAME.fullmatch(request.headers.get(header, '')):
                return BadRequest(
                    f'The header {header} must hold 1 to 200 letters, digits, underscores or hyphens; '
                    f'{"it holds something else" if header in request.headers else "it is missing"}.'
                )
        name, settings = self._clients[username]
        if settings.disabled:
            return Forbidden('The file manager is switched off for this application. Ask its administrator.')
        if settings.client_ids and request.headers[CLIENT_ID] not in settings.client_ids:
            return Forbidden('These credentials belong to another Beefree application. Check them in its console.')
        return Identity(name, request.headers[CLIENT_ID], request.headers[UID])

    def identity(self, request: Any) -> Identity | None:
        """The caller, or None."""
        verdict = self.verdict(request)
        return verdict if isinstance(verdict, Identity) else None

    def authenticated_userid(self, request: Any) -> str | None:
        """``CLIENTID/UID``, or None."""
        identity = self.identity(request)
        return identity and f'{identity.client_id}/{identity.uid}'

    def permits(self, request: Any, context: Any, permission: str) -> Allowed | Denied:
        """Everybody who is known may read and write; what they see is the storage's business."""
        del context
        if permission not in {READ, WRITE}:
            return Denied(f'{permission} is not a permission of fsp_pyramid')
        return Allowed('known') if self.identity(request) else Denied('not known')

    def remember(self, request: Any, userid: str, **kwargs: Any) -> list[tuple[str, str]]:
        """Nothing: the caller sends its credentials each time."""
        del request, userid, kwargs
        return []

    def forget(self, request: Any, **kwargs: Any) -> list[tuple[str, str]]:
        """The challenge of a 401."""
        del request, kwargs
        return list(Unauthorized().headers.items())


def guarded_view(view: Callable[..., Any], info: Any) -> Callable[..., Any]:
    """View deriver: a view with ``fsp_permission`` runs only for callers whom the mount's policy permits.

    Views without that option are returned as they are.
    """
    permission = info.options.get('fsp_permission')
    if permission is None:
        return view

    def secured(context: Any, request: Any) -> Any:
        mount = request.fsp.mount
        if mount.settings.require_https and request.scheme != 'https':
            raise Forbidden('This service answers over HTTPS only: put an "https" URL into the Beefree console.')
        if len(request.host) > MAX_HOST:  # every URL in a listing repeats it
            raise BadRequest('The Host header of this request is too long.')
        verdict = mount.policy.verdict(request)
        if isinstance(verdict, FSPError):
            raise verdict
        if not mount.policy.permits(request, context, permission):
            raise Forbidden('You are not allowed to do this.')
        try:
            return view(context, request)
        except TokenRefused:
            request.fsp.backend.accounts.refused(request.fsp.account, request)
            raise

    return secured


guarded_view.options = ('fsp_permission',)
