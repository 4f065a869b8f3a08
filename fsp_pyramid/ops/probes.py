"""What a request needs outside of the process: Egnyte within reach, and a directory to keep files in.

Egnyte is not called for that. A connection and its TLS handshake show that the name, the way and the certificate are
right, without a token and so without a call of anybody's day.
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

from requests.certs import where

from ..disk import temporary_directory

CONNECT_TIMEOUT = 3.0
# Fewer bytes than a few pictures need.
LEAST_SPACE = 100 << 20
# Temporary files live as long as their uploads, and their directory may be small on purpose.
LEAST_TEMPORARY, WRITTEN = 16 << 20, 64 << 10


class ProbeFailed(Exception):
    """What is wrong, in words for the operator and without secrets."""


def egnyte(client_backends: Iterable[Any], recently: float) -> str:
    """Whether the Egnyte of each bridge is within reach; one that answered in the last *recently* seconds is.

    Raises Trouble, which names the hosts that are not.
    """
    asked = {backend.settings.egnyte.url for backend in client_backends if _is_fixed(backend.settings)}
    since = time.monotonic() - recently
    reached = {backend.settings.egnyte.url for backend in client_backends if backend.reached_at > since}
    unknown = sorted(asked - reached)
    if unknown:
        with ThreadPoolExecutor(max_workers=8) as pool:
            troubles = list(filter(None, pool.map(_connect, unknown)))
        if troubles:
            raise ProbeFailed(', '.join(troubles))
    return 'within reach' if asked else 'not asked: it is a sandbox, or users name theirs'


def _is_fixed(settings: Any) -> bool:
    """Whether it is known where Egnyte is, and that it is elsewhere."""
    return not settings.egnyte.sandbox_directory and (
        settings.accounts.mode == 'token' or settings.oauth.domain == 'fixed'
    )


def _connect(url: str) -> str:
    """What hinders a connection to the host of *url*; '' if nothing does."""
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


def temporary() -> str:
    """Write a temporary file, as uploads do. Raises Trouble, which names the directory.

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
    """Whether *path* is a directory, or can become one, in which files can be kept. Raises Trouble."""
    place = Path(path)
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise ProbeFailed(f'{place} is no directory')
    if not os.access(place, os.W_OK | os.X_OK):
        raise ProbeFailed(f'{place} is not writable')
    free = shutil.disk_usage(place).free
    if free < LEAST_SPACE:
        raise ProbeFailed(f'{place} has {free >> 20} MB left')
    return f'{free >> 20} MB left'
