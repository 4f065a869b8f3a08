"""The page Accounts: accounts that users connected, and links for those who are to connect one."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from pyramid.httpexceptions import HTTPNotFound, HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response

from ..accounts import AccountKey
from ..clients import find_client
from ..connect import connect_url
from ..connect.rendering import HEADERS
from ..i18n import Duration, _
from ..interfaces import IAccountStores, IConnect
from ..model import ID_FORMAT
from . import files
from .audit import record
from .rendering import element, render

ROUTE = 'fsp_console_accounts'
DONE = {
    'disconnected': _('console-disconnected', 'The account is disconnected, and its tokens are revoked at Egnyte.'),
    'forgotten': _(
        'console-forgotten', 'The account is disconnected here. Egnyte did not answer: revoke its tokens there.'
    ),
}

# By the state of an account.
STATES = {
    'connected': _('console-state-connected', 'connected'),
    'expired': _('console-state-expired', 'expired'),
    'disconnected': _('console-state-disconnected', 'disconnected'),
}


def show(_context: Any, request: Request) -> Response:
    """Show all accounts, without their tokens."""
    return _page(request, done=DONE.get(request.GET.get('done', ''), ''))


def disconnect(_context: Any, request: Request) -> Response:
    """Revoke an account's tokens at Egnyte, and delete them."""
    number = request.POST.get('number', '')
    connection = _store(request).by_number(int(number)) if number.isdecimal() and len(number) < 10 else None
    if connection is None:
        raise HTTPNotFound
    key = AccountKey.parse(connection.account_key)
    try:
        accounts: Any = find_client(request.registry, key.mount, key.client).accounts
    except LookupError:
        raise HTTPNotFound from None
    done = 'disconnected' if accounts.disconnect(request, connection) else 'forgotten'
    record(request, 'disconnect', account=connection.number, uid=connection.uid, outcome=done)
    return HTTPSeeOther(request.route_path(ROUTE, _query={'done': done}), headers=HEADERS)


def make_link(_context: Any, request: Request) -> Response:
    """Show a link to the connect page. It is the credential of its user, so it is in no log."""
    client_id, uid = (request.POST.get(name, '').strip() for name in ('client_id', 'uid'))
    mount, _slash, client = request.POST.get('client', '').partition('/')
    given = {'client_id': client_id, 'uid': uid}
    for name, value in given.items():
        if not ID_FORMAT.fullmatch(value):
            problem = _('console-bad-id', '${name}: 1 to 200 letters, digits, underscores or hyphens.', name=name)
            return _page(request, 400, problem=problem, **given)
    try:
        link = connect_url(request.registry, request.application_url, client_id, uid, client=client, mount=mount)
    except ValueError as error:
        problem = element('span', error, lang='en', dir='ltr')  # about the settings of the client
        return _page(request, 400, problem=problem, **given)
    record(request, 'make a connect link', client_id=client_id, uid=uid)
    return _page(request, link=link, **given)


def _page(request: Request, status: int = 200, **values: Any) -> Response:
    clients = [
        (f'{mount.name}/{name}', name or backend.settings.username)
        for mount, name, backend in files.all_clients(request.registry)
        if backend.settings.accounts.mode == 'oauth'
    ]
    given = {'done': '', 'problem': '', 'link': '', 'client_id': '', 'uid': ''} | values
    lifetime = Duration(request.registry.getUtility(IConnect).lifetime)
    connections = _store(request).list_all()
    return render(
        request,
        'accounts',
        status,
        connections=connections,
        states=STATES,
        clients=clients,
        lifetime=lifetime,
        moment=_moment,
        address=partial(_files_of, request),
        **given,
    )


def _files_of(request: Request, connection: Any) -> str:
    key = AccountKey.parse(connection.account_key)
    return files.address(request, key, connection.client_id, connection.uid)


def _store(request: Request) -> Any:
    stores = request.registry.queryUtility(IAccountStores)
    if stores is None:
        raise HTTPNotFound
    return stores(request)


def _moment(seconds: float) -> datetime:
    """Return the moment of UNIX seconds."""
    return datetime.fromtimestamp(seconds, UTC)
