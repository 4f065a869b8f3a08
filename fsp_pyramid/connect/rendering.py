"""Rendering: templates that a host may replace one by one, in a Jinja environment of our own."""

import secrets
from functools import partial
from typing import TYPE_CHECKING, Any

from pyramid.path import AssetResolver
from pyramid.request import Request
from pyramid.response import Response
from translationstring import TranslationString

from ..i18n.templates import page_texts
from ..interfaces import IConnect
from .context import ConnectContext, page_translator

if TYPE_CHECKING:
    from jinja2 import Environment
    from jinja2.runtime import Context

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
        finalize=jinja2.pass_context(_translated),
    )


def _translated(context: 'Context', value: Any) -> Any:
    """Return a value as a page shows it: translation strings in its language, hosts' own templates included."""
    return context['text'](value) if isinstance(value, TranslationString) else value


def _load(templates: str, name: str) -> str | None:
    template = AssetResolver().resolve(f'{templates}/{name}')
    if not template.exists():
        return None
    with template.stream() as stream:
        return stream.read().decode()


def render(
    request: Request,
    name: str,
    status: int = 200,
    /,
    *,
    visit: ConnectContext | None = None,
    outcome: str = '',
    **values: Any,
) -> Response:
    """Render the page ``templates/NAME.jinja2``.

    The ConnectContext is named ``visit`` in templates: those of hosts use it, so the name stays.

    :param visit: the user of the link; None if unknown
    :param outcome: what the user did, if this is the last page; ``connected``, ``disconnected``, ``denied`` or
        ``folder``
    """
    nonce, translate = secrets.token_urlsafe(16), page_translator(request, visit)
    template = request.registry.getUtility(IConnect).templates.get_template(f'{name}.jinja2')
    # A host's own template may have no block for the script, and then the policy allows one in vain.
    scripts = f"; script-src 'nonce-{nonce}'" if outcome and visit and visit.return_url else ''
    values |= page_texts(translate) | {'visit': visit, 'outcome': outcome, 'nonce': nonce, 'failed': status >= 400}
    response = Response(template.render(values), status=status, content_type='text/html', charset='utf-8')
    response.content_language = translate.language
    response.headers.update(HEADERS | {'Content-Security-Policy': POLICY.format(nonce=nonce) + scripts})
    return response
