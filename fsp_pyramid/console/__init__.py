"""Console: pages on which an integrator or operator plays the File Manager and sees how the service is.

It is a client of the protocol: each action on files becomes a request below a mount, as Beefree sends it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pyramid.config import Configurator
from pyramid.exceptions import URLDecodeError
from pyramid.interfaces import IRootFactory
from pyramid.request import Request
from pyramid.traversal import DefaultRootFactory
from zope.interface import implementer

from ..connect.rendering import make_environment
from ..interfaces import IConsole, IRequestHistory
from ..metrics import CombinedMetrics, IMetrics
from ..ops.checks import Readiness
from ..reify import reify
from ..routing import NoContext, add_own_view, full_path
from ..settings import Settings
from ..telemetry import with_access_log
from . import accounts, assets, error_views, files, links, login, relay, sources, status
from .access import Access, guarded
from .activity import Activity, History
from .attempts import Attempts
from .rendering import TEMPLATES
from .sessions import Sessions

if TYPE_CHECKING:
    from jinja2 import Environment


@implementer(IConsole)
class Console:
    """The console of an application. The constructor does no I/O.

    :param path: below SCRIPT_NAME, with any route_prefix
    """

    def __init__(self, path: str, settings: Settings) -> None:
        self.path, self.settings = path, settings
        self.sessions = Sessions(settings, path)
        self.access = Access(settings, self.sessions)
        self.attempts = Attempts()
        self.history, self.activity = History(), Activity()
        self.readiness = Readiness(settings)

    @reify
    def templates(self) -> 'Environment':
        """The jinja2.Environment of the pages."""
        return make_environment(TEMPLATES)


def add_console(config: Configurator, settings: Settings) -> None:
    """Register the console below ``fsp.console.prefix``; without a setting that says who may use it, nothing.

    Mounts that are added later report to the metrics that this function registers. Does no I/O.
    """
    if not settings.console.enabled:
        return
    console = Console(full_path(config, settings.console.prefix), settings)
    registry = config.registry
    registry.registerUtility(console, IConsole)
    registry.registerUtility(console.history, IRequestHistory)
    registry.registerUtility(CombinedMetrics(registry.getUtility(IMetrics), console.activity), IMetrics)

    prefix = settings.console.prefix
    # The host's permission is checked for the host's root; without it, that root is not needed.
    root = with_access_log(_host_root) if settings.console.permission else with_access_log()
    # Their requests below a mount are in the audit log.
    quiet = _host_root if settings.console.permission else NoContext

    assets.add_assets(config, prefix)
    config.add_exception_view(error_views.failed, context=Exception, route_name=assets.ROUTE)
    _add(config, login.ROUTE, f'{prefix}/login', root, ('POST', login.log_in))
    _add(config, login.LOGOUT_ROUTE, f'{prefix}/logout', root, ('POST', guarded(login.log_out)))
    _add(config, files.ROUTE, f'{prefix}{{slash:/?}}', root, ('GET', guarded(files.show)))
    _add(config, status.ROUTE, f'{prefix}/status', root, ('GET', guarded(status.show)))
    _add(config, links.ROUTE, f'{prefix}/links', root, ('GET', guarded(links.show)), ('POST', guarded(links.look_up)))
    checks = ('GET', guarded(sources.show)), ('POST', guarded(sources.check))
    _add(config, sources.ROUTE, f'{prefix}/sources', root, *checks)
    _add_accounts(config, f'{prefix}/accounts', root)
    # "." does not match a newline, which names may not contain; the mount says so.
    target = r'{mount}/{client}{path:(?s:/.*)}'
    _add(config, relay.ROUTE, f'{prefix}/call/{target}', quiet, (None, guarded(relay.call, token=True)))
    _add(config, relay.UPLOAD_ROUTE, f'{prefix}/upload/{target}', quiet, ('POST', guarded(relay.upload, token=True)))
    config.add_exception_view(error_views.undecodable, context=URLDecodeError, fsp_mount=console.path)


def _add(
    config: Configurator,
    route: str,
    pattern: str,
    factory: Callable[[Request], Any],
    *views: tuple[str | None, Callable[[Any, Request], Any]],
) -> None:
    config.add_route(route, pattern, factory=factory)
    for method, view in views:
        add_own_view(config, view, route, **({'request_method': method} if method else {}))
    if all(method for method, _ in views):
        add_own_view(config, error_views.unknown, route)
    config.add_exception_view(error_views.failed, context=Exception, route_name=route)


def _add_accounts(config: Configurator, pattern: str, factory: Callable[[Request], Any]) -> None:
    _add(config, accounts.ROUTE, pattern, factory, ('GET', guarded(accounts.show)))
    for action, view in (('disconnect', accounts.disconnect), ('link', accounts.make_link)):
        predicates = {'request_method': 'POST', 'request_param': f'action={action}'}
        add_own_view(config, guarded(view), accounts.ROUTE, **predicates)


def _host_root(request: Request) -> Any:
    return (request.registry.queryUtility(IRootFactory) or DefaultRootFactory)(request)
