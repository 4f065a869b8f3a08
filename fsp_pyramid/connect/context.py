"""Context of the pages: the user that a signed link, or a state, names."""

import time
from typing import TYPE_CHECKING, cast

from markupsafe import Markup
from pyramid.request import Request

from ..clients import NAMELESS
from ..errors import Forbidden
from ..forms import is_form
from ..i18n import Translator, _, english
from ..i18n.negotiation import host_language, translator_of
from ..interfaces import IConnect, IMount
from ..routing import origin_of
from ..signing import BadToken
from .links import (
    Link,
    LinkExpired,
    Purpose,
    find_oauth_client,
)
from .states import State, StateExpired, browser_of

if TYPE_CHECKING:
    from ..accounts.oauth import OAuthAccounts
    from ..accounts.store import Connection

ROUTE, FOLDER_ROUTE, CALLBACK_ROUTE = 'fsp_connect', 'fsp_connect_folder', 'fsp_connect_callback'
LOGO_ROUTE = 'fsp_connect_logo'
BROKEN_LINK = _('connect-link-broken-title', 'This link does not work')
START_AGAIN = _('connect-start-again-title', 'Please start again')


class PageError(Exception):
    """Expected error, shown as a page with a heading and the user's next step: translation strings.

    :param visit: the user of the link, if it is known and no view has it as its context
    """

    def __init__(self, status: int, title: str, details: str, visit: 'ConnectContext | None' = None) -> None:
        super().__init__(english(title))
        self.status, self.title, self.details, self.visit = status, title, details, visit


class ConnectContext:
    """Context of the views: user, client and accounts."""

    def __init__(self, request: Request, link: Link) -> None:
        self._request, self.link = request, link
        try:
            self.backend = find_oauth_client(request.registry, link)
        except LookupError:
            raise _unknown() from None
        self.settings = self.backend.settings
        self.accounts = cast('OAuthAccounts', self.backend.accounts)  # the client's mode is oauth
        mount = request.registry.getUtility(IMount, name=link.mount)
        if mount.settings.require_https and request.scheme != 'https':
            raise Forbidden(_('connect-https', 'This page works over HTTPS only.'))

    @property
    def application(self) -> str:
        """The name of the application for its users."""
        return self.settings.title or self.link.client or self.link.client_id

    @property
    def person(self) -> str:
        """The user's name, as the host knows it."""
        return self.link.label or self.link.uid

    @property
    def support(self) -> str:
        """The name of the application; with a link if ``fsp.support_url`` is set."""
        url = self.settings.support_url
        return Markup('<a href="{}">{}</a>').format(url, self.application) if url else self.application

    @property
    def logo_url(self) -> str:
        """The URL of the application's logo; '' if it has none."""
        if self.settings.logo is None:
            return ''
        return self._request.route_path(LOGO_ROUTE, mount=self.link.mount, client=self.link.client or NAMELESS)

    @property
    def return_url(self) -> str:
        """The URL of the host's page to go back to; '' for none, or if its origin is not allowed any more."""
        origins = self._request.registry.getUtility(IConnect).return_origins
        return self.link.return_url if self.return_origin in origins else ''

    @property
    def return_origin(self) -> str:
        """The origin of the link's return URL."""
        return origin_of(self.link.return_url)

    @property
    def has_choice(self) -> bool:
        """Return True if the chosen folder has any effect: ``fsp.folders`` may not mention it."""
        return any('folder' in mapping.placeholders for mapping in self.settings.folders)

    @property
    def token(self) -> str:
        """The token of the link, for the URLs of the pages."""
        return self._request.registry.getUtility(IConnect).links.sign(self.link)

    @property
    def is_open(self) -> bool:
        """Return True if the link has not expired."""
        return self.link.expires_at > time.time()

    @property
    def home(self) -> str:
        """The URL of the page that the link leads to."""
        return self.url(FOLDER_ROUTE if self.link.purpose == Purpose.FOLDER else ROUTE)

    def url(self, route: str, **query: str) -> str:
        """Return the URL of a page."""
        return self._request.route_path(route, token=self.token, _query=query)

    def connection(self) -> 'Connection | None':
        """Return the user's Connection; None if there never was one."""
        return self.accounts.connection(self._request, self.link.client_id, self.link.uid)


class CallbackContext(ConnectContext):
    """Context of the callback, where a user returns from Egnyte with a state."""

    def __init__(self, request: Request, state: State) -> None:
        super().__init__(request, state.link)
        self.state = state


def page_translator(request: Request, visit: ConnectContext | None) -> Translator:
    """Return the translator for a page: for the language of the host, of the link, of the browser, or of the client."""
    language, fallback = (visit.link.language, visit.settings.language) if visit else ('', '')
    return translator_of(request, (host_language(request), language), fallback)


def by_link(request: Request) -> ConnectContext:
    """Root factory: the user of a link to all pages."""
    context = by_any_link(request)
    if context.link.purpose != Purpose.CONNECT:
        raise _unknown()
    return context


def by_any_link(request: Request) -> ConnectContext:
    """Root factory: the user of a link to the folder chooser, or to all pages."""
    _check_form(request)
    try:
        link = request.registry.getUtility(IConnect).links.read(request.matchdict['token'])
    except BadToken:
        raise _unknown() from None
    except LinkExpired as error:
        raise PageError(
            410,
            _('connect-link-expired-title', 'This link has expired'),
            _(
                'connect-link-expired',
                'Go back to the application that you came from, and open the page again from there: '
                'that gives you a new link.',
            ),
            ConnectContext(request, error.link),
        ) from None
    return ConnectContext(request, link)


def by_state(request: Request) -> CallbackContext:
    """Root factory: the user who returns from Egnyte."""
    _check_form(request)
    parameters = request.POST if request.method == 'POST' else request.GET
    try:
        state = request.registry.getUtility(IConnect).states.read(parameters.get('state', ''), browser_of(request))
    except BadToken:
        raise _late() from None
    except StateExpired as error:
        raise _late(ConnectContext(request, error.link)) from None
    return CallbackContext(request, state)


def _late(visit: ConnectContext | None = None) -> PageError:
    return PageError(
        400,
        START_AGAIN,
        _(
            'connect-late',
            'You came back from Egnyte later than ten minutes after you left, in another browser than you left in, or '
            'your browser keeps no cookies. Nothing was connected. Open the page again from your application.',
        ),
        visit,
    )


def _check_form(request: Request) -> None:
    """Refuse what none of our forms sends, before anything reads it."""
    if request.method == 'POST' and not is_form(request):
        raise PageError(400, START_AGAIN, _('connect-form', 'This is not the form of this page. Nothing was changed.'))


def _unknown() -> PageError:
    return PageError(
        404,
        BROKEN_LINK,
        _(
            'connect-link-unknown',
            'The link may have been cut off on its way to you. Open the page again from the application that you came '
            'from.',
        ),
    )
