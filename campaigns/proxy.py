"""A TCP proxy in front of a service, which refuses, hangs or is slow to order."""

import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum

from tests.ports import free_port

BLOCK, DELAY = 65536, 0.1


class Mode(Enum):
    """Behaviour of the proxy, which clients take for that of the service."""

    WORKS = 'works'
    REFUSES = 'refuses'
    HANGS = 'hangs'
    SLOW = 'slow'


class Proxy:
    """Forwards connections from :attr:`port` to *target*, a port of this machine."""

    def __init__(self, target: int) -> None:
        self.port, self._target = free_port(), target
        self._mode, self._works = Mode.WORKS, threading.Event()
        self._ended = False
        self._open: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self.mode = Mode.WORKS

    @property
    def mode(self) -> Mode:
        """The present behaviour. Connections that hang continue when it is WORKS again."""
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        self._mode = mode
        if mode is Mode.REFUSES:
            self.close()
            return
        if mode is Mode.HANGS:
            self._works.clear()
        else:
            self._works.set()
        if self._listener is None:
            self._listener = socket.create_server(('127.0.0.1', self.port))
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def close(self) -> None:
        """Cut all connections, and take no more."""
        listener, self._listener = self._listener, None
        for each in [*self._open, *([listener] if listener else [])]:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        if listener:
            listener.close()
        self._works.set()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._forward, args=(connection,), daemon=True).start()

    def _forward(self, near: socket.socket) -> None:
        with near, suppress(OSError), socket.create_connection(('127.0.0.1', self._target)) as far:
            self._open |= {near, far}
            try:
                with selectors.DefaultSelector() as ready:
                    ready.register(near, selectors.EVENT_READ, far)
                    ready.register(far, selectors.EVENT_READ, near)
                    while self._pass_on(ready):
                        pass
            finally:
                self._open -= {near, far}

    def _pass_on(self, ready: selectors.BaseSelector) -> bool:
        for key, _ in ready.select():
            self._works.wait()
            if self._mode is Mode.SLOW:
                time.sleep(DELAY)
            data = key.fileobj.recv(BLOCK)
            if not data:
                return False
            key.data.sendall(data)
        return True


@contextmanager
def proxy(target: int) -> Iterator[Proxy]:
    """Yield a proxy, until the context is left."""
    found = Proxy(target)
    try:
        yield found
    finally:
        found.close()
