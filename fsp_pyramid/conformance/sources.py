"""Sources of uploads: files that the suite serves on this machine, or one picture elsewhere."""

import io
import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from PIL import Image

PICTURE = '/picture.png'
OTHER = '/other.png'
SMALL = '/small.png'
TEXT = '/text.txt'
JPEG = '/photo.jpg'
SIGNED = '/signed.png?sig=a%2Fb%3D&x=%C3%A4'
REDIRECT = '/redirect'
SIZE = (640, 400)
_TYPES = {'png': 'image/png', 'txt': 'text/plain', 'jpg': 'image/jpeg'}


@dataclass(frozen=True)
class Source:
    """A file that a provider can fetch.

    :ivar content: its bytes; None if they are not known
    :ivar size: of the picture, in pixels
    """

    url: str
    content: bytes | None = None
    mime_type: str = ''
    size: tuple[int, int] | None = None


class SourceServer:
    """Server of test files on 127.0.0.1."""

    def __init__(self) -> None:
        self.files = _files()
        self._server = ThreadingHTTPServer(('127.0.0.1', 0), _handler(self.files))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={'poll_interval': 0.01}, name='fsp-check-sources', daemon=True
        )
        self._thread.start()

    def source(self, path: str) -> Source:
        """Return the file at *path*. One that does not exist is answered with 404."""
        host, port = self._server.server_address[:2]
        content = self.files.get(PICTURE if path == REDIRECT else path)
        suffix = path.partition('?')[0].rpartition('.')[2]
        size = SIZE if path in {PICTURE, OTHER, JPEG, SIGNED, REDIRECT} else None
        return Source(f'http://{host!s}:{port}{path}', content, _TYPES.get(suffix, 'image/png'), size)

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def serving() -> Iterator[SourceServer]:
    """Serve the files until the context is left."""
    server = SourceServer()
    try:
        yield server
    finally:
        server.close()


def is_loopback(url: str) -> bool:
    """Tell whether the host of *url* is this machine."""
    try:
        parts = urlsplit(url)
        found = socket.getaddrinfo(parts.hostname, parts.port or 80, type=socket.SOCK_STREAM)
        return all(ipaddress.ip_address(str(address[4][0]).partition('%')[0]).is_loopback for address in found)
    except (OSError, ValueError):
        return False


@cache
def _files() -> dict[str, bytes]:
    picture = _picture('PNG', SIZE, 40)
    return {
        PICTURE: picture,
        OTHER: _picture('PNG', SIZE, 160),
        SMALL: _picture('PNG', (16, 12), 90),
        JPEG: _picture('JPEG', SIZE, 200),
        TEXT: b'A file that fsp-check uploaded.\n',
        SIGNED: picture,
    }


def _picture(kind: str, size: tuple[int, int], tone: int) -> bytes:
    image = Image.linear_gradient('L').resize(size).point(lambda value: (value + tone) % 256).convert('RGB')
    stream = io.BytesIO()
    image.save(stream, kind)
    return stream.getvalue()


def _handler(files: dict[str, bytes]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 60

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def _answer(self, *, with_body: bool) -> None:
            content = files.get(self.path)
            if self.path == REDIRECT:
                self.send_response(302)
                self.send_header('Location', PICTURE)
            else:
                self.send_response(404 if content is None else 200)
                suffix = self.path.partition('?')[0].rpartition('.')[2]
                self.send_header('Content-Type', _TYPES.get(suffix, 'text/plain'))
            self.send_header('Content-Length', str(len(content or b'')))
            self.end_headers()
            if with_body:
                self.wfile.write(content or b'')

        def log_message(self, *arguments: object) -> None:
            """Keep the terminal clean."""

    return Handler
