"""Routing: the registration of routes and views, in one way for all surfaces.

The host's defaults do not apply to our views: they opt out of its default permission and of its CSRF check, because
each surface has its own access control (credentials, a signed link, a token), and none of them has a session.
"""

import re
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Any
from urllib.parse import urlsplit

from pyramid.config import Configurator
from pyramid.exceptions import ConfigurationError
from pyramid.request import Request
from pyramid.security import NO_PERMISSION_REQUIRED

# Parsers disagree about anything else: a user name, a backslash, a line break, letters beyond ASCII.
_PLAIN_URL = re.compile(
    r'(?P<scheme>https?)://(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?([/?#][!-\[\]-~]*)?',
    re.ASCII | re.IGNORECASE,
)
_DEFAULT_PORTS = {'http': '80', 'https': '443'}


class NoContext:
    """Root factory and context of routes whose views need none. The host's root factory may query its database."""

    def __init__(self, _request: Request) -> None:
        pass


class MountPredicate:
    """View predicate ``fsp_mount=path``: the raw path is *path* or below it. Paths that are not UTF-8 match as well."""

    def __init__(self, path: str, _info: Any) -> None:
        self._path = path
        self._raw = path.encode().decode('latin-1')  # as WSGI has it

    def text(self) -> str:
        """Return the predicate as ``pviews`` shows it."""
        return f'fsp_mount = {self._path}'

    phash = text

    def __call__(self, _context: Any, request: Request) -> bool:
        """Return whether the request is below the path."""
        return is_below(request.environ.get('PATH_INFO', ''), self._raw)


def is_below(path: str, prefix: str) -> bool:
    """Return whether *path* is *prefix* or below it."""
    return f'{path}/'.startswith(f'{prefix}/')


def full_path(config: Configurator, prefix: str) -> str:
    """Return *prefix* behind the route_prefix of *config*.

    Raises ConfigurationError for a route_prefix with placeholders.
    """
    before = (config.route_prefix or '').strip('/')
    if '{' in before or '*' in before:
        raise ConfigurationError(f'fsp_pyramid cannot be mounted below a route_prefix with placeholders: {before!r}')
    return f'/{before}{prefix}' if before else prefix


def add_own_view(config: Configurator, view: Callable[..., Any], route: str, **options: Any) -> None:
    """Register a view of ours for *route*, without the host's default permission and CSRF check.

    :param options: predicates, the renderer and options of view derivers
    """
    config.add_view(view, route_name=route, permission=NO_PERMISSION_REQUIRED, require_csrf=False, **options)


def origin_of(url: str) -> str:
    """Return the origin of an https or http URL, as browsers write it; '' for any other text.

    Refuses user names, backslashes, spaces, control characters and letters beyond ASCII, and http except on loopback.
    """
    match = _PLAIN_URL.fullmatch(url)
    if not match:
        return ''
    scheme, host, port = match['scheme'].lower(), match['host'].lower(), (match['port'] or '').lstrip('0')
    if scheme == 'http' and not is_loopback(host.strip('[]')):
        return ''
    return f'{scheme}://{host}' + (f':{port}' if port and port != _DEFAULT_PORTS[scheme] else '')


def is_loopback(name: str) -> bool:
    """Return whether an address, or ``localhost``, is this machine."""
    if name == 'localhost':
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_loopback


def has_loopback_host(request: Request) -> bool:
    """Return whether the client asked for a name of this machine. Another name may have been bound to its address."""
    try:
        return is_loopback(urlsplit(f'//{request.host}').hostname or '')
    except ValueError:
        return False
