"""The page Source check: whether the guarded download would fetch a URL, and why."""

from typing import Any

from pyramid.request import Request
from pyramid.response import Response

from ..interfaces import IMount
from ..sources.explain import explain
from .audit import record
from .rendering import render

ROUTE = 'fsp_console_sources'


def show(_context: Any, request: Request) -> Response:
    """Show the form."""
    return _page(request)


def check(_context: Any, request: Request) -> Response:
    """Show the explanation for one client. Nothing is requested but the addresses of the host."""
    url, label = request.POST.get('url', '').strip(), request.POST.get('client', '')
    record(request, 'check a source')
    allowances = _allowances(request)
    allow = allowances.get(label) or next(iter(allowances.values()))
    allowed, lines = explain(url, allow)
    return _page(request, url=url, chosen=label, allowed=allowed, lines=lines)


def _allowances(request: Request) -> dict[str, Any]:
    """Return ``fsp.sources.allow`` of each client, by a label."""
    return {
        f'{mount.name}: {name or backend.settings.username}': backend.settings.sources.allow
        for _, mount in sorted(request.registry.getUtilitiesFor(IMount))
        for name, backend in mount.client_backends.items()
    }


def _page(request: Request, **values: Any) -> Response:
    result = {'url': '', 'chosen': '', 'allowed': False, 'lines': []} | values
    return render(request, 'sources', clients=list(_allowances(request)), **result)
