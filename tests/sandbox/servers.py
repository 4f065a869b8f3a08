"""Sandboxes that are reached over sockets."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from webtest.http import StopableWSGIServer

from fsp_pyramid.sandbox import make_app


@contextmanager
def serving(root: Path, **options: Any) -> Iterator[str]:
    """The URL of a sandbox that waitress serves in a thread."""
    # It listens as soon as it is made: its wait() would only leak a socket.
    server = StopableWSGIServer.create(make_app(root, **options), threads=4)
    try:
        yield server.application_url.rstrip('/')
    finally:
        server.shutdown()
