"""Server of the standalone application: ``use = egg:fsp-pyramid`` in ``[server:main]`` of an ini file.

It is waitress, with a graceful shutdown, and with the environment in front of the file.
"""

import os
from collections.abc import Callable
from typing import Any

from pyramid.config import global_registries
from pyramid.exceptions import ConfigurationError
from pyramid.interfaces import IRoutesMapper

from ..interfaces import IConsole, IMount
from ..settings import Settings
from ..settings.server import adjustments
from ..standalone import ROUTE, ending_commands
from .graceful import ANYWHERE, serve

__all__ = ['make_server']


def make_server(global_config: dict[str, str], **section: str) -> Callable[[Any], None]:
    """Return a function that serves an application until SIGTERM or SIGINT: a ``paste.server_factory``.

    :param section: waitress' adjustments; variables ``FSP_SERVER_...`` override them, and ``threads`` is
        ``fsp.threads``

    Raises ConfigurationError; below Pyramid's commands SystemExit with the same message.
    """
    with ending_commands(global_config):
        options = adjustments(section, os.environ)

    def server(application: Any) -> None:
        settings = _settings(application)
        paths = _upload_paths(application)
        serve(application, settings.shutdown.timeout, upload_paths=paths, threads=settings.threads, **options)

    return server


def _settings(application: Any) -> Settings:
    """Return the settings of *application*, which may be wrapped in middleware: then of the last one made."""
    registry = getattr(application, 'registry', None) or global_registries.last
    mounts = registry.getAllUtilitiesRegisteredFor(IMount) if registry is not None else ()
    for mount in mounts:
        return mount.settings
    raise ConfigurationError('egg:fsp-pyramid in [server:main] serves applications that include fsp_pyramid')


def _upload_paths(application: Any) -> tuple[str, ...]:
    """Return the paths that take files: of the standalone application that of the console, of others all."""
    registry = getattr(application, 'registry', None)
    if registry is None or registry.getUtility(IRoutesMapper).get_route(ROUTE) is None:
        return ANYWHERE
    console = registry.queryUtility(IConsole)
    return () if console is None else (f'{console.path}/upload/'.encode().decode('latin-1'),)
