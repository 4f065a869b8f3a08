"""Rendering: pages with their language, security headers, session and token against forged requests."""

import secrets
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup
from pyramid.request import Request
from pyramid.response import Response

from .._version import version
from ..connect.rendering import HEADERS
from ..i18n import Translator
from ..i18n.negotiation import host_language, translator_of
from ..i18n.templates import page_texts
from ..interfaces import IAccountStores, IConsole, IPublic
from .access import Verdict
from .script_texts import script_texts

TEMPLATES = 'fsp_pyramid:console/templates'
# Scripts and styles have the nonce: files of users are served from this origin as well.
POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src 'self' data:{images}; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def render(request: Request, name: str, status: int = 200, /, **values: Any) -> Response:
    """Render the page ``templates/NAME.jinja2``. A browser without a session gets one."""
    console, translate = request.registry.getUtility(IConsole), translator(request)
    response = Response(status=status, content_type='text/html', charset='utf-8')
    session = console.sessions.read(request) or console.sessions.start(request, response)
    nonce = secrets.token_urlsafe(16)
    response.text = console.templates.get_template(f'{name}.jinja2').render(
        template_texts(translate) | values,
        nonce=nonce,
        request=request,
        version=version,
        csrf_token=console.sessions.csrf_token(session),
        can_log_out=session.is_logged_in,
        is_permitted=console.access.verdict(request) is Verdict.PERMITTED,
        has_accounts=request.registry.queryUtility(IAccountStores) is not None,
    )
    response.content_language = translate.language
    base = urlsplit(request.registry.getUtility(IPublic).base_url)
    images = f' {base.scheme}://{base.netloc}' if base.netloc else ''
    response.headers.update(HEADERS | {'Content-Security-Policy': POLICY.format(nonce=nonce, images=images)})
    return response


def translator(request: Request) -> Translator:
    """Return the translator for a page: of the language of the host, else of the browser."""
    return translator_of(request, (host_language(request),))


def template_texts(translate: Translator) -> dict[str, Any]:
    """Return names for texts, and values of texts, in the templates."""
    return page_texts(translate) | {
        'element': element,
        'spelled': translate.spelled,
        'decimal': translate.decimal,
        'time': translate.time,
        'clock': translate.clock,
        'script_texts': partial(script_texts, translate),
    }


def element(name: str, content: object, /, **attributes: str) -> Markup:
    """Return an HTML element, as a value of a text."""
    given = Markup('').join(Markup(' {}="{}"').format(key, value) for key, value in attributes.items())
    return Markup('<{name}{given}>{content}</{name}>').format(name=name, given=given, content=content)
