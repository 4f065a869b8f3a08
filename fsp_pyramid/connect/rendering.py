"""Rendering: templates that a host may replace one by one, in a Jinja environment of our own."""

import secrets
from functools import partial
from typing import TYPE_CHECKING, Any

from pyramid.path import AssetResolver
from pyramid.request import Request
from pyramid.response import Response

from ..interfaces import IConnect

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = 'fsp_pyramid:connect/templates'
# No form-action: browsers apply it to the redirects of a form's answer, which lead through logins that only Egnyte
# knows. 'self' is for resources of a host's own templates.
POLICY = (
    "default-src 'none'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; font-src 'self'; "
    "base-uri 'none'; frame-ancestors 'self'"
)
HEADERS = {
    'Cache-Control': 'no-store',
    # The links are secrets.
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
}


def make_environment(templates: str = TEMPLATES) -> 'Environment':
    """Return a new jinja2.Environment for an application.

    :param templates: asset specification of their directory

    Not that of pyramid_jinja2: its settings are the host's, and one of them switches escaping off.
    """
    import jinja2  # slow, and most processes render no page

    return jinja2.Environment(
        loader=jinja2.FunctionLoader(partial(_load, templates)),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _load(templates: str, name: str) -> str | None:
    template = AssetResolver().resolve(f'{templates}/{name}')
    if not template.exists():
        return None
    with template.stream() as stream:
        return stream.read().decode()


def render(request: Request, name: str, status: int = 200, /, **values: Any) -> Response:
    """Render the page ``templates/NAME.jinja2``.

    The ConnectContext is named ``visit`` in templates: those of hosts use it, so the name stays.
    """
    nonce = secrets.token_urlsafe(16)
    template = request.registry.getUtility(IConnect).templates.get_template(f'{name}.jinja2')
    response = Response(
        template.render(values, nonce=nonce, failed=status >= 400),
        status=status,
        content_type='text/html',
        charset='utf-8',
    )
    response.headers.update(HEADERS | {'Content-Security-Policy': POLICY.format(nonce=nonce)})
    return response
