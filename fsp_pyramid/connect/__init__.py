"""Pages on which users connect their Egnyte accounts and choose the folder for their files."""

from typing import TYPE_CHECKING, Any

from pyramid.config import Configurator
from pyramid.exceptions import URLDecodeError
from pyramid.request import Request
from zope.interface import implementer

from ..interfaces import IConnect
from ..logs import mask_tokens
from ..reify import reify
from ..routing import add_own_view, full_path
from ..settings import Settings
from ..telemetry import with_access_log
from . import (
    context,
    error_views,
    folders,
    logo,
    rendering,
    views,
)
from .links import Links, are_accounts_connected, connect_url, request_connect_url
from .states import States

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ['add_connect', 'connect_url']


@implementer(IConnect)
class Connect:
    """The connect surface of an application."""

    def __init__(self, path: str, settings: Settings) -> None:
        self.path, self.lifetime, self.return_origins = (
            path,
            settings.connect.lifetime,
            frozenset(settings.connect.return_origins),
        )
        self.links, self.states = Links(settings.public.secret), States(settings.public.secret)

    @reify
    def templates(self) -> 'Environment':
        """The jinja2.Environment of the pages."""
        return rendering.make_environment()


class AccountsPredicate:
    """Route and view predicate ``fsp_accounts=True``: some mount has ``fsp.accounts.mode = oauth``."""

    def __init__(self, _value: bool, _info: Any) -> None:
        pass

    def text(self) -> str:
        """Return the predicate as ``pviews`` shows it."""
        return 'fsp_accounts = True'

    phash = text

    def __call__(self, _context: Any, request: Request) -> bool:
        """Return whether there are pages at all; without them, the URLs are the host's."""
        return are_accounts_connected(request)


def add_connect(config: Configurator, settings: Settings) -> None:
    """Register the pages below ``fsp.connect.prefix`` for all mounts, and methods of requests for links to them.

    Mounts may be added later, so a predicate finds out at each request whether users connect accounts.
    """
    path = full_path(config, settings.connect.prefix)
    connect = Connect(path, settings)
    config.action('fsp connect', lambda: config.registry.registerUtility(connect, IConnect))
    config.action(('fsp tokens', path), mask_tokens, args=(path,))
    config.add_request_method(request_connect_url, 'fsp_connect_url')
    config.add_request_method(are_accounts_connected, 'fsp_connect_available', reify=True)
    config.add_route_predicate('fsp_accounts', AccountsPredicate)
    config.add_view_predicate('fsp_accounts', AccountsPredicate)

    config.add_route(
        context.LOGO_ROUTE,
        f'{settings.connect.prefix}/logo/{{mount}}/{{client}}',
        factory=with_access_log(),
        fsp_accounts=True,
    )
    add_own_view(config, logo.show, context.LOGO_ROUTE, request_method='GET')
    config.add_exception_view(error_views.failed, context=Exception, route_name=context.LOGO_ROUTE)
    _add_page(
        config,
        (context.CALLBACK_ROUTE, f'{settings.connect.prefix}/callback', context.by_state),
        (views.return_from_egnyte, {'request_method': ('GET', 'POST')}),
    )
    _add_page(
        config,
        (context.FOLDER_ROUTE, f'{settings.connect.prefix}/{{token}}/folder', context.by_any_link),
        (folders.browse, {'request_method': 'GET'}),
        (folders.choose, _action('choose')),
        (folders.choose_default, _action('default')),
        (folders.create, _action('create')),
    )
    _add_page(
        config,
        (context.ROUTE, f'{settings.connect.prefix}/{{token}}', context.by_link),
        (views.show, {'request_method': 'GET'}),
        (views.start, _action('connect')),
        (views.disconnect, _action('disconnect')),
    )
    config.add_exception_view(error_views.undecodable, context=URLDecodeError, fsp_mount=path, fsp_accounts=True)


def _action(name: str) -> dict[str, str]:
    """Return the predicates of a form's button."""
    return {'request_method': 'POST', 'request_param': f'action={name}'}


def _add_page(config: Configurator, route: tuple[str, str, Any], *page_views: tuple[Any, dict[str, Any]]) -> None:
    name, pattern, factory = route
    config.add_route(name, pattern, factory=with_access_log(factory), fsp_accounts=True)
    # The signed link, or the state, protects our forms.
    for view, predicates in (*page_views, (error_views.unknown, {})):
        add_own_view(config, view, name, **predicates)
    config.add_exception_view(error_views.failed, context=Exception, route_name=name)
