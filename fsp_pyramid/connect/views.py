"""The pages: where users connect an Egnyte account, come back from Egnyte, and disconnect."""

import logging
from typing import Any
from urllib.parse import urlsplit

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.response import Response

from .. import errors
from ..interfaces import IConnect
from ..model import Identity
from ..paths import text
from .context import (
    CALLBACK_ROUTE,
    ROUTE,
    ConnectContext,
    PageError,
)
from .domains import DomainRefused, egnyte_url
from .rendering import HEADERS, render
from .states import browser_of, remember_browser

log = logging.getLogger(__name__)


def show(visit: ConnectContext, request: Any) -> Response:
    """Who asks for what, and what is connected."""
    return _page(visit, request, done=request.GET.get('done', ''))


def start(visit: ConnectContext, request: Any) -> Response:
    """Send the user to Egnyte."""
    _check_came_from_page(request)
    url, domain = visit.settings.egnyte.url, request.POST.get('domain', '')
    if visit.settings.oauth.domain == 'ask':
        try:
            url = egnyte_url(domain, visit.settings)
        except DomainRefused as error:
            return _page(visit, request, domain=domain, problem=str(error))
    elif visit.settings.oauth.domain == 'service':
        url = ''
    response = HTTPSeeOther(headers=HEADERS)
    browser = _remember(request, response, anew=True)
    state = request.registry.getUtility(IConnect).states.make(visit.link, url, browser)
    response.location = visit.accounts.start_url(url, _redirect_uri(request), state)
    return response


def disconnect(visit: ConnectContext, request: Any) -> Response:
    """Revoke what was granted, and forget it."""
    connection = visit.connection()
    done = 'disconnected'
    if connection is not None and not visit.accounts.disconnect(request, connection):
        done = 'forgotten'
    return see(visit.url(ROUTE, done=done))


def come_back(visit: ConnectContext, request: Any) -> Response:
    """Keep what the user granted at Egnyte; a POST says where that was."""
    parameters = request.POST if request.method == 'POST' else request.GET
    if error := parameters.get('error', ''):
        return _refused(visit, request, error)
    code = parameters.get('code', '')
    if not code:
        raise _failed()
    try:
        url = visit.state.url or _told_url(visit, request)
    except DomainRefused as error:
        problem = str(error) if request.method == 'POST' else ''
        return _ask_domain(request, code, parameters['state'], parameters.get('domain', ''), problem)
    # Before anything else changes: it commits by itself.
    if not _use_state(visit, request):
        return _end(visit, request)  # a reload, or "back": the page shows what became of it
    try:
        visit.accounts.connect(request, visit.link.client_id, visit.link.uid, url, code, _redirect_uri(request))
    except errors.ConnectionExpired as error:
        raise _failed() from error
    return _end(visit, request, done='connected')


def _end(visit: ConnectContext, request: Any, done: str = '') -> Response:
    """To the page that the link leads to. The link may have expired since, and is not made anew: it is shown here."""
    return see(visit.url(ROUTE, done=done)) if visit.is_open else _page(visit, request, done=done)


def _check_came_from_page(request: Any) -> None:
    """Who did not see our page has not been told whose account they connect: another site may have sent them.

    Browsers withhold our cookie from other sites' forms, and say whose a form is. Their Origin is of no use: it is
    "null" for our own pages, which tell nobody where they are.
    """
    site = request.headers.get('Sec-Fetch-Site', 'same-origin')
    if not browser_of(request) or site != 'same-origin':
        raise PageError(
            400,
            'Please start again',
            'You did not come here from our page, or your browser keeps no cookies. Nothing was connected. '
            'Open the page again from your application.',
        )


def _remember(request: Any, response: Response, *, anew: bool = False) -> str:
    path = request.registry.getUtility(IConnect).path
    return remember_browser(request, response, request.script_name + path, anew=anew)


def _refused(visit: ConnectContext, request: Any, error: str) -> Response:
    _use_state(visit, request)
    if error == 'access_denied':
        return render(request, 'denied', visit=visit)
    log.error('Egnyte does not let users connect: %s', error[:100].encode('unicode_escape').decode())
    raise errors.InternalError(
        'Egnyte refused the request of this application, so you could not be asked. Tell its support the support id.'
    )


def _use_state(visit: ConnectContext, request: Any) -> bool:
    return visit.accounts.use_state(request, visit.state.nonce, visit.state.expires_at)


def _told_url(visit: ConnectContext, request: Any) -> str:
    """Where a user of the Enhanced Auth Service consented. Raises DomainRefused where that is not known.

    Egnyte does not document how it is told. Its own iOS client takes it from the Referer.
    """
    if request.method == 'POST':
        return egnyte_url(request.POST.get('domain', ''), visit.settings)
    return egnyte_url(request.GET.get('domain') or request.referer or '', visit.settings)


def _ask_domain(request: Any, code: str, state: str, domain: str, problem: str) -> Response:
    action = request.route_path(CALLBACK_ROUTE)
    return render(
        request,
        'domain',
        400 if problem else 200,
        action=action,
        code=code,
        state=state,
        domain=domain,
        problem=problem,
    )


def _page(
    visit: ConnectContext, request: Any, *, domain: str | None = None, problem: str = '', done: str = ''
) -> Response:
    connection = visit.connection()
    if domain is None:
        domain = urlsplit(connection.egnyte_url).netloc if connection else ''
    response = render(
        request,
        'connect',
        400 if problem else 200,
        visit=visit,
        connection=connection,
        folders=[] if connection is None else folders_of(visit, connection),
        asks_domain=visit.settings.oauth.domain == 'ask',
        domain=domain,
        problem=problem,
        done=done,
    )
    _remember(request, response)
    return response


def folders_of(visit: ConnectContext, connection: Any) -> list[str]:
    """Return where the user's files are, a line for each mount."""
    from ..accounts.oauth import account_of  # it needs the extra "accounts", which is there if anybody connects

    identity = Identity(visit.link.client, visit.link.client_id, visit.link.uid)
    mounts = [mount.filled(identity, account_of(connection)) for mount in visit.settings.folders]
    return [
        text(mount.folder)
        + (f' (shown as {text(mount.directory, directory=True)})' if mount.directory else '')
        + (', read-only' if mount.read_only or visit.settings.read_only else '')
        for mount in mounts
    ]


def _redirect_uri(request: Any) -> str:
    return request.route_url(CALLBACK_ROUTE)


def _failed() -> PageError:
    return PageError(
        400,
        'Egnyte was not connected',
        'What came back from Egnyte was too old, or was used already. Nothing was changed. Please try again.',
    )


def see(location: str) -> Response:
    """Go on to another page."""
    return HTTPSeeOther(location, headers=HEADERS)
