"""The page Files: its script plays Beefree's File Manager."""

from typing import Any

from pyramid.request import Request
from pyramid.response import Response

from ..clients import NAMELESS, ClientBackend
from ..interfaces import IConsole, IMount
from ..paths import quoted
from ..settings import variable
from . import relay
from .rendering import render

ROUTE = 'fsp_console'
# The File Manager of an application that has no id of its own.
CLIENT_ID, UID = 'console', 'demo'


def show(_context: Any, request: Request) -> Response:
    """Show the page. Its script lists the files."""
    clients = [
        _client(request, mount, name, backend)
        for _, mount in sorted(request.registry.getUtilitiesFor(IMount))
        for name, backend in mount.client_backends.items()
    ]
    timezone = str(request.registry.getUtility(IConsole).settings.timezone)
    return render(request, 'files', clients=clients, uid=UID, timezone=timezone)


def _client(request: Request, mount: Any, name: str, backend: ClientBackend) -> dict[str, Any]:
    """Return what the script needs to know of a client. Nothing of it is secret."""
    settings = backend.settings
    label = name or settings.username
    label = f'{settings.title} ({label})' if settings.title else label
    target = {'mount': mount.name, 'client': name or NAMELESS, 'path': '/'}
    return {
        'label': label if mount.name == 'fsp' else f'{mount.name}: {label}',
        'base': request.application_url + quoted(mount.path),
        'call': request.route_path(relay.ROUTE, **target).rstrip('/'),
        'upload': request.route_path(relay.UPLOAD_ROUTE, **target).rstrip('/'),
        'username': settings.username,
        'password': variable(f'fsp.client.{name}.password' if name else 'fsp.password'),
        'clientId': min(settings.client_ids, default=CLIENT_ID),
        'maxSize': settings.upload.max_size,
    }
