"""Welcome page of the stand-alone application: what it is, its base URL, and whether it works."""

import secrets
from typing import TYPE_CHECKING, Any

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response

from .._version import version
from ..connect.rendering import HEADERS, make_environment
from ..interfaces import IConsole, IMount
from ..ops.authorization import OpsAuthorization
from ..ops.checks import Readiness
from ..paths import quoted
from ..reify import reify
from ..routing import NoContext, add_own_view
from ..settings import Settings
from . import assets
from .checks import run_checks
from .rendering import POLICY, TEMPLATES, template_texts, translator

if TYPE_CHECKING:
    from jinja2 import Environment

ROUTE, ICON_ROUTE = 'fsp_welcome', 'fsp_icon'


def add_welcome(config: Configurator, settings: Settings) -> None:
    """Answer ``/favicon.ico``, and ``/`` if ``fsp.welcome`` is on. Does no I/O.

    For the stand-alone application only: a host has pages of its own there.
    """
    config.add_route(ICON_ROUTE, '/favicon.ico', factory=NoContext)
    add_own_view(config, lambda _context, request: assets.asset(request, 'icon.svg'), ICON_ROUTE, request_method='GET')
    if settings.welcome:
        if not settings.console.enabled:
            assets.add_assets(config, settings.console.prefix)
        config.add_route(ROUTE, '/', factory=NoContext)
        add_own_view(config, Welcome(settings), ROUTE, request_method='GET')


class Welcome:
    """View of the page."""

    def __init__(self, settings: Settings) -> None:
        self._readiness, self._authorization = Readiness(settings), OpsAuthorization(settings)

    @reify
    def _templates(self) -> 'Environment':
        return make_environment(TEMPLATES)

    def __call__(self, _context: Any, request: Request) -> Response:
        """Show the page. The reasons of checks are for callers that may see them in ``ready``."""
        translate, checks = translator(request), run_checks(request, self._readiness)
        console = request.registry.queryUtility(IConsole)
        ((_, mount),) = request.registry.getUtilitiesFor(IMount)
        clients = [backend.settings for backend in mount.client_backends.values()]
        nonce = secrets.token_urlsafe(16)
        response = Response(content_type='text/html', charset='utf-8')
        response.text = self._templates.get_template('welcome.jinja2').render(
            template_texts(translate),
            nonce=nonce,
            request=request,
            version=version,
            base_url=request.application_url + quoted(mount.path),
            usernames=[client.username for client in clients],
            has_sandbox=all(client.egnyte.sandbox_directory for client in clients),
            console='' if console is None else request.script_name + quoted(console.path),
            checks=checks if self._authorization.permits(request) else [check._replace(text='') for check in checks],
        )
        response.content_language = translate.language
        response.headers.update(HEADERS | {'Content-Security-Policy': POLICY.format(nonce=nonce, images='')})
        return response
