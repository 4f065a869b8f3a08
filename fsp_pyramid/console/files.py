"""The page Files: its script plays Beefree's File Manager."""

from typing import Any
from urllib.parse import urlencode

from pyramid.registry import Registry
from pyramid.request import Request
from pyramid.response import Response

from ..accounts import AccountKey
from ..clients import NAMELESS, ClientBackend
from ..interfaces import IConsole, IMount
from ..paths import quoted
from ..settings import variable
from . import relay
from .rendering import render

ROUTE = 'fsp_console'
# Without fsp.client_ids all client ids are accepted; this one is suggested.
CLIENT_ID, UID = 'console', 'demo'


def show(_context: Any, request: Request) -> Response:
    """Show the page. Its script lists the files."""
    clients = [_client(request, mount, name, backend) for mount, name, backend in all_clients(request.registry)]
    timezone = str(request.registry.getUtility(IConsole).settings.timezone)
    return render(request, 'files', clients=clients, uid=UID, timezone=timezone)


def all_clients(registry: Registry) -> list[tuple[Any, str, ClientBackend]]:
    """Return the clients of all mounts, with their mounts and names, in the order of the page."""
    return [
        (mount, name, backend)
        for _, mount in sorted(registry.getUtilitiesFor(IMount))
        for name, backend in mount.client_backends.items()
    ]


def address(request: Request, key: AccountKey, client_id: str, uid: str) -> str:
    """Return the address of the files of a user; '' if there is no such client any more."""
    clients = [(mount.name, name) for mount, name, _ in all_clients(request.registry)]
    if (key.mount, key.client) not in clients:
        return ''
    # As the script writes it.
    state = {'client': clients.index((key.mount, key.client)), 'client-id': client_id, 'uid': uid, 'path': '/'}
    return f'{request.route_path(ROUTE, slash="")}#{urlencode(state)}'


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
        'clientIds': sorted(settings.client_ids) or [CLIENT_ID],
        'maxSize': settings.upload.max_size,
    }
