"""The application: a small Pyramid application, shared by all sandboxes of a process."""

import functools
import os
import re
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

from pyramid.config import Configurator
from pyramid.tweens import EXCVIEW, INGRESS, MAIN

from .gate import PATH, STORE
from .options import Options
from .store import Store

WSGIApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
# The order matters: reserved words such as "settings" and "trash" go before paths and ids.
AREAS = (
    *('failures', 'control', 'settings', 'identity', 'oauth', 'trash', 'content', 'chunked', 'filesystem'),
    *('links', 'permissions', 'directory', 'notes', 'search', 'events'),
)
OVERRIDABLE = {'PATCH', 'PUT', 'DELETE'}


def make_app(
    root: str | os.PathLike[str],
    *,
    seed: bool = False,
    qps: int | None = None,
    daily: int | None = None,
    latency: float = 0,
    throttle: Literal['429', 'mashery'] = '429',
    **switches: Any,
) -> WSGIApplication:
    """Return a WSGI application that plays an Egnyte domain whose state is in the directory *root*.

    Nothing is read or written before the first call. Any number of applications, in any number
    of processes, may share a root. *switches* are the further fields of
    :class:`~fsp_pyramid.sandbox.options.Options`; ValueError or TypeError if one is not right.
    """
    options = Options(
        root=Path(root).absolute(),
        seed=seed,
        qps=qps,
        daily=daily,
        latency=latency,
        throttle=throttle,
        **switches,
    )
    return Sandbox(Store(options))


class Sandbox:
    """The WSGI callable of one sandbox."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._router = _router()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one call."""
        path = environ.get('PATH_INFO', '')
        method = environ['REQUEST_METHOD']
        override = environ.get('HTTP_X_HTTP_METHOD_OVERRIDE', '').upper()
        changed = {
            STORE: self._store,
            # Only for comparing and logging: what is not UTF-8 is refused later.
            PATH: path.encode('latin-1').decode('utf-8', 'replace'),
            # Clients double slashes, and end folders with one or without.
            'PATH_INFO': re.sub('/+', '/', path).rstrip('/') or '/',
            'REQUEST_METHOD': override if method == 'POST' and override in OVERRIDABLE else method,
        }
        return self._router(environ | changed, start_response)


_building = threading.Lock()


def _router() -> WSGIApplication:
    """Return the Pyramid application. Making two at once in two threads would break both."""
    with _building:
        return _build()


@functools.cache
def _build() -> WSGIApplication:
    config = Configurator()
    config.add_tween(f'{__package__}.gate.recorder', under=INGRESS, over=EXCVIEW)
    config.add_tween(f'{__package__}.gate.gatekeeper', under=EXCVIEW, over=MAIN)
    for area in AREAS:
        config.include(f'{__package__}.views.{area}')
    return config.make_wsgi_app()
