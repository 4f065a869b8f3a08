"""Probes of what a request needs outside of the process: a connection to Egnyte, Redis, and directories for files.

Egnyte's API is not called. A connection and its TLS handshake show that name, route and certificate are right, without
a token, so that no daily quota is used.
"""

import os
import shutil
import socket
import ssl
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from requests.certs import where  # type: ignore[attr-defined]  # the stubs of requests lack it

from ..clients import ClientBackend
from ..disk import temporary_directory
from ..settings import ClientSettings

CONNECT_TIMEOUT = 3.0
# Fewer free bytes than a few pictures need.
LEAST_SPACE = 100 << 20
# Temporary files live as long as their uploads, and their directory may be small on purpose.
LEAST_TEMPORARY, WRITTEN = 16 << 20, 64 << 10


class ProbeFailed(Exception):
    """A probe failed; the text is for the operator and holds no secrets."""


def egnyte(client_backends: Iterable[ClientBackend], recently: float) -> str:
    """Probe the Egnyte of each backend; one that answered in the last *recently* seconds counts as reached.

    Raises ProbeFailed, which names the hosts that are out of reach.
    """
    wanted = {backend.settings.egnyte.url for backend in client_backends if _is_fixed(backend.settings)}
    since = time.monotonic() - recently
    reached = {backend.settings.egnyte.url for backend in client_backends if backend.reached_at > since}
    unknown = sorted(wanted - reached)
    if unknown:
        with ThreadPoolExecutor(max_workers=8) as pool:
            failures = list(filter(None, pool.map(connect, unknown)))
        if failures:
            raise ProbeFailed(', '.join(failures))
    return 'within reach' if wanted else 'not asked: it is a sandbox, or users name theirs'


def _is_fixed(settings: ClientSettings) -> bool:
    """Return whether the settings name an Egnyte outside of this process."""
    return not settings.egnyte.sandbox_directory and (
        settings.accounts.mode == 'token' or settings.oauth.domain == 'fixed'
    )


def connect(url: str) -> str:
    """Connect to the host of *url*. Return the error as text, '' for none."""
    parts = urlsplit(url)
    host, secure = parts.hostname or '', parts.scheme == 'https'
    try:
        address = host, parts.port or (443 if secure else 80)
        with socket.create_connection(address, CONNECT_TIMEOUT) as connection:
            if secure:
                # The certificates that requests knows, as calls use them.
                context = ssl.create_default_context(cafile=where())
                context.wrap_socket(connection, server_hostname=host).close()
    except (OSError, ValueError) as error:
        return f'{parts.netloc}: {type(error).__name__}'
    return ''


def redis(client: Any) -> None:
    """Probe a Redis. Raises the errors of redis-py."""
    client.ping()


def temporary() -> str:
    """Write a temporary file, as uploads do. Raises ProbeFailed, which names the directory.

    A quota, a lack of inodes and a disk that became read-only show in no other way.
    """
    path = temporary_directory()
    try:
        with tempfile.TemporaryFile() as file:
            file.write(bytes(WRITTEN))
            file.flush()
        free = shutil.disk_usage(path).free
    except OSError as error:
        raise ProbeFailed(f'{path} cannot be written to: {error.strerror or type(error).__name__}') from error
    if free < LEAST_TEMPORARY:
        raise ProbeFailed(f'{path} has {free >> 20} MB left')
    return f'{free >> 20} MB left'


def directory(path: str) -> str:
    """Probe that *path* is, or can become, a directory for files. Raises ProbeFailed."""
    existing = Path(path)
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        raise ProbeFailed(f'{existing} is no directory')
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ProbeFailed(f'{existing} is not writable')
    free = shutil.disk_usage(existing).free
    if free < LEAST_SPACE:
        raise ProbeFailed(f'{existing} has {free >> 20} MB left')
    return f'{free >> 20} MB left'
