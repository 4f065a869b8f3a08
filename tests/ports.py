"""Ports for servers that tests start."""

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

# Below the ephemeral ports, which the kernel gives to any connection at any time.
FIRST, LAST = 10_000, 32_000
_reserved: list[int] = []


def free_port() -> int:
    """Return a port without a listener, reserved until this process ends.

    All processes on this machine that call this function get different ports, so a port stays free between the call
    and the start of the server.
    """
    directory = Path(tempfile.gettempdir()) / 'fsp-test-ports'
    directory.mkdir(exist_ok=True)
    # Not the global generator, which gives the same numbers to all workers of pytest-randomly.
    numbers = random.SystemRandom()
    while True:
        port = numbers.randrange(FIRST, LAST)
        descriptor = os.open(directory / str(port), os.O_RDWR | os.O_CREAT, 0o666)
        if _is_reserved(descriptor) and _is_free(port):
            _reserved.append(descriptor)
            return port
        os.close(descriptor)


def _is_reserved(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_free(port: int) -> bool:
    try:
        socket.create_server(('127.0.0.1', port)).close()
    except OSError:
        return False
    return True
