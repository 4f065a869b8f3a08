"""Static files of the console: script, style sheet and icon. They hold no secrets, and need no login."""

import hashlib
from typing import Any

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPNotFound
from pyramid.path import AssetResolver
from pyramid.request import Request
from pyramid.response import Response

from ..headers import revalidate
from ..routing import NoContext, add_own_view

ROUTE = 'fsp_console_static'
TYPES = {
    'console.js': 'text/javascript',
    'texts.js': 'text/javascript',
    'welcome.js': 'text/javascript',
    'console.css': 'text/css',
    'icon.svg': 'image/svg+xml',
}


def add_assets(config: Configurator, prefix: str) -> None:
    """Serve the files below *prefix*, for the console and the welcome page."""
    config.add_route(ROUTE, f'{prefix}/static/{{name}}', factory=NoContext)
    add_own_view(config, serve, ROUTE, request_method='GET')


def serve(_context: Any, request: Request) -> Response:
    """Return a file. Browsers revalidate it by its ETag."""
    name = request.matchdict['name']
    if name not in TYPES:
        raise HTTPNotFound
    return asset(request, name)


def asset(request: Request, name: str) -> Response:
    """Return the file *name* of the package."""
    with AssetResolver().resolve(f'fsp_pyramid:console/static/{name}').stream() as file:
        content = file.read()
    response = Response(content, content_type=TYPES[name])
    if response.content_type.startswith('text/'):
        response.charset = 'utf-8'
    response.etag = hashlib.sha256(content).hexdigest()[:20]
    response.headers.update(
        {
            'Cache-Control': 'no-cache',
            'X-Content-Type-Options': 'nosniff',
            'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'",
        }
    )
    revalidate(request, response)
    return response
