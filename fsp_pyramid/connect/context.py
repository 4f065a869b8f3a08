"""Whom a request to the pages is about: the context of their views."""

import time
from typing import Any

from ..errors import Forbidden
from ..interfaces import IConnect, IMount
from ..signing import BadToken
from .links import (
    Link,
    LinkExpired,
    Purpose,
    find_client,
)
from .states import State, browser_of

ROUTE, FOLDER_ROUTE, CALLBACK_ROUTE = 'fsp_connect', 'fsp_connect_folder', 'fsp_connect_callback'


class PageError(Exception):
    """The way ends here, and nothing is broken. The arguments are a heading and what to do."""

    def __init__(self, status: int, title: str, details: str) -> None:
        super().__init__(title)
        self.status, self.title, self.details = status, title, details


class ConnectContext:
    """A user at the pages.

    :param state: where the user comes back from Egnyte
    """

    def __init__(self, request: Any, link: Link, state: State | None = None) -> None:
        self._request, self.link, self.state = request, link, state
        try:
            self.backend = find_client(request.registry, link)
        except LookupError:
            raise _unknown() from None
        self.settings, self.accounts = self.backend.settings, self.backend.accounts
        mount = request.registry.getUtility(IMount, name=link.mount)
        if mount.settings.require_https and request.scheme != 'https':
            raise Forbidden('This page works over HTTPS only.')

    @property
    def application(self) -> str:
        """What the user may know the application by."""
        return self.link.client or self.link.client_id

    @property
    def has_choice(self) -> bool:
        """Whether the folder that a user picks has any effect: ``fsp.folders`` may not mention it."""
        return any('folder' in mount.placeholders for mount in self.settings.folders)

    @property
    def token(self) -> str:
        """Of the link, for the URLs of the pages."""
        return self._request.registry.getUtility(IConnect).links.sign(self.link)

    @property
    def is_open(self) -> bool:
        """Whether the link is good still."""
        return self.link.expires_at > time.time()

    @property
    def home(self) -> str:
        """The URL of the page that the link leads to."""
        return self.url(FOLDER_ROUTE if self.link.purpose == Purpose.FOLDER else ROUTE)

    def url(self, route: str, **query: str) -> str:
        """The URL of one of the pages."""
        return self._request.route_path(route, token=self.token, _query=query)

    def connection(self) -> Any:
        """The user's Connection; None if there never was one."""
        return self.accounts.connection(self._request, self.link.client_id, self.link.uid)


def by_link(request: Any) -> ConnectContext:
    """Root factory: who followed a link to all pages."""
    visit = by_any_link(request)
    if visit.link.purpose != Purpose.CONNECT:
        raise _unknown()
    return visit


def by_any_link(request: Any) -> ConnectContext:
    """Root factory: who followed a link to the folder chooser, or to all pages."""
    _check_form(request)
    try:
        link = request.registry.getUtility(IConnect).links.read(request.matchdict['token'])
    except BadToken:
        raise _unknown() from None
    except LinkExpired:
        raise PageError(
            410,
            'This link has expired',
            'Go back to the application that you came from, and open the page again from there: '
            'that gives you a new link.',
        ) from None
    return ConnectContext(request, link)


def by_state(request: Any) -> ConnectContext:
    """Root factory: who comes back from Egnyte."""
    _check_form(request)
    parameters = request.POST if request.method == 'POST' else request.GET
    try:
        state = request.registry.getUtility(IConnect).states.read(parameters.get('state', ''), browser_of(request))
    except BadToken:
        raise PageError(
            400,
            'Please start again',
            'You came back from Egnyte later than ten minutes after you left, in another browser than you left in, '
            'or your browser keeps no cookies. Nothing was connected. Open the page again from your application.',
        ) from None
    return ConnectContext(request, state.link, state)


def _check_form(request: Any) -> None:
    """Refuse what none of our forms sends before anything looks into it: files, and what cannot be read as a form."""
    if request.method != 'POST':
        return
    try:
        readable = all(isinstance(value, str) for value in request.POST.values())
    except ValueError:
        readable = False
    if not readable:
        raise PageError(400, 'Please start again', 'What came is not the form of this page. Nothing was changed.')


def _unknown() -> PageError:
    return PageError(
        404,
        'This link does not work',
        'It may have been cut off on its way to you. Open the page again from the application that you came from.',
    )
