"""OAuth's ``state``: what we have to know when a user comes back from Egnyte, and only the same browser brings it."""

import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from ..signing import BadToken, Signing
from .links import Link

LIFETIME = 600
# Of the cookie: a page may be read for a while before its button is pressed.
VISIT = 3600
# Over https with a prefix: browsers take such a cookie from this very host only. They refuse the prefix over http, the
# scheme of development.
COOKIE, SECURE_COOKIE = 'fsp_connect', '__Host-fsp_connect'
_BROWSER = re.compile('[A-Za-z0-9_-]{22}')


class State(NamedTuple):
    """One way to Egnyte and back.

    :param url: of the user's Egnyte; '' where the Enhanced Auth Service asks for it
    :param browser: tells the browser; not what its cookie holds
    """

    link: Link
    url: str
    nonce: str
    expires_at: int
    browser: str


class States:
    """Makes and reads states. Egnyte and whoever keeps its logs can read them, so nothing secret is in there."""

    def __init__(self, secrets: tuple[str, ...], clock: Callable[[], float] = time.time) -> None:
        self._signing, self._clock = Signing(secrets, 'connect state'), clock

    def make(self, link: Link, url: str, browser: str) -> str:
        """A state that *browser* (what its cookie holds) can bring back within 10 minutes."""
        expires_at = int(self._clock()) + LIFETIME
        state = State(link, url, secrets.token_urlsafe(16), expires_at, _digest(browser))
        return self._signing.sign(json.dumps(state, separators=(',', ':')).encode())

    def read(self, text: str, browser: str) -> State:
        """Raises BadToken: not ours, too old, or of another browser."""
        link, *rest = json.loads(self._signing.verify(text))
        state = State(Link(*link), *rest)
        if state.expires_at <= self._clock() or not hmac.compare_digest(state.browser, _digest(browser)):
            raise BadToken
        return state


def browser_of(request: Any) -> str:
    """What the browser's cookie holds; '' if it has none."""
    value = request.cookies.get(_cookie(request), '')
    return value if _BROWSER.fullmatch(value) else ''


def _cookie(request: Any) -> str:
    return SECURE_COOKIE if request.scheme == 'https' else COOKIE


def remember_browser(request: Any, response: Any, path: str, *, anew: bool) -> str:
    """Give the browser its cookie, valid below *path* (over https everywhere: the prefix wants that); what it holds.

    :param anew: with a new value, which ends a flow that began in another tab
    """
    browser = '' if anew else browser_of(request)
    browser = browser or secrets.token_urlsafe(16)
    is_secure = request.scheme == 'https'
    response.set_cookie(
        _cookie(request),
        browser,
        max_age=VISIT,
        path='/' if is_secure else path,
        secure=is_secure,
        httponly=True,
        # Not sent with forms of other sites; Strict would be withheld on the way back from Egnyte.
        samesite='Lax',
    )
    return browser


def _digest(browser: str) -> str:
    return hashlib.sha256(browser.encode()).hexdigest()[:32]
