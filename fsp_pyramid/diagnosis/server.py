"""The server in ``[server:main]`` and its proxy: threads, connections, trusted headers."""

import resource
from collections.abc import Iterator, Mapping

from .installation import LOOPBACK, Installation
from .model import Result, failure, ok, skipped, warning

# waitress' own defaults.
THREADS, CONNECTIONS = 4, 100
# Descriptors besides connections: files of the cache, databases, connections to Egnyte.
OTHER_DESCRIPTORS = 256
TRUE = {'true', 'yes', 'on', '1', 't', 'y'}
IDS = ('server.threads', 'server.proxy', 'server.connections')


def check_server(installation: Installation) -> Iterator[Result]:
    """Check the section of the server, if it is waitress'."""
    server = installation.server
    if server is None or not _is_waitress(server):
        reason = 'the section [server:main] is not known' if server is None else f'the server is {server["use"]}'
        for name in IDS:
            yield skipped(name, reason)
        return
    yield _threads(installation, server)
    yield from _trusted_proxy(installation, server)
    yield _connections(server)


def _is_waitress(server: Mapping[str, str]) -> bool:
    return 'waitress' in server.get('use', 'waitress')


def _threads(installation: Installation, server: Mapping[str, str]) -> Result:
    text, expected = server.get('threads', str(THREADS)), installation.settings.threads
    if not text.isdecimal() or int(text) != expected:
        found = f'the server has {text} threads, fsp.threads is {expected}: shares of threads are computed wrongly'
        return failure('server.threads', found, 'write the same number in both places')
    if expected < THREADS * 2:
        return warning(
            'server.threads', f'{expected} threads: few uploads can stall the service', 'threads are cheap: use 32'
        )
    return ok('server.threads', f'{expected} threads, as in fsp.threads')


def _trusted_proxy(installation: Installation, server: Mapping[str, str]) -> Iterator[Result]:
    trusted, secure = server.get('trusted_proxy', ''), installation.settings.require_https
    headers = server.get('trusted_proxy_headers', '').split()
    if trusted and 'x-forwarded-proto' not in headers and secure:
        yield failure(
            'server.proxy',
            'trusted_proxy_headers lacks x-forwarded-proto: every request is refused as unencrypted',
            'add x-forwarded-proto',
        )
    elif secure and not trusted and server.get('url_scheme') != 'https':
        yield failure(
            'server.proxy',
            'fsp.require_https = true without trusted_proxy: every request is refused',
            'set trusted_proxy to the address of the proxy that terminates TLS',
        )
    elif trusted == '*':
        found = 'trusted_proxy = *: any caller that can connect can claim TLS and another address'
        yield warning('server.proxy', found, 'write the address of the proxy, unless only the proxy can connect')
    elif trusted and server.get('clear_untrusted_proxy_headers', 'true').lower() not in TRUE:
        yield warning(
            'server.proxy', 'clear_untrusted_proxy_headers = false: headers of callers reach the log', 'set it to true'
        )
    elif trusted:
        yield ok('server.proxy', f'headers of {trusted} are trusted')
    elif server.get('host', '') in LOOPBACK or installation.is_sandbox:
        yield ok('server.proxy', 'no proxy is trusted')
    else:
        yield warning(
            'server.proxy',
            f'the server listens on {server.get("host", "0.0.0.0")} without TLS',  # noqa: S104
            'put a proxy with TLS in front, and let the server listen on 127.0.0.1',
        )


def _connections(server: Mapping[str, str]) -> Result:
    text = server.get('connection_limit', str(CONNECTIONS))
    connections = int(text) if text.isdecimal() else CONNECTIONS
    descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    needed = 2 * connections + OTHER_DESCRIPTORS
    if server.get('asyncore_use_poll', 'false').lower() not in TRUE and needed > 1024:
        return warning(
            'server.connections',
            f'{connections} connections without asyncore_use_poll: select() ends at 1024 descriptors',
            'asyncore_use_poll = true',
        )
    if descriptors != resource.RLIM_INFINITY and needed > descriptors:
        return warning(
            'server.connections',
            f'{connections} connections need some {needed} descriptors, and a process of this user has {descriptors}',
            'raise LimitNOFILE, or lower connection_limit',
        )
    if connections <= CONNECTIONS:
        return warning(
            'server.connections',
            f'{connections} connections: slow readers can occupy all of them',
            'connection_limit = 500',
        )
    return ok('server.connections', f'{connections} connections at most')


CHECKS = (check_server,)
