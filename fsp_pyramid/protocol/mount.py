"""``config.add_fsp()``: a mount with its route, traverser, views and exception views.

Nothing of the host's is touched: the policy is a named utility and a view deriver enforces it on our views, exception
views are bound to our routes, the renderer has a name of its own, and our views opt out of defaults for permissions and
CSRF.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pyramid.config import Configurator
from pyramid.exceptions import ConfigurationError, URLDecodeError
from pyramid.interfaces import ISecurityPolicy
from pyramid.renderers import JSON
from pyramid.request import Request
from zope.interface import implementer

from ..accounts import AccountKey
from ..backends import Backends, host_session, listings_size
from ..clients import ClientBackend
from ..interfaces import (
    IAccountStores,
    IBackends,
    IDirectory,
    IFile,
    IMount,
    IPublic,
    IRenderedListings,
    IResource,
)
from ..metrics import IMetrics
from ..routing import MountPredicate, add_own_view, full_path, is_below
from ..settings import Settings
from . import audit, error_views, views
from .listings import RenderedListings, envelope
from .resources import Directory
from .security import READ, WRITE, SecurityPolicy
from .traversal import MATCH, ResourceURL, Traverser

RENDERER = 'fsp_json'
CATEGORY = 'fsp mounts'
# Settings of an application, not of a mount.
SHARED = (
    *('public_', 'cache_', 'events_', 'pace_', 'include_tm', 'threads', 'shutdown_', 'connect_', 'ops_'),
    *('console_', 'welcome', 'language_header', 'timezone', 'messages'),
    *('redis_url', 'database_url', 'accounts_keys', 'accounts_session'),
)


@implementer(IMount)
@dataclass(frozen=True, slots=True)
class Mount:
    """One mount with its clients; immutable."""

    name: str
    path: str
    settings: Settings
    policy: SecurityPolicy
    client_backends: Mapping[str, ClientBackend]
    public: IPublic
    rendered_listings: IRenderedListings


class Envelope(JSON):
    """Renderer: JSON in the envelope of a success."""

    def __call__(self, info: Any) -> Callable[..., str]:
        """Return the renderer."""
        render = super().__call__(info)
        return lambda value, system: render(envelope(value), system)


def add_fsp(config: Configurator, name: str, prefix: str, **overrides: Any) -> None:
    """Directive: answer the protocol below *prefix*, with the application's ``fsp.`` settings and *overrides*.

    :param name: of the route, and of the account in public links: renaming a mount breaks the links that were sent;
        1 to 32 letters, digits and hyphens
    :param prefix: neither above nor below another prefix of ours
    :param overrides: settings as keywords, ``egnyte_token`` for ``fsp.egnyte.token``; as text, like in an ini file

    Raises ConfigurationError for bad arguments, at the latest when the configuration is committed. Does no I/O.
    """
    if not re.fullmatch('[A-Za-z0-9-]{1,32}', name):
        raise ConfigurationError(f'the name of a mount is 1 to 32 letters, digits and hyphens, unlike {name!r}')
    shared = sorted(key for key in overrides if key.startswith(SHARED))
    if shared:
        raise ConfigurationError(
            f'{", ".join(shared)}: all mounts of an application share this, set it in the ini file'
        )
    settings = Settings.parse(config.registry.settings, os.environ, prefix=prefix, **overrides)
    path = full_path(config, settings.prefix)
    introspectable = config.introspectable(CATEGORY, name, f'{name} at {path}', 'fsp mount')
    introspectable.update(
        {
            'name': name,
            'path': path,
            'clients': {
                client: {'egnyte_url': own.egnyte.url, 'folders': own.folders, 'accounts': own.accounts.mode}
                for client, own in settings.clients.items()
            },
        },
    )
    introspectable.relate('routes', name)

    def register() -> None:
        policy = SecurityPolicy(settings.clients)
        public = config.registry.getUtility(IPublic)
        _refuse_overlaps(path, public, *(other for _, other in config.registry.getUtilitiesFor(IMount)))
        backends, stores = config.registry.getUtility(IBackends), _stores(config, settings)
        observer, metrics = public.content_service.observer, config.registry.getUtility(IMetrics)
        client_backends = {
            client: ClientBackend(
                AccountKey(name, client), own, settings.public.token, backends, stores, observer, metrics
            )
            for client, own in settings.clients.items()
        }
        rendered_listings = config.registry.getUtility(IRenderedListings)
        mount = Mount(name, path, settings, policy, client_backends, public, rendered_listings)
        config.registry.registerUtility(mount, IMount, name=name)
        config.registry.registerUtility(policy, ISecurityPolicy, name=name)

    # One route with and without a slash behind the prefix. "." does not match a newline, and "$" matches before one:
    # neither may hand a request over to the host, or take one from it.
    config.add_route(name, rf'{settings.prefix}{{{MATCH}:(?s:/.*)?\Z}}', factory=_root)
    config.action(('fsp mount', name), register, introspectables=(introspectable,), order=1)
    _add_views(config, name)
    config.add_exception_view(error_views.undecodable, context=URLDecodeError, fsp_mount=path)


def _stores(config: Configurator, settings: Settings) -> IAccountStores | None:
    """Return the accounts that users connect, in a database that all mounts share. Nothing is opened yet."""
    if all(client.accounts.mode == 'token' for client in settings.clients.values()):
        return None
    stores = config.registry.queryUtility(IAccountStores)
    if stores is None:
        try:
            from ..accounts.store_factory import AccountStoreFactory
        except ImportError as error:
            raise ConfigurationError(
                f'fsp.accounts.mode = oauth needs more packages: pip install "fsp-pyramid[accounts]" ({error})'
            ) from error
        stores = AccountStoreFactory(settings, host_session(settings) if settings.accounts.session else None)
        config.registry.registerUtility(stores, IAccountStores)
    return stores


def _refuse_overlaps(path: str, *others: Any) -> None:
    for other in others:
        if is_below(path, other.path) or is_below(other.path, path):
            raise ConfigurationError(
                f'the mount at {path} overlaps with {other.path}: neither may begin with the other'
            )


def _root(request: Request) -> Directory:
    audit.log_request(request)
    return Directory('', None)


def _add_views(config: Configurator, route: str) -> None:
    def add(view: Callable[..., Any], context: Any, method: str, permission: str) -> None:
        options = {'context': context, 'request_method': method, 'fsp_permission': permission, 'renderer': RENDERER}
        add_own_view(config, view, route, **options)

    add(views.list_directory, IDirectory, 'GET', READ)
    add(views.create_directory, IDirectory, 'POST', WRITE)
    add(views.delete_directory, IDirectory, 'DELETE', WRITE)
    add(views.stat_file, IFile, 'GET', READ)
    add(views.upload_file, IFile, 'POST', WRITE)
    add(views.delete_file, IFile, 'DELETE', WRITE)
    add(views.move_file, IFile, 'PATCH', WRITE)
    # Without a method predicate it is tried last: Pyramid itself would answer 404.
    add_own_view(config, error_views.method_not_allowed, route, context=IResource, fsp_permission=READ)
    config.add_exception_view(error_views.error, context=Exception, route_name=route)


def add_shared(config: Configurator, settings: Settings) -> None:
    """Register what all mounts of an application share: backends, renderer, predicate and traverser."""
    config.registry.registerUtility(Backends(settings), IBackends)
    rendered_listings = RenderedListings(settings.cache.memory - listings_size(settings))
    config.registry.registerUtility(rendered_listings, IRenderedListings)
    config.add_renderer(RENDERER, Envelope())
    config.add_view_predicate('fsp_mount', MountPredicate)
    config.add_resource_url_adapter(ResourceURL, IResource)
    # Relative look-ups of pyramid.traversal take any directory as root.
    config.add_traverser(Traverser, IDirectory)
