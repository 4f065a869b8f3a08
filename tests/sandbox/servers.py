"""Sandboxes that are reached over sockets."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from webtest.http import StopableWSGIServer

from fsp_pyramid.sandbox import make_app


@contextmanager
def serving(root: Path, **options: Any) -> Iterator[str]:
    """Yield the URL of a sandbox that waitress serves in a thread."""
    with serving_app(make_app(root, **options)) as url:
        yield url


@contextmanager
def serving_app(app: Any) -> Iterator[str]:
    """Serve a WSGI application in threads of this process; yield its URL."""
    # It listens as soon as it is made: its wait() would only leak a socket.
    server = StopableWSGIServer.create(app, threads=8)
    try:
        yield server.application_url.rstrip('/')
    finally:
        server.shutdown()
