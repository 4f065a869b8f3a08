"""The page Accounts: accounts that users connected, and links for those who are to connect one."""

import time
from typing import Any

from pyramid.httpexceptions import HTTPNotFound, HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response

from ..accounts import AccountKey
from ..clients import find_client
from ..connect import connect_url
from ..connect.rendering import HEADERS
from ..interfaces import IAccountStores, IConnect, IMount
from .audit import record
from .rendering import render

ROUTE = 'fsp_console_accounts'
DONE = {
    'disconnected': 'The account is disconnected, and its tokens are revoked at Egnyte.',
    'forgotten': 'The account is disconnected here. Egnyte did not answer: revoke its tokens there.',
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
    mount, _, client = request.POST.get('client', '').partition('/')
    try:
        link = connect_url(request.registry, request.application_url, client_id, uid, client=client, mount=mount)
    except ValueError as error:
        return _page(request, 400, problem=str(error), client_id=client_id, uid=uid)
    record(request, 'make a connect link', client_id=client_id, uid=uid)
    return _page(request, link=link, client_id=client_id, uid=uid)


def _page(request: Request, status: int = 200, **values: Any) -> Response:
    clients = [
        (f'{mount.name}/{name}', name or backend.settings.username)
        for _, mount in sorted(request.registry.getUtilitiesFor(IMount))
        for name, backend in mount.client_backends.items()
        if backend.settings.accounts.mode == 'oauth'
    ]
    given = {'done': '', 'problem': '', 'link': '', 'client_id': '', 'uid': ''} | values
    hours = request.registry.getUtility(IConnect).lifetime / 3600
    connections = _store(request).list_all()
    return render(request, 'accounts', status, connections=connections, clients=clients, hours=hours, day=_day, **given)


def _store(request: Request) -> Any:
    stores = request.registry.queryUtility(IAccountStores)
    if stores is None:
        raise HTTPNotFound
    return stores(request)


def _day(seconds: float | None) -> str:
    """Return a time for the page; '' without one."""
    return time.strftime('%Y-%m-%d %H:%M', time.gmtime(seconds)) if seconds else ''
