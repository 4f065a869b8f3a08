"""A Beefree file system provider on Egnyte, as a Pyramid add-on."""

import logging
import os
import warnings
from typing import Any

with warnings.catch_warnings():
    # Pyramid 2 imports it (https://github.com/Pylons/pyramid/issues/3731), and the warning would be the first line of
    # every command. The filters of a host stay as they are.
    warnings.filterwarnings('ignore', 'pkg_resources is deprecated as an API', UserWarning)
    import pyramid.asset  # noqa: F401

from pyramid.config import Configurator
from pyramid.interfaces import ISecurityPolicy
from pyramid.registry import Registry
from pyramid.router import Router

from ._version import version as __version__
from .connect import add_connect
from .console import add_console
from .console.welcome import add_welcome
from .i18n.negotiation import Languages, add_languages
from .interfaces import IConsole, IMount
from .ops import add_ops
from .protocol import mount
from .protocol.request import RequestContext, undoing_view
from .protocol.security import guarded_view
from .public.routes import add_public
from .settings import Settings, refuse_defaults, unknown_variables
from .standalone import COMMAND, add_elsewhere, ending_commands, share_request_class
from .telemetry import RequestStats

__all__ = ['__version__', 'includeme', 'main']

MOUNT = 'fsp'
log = logging.getLogger(__name__)


def includeme(config: Configurator) -> None:
    """Mount the provider in a Pyramid application: ``config.include('fsp_pyramid')``.

    It answers the protocol below ``fsp.prefix``, and serves public files below ``fsp.public.prefix``, pages for
    connecting accounts below ``fsp.connect.prefix``, health checks and metrics below ``fsp.ops.prefix``, and, if it is
    enabled, the console below ``fsp.console.prefix``; a ``route_prefix`` goes before all of them. ``request.fsp`` is
    the context of a request below a mount, ``request.fsp_stats`` has its figures, and
    ``config.add_fsp(name, prefix, **overrides)`` adds another mount. pyramid_tm is included unless ``fsp.include_tm``
    is false. The application's security policy, default permission, CSRF options, exception views and renderers stay
    as they are. Files that settings name are read; no other I/O happens before the first request.

    Raises ConfigurationError if the ``fsp.`` settings are not right.
    """
    settings = Settings.parse(config.registry.settings, os.environ)
    for warning in unknown_variables(config.registry.settings, os.environ):
        log.warning('%s', warning)
    if settings.include_tm:
        config.include('pyramid_tm')
    config.add_directive('add_fsp', mount.add_fsp)
    config.add_request_method(RequestContext, 'fsp', reify=True)
    config.add_request_method(RequestStats, 'fsp_stats', reify=True)
    config.add_view_deriver(undoing_view, name='fsp_undoing_view')
    config.add_view_deriver(guarded_view, name='fsp_guarded_view')
    add_languages(config, Languages(settings.language, settings.messages, settings.timezone, settings.language_header))
    mount.add_shared(config, settings)
    add_public(config, settings)
    add_connect(config, settings)
    add_ops(config, settings)
    add_console(config, settings)
    config.add_fsp(MOUNT, settings.prefix)


def main(global_config: dict[str, str], **settings: Any) -> Router:
    """Return the WSGI application of an ini file: the provider alone.

    Raises ConfigurationError; below Pyramid's commands (``pserve`` and others) SystemExit with the same message, which
    ends them without a traceback.
    """
    with ending_commands(global_config):
        return _make_application(global_config, settings)


def _make_application(global_config: dict[str, str], settings: dict[str, Any]) -> Router:
    refuse_defaults(global_config)
    settings.setdefault('tm.activate_hook', 'fsp_pyramid.standalone.wants_transaction')
    with Configurator(settings=settings) as config:
        config.include('fsp_pyramid')
        config.commit()
        # For ``request.authenticated_userid``, the debug toolbar and access logs.
        config.set_security_policy(config.registry.getUtility(ISecurityPolicy, name=MOUNT))
        add_welcome(config, Settings.parse(config.registry.settings, os.environ))
        add_elsewhere(config, config.registry.getUtility(IMount, name=MOUNT).path)
        share_request_class(config)
        application = config.make_wsgi_app()
    if global_config.get('__script__') != COMMAND:
        _log_addresses(application.registry, global_config.get('http_port', ''))
    return application


def _log_addresses(registry: Registry, port: str) -> None:
    """Log the URLs, as this machine sees them.

    :param port: that of the shipped ini files; '' if unknown, as with other servers
    """
    mount, console = registry.getUtility(IMount, name=MOUNT), registry.queryUtility(IConsole)
    origin = f'http://localhost:{port}' if port else 'http://HOST'
    for client in mount.client_backends.values():
        log.info(
            'the base URL for Beefree is %s%s, its files are at %s', origin, mount.path, client.settings.egnyte.url
        )
    if console is not None:
        log.info('the console is at %s%s', origin, console.path)
    if mount.settings.welcome:
        log.info('open %s/ in a browser', origin)
