"""A page with Beefree's editor, an endpoint that fetches its token, and the file system provider."""

import html
from typing import Any

import requests
from pyramid.config import Configurator
from pyramid.path import AssetResolver
from pyramid.request import Request
from pyramid.response import Response
from pyramid.router import Router

from .config import EditorSettings

TIMEOUT = 20  # seconds


def main(_global_config: dict[str, str], **settings: Any) -> Router:
    """Return the application of ``editor.ini``."""
    with Configurator(settings=settings) as config:
        config.registry.editor = EditorSettings.read(settings)
        config.include('fsp_pyramid')
        config.add_static_view('static', 'editor:static')
        config.add_route('page', '/')
        config.add_view(page, route_name='page', request_method='GET')
        config.add_route('token', '/token')
        config.add_view(token, route_name='token', request_method='POST', renderer='json')
        return config.make_wsgi_app()


def page(request: Request) -> Response:
    """Return the page with the values that its script needs. The secret is not among them."""
    settings: EditorSettings = request.registry.editor
    with AssetResolver().resolve('editor:page.html').stream() as file:
        page_html = file.read().decode()
    values = {
        'token': request.route_path('token'),
        'script': request.static_path('editor:static/editor.js'),
        'uid': settings.uid,
        'template': settings.template_url,
        'plugin': settings.plugin_url,
    }
    return Response(page_html.format(**{name: html.escape(value) for name, value in values.items()}))


def token(request: Request) -> dict[str, Any]:
    """Fetch a token from Beefree, and pass it on as it is.

    In a product the user is the one who is logged in, and this view is for logged-in users only.
    """
    settings: EditorSettings = request.registry.editor
    credentials = {'client_id': settings.client_id, 'client_secret': settings.client_secret, 'uid': settings.uid}
    if not (settings.client_id and settings.client_secret):
        return _failed(request, 500, 'Set BEEFREE_CLIENT_ID and BEEFREE_CLIENT_SECRET, and start again.')
    try:
        answer = requests.post(settings.auth_url, json=credentials, timeout=TIMEOUT)
    except requests.RequestException:
        return _failed(request, 502, 'Beefree does not answer.')
    if answer.status_code in (401, 403):
        return _failed(request, 502, 'Beefree refuses BEEFREE_CLIENT_ID and BEEFREE_CLIENT_SECRET.')
    if answer.status_code != 200:
        return _failed(request, 502, f'Beefree gives no token: status {answer.status_code}.')
    return answer.json()


def _failed(request: Request, status: int, message: str) -> dict[str, Any]:
    request.response.status_int = status
    return {'message': message}
