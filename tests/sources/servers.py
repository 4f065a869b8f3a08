"""Servers on loopback that answer a connection with exactly the bytes of a test."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ..timing import PATIENCE

Reaction = Callable[[socket.socket], None]


class Server:
    """Server with one thread, for one connection after the other; `requests` holds the received heads."""

    def __init__(self, answers: list[Reaction], tls: ssl.SSLContext | None, host: str) -> None:
        self._answers, self._tls = answers, tls
        family = socket.AF_INET6 if ':' in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self.port: int = self._listener.getsockname()[1]
        self.requests: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        number = min(len(self.requests), len(self._answers) - 1)
        if self._tls:
            self.requests.append(b'')
            with self._tls.wrap_socket(connection, server_side=True) as wrapped:
                self.requests[-1] = _head(wrapped)
                self._answers[number](wrapped)
        else:
            self.requests.append(_head(connection))
            self._answers[number](connection)

    def stop(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


def _head(connection: socket.socket) -> bytes:
    head = b''
    while b'\r\n\r\n' not in head:
        received = connection.recv(4096)
        if not received:
            break
        head += received
    return head


@contextmanager
def serving(*answers: Reaction | bytes, tls: ssl.SSLContext | None = None, host: str = '127.0.0.1') -> Iterator[Server]:
    """Give a server with a sequence of answers; the last one is repeated."""
    server = Server([sending(answer) if isinstance(answer, bytes) else answer for answer in answers], tls, host)
    try:
        yield server
    finally:
        server.stop()


def sending(data: bytes) -> Reaction:
    return lambda connection: connection.sendall(data)


def dribbling(start: bytes, drop: bytes) -> Reaction:
    """Send *start*, then *drop* twenty times a second until the peer disconnects."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(start)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            time.sleep(0.05)
            connection.sendall(drop)

    return answer


def stalling(start: bytes) -> Reaction:
    """Send *start*, then nothing until the peer disconnects."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(start)
        silent(connection)

    return answer


def silent(connection: socket.socket) -> None:
    """Send nothing until the peer disconnects."""
    connection.settimeout(PATIENCE)
    connection.recv(1)


def ok(body: bytes, *headers: str) -> bytes:
    lines = ['HTTP/1.1 200 OK', *headers]
    if not any(line.lower().startswith(('content-length', 'transfer-encoding')) for line in headers):
        lines.append(f'Content-Length: {len(body)}')
    return '\r\n'.join([*lines, '', '']).encode() + body


def redirect(location: str, status: int = 302) -> bytes:
    return f'HTTP/1.1 {status} Go\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n'.encode()
