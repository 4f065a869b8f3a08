"""``config.add_fsp()``: a mount with its routes, traverser, views and errors, next to whatever the host has.

Nothing of the host is touched: the policy is a named utility and a view deriver enforces it on our views, exception
views are bound to our routes, the renderer has a name of its own, and our views opt out of defaults for permissions and
CSRF.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pyramid.exceptions import ConfigurationError, URLDecodeError
from pyramid.interfaces import ISecurityPolicy
from pyramid.renderers import JSON
from pyramid.security import NO_PERMISSION_REQUIRED
from zope.interface import implementer

from ..accounts import AccountKey
from ..backends import Backends, host_session
from ..clients import ClientBackend
from ..interfaces import (
    IAccountStores,
    IBackends,
    IDirectory,
    IFile,
    IMetrics,
    IMount,
    IPublic,
    IResource,
)
from ..settings import Settings
from . import audit, error_views, views
from .resources import Directory
from .security import READ, WRITE, SecurityPolicy
from .traversal import MATCH, ResourceURL, Traverser

RENDERER = 'fsp_json'
CATEGORY = 'fsp mounts'
# Settings of an application, not of a mount.
SHARED = (
    *('public_', 'cache_', 'events_', 'pace_', 'include_tm', 'threads', 'connect_', 'ops_'),
    *('redis_url', 'database_url', 'accounts_keys', 'accounts_session'),
)


@implementer(IMount)
@dataclass(frozen=True, slots=True)
class Mount:
    """See IMount."""

    name: str
    path: str
    settings: Settings
    policy: SecurityPolicy
    client_backends: Mapping[str, ClientBackend]
    public: IPublic


class Envelope(JSON):
    """JSON in the envelope of a success."""

    def __call__(self, info: Any) -> Callable[..., str]:
        """The renderer."""
        render = super().__call__(info)
        return lambda value, system: render({'status': 'success', 'data': value}, system)


class MountPredicate:
    """View predicate ``fsp_mount=path``: the raw path is below *path*. It works for what is no UTF-8, too."""

    def __init__(self, path: str, _info: Any) -> None:
        self._path = path
        self._raw = path.encode().decode('latin-1')  # as WSGI has it

    def text(self) -> str:
        """For ``pviews``."""
        return f'fsp_mount = {self._path}'

    phash = text

    def __call__(self, _context: Any, request: Any) -> bool:
        """Whether the request is ours."""
        return is_below(request.environ.get('PATH_INFO', ''), self._raw)


def is_below(path: str, place: str) -> bool:
    """Whether *path* is *place* or below it."""
    return f'{path}/'.startswith(f'{place}/')


def add_fsp(config: Any, name: str, prefix: str, **overrides: Any) -> None:
    """Directive: answer the protocol below *prefix*, with the application's ``fsp.`` settings and *overrides*.

    :param name: of the route, and of the account in public links: renaming a mount breaks the links that were sent;
        1 to 32 letters, digits and hyphens
    :param prefix: where nothing else of ours is, neither above nor below
    :param overrides: settings as keywords, ``egnyte_token`` for ``fsp.egnyte.token``; as text, like in an ini file

    Raises ConfigurationError for what cannot be, at the latest when the configuration is committed. Does no I/O.
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
        shared_public = config.registry.getUtility(IPublic)
        _refuse_overlaps(path, shared_public, *(other for _, other in config.registry.getUtilitiesFor(IMount)))
        shared, stores = config.registry.getUtility(IBackends), _stores(config, settings)
        observer, metrics = shared_public.content_service.observer, config.registry.getUtility(IMetrics)
        client_backends = {
            client: ClientBackend(
                AccountKey(name, client), own, settings.public.token, shared, stores, observer, metrics
            )
            for client, own in settings.clients.items()
        }
        mount = Mount(name, path, settings, policy, client_backends, shared_public)
        config.registry.registerUtility(mount, IMount, name=name)
        config.registry.registerUtility(policy, ISecurityPolicy, name=name)

    # One route with and without a slash behind the prefix. "." does not match a newline, and "$" matches before one:
    # neither may hand a request over to the host, or take one from it.
    config.add_route(name, rf'{settings.prefix}{{{MATCH}:(?s:/.*)?\Z}}', factory=_root)
    config.action(('fsp mount', name), register, introspectables=(introspectable,), order=1)
    _add_views(config, name)
    config.add_exception_view(error_views.undecodable, context=URLDecodeError, fsp_mount=path)


def _stores(config: Any, settings: Settings) -> IAccountStores | None:
    """The accounts that users connect, in a database that all mounts share. Nothing is opened yet."""
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


def full_path(config: Any, prefix: str) -> str:
    """*prefix* behind the route_prefix of *config*. Raises ConfigurationError for a route_prefix with placeholders."""
    before = (config.route_prefix or '').strip('/')
    if '{' in before or '*' in before:
        raise ConfigurationError(f'fsp_pyramid cannot be mounted below a route_prefix with placeholders: {before!r}')
    return f'/{before}{prefix}' if before else prefix


def _refuse_overlaps(path: str, *others: Any) -> None:
    for other in others:
        if is_below(path, other.path) or is_below(other.path, path):
            raise ConfigurationError(
                f'the mount at {path} overlaps with {other.path}: neither may begin with the other'
            )


def _root(request: Any) -> Directory:
    audit.watch(request)
    return Directory('', None)


def _add_views(config: Any, route: str) -> None:
    def add(view: Callable[..., Any], context: Any, method: str, permission: str) -> None:
        add_ours(view, context=context, request_method=method, fsp_permission=permission, renderer=RENDERER)

    def add_ours(view: Callable[..., Any], **options: Any) -> None:
        config.add_view(view, route_name=route, permission=NO_PERMISSION_REQUIRED, require_csrf=False, **options)

    add(views.list_directory, IDirectory, 'GET', READ)
    add(views.create_directory, IDirectory, 'POST', WRITE)
    add(views.delete_directory, IDirectory, 'DELETE', WRITE)
    add(views.stat_file, IFile, 'GET', READ)
    add(views.upload_file, IFile, 'POST', WRITE)
    add(views.delete_file, IFile, 'DELETE', WRITE)
    add(views.move_file, IFile, 'PATCH', WRITE)
    # Without a method it is tried last: Pyramid itself would answer 404.
    add_ours(error_views.method_not_allowed, context=IResource, fsp_permission=READ)
    config.add_exception_view(error_views.error, context=Exception, route_name=route)


def add_shared(config: Any, settings: Settings) -> None:
    """What all mounts need once in an application."""
    config.registry.registerUtility(Backends(settings), IBackends)
    config.add_renderer(RENDERER, Envelope())
    config.add_view_predicate('fsp_mount', MountPredicate)
    config.add_resource_url_adapter(ResourceURL, IResource)
    # For relative look-ups in pyramid.traversal every directory is a root.
    config.add_traverser(Traverser, IDirectory)
