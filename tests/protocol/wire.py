"""Relay to an Egnyte on a real socket: it counts uploaded bytes and can break connections."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from ..timing import PATIENCE


class Wire:
    """A relay to *url*.

    :ivar url: of this end
    :ivar connections: how many were made
    :ivar watch: is called with the number of bytes so far, after each piece
    """

    def __init__(self, url: str) -> None:
        self._egnyte = urlsplit(url).hostname, urlsplit(url).port
        self._listener = socket.create_server(('127.0.0.1', 0))
        self.url = f'http://127.0.0.1:{self._listener.getsockname()[1]}'
        self.connections, self.passed = 0, 0
        self.watch: Callable[[int], None] = lambda _passed: None
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def _start(self, target: Callable[..., None], *arguments: socket.socket) -> None:
        self._threads.append(threading.Thread(target=target, args=arguments))
        self._threads[-1].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                backend, _ = self._listener.accept()
                egnyte = socket.create_connection(self._egnyte)
                self.connections += 1
                self._sockets += [backend, egnyte]
                self._start(self._up, backend, egnyte)
                self._start(self._down, egnyte, backend)

    def _up(self, backend: socket.socket, egnyte: socket.socket) -> None:
        with suppress(OSError):
            while data := backend.recv(1 << 14):
                egnyte.sendall(data)
                self.passed += len(data)
                self.watch(self.passed)
        _cut(backend, egnyte)

    def _down(self, egnyte: socket.socket, backend: socket.socket) -> None:
        with suppress(OSError):
            while data := egnyte.recv(1 << 14):
                backend.sendall(data)
        _cut(backend, egnyte)

    def cut(self) -> None:
        """Break all connections."""
        _cut(*self._sockets)

    def stop(self) -> None:
        _cut(self._listener)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(PATIENCE)
        for each in self._sockets:
            each.close()


def _cut(*sockets: socket.socket) -> None:
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@contextmanager
def wired(url: str) -> Iterator[Wire]:
    """Yield a relay to the Egnyte at *url*."""
    wire = Wire(url)
    try:
        yield wire
    finally:
        wire.stop()
