"""Authentication: Basic credentials of the integrator, and the two headers that Beefree adds.

The policy is pure: it reads headers, does no I/O and never raises, because pyramid_tm may call it before there is a
route and outside of every exception view. The view deriver enforces it, on our views only.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pyramid.authentication import extract_http_basic_credentials
from pyramid.interfaces import ISecurityPolicy
from pyramid.request import Request, RequestLocalCache
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
from ..i18n import _
from ..model import ID_FORMAT, Identity
from ..passwords import Passwords
from ..routing import has_loopback_host
from ..settings import ClientSettings
from .internal import internal_call

MAX_HOST = 255 + len(':65535')  # the longest name in DNS, and a port
READ, WRITE = 'fsp.read', 'fsp.write'
CLIENT_ID, UID = 'X-BEE-ClientId', 'X-BEE-Uid'
# Seconds after which the client of an unchecked login should retry.
RETRY_AFTER = 2


@implementer(ISecurityPolicy)
class SecurityPolicy:
    """Checks requests against the user names and passwords of a mount's clients."""

    def __init__(self, clients: Mapping[str, ClientSettings]) -> None:
        self._clients = {settings.username: (name, settings) for name, settings in clients.items()}
        self._passwords = Passwords({settings.username: settings.password for settings in clients.values()})
        self._verdicts = RequestLocalCache(self._judge)

    def verdict(self, request: Request) -> Identity | FSPError:
        """Return the caller, or the error to answer with.

        The error is Unauthorized, BadRequest for a missing or malformed header, Forbidden for a disabled client or a
        client id that the client may not send, or Busy while too many passwords are being checked.
        """
        return self._verdicts.get_or_create(request)

    def _judge(self, request: Request) -> Identity | FSPError:
        client = self._authenticated_client(request)
        return client if isinstance(client, FSPError) else self._identified(request, *client)

    def _authenticated_client(self, request: Request) -> tuple[str, ClientSettings] | FSPError:
        """Return name and settings of the client whose credentials the request has, or stands for."""
        if call := internal_call(request):
            return next((client for client in self._clients.values() if client[0] == call.client), Unauthorized())
        username, password = extract_http_basic_credentials(request) or ('', '')
        try:
            # Not X-Forwarded-For: any client may send it, while the server vouches for this address.
            known = self._passwords.check(username, password, request.remote_addr or '')
        except BulkheadFull:
            return Busy(
                _(
                    'many-logins',
                    'Many user names and passwords are being checked at the moment. Please try again in a few seconds.',
                ),
                retry_after=RETRY_AFTER,
            )
        return self._clients[username] if known else Unauthorized()

    @staticmethod
    def _identified(request: Request, name: str, settings: ClientSettings) -> Identity | FSPError:
        for header in (CLIENT_ID, UID):
            if not ID_FORMAT.fullmatch(request.headers.get(header, '')):
                return BadRequest(
                    f'The header {header} must hold 1 to 200 letters, digits, underscores or hyphens; '
                    f'{"it holds something else" if header in request.headers else "it is missing"}.'
                )
        if settings.disabled:
            return Forbidden(
                _('disabled', 'The file manager is switched off for this application. Ask its administrator.')
            )
        if settings.client_ids and request.headers[CLIENT_ID] not in settings.client_ids:
            return Forbidden(
                _(
                    'wrong-client-id',
                    'These credentials belong to another Beefree application. Check them in its console.',
                )
            )
        return Identity(name, request.headers[CLIENT_ID], request.headers[UID])

    def identity(self, request: Request) -> Identity | None:
        """Return the caller; None without valid credentials."""
        verdict = self.verdict(request)
        return verdict if isinstance(verdict, Identity) else None

    def authenticated_userid(self, request: Request) -> str | None:
        """Return ``CLIENTID/UID``; None without valid credentials."""
        identity = self.identity(request)
        return None if identity is None else f'{identity.client_id}/{identity.uid}'

    def permits(self, request: Request, context: Any, permission: str) -> Allowed | Denied:
        """Allow reads and writes to all callers with valid credentials; the storage restricts the files."""
        del context
        if permission not in {READ, WRITE}:
            return Denied(f'{permission} is not a permission of fsp_pyramid')
        return Allowed('known') if self.identity(request) else Denied('not known')

    def remember(self, request: Request, userid: str, **kwargs: Any) -> list[tuple[str, str]]:
        """Return no headers: the caller sends its credentials with each request."""
        del request, userid, kwargs
        return []

    def forget(self, request: Request, **kwargs: Any) -> list[tuple[str, str]]:
        """Return the challenge of a 401."""
        del request, kwargs
        return list(Unauthorized().headers.items())


def guarded_view(view: Callable[..., Any], info: Any) -> Callable[..., Any]:
    """View deriver: run a view with ``fsp_permission`` only if the mount's policy permits the caller.

    Views without that option are returned as they are.
    """
    permission = info.options.get('fsp_permission')
    if permission is None:
        return view

    def guarded(context: Any, request: Request) -> Any:
        mount = request.fsp.mount
        if mount.settings.require_https and request.scheme != 'https':
            raise Forbidden(
                _(
                    'https-only',
                    'This service answers over HTTPS only: put an "https" URL into the Beefree console.',
                )
            )
        if mount.settings.console.local and not has_loopback_host(request):
            # A web page whose name is bound to 127.0.0.1 could send the password of development.ini.
            raise Forbidden(
                _(
                    'local-only',
                    'With fsp.console.local this service answers to the name localhost only. Switch that off to serve '
                    'it under another name.',
                )
            )
        if len(request.host) > MAX_HOST:  # every URL in a listing repeats it
            raise BadRequest('The Host header of this request is too long.')
        verdict = mount.policy.verdict(request)
        if isinstance(verdict, FSPError):
            raise verdict
        if not mount.policy.permits(request, context, permission):
            raise Forbidden(_('not-permitted', 'You are not allowed to do this.'))
        try:
            return view(context, request)
        except TokenRefused:
            request.fsp.report_refused_token()
            raise

    return guarded


# Pyramid reads the names of a deriver's options from this attribute.
guarded_view.options = ('fsp_permission',)  # type: ignore[attr-defined]  # mypy knows no attributes of functions
