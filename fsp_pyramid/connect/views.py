"""Views of the pages: connect an Egnyte account, return from Egnyte, disconnect."""

import logging
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response

from .. import errors
from ..i18n import _
from ..interfaces import IConnect
from ..model import Identity
from ..paths import text
from .context import (
    CALLBACK_ROUTE,
    ROUTE,
    START_AGAIN,
    CallbackContext,
    ConnectContext,
    PageError,
)
from .domains import EXAMPLE, DomainRefused, egnyte_url
from .rendering import HEADERS, render
from .states import browser_of, remember_browser

if TYPE_CHECKING:
    from ..accounts.store import Connection

log = logging.getLogger(__name__)


def show(context: ConnectContext, request: Request) -> Response:
    """Show the application, its user and the connected account."""
    return _page(context, request, done=request.GET.get('done', ''))


def start(context: ConnectContext, request: Request) -> Response:
    """Redirect the user to Egnyte."""
    _check_came_from_page(request)
    url, domain = context.settings.egnyte.url, request.POST.get('domain', '')
    if context.settings.oauth.domain == 'ask':
        try:
            url = egnyte_url(domain, context.settings)
        except DomainRefused as error:
            return _page(context, request, domain=domain, problem=error.text)
    elif context.settings.oauth.domain == 'service':
        url = ''
    response = HTTPSeeOther(headers=HEADERS)
    browser = _remember(request, response, renew=True)
    state = request.registry.getUtility(IConnect).states.make(context.link, url, browser)
    response.location = context.accounts.start_url(url, _redirect_uri(request), state)
    return response


def disconnect(context: ConnectContext, request: Request) -> Response:
    """Revoke the grant at Egnyte, and delete it here."""
    connection = context.connection()
    done = 'disconnected'
    if connection is not None and not context.accounts.disconnect(request, connection):
        done = 'forgotten'
    return redirect(context.url(ROUTE, done=done))


def return_from_egnyte(context: CallbackContext, request: Request) -> Response:
    """Store what the user granted at Egnyte. A POST comes from the page that asks for the domain."""
    parameters = request.POST if request.method == 'POST' else request.GET
    if error := parameters.get('error', ''):
        return _refused(context, request, error)
    code = parameters.get('code', '')
    if not code:
        raise _failed()
    try:
        url = context.state.url or _consent_url(context, request)
    except DomainRefused as error:
        problem = error.text if request.method == 'POST' else ''
        return _ask_domain(context, request, parameters.get('domain', ''), problem)
    # First, because it commits on its own.
    if not _use_state(context, request):
        return _finish(context, request)  # a reload, or "back": the page shows the result
    try:
        context.accounts.connect(request, context.link.client_id, context.link.uid, url, code, _redirect_uri(request))
    except errors.ConnectionExpired as error:
        raise _failed() from error
    return _finish(context, request, done='connected')


def _finish(context: CallbackContext, request: Request, done: str = '') -> Response:
    """Redirect to the page of the link; if the link has expired meanwhile, show the page without it."""
    return redirect(context.url(ROUTE, done=done)) if context.is_open else _page(context, request, done=done)


def _check_came_from_page(request: Request) -> None:
    """Refuse forms of other sites: their users have not seen whose account they connect.

    Browsers withhold our cookie from other sites' forms, and send the site of a form. Origin is of no use: it is "null"
    for our own pages because of their Referrer-Policy.
    """
    site = request.headers.get('Sec-Fetch-Site', 'same-origin')
    if not browser_of(request) or site != 'same-origin':
        raise PageError(
            400,
            START_AGAIN,
            _(
                'connect-foreign-form',
                'You did not come here from our page, or your browser keeps no cookies. Nothing was connected. '
                'Open the page again from your application.',
            ),
        )


def _remember(request: Request, response: Response, *, renew: bool = False) -> str:
    path = request.registry.getUtility(IConnect).path
    return remember_browser(request, response, request.script_name + path, renew=renew)


def _refused(context: CallbackContext, request: Request, error: str) -> Response:
    _use_state(context, request)
    if error == 'access_denied':
        return render(request, 'denied', visit=context, outcome='denied')
    log.error('Egnyte does not let users connect: %s', error[:100].encode('unicode_escape').decode())
    raise errors.InternalError(
        _(
            'connect-refused-by-egnyte',
            'Egnyte refused the request of ${application}, so you could not be asked. Tell the support of '
            '${application} the support id.',
            application=context.application,
        )
    )


def _use_state(context: CallbackContext, request: Request) -> bool:
    return context.accounts.use_state(request, context.state.nonce, context.state.expires_at)


def _consent_url(context: ConnectContext, request: Request) -> str:
    """Return the Egnyte at which a user of the Enhanced Auth Service consented. Raises DomainRefused if unknown.

    Egnyte does not document how to find out. Its own iOS client takes it from the Referer.
    """
    if request.method == 'POST':
        return egnyte_url(request.POST.get('domain', ''), context.settings)
    return egnyte_url(request.GET.get('domain') or request.referer or '', context.settings)


def _ask_domain(context: CallbackContext, request: Request, domain: str, problem: str) -> Response:
    parameters = request.POST if request.method == 'POST' else request.GET
    return render(
        request,
        'domain',
        400 if problem else 200,
        visit=context,
        action=request.route_path(CALLBACK_ROUTE),
        code=parameters['code'],
        state=parameters['state'],
        domain=domain,
        example=EXAMPLE,
        problem=problem,
    )


def _page(
    context: ConnectContext, request: Request, *, domain: str | None = None, problem: str = '', done: str = ''
) -> Response:
    connection = context.connection()
    state = connection.state if connection else 'none'
    if domain is None:
        domain = _netloc(connection.egnyte_url) if connection else ''
    response = render(
        request,
        'connect',
        400 if problem else 200,
        visit=context,
        connection=connection,
        outcome=_outcome(done, state),
        folders=[] if connection is None else folders_of(context, connection),
        asks_domain=context.settings.oauth.domain == 'ask',
        egnyte=_netloc(context.settings.egnyte.url) if context.settings.oauth.domain == 'fixed' else '',
        domain=domain,
        example=EXAMPLE,
        problem=problem,
        done=done,
    )
    _remember(request, response)
    return response


def folders_of(context: ConnectContext, connection: 'Connection') -> list[str]:
    """Return the folders of the user's files, a line for each folder mapping."""
    from ..accounts.oauth import account_of  # of the extra "accounts", which is installed if users connect accounts

    identity = Identity(context.link.client, context.link.client_id, context.link.uid)
    mappings = [mapping.resolve(identity, account_of(connection)) for mapping in context.settings.folders]
    return [
        _line(
            text(mapping.folder),
            text(mapping.directory, directory=True) if mapping.directory else '',
            mapping.read_only or context.settings.read_only,
        )
        for mapping in mappings
    ]


def _line(folder: str, shown_as: str, is_read_only: bool) -> str:
    """Return the text for a folder mapping."""
    if shown_as and is_read_only:
        return _(
            'connect-folder-mapped-read-only', '${folder} (shown as ${name}), read-only', folder=folder, name=shown_as
        )
    if shown_as:
        return _('connect-folder-mapped', '${folder} (shown as ${name})', folder=folder, name=shown_as)
    return _('connect-folder-read-only', '${folder}, read-only', folder=folder) if is_read_only else folder


def _outcome(done: str, state: str) -> str:
    """Return what the user did, if the page shows it: a URL alone proves nothing."""
    outcome = 'disconnected' if done == 'forgotten' else done
    expected = {'connected': 'connected', 'folder': 'connected', 'disconnected': 'disconnected'}
    return outcome if expected.get(outcome) == state else ''


def _netloc(url: str) -> str:
    return urlsplit(url).netloc


def _redirect_uri(request: Request) -> str:
    return request.route_url(CALLBACK_ROUTE)


def _failed() -> PageError:
    return PageError(
        400,
        _('connect-failed-title', 'Egnyte was not connected'),
        _(
            'connect-failed',
            'The answer from Egnyte was too old, or was used already. Nothing was changed. Please try again.',
        ),
    )


def redirect(location: str) -> Response:
    """Redirect to another page."""
    return HTTPSeeOther(location, headers=HEADERS)
