"""Access control: the host's permission, this machine, or the token of a login."""

from collections.abc import Callable
from enum import Enum
from functools import wraps
from typing import Any

from pyramid.interfaces import ISecurityPolicy
from pyramid.request import Request

from ..connect.context import PageError
from ..i18n import _
from ..interfaces import IConsole
from ..ops.authorization import is_local
from ..settings import Settings
from .sessions import Sessions

View = Callable[[Any, Request], Any]


class Verdict(Enum):
    """Decision about a request."""

    PERMITTED = 'permitted'
    LOGIN = 'log in first'
    REFUSED = 'refused'


class LoginRequired(PageError):
    """The browser has to log in."""

    def __init__(self) -> None:
        details = _(
            'console-login-required', 'Your session has ended, or you have not logged in. Reload the page and log in.'
        )
        super().__init__(403, _('console-log-in', 'Log in'), details)


class Access:
    """Decide who may use the console, by ``fsp.console.permission``, ``.local`` and ``.token``."""

    def __init__(self, settings: Settings, sessions: Sessions) -> None:
        self._settings, self._sessions = settings, sessions

    def verdict(self, request: Request) -> Verdict:
        """Return the decision about *request*."""
        settings = self._settings
        if settings.console.permission and _has_permission(request, settings.console.permission):
            return Verdict.PERMITTED
        if settings.console.local and is_local(request):
            return Verdict.PERMITTED
        if not settings.console.token or not self.is_secure(request):
            return Verdict.REFUSED
        session = self._sessions.read(request)
        return Verdict.PERMITTED if session is not None and session.is_logged_in else Verdict.LOGIN

    def is_secure(self, request: Request) -> bool:
        """Return whether a token may be sent with such a request."""
        return request.scheme == 'https' or not self._settings.require_https or is_local(request)

    @property
    def remedy(self) -> str:
        """Text for those who are refused."""
        if self._settings.console.token:
            return _('console-open-over-https', 'Open the console over HTTPS.')
        if self._settings.console.local:
            return _(
                'console-local-only',
                'The console answers on the machine itself only (http://localhost), unless fsp.console.token is set.',
            )
        return _('console-ask-administrator', 'Ask the administrator of this application for permission.')


def _has_permission(request: Request, permission: str) -> bool:
    """Return whether the host's policy grants the permission. Without a policy, Pyramid would grant everything.

    A request whose path cannot be decoded has no context, for which a policy could decide.
    """
    has_policy = request.registry.queryUtility(ISecurityPolicy) is not None
    return has_policy and hasattr(request, 'context') and bool(request.has_permission(permission))


def guarded(view: View, *, token: bool = False) -> View:
    """Return *view* behind the access control. Changes need the token against forged requests.

    :param token: whether reads need it as well, because they cost calls to Egnyte
    """

    @wraps(view)
    def checked(context: Any, request: Request) -> Any:
        console = request.registry.getUtility(IConsole)
        match console.access.verdict(request):
            case Verdict.LOGIN:
                raise LoginRequired
            case Verdict.REFUSED:
                raise PageError(403, _('console-refused', 'This console is not for you'), console.access.remedy)
        if token or request.method not in {'GET', 'HEAD'}:
            check_csrf(request)
        return view(context, request)

    return checked


def check_csrf(request: Request) -> None:
    """Refuse requests that do not come from one of our pages. Raises PageError."""
    sessions = request.registry.getUtility(IConsole).sessions
    session = sessions.read(request)
    if session is None or not sessions.has_csrf_token(request, session):
        details = _('console-page-too-old', 'This page is too old, or your browser keeps no cookies.')
        raise PageError(403, _('console-reload', 'Reload the page'), details)
