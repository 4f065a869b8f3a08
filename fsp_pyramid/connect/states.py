"""OAuth's ``state``: signed, bound to one browser by a cookie, and valid for ten minutes."""

import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Callable
from typing import NamedTuple

from pyramid.request import Request
from pyramid.response import Response

from ..headers import cookie
from ..signing import BadToken, Signing
from .links import Link

LIFETIME = 600
# Seconds. The cookie lives longer, because users may read a page for a while before they press its button.
COOKIE_LIFETIME = 3600
# With a prefix over https: browsers accept such a cookie from this very host only. Over http, the scheme of
# development, they refuse the prefix.
COOKIE, SECURE_COOKIE = 'fsp_connect', '__Host-fsp_connect'
_BROWSER = re.compile('[A-Za-z0-9_-]{22}')


class State(NamedTuple):
    """One authorization at Egnyte.

    :param url: of the user's Egnyte; '' where the Enhanced Auth Service asks for it
    :param browser: digest of the browser's cookie
    """

    link: Link
    url: str
    nonce: str
    expires_at: int
    browser: str


class StateExpired(Exception):
    """The state is genuine but has expired. Its link says who came back."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self.link = link


class States:
    """Sign and verify states. They hold no secrets, because Egnyte and its logs can read them."""

    def __init__(self, secrets: tuple[str, ...], clock: Callable[[], float] = time.time) -> None:
        self._signing, self._clock = Signing(secrets, 'connect state'), clock

    def make(self, link: Link, url: str, browser: str) -> str:
        """Return a state that is valid for 10 minutes, in the browser with the cookie value *browser* only."""
        expires_at = int(self._clock()) + LIFETIME
        state = State(link, url, secrets.token_urlsafe(16), expires_at, _digest(browser))
        fields = (link.fields(), *state[1:])
        return self._signing.sign(json.dumps(fields, ensure_ascii=False, separators=(',', ':')).encode())

    def read(self, text: str, browser: str) -> State:
        """Return the state. Raises BadToken if it is not ours or belongs to another browser, StateExpired."""
        link, *rest = json.loads(self._signing.verify(text))
        state = State(Link(*link), *rest)
        if not hmac.compare_digest(state.browser, _digest(browser)):
            raise BadToken
        if state.expires_at <= self._clock():
            raise StateExpired(state.link)
        return state


def browser_of(request: Request) -> str:
    """Return the value of the browser's cookie; '' without one."""
    value = cookie(request, _cookie(request))
    return value if _BROWSER.fullmatch(value) else ''


def _cookie(request: Request) -> str:
    return SECURE_COOKIE if request.scheme == 'https' else COOKIE


def remember_browser(request: Request, response: Response, path: str, *, renew: bool) -> str:
    """Set the browser's cookie and return its value. It is valid below *path*; for the whole host over https.

    :param renew: set a new value, which invalidates a flow in another tab
    """
    browser = '' if renew else browser_of(request)
    browser = browser or secrets.token_urlsafe(16)
    is_secure = request.scheme == 'https'
    response.set_cookie(
        _cookie(request),
        browser,
        max_age=COOKIE_LIFETIME,
        path='/' if is_secure else path,  # the prefix of the cookie's name requires "/"
        secure=is_secure,
        httponly=True,
        # Not sent with forms of other sites. Strict would be withheld when Egnyte redirects back.
        samesite='Lax',
    )
    return browser


def _digest(browser: str) -> str:
    return hashlib.sha256(browser.encode()).hexdigest()[:32]
