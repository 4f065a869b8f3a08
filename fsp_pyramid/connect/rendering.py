"""Rendering: templates that a host may replace one by one, in an environment that is none of the host's."""

import secrets
from typing import Any

from pyramid.path import AssetResolver
from pyramid.response import Response

from ..interfaces import IConnect

# No form-action: browsers apply it to where a form's answer redirects, through logins that only Egnyte knows.
# 'self' is for what a host's own templates may load.
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


def make_environment() -> Any:
    """The jinja2.Environment of an application.

    Not that of pyramid_jinja2: its settings are the host's, and one of them switches escaping off.
    """
    import jinja2  # it comes with the extra "accounts"

    return jinja2.Environment(
        loader=jinja2.FunctionLoader(_load),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _load(name: str) -> str | None:
    template = AssetResolver().resolve(f'fsp_pyramid:connect/templates/{name}')
    if not template.exists():
        return None
    with template.stream() as stream:
        return stream.read().decode()


def render(request: Any, name: str, status: int = 200, /, **values: Any) -> Response:
    """The page ``templates/NAME.jinja2``."""
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
