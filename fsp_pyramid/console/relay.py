"""Requests of the page Files, which become requests below a mount, with the client's identity in place of a password.

The mount answers them like Beefree's: same guard, same operations, same errors, same audit line (with ``via``).
"""

import io
import json
from typing import Any, BinaryIO

from pyramid.httpexceptions import HTTPNotFound
from pyramid.interfaces import IRequestFactory
from pyramid.request import Request
from pyramid.response import Response

from ..clients import NAMELESS
from ..connect.rendering import HEADERS
from ..interfaces import IConsole, IMount
from ..paths import quoted
from ..protocol.internal import InternalCall, mark
from .rendering import translator

ROUTE, UPLOAD_ROUTE = 'fsp_console_call', 'fsp_console_upload'
# Stands for the client without a name in URLs; names of clients begin with a letter.
# Of the environment; nothing else of the browser's request, such as its cookies, reaches the mount.
PASSED = (
    'CONTENT_LENGTH',
    'CONTENT_TYPE',
    'HTTP_HOST',
    'HTTP_X_BEE_CLIENTID',
    'HTTP_X_BEE_FSP_FLAGS',
    'HTTP_X_BEE_UID',
    'REMOTE_ADDR',
    'REQUEST_METHOD',
    'SCRIPT_NAME',
    'SERVER_NAME',
    'SERVER_PORT',
    'SERVER_PROTOCOL',
)
ANSWERED = ('Age', 'Allow', 'Content-Language', 'Retry-After', 'X-FSP-Stale')


def call(_context: Any, request: Request) -> Response:
    """Pass a request on to the mount."""
    return _relay(request, 'call')


def upload(_context: Any, request: Request) -> Response:
    """Upload the file that is the body of the request. No source is fetched."""
    name = request.matchdict['path'].rpartition('/')[2]
    # Beefree puts the file on a server of its own first, and sends its URL.
    body = {
        'source': f'https://beefree.invalid/{quoted(name)}',
        'conflict_strategy': request.GET.get('conflict_strategy', ''),
    }
    return _relay(request, 'upload', json.dumps(body).encode(), request.body_file)


def _relay(request: Request, action: str, body: bytes | None = None, file: BinaryIO | None = None) -> Response:
    mount, client = _target(request)
    before = f'{request.registry.getUtility(IConsole).path}/{action}/{mount.name}/{client or NAMELESS}'
    environ = {name: value for name, value in request.environ.items() if name in PASSED or name.startswith('wsgi.')}
    # Raw, so that the mount sees each escape and slash of the path.
    environ['PATH_INFO'] = _raw(mount.path) + request.environ['PATH_INFO'][len(_raw(before)) :]
    environ['QUERY_STRING'] = ''
    environ['HTTP_ACCEPT_LANGUAGE'] = translator(request).language
    if body is not None:
        environ |= {
            'wsgi.input': io.BytesIO(body),
            'CONTENT_LENGTH': str(len(body)),
            'CONTENT_TYPE': 'application/json',
        }
    subrequest = request.registry.queryUtility(IRequestFactory, default=Request)(environ)
    mark(subrequest, InternalCall('console', client, file))
    answer = request.invoke_subrequest(subrequest, use_tweens=True)
    response = Response(answer.body, status=answer.status, content_type='application/json')
    response.headers.update(HEADERS | {name: answer.headers[name] for name in ANSWERED if name in answer.headers})
    return response


def _target(request: Request) -> tuple[Any, str]:
    """Return the mount and the name of the client. Raises HTTPNotFound."""
    mount = request.registry.queryUtility(IMount, name=request.matchdict['mount'])
    client = request.matchdict['client']
    client = '' if client == NAMELESS else client
    if mount is None or client not in mount.client_backends:
        raise HTTPNotFound
    return mount, client


def _raw(path: str) -> str:
    """Return *path* as WSGI has it."""
    return path.encode().decode('latin-1')
