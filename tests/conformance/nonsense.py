"""Servers that are no provider at all."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Talk = Callable[[socket.socket, threading.Event], None]


def http(body: bytes, status: str = '200 OK', kind: str = 'application/json', *more: str) -> Talk:
    """Answer every request with the same."""
    lines = [f'HTTP/1.1 {status}', f'Content-Type: {kind}', f'Content-Length: {len(body)}', 'Connection: close', *more]
    return raw('\r\n'.join([*lines, '', '']).encode() + body)


def raw(answer: bytes) -> Talk:
    def talk(connection: socket.socket, _stop: threading.Event) -> None:
        connection.recv(1 << 16)
        connection.sendall(answer)

    return talk


def hang(connection: socket.socket, stop: threading.Event) -> None:
    stop.wait()


def drip(connection: socket.socket, stop: threading.Event) -> None:
    """Send a body that never ends, a byte at a time."""
    connection.recv(1 << 16)
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n')
    while not stop.wait(0.02):
        connection.sendall(b' ')


def flood(connection: socket.socket, stop: threading.Event) -> None:
    """Send a body that never ends, as fast as it goes."""
    connection.recv(1 << 16)
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n')
    while not stop.is_set():
        connection.sendall(b' ' * (1 << 18))


@contextmanager
def serving(talk: Talk) -> Iterator[str]:
    """Talk like that to every connection. Yield the URL."""
    stop, threads = threading.Event(), []

    def handle(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            talk(connection, stop)

    def accept(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                threads.append(threading.Thread(target=handle, args=(listener.accept()[0],)))
                threads[-1].start()

    with socket.create_server(('127.0.0.1', 0)) as listener:
        accepting = threading.Thread(target=accept, args=(listener,))
        accepting.start()
        try:
            yield f'http://127.0.0.1:{listener.getsockname()[1]}'
        finally:
            stop.set()
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for thread in threads:
                thread.join()
