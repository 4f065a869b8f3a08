"""Rendering: pages with their security headers, session and token against forged requests."""

import secrets
from typing import Any
from urllib.parse import urlsplit

from pyramid.request import Request
from pyramid.response import Response

from .._version import version
from ..connect.rendering import HEADERS
from ..interfaces import IAccountStores, IConsole, IPublic
from .access import Verdict

TEMPLATES = 'fsp_pyramid:console/templates'
# Scripts and styles have the nonce: files of users are served from this origin as well.
POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src 'self' data:{images}; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def render(request: Request, name: str, status: int = 200, /, **values: Any) -> Response:
    """Render the page ``templates/NAME.jinja2``. A browser without a session gets one."""
    console = request.registry.getUtility(IConsole)
    response = Response(status=status, content_type='text/html', charset='utf-8')
    session = console.sessions.read(request) or console.sessions.start(request, response)
    nonce = secrets.token_urlsafe(16)
    response.text = console.templates.get_template(f'{name}.jinja2').render(
        values,
        nonce=nonce,
        request=request,
        version=version,
        csrf_token=console.sessions.csrf_token(session),
        can_log_out=session.is_logged_in,
        is_permitted=console.access.verdict(request) is Verdict.PERMITTED,
        has_accounts=request.registry.queryUtility(IAccountStores) is not None,
    )
    base = urlsplit(request.registry.getUtility(IPublic).base_url)
    images = f' {base.scheme}://{base.netloc}' if base.netloc else ''
    response.headers.update(HEADERS | {'Content-Security-Policy': POLICY.format(nonce=nonce, images=images)})
    return response
