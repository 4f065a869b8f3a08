"""An HTTP server with pictures, and an installation over a small sandbox."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fsp_pyramid.testing import Sandbox

from ..imaging.pictures import picture

INI = """
[app:main]
use = egg:fsp-pyramid
fsp.username = beefree
fsp.password = secret-password
fsp.egnyte.url = sandbox:{here}/egnyte
fsp.folders = / /Shared/{{uid}}
fsp.public.cache_dir = {here}/cache
fsp.public.base_url = https://files.example/fsp-public
fsp.sources.allow = *
[loggers]
keys = root
[handlers]
keys =
[formatters]
keys =
[logger_root]
handlers =
"""


class Pictures:
    """A host of pictures: one for each path, but for those in *broken*.

    :ivar requests: paths that were requested
    :ivar contents: contents by path, in place of a picture
    """

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.contents: dict[str, bytes] = {}
        self.broken: set[str] = set()
        self._server = ThreadingHTTPServer(('127.0.0.1', 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={'poll_interval': 0.01})
        self._thread.start()

    @property
    def url(self) -> str:
        return f'http://127.0.0.1:{self._server.server_port}'

    def content(self, path: str) -> bytes:
        if path not in self.contents:
            number = len(self.contents)
            self.contents[path] = picture(40 + number, 30)
        return self.contents[path]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(pictures: Pictures) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pictures.requests.append(self.path)
            missing = self.path in pictures.broken
            body = b'gone' if missing else pictures.content(self.path)
            self.send_response(404 if missing else 200)
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            pass

    return Handler


@pytest.fixture
def pictures() -> Iterator[Pictures]:
    server = Pictures()
    yield server
    server.stop()


@pytest.fixture
def ini(tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the ini file of an installation; the current directory is its own."""
    monkeypatch.setattr('fsp_pyramid.sandbox.seed.tree', lambda: iter(()))
    sandbox.api('POST', '/pubapi/v1/fs/Shared/anna', json={'action': 'add_folder'})
    sandbox.forget_calls()
    monkeypatch.chdir(tmp_path)
    path = tmp_path / 'import.ini'
    path.write_text(INI.format(here=tmp_path))
    return path
