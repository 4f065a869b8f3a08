"""Public routes: files without credentials, for all mounts of an application."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from pyramid.config import Configurator
from pyramid.registry import Registry
from pyramid.request import Request
from pyramid.response import Response
from pyramid.tweens import EXCVIEW, MAIN
from zope.interface import implementer

from ..content.links import Signer
from ..content.service import ContentService
from ..interfaces import IBackends, IPublic
from ..logs import mask_tokens
from ..paths import quoted
from ..routing import add_own_view, full_path, is_below
from ..settings import Settings
from ..telemetry import with_access_log
from . import views

Handler = Callable[[Request], Response]

ROUTE, THUMBNAIL_ROUTE = 'fsp_public', 'fsp_thumbnail'
# Number of bodies that are sent at once. Each takes a connection and an open file, of which the server needs more.
BODIES = 200
# A caller that reaches a sandbox has its files anyway.
SANDBOX_SECRET = 'links to a sandbox are not secret'  # noqa: S105


@implementer(IPublic)
@dataclass(frozen=True, slots=True)
class Public:
    """Settings and services of the public surface."""

    path: str
    base_url: str
    signer: Signer
    content_service: ContentService
    max_age: int
    sendfile: str
    bodies: threading.BoundedSemaphore

    def url(self, request: Request) -> str:
        """Return the beginning of public URLs: the configured one, or the one for the host that was called."""
        return self.base_url or request.application_url + quoted(self.path)


def add_public(config: Configurator, settings: Settings) -> None:
    """Serve files below ``fsp.public.prefix``. Does no I/O."""
    path = full_path(config, settings.public.prefix)
    public = Public(
        path=path,
        base_url=settings.public.base_url,
        signer=Signer(settings.public.secret or (SANDBOX_SECRET,)),
        content_service=ContentService(
            settings.public.cache_dir,
            settings.public.cache_size,
            settings.public.cache_age,
            settings.public.revalidate,
            config.registry.getUtility(IBackends).version_feed,
        ),
        max_age=settings.public.max_age,
        sendfile=settings.public.sendfile,
        bodies=threading.BoundedSemaphore(BODIES),
    )
    config.action('fsp public', lambda: config.registry.registerUtility(public, IPublic))
    for route, pattern, serve in (
        (THUMBNAIL_ROUTE, '/{token}/{digits:[0-9a-f]{12}}/{name:(?s:.*)}', views.serve_thumbnail),
        (ROUTE, '/{token}/{name:(?s:.*)}', views.serve),
    ):
        config.add_route(route, settings.public.prefix + pattern, factory=with_access_log(reads={route}))
        for method, view in (('GET', serve), (None, views.method_not_allowed)):
            options = {'request_method': method} if method else {}
            add_own_view(config, view, route, **options)
        config.add_exception_view(views.error, context=Exception, route_name=route)
    # Waitress logs the path when a reader closes its connection, or a body fails.
    config.action(('fsp tokens', path), mask_tokens, args=(path,))
    # Not a subscriber: the first one makes Pyramid notify of four events for each request, a tenth of a picture's CPU.
    config.add_tween(f'{__name__}.decodable_tween', under=EXCVIEW, over=MAIN)


def wants_transaction(request: Request) -> bool:
    """Return False for public files, most of which need no transaction. A value for ``tm.activate_hook``."""
    return not is_below(request.environ['PATH_INFO'], request.registry.getUtility(IPublic).path)


def decodable_tween(handler: Handler, registry: Registry) -> Handler:
    """Allow any bytes in public URLs: the name in them is decoration, and Pyramid refuses other than UTF-8."""
    path = registry.getUtility(IPublic).path.encode().decode('latin-1')

    def tween(request: Request) -> Response:
        raw = request.environ.get('PATH_INFO', '')
        if is_below(raw, path):
            request.environ['PATH_INFO'] = raw.encode('latin-1').decode('utf-8', 'replace').encode().decode('latin-1')
        return handler(request)

    return tween
