"""Settings of the server: the section ``[server:main]`` of an ini file, and variables that override it."""

import difflib
import re
import socket
from collections.abc import Mapping
from typing import Any

from pyramid.exceptions import ConfigurationError
from waitress.adjustments import Adjustments

PREFIX = 'FSP_SERVER_'
DEFAULTS = {'host': '127.0.0.1', 'port': '6543'}
# Bytes: of a request line with its headers, as in nginx (waitress takes 256 KB); and of a body that is kept in memory,
# which is more than max_request_body_size of production.ini, so that no request needs a temporary file.
SIZES = {'max_request_header_size': '32768', 'inbuf_overflow': '1100000'}
# Headers that a trusted proxy has to replace, as deploy/nginx.conf does.
PROXY = {
    'trusted_proxy_count': '1',
    'trusted_proxy_headers': 'x-forwarded-for x-forwarded-host x-forwarded-proto x-forwarded-port',
}
_ADDRESSES = {'host', 'port'}
_ELSEWHERE = {'listen', 'unix_socket', 'sockets'}
_TYPES = dict(Adjustments._params)


def _host(text: str) -> str:
    if not re.fullmatch(r'\*|[A-Za-z0-9.-]+|\[?[0-9A-Fa-f:.]+\]?', text):
        raise ValueError('write an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all')
    if text != '*':
        try:
            socket.getaddrinfo(text.strip('[]'), None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        except (OSError, UnicodeError):  # the latter for a label that is empty or too long
            raise ValueError('this name has no address: write one of this machine, or 0.0.0.0 for all') from None
    return f'[{text}]' if ':' in text and not text.startswith('[') else text


def _port(text: str) -> str:
    if not text.isdecimal() or not 0 <= int(text) <= 65535:
        raise ValueError('write a whole number from 0 (any free port) to 65535')
    return text


def _trusted_proxy(text: str) -> str:
    if not re.fullmatch(r'\*|localhost|[0-9A-Fa-f:.]+', text):
        raise ValueError("write the proxy's address, or * if clients cannot connect")
    return text


# What can be set by FSP_SERVER_HOST and so on.
_PARSERS = {'host': _host, 'port': _port, 'trusted_proxy': _trusted_proxy}
VARIABLES = {PREFIX + key.upper(): key for key in _PARSERS}


def adjustments(section: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, Any]:
    """Return waitress' adjustments of *section*, overridden by *environ*; an empty variable counts as not set.

    ``threads`` is not among them: it is ``fsp.threads``. Raises ConfigurationError with all complaints.
    """
    given = {name: value for name in VARIABLES if (value := environ.get(name, '').strip())}
    complaints = [*_section_complaints(section)]
    values: dict[str, Any] = {}
    sources = {f'[server:main] {key}': (key, section[key]) for key in _PARSERS if section.get(key, '').strip()}
    sources |= {name: (VARIABLES[name], value) for name, value in given.items()}
    for name, (key, text) in sources.items():
        try:
            values[key] = _PARSERS[key](text.strip())
        except ValueError as error:
            complaints.append(f'  {name}: {text!r} will not do: {error}')
    found = SIZES | {key: value for key, value in section.items() if key not in _PARSERS} | values
    if _ADDRESSES & set(values) & {VARIABLES[name] for name in given}:
        found = {key: value for key, value in found.items() if key not in _ELSEWHERE}
    complaints += _combination_complaints(found)
    if not _ELSEWHERE & set(found):
        found = DEFAULTS | found
    if 'trusted_proxy' in found:
        found = PROXY | found
    if complaints := complaints or _waitress_complaints(found):
        raise ConfigurationError('\n'.join(('fsp_pyramid cannot serve with these settings:', *complaints)))
    return found


def _section_complaints(section: Mapping[str, str]) -> list[str]:
    complaints = []
    for key, text in section.items():
        if key == 'threads':
            complaints.append('  [server:main] threads: the server takes fsp.threads, write that in [app:main]')
        elif key not in _TYPES:
            near = difflib.get_close_matches(key, _TYPES, n=1)
            complaints.append(
                f'  [server:main] {key}: waitress has no such option{f"; did you mean {near[0]}?" if near else ""}'
            )
        elif key not in _PARSERS:
            try:
                _TYPES[key](text)
            except ValueError:
                form = 'an octal number, such as 660' if key == 'unix_socket_perms' else 'a whole number'
                complaints.append(f'  [server:main] {key}: {text!r} will not do: write {form}')
    return complaints


def _combination_complaints(options: Mapping[str, str]) -> list[str]:
    """Return complaints about options that do not go together."""
    complaints = []
    addresses = [key for key in ('listen', 'sockets', 'unix_socket', 'host', 'port') if key in options]
    if len(addresses) > 1 and addresses[0] in _ELSEWHERE:
        complaints.append(
            f'  [server:main] {addresses[0]}: it says where to listen, and so does {" and ".join(addresses[1:])}: '
            'write one of them'
        )
    complaints += [
        f'  [server:main] {key}: it has no meaning without trusted_proxy, the address of the proxy'
        for key in PROXY
        if key in options and 'trusted_proxy' not in options
    ]
    return complaints


def _waitress_complaints(options: Mapping[str, Any]) -> list[str]:
    """Return a complaint about the values that waitress itself refuses: addresses that do not exist, header names."""
    try:
        Adjustments(**options)
    except ValueError as error:
        key = next((key for key in ('listen', 'trusted_proxy_headers') if key in options), 'host')
        return [f'  [server:main] {key}: {options.get(key, "")!r} will not do: {error}']
    return []
