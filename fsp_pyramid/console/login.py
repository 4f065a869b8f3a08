"""Login by ``fsp.console.token``, and logout."""

import math
import secrets
from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response

from ..connect.context import PageError
from ..connect.rendering import HEADERS
from ..i18n import Duration, _
from ..interfaces import IConsole
from . import files
from .access import check_csrf
from .audit import record
from .rendering import render

ROUTE, LOGOUT_ROUTE = 'fsp_console_login', 'fsp_console_logout'


def ask(request: Request, status: int = 403, problem: str = '') -> Response:
    """Return the login form."""
    return render(request, 'login', status, problem=problem)


def log_in(_context: Any, request: Request) -> Response:
    """Start a session if the form has the token."""
    console, address = request.registry.getUtility(IConsole), request.remote_addr or ''
    token = console.settings.console.token
    if not token or not console.access.is_secure(request):
        raise PageError(403, _('console-no-login', 'There is no login here'), console.access.remedy)
    check_csrf(request)
    wait = console.attempts.wait(address)
    if wait > 0:
        problem = _('console-many-logins', 'Too many attempts. Try again in ${time}.', time=Duration(wait))
        response = ask(request, 429, problem)
        response.headers['Retry-After'] = str(math.ceil(wait))
        return response
    if not secrets.compare_digest(request.POST.get('token', '').strip().encode(), token.encode()):
        console.attempts.failed(address)
        record(request, 'log in', outcome='refused')
        problem = _('console-wrong-token', 'That is not the token. It is the value of fsp.console.token.')
        return ask(request, 403, problem)
    response = HTTPSeeOther(request.route_path(files.ROUTE, slash=''), headers=HEADERS)
    console.sessions.start(request, response, is_logged_in=True)
    record(request, 'log in', outcome='done')
    return response


def log_out(_context: Any, request: Request) -> Response:
    """End the session."""
    response = HTTPSeeOther(request.route_path(files.ROUTE, slash=''), headers=HEADERS)
    request.registry.getUtility(IConsole).sessions.end(request, response)
    record(request, 'log out', outcome='done')
    return response
