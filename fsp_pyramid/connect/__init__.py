"""The pages on which users connect their Egnyte accounts and choose where their files go."""

from functools import cached_property
from typing import Any

from pyramid.exceptions import URLDecodeError
from pyramid.security import NO_PERMISSION_REQUIRED
from zope.interface import implementer

from ..interfaces import IAccountStores, IConnect
from ..logs import mask_tokens
from ..protocol.mount import full_path
from ..settings import Settings
from ..telemetry import watched
from . import (
    context,
    error_views,
    folders,
    rendering,
    views,
)
from .links import Links, connect_url, request_connect_url
from .states import States

__all__ = ['add_connect', 'connect_url']


@implementer(IConnect)
class Connect:
    """See IConnect."""

    def __init__(self, path: str, settings: Settings) -> None:
        self.path, self.lifetime = path, settings.connect.lifetime
        self.links, self.states = Links(settings.public.secret), States(settings.public.secret)

    @cached_property
    def templates(self) -> Any:
        """See IConnect."""
        return rendering.make_environment()


class AccountsPredicate:
    """Route and view predicate ``fsp_accounts=True``: users of some mount connect accounts of their own."""

    def __init__(self, _value: bool, _info: Any) -> None:
        """The value is True."""

    def text(self) -> str:
        """For ``pviews``."""
        return 'fsp_accounts = True'

    phash = text

    def __call__(self, _context: Any, request: Any) -> bool:
        """Whether there are pages at all: the URLs are the host's otherwise."""
        return request.registry.queryUtility(IAccountStores) is not None


def add_connect(config: Any, settings: Settings) -> None:
    """Answer below ``fsp.connect.prefix``, for all mounts of the application, and add ``request.fsp_connect_url``.

    Mounts may be added later, so it is the first request that shows whether anybody connects accounts.
    """
    path = full_path(config, settings.connect.prefix)
    place = Connect(path, settings)
    config.action('fsp connect', lambda: config.registry.registerUtility(place, IConnect))
    config.action(('fsp tokens', path), mask_tokens, args=(path,))
    config.add_request_method(request_connect_url, 'fsp_connect_url')
    config.add_route_predicate('fsp_accounts', AccountsPredicate)
    config.add_view_predicate('fsp_accounts', AccountsPredicate)

    _add_page(
        config,
        (context.CALLBACK_ROUTE, f'{settings.connect.prefix}/callback', context.by_state),
        (views.come_back, {'request_method': ('GET', 'POST')}),
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
    """The predicates of a form's button."""
    return {'request_method': 'POST', 'request_param': f'action={name}'}


def _add_page(config: Any, route: tuple[str, str, Any], *found: tuple[Any, dict[str, Any]]) -> None:
    name, pattern, factory = route
    config.add_route(name, pattern, factory=watched(factory), fsp_accounts=True)
    # The signed link, or the state, is what protects our forms.
    for view, predicates in (*found, (error_views.unknown, {})):
        config.add_view(view, route_name=name, permission=NO_PERMISSION_REQUIRED, require_csrf=False, **predicates)
    config.add_exception_view(error_views.failed, context=Exception, route_name=name)
