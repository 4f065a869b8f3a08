"""Routes with their views, in one breath."""

from collections.abc import Callable
from typing import Any

from pyramid.config import Configurator

# The rest of a path, with whatever characters: to be put behind a prefix that ends without a slash.
ANY_PATH = '{path:(?s:(?:/.*)?)}'


def add_resource(config: Configurator, name: str, path: str, **views: Callable[[Any], Any]) -> None:
    """Add a route at *path* and its views by method: ``GET=read, DELETE=delete``. What they return becomes JSON."""
    config.add_route(name, path)
    for method, view in views.items():
        config.add_view(view, route_name=name, request_method=method, renderer='json')
