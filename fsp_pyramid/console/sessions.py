"""Sessions of browsers: a signed cookie, and the token against forged requests (CSRF) that belongs to it."""

import hmac
import json
import secrets
import time
from collections.abc import Callable
from typing import NamedTuple

from pyramid.request import Request
from pyramid.response import Response

from ..forms import is_form
from ..headers import cookie
from ..settings import Settings
from ..signing import BadToken, Signing

LIFETIME = 12 * 3600  # seconds
# Browsers accept the prefix from this very host and over https only.
COOKIE, SECURE_COOKIE = 'fsp_console', '__Host-fsp_console'
CSRF_HEADER, CSRF_FIELD = 'X-CSRF-Token', 'csrf_token'


class Session(NamedTuple):
    """Session of one browser.

    :param is_logged_in: the browser sent ``fsp.console.token``
    :param expires_at: in UNIX seconds
    """

    nonce: str
    is_logged_in: bool
    expires_at: int


class Sessions:
    """Read and start sessions. The server keeps none of them.

    A new ``fsp.console.token`` ends all sessions, because it signs them. Without one, sessions only hold the token
    against forged requests, and end with the process.

    :param path: of the console, with any route_prefix
    """

    def __init__(self, settings: Settings, path: str, clock: Callable[[], float] = time.time) -> None:
        keys = (settings.console.token,) if settings.console.token else settings.public.secret
        keys = keys or (secrets.token_hex(),)
        self._signing, self._csrf = Signing(keys, 'console session'), Signing(keys, 'console csrf')
        self._path, self._clock = path, clock

    def read(self, request: Request) -> Session | None:
        """Return the session of the request's browser; None without a valid one."""
        try:
            session = Session(*json.loads(self._signing.verify(cookie(request, _cookie(request)))))
        except BadToken:
            return None
        return session if session.expires_at > self._clock() else None

    def start(self, request: Request, response: Response, *, is_logged_in: bool = False) -> Session:
        """Start a session: set the cookie of *response*."""
        session = Session(secrets.token_urlsafe(16), is_logged_in, int(self._clock()) + LIFETIME)
        is_secure = request.scheme == 'https'
        response.set_cookie(
            _cookie(request),
            self._signing.sign(json.dumps(session, separators=(',', ':')).encode()),
            max_age=LIFETIME,
            path='/' if is_secure else request.script_name + self._path,  # the prefix of the name requires "/"
            secure=is_secure,
            httponly=True,
            samesite='Strict',
        )
        return session

    def end(self, request: Request, response: Response) -> None:
        """Delete the cookie."""
        is_secure = request.scheme == 'https'
        path = '/' if is_secure else request.script_name + self._path
        response.set_cookie(_cookie(request), '', max_age=0, path=path, secure=is_secure, httponly=True)

    def csrf_token(self, session: Session) -> str:
        """Return the token that forms and scripts of our pages send along."""
        return self._csrf.sign(session.nonce.encode())

    def has_csrf_token(self, request: Request, session: Session) -> bool:
        """Return whether the request comes from one of our pages."""
        given = request.headers.get(CSRF_HEADER) or ''
        if not given and is_form(request):
            given = request.POST.get(CSRF_FIELD, '')
        is_same_site = request.headers.get('Sec-Fetch-Site', 'same-origin') == 'same-origin'
        return is_same_site and hmac.compare_digest(given.encode(), self.csrf_token(session).encode())


def _cookie(request: Request) -> str:
    return SECURE_COOKIE if request.scheme == 'https' else COOKIE
