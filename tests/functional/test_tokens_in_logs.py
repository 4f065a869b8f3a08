"""Tokens of public and connect links are absent from the log of a real server when an answer fails."""

import json
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from fsp_pyramid.testing import Sandbox

from ..sandbox import servers
from ..timing import eventually
from .envelope import caller
from .processes import (
    PATIENCE,
    Server,
    running,
    serving,
)

TOP = Path(__file__).parents[2]
SIZE = 20 << 20
APPLICATION = """
from pyramid.config import Configurator
from waitress import serve
import logging, sys

class Failing:
    def __init__(self, path):
        self._path = path
    def __iter__(self):
        yield b'begun'
        raise RuntimeError(f'sending {self._path} failed')

def middleware(application):
    def failing(environ, start_response):
        if 'fail' in environ['QUERY_STRING']:
            start_response('200 OK', [('Content-Length', '100')])
            return Failing(environ['PATH_INFO'])
        return application(environ, start_response)
    return failing

if __name__ == '__main__':
    logging.basicConfig(level='INFO')
    settings = {'fsp.username': 'u', 'fsp.password': 'p', 'fsp.egnyte.url': 'sandbox:egnyte'}
    with Configurator(settings=settings) as config:
        config.include('fsp_pyramid', route_prefix=sys.argv[1])
    serve(middleware(config.make_wsgi_app()), host='127.0.0.1', port=int(sys.argv[2]))
"""


class Egnyte:
    """Sandbox behind a proxy that corrupts the contents of files.

    :ivar spoil: ``cut`` or ``cut without a length`` truncates contents, ``wait`` pauses in the middle for :attr:`go`
    """

    def __init__(self, upstream: str) -> None:
        self.upstream, self.spoil, self.go = upstream, '', threading.Event()
        self.url = ''


@pytest.fixture
def egnyte(tmp_path: Path) -> Iterator[Egnyte]:
    with servers.serving(tmp_path / 'egnyte') as upstream:
        found = Egnyte(upstream)
        with ThreadingHTTPServer(('127.0.0.1', 0), _handler(found)) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.01})
            thread.start()
            found.url = f'http://127.0.0.1:{server.server_port}'
            yield found
            found.go.set()
            server.shutdown()
            thread.join()


def _handler(egnyte: Egnyte) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'

        def do_GET(self) -> None:
            connection = HTTPConnection(urlsplit(egnyte.upstream).netloc, timeout=PATIENCE)
            connection.request(self.command, self.path, headers=dict(self.headers))
            answer = connection.getresponse()
            body = answer.read()
            connection.close()
            spoil = egnyte.spoil if '/fs-content/' in self.path else ''
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in {'content-length', 'transfer-encoding', 'connection', 'date', 'server'}:
                    self.send_header(name, value)
            half = body[: len(body) // 2]
            if spoil == 'cut without a length':
                self.send_header('Transfer-Encoding', 'chunked')
                self.end_headers()
                self.wfile.write(b'%x\r\n%b\r\n' % (len(half), half))
                self.close_connection = True
                return
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            self.wfile.write(half if spoil else body)
            if spoil == 'wait':
                egnyte.go.wait(PATIENCE)
                self.wfile.write(body[len(half) :])
            self.close_connection = spoil == 'cut'

        def log_message(self, *_arguments: object) -> None:
            pass

    return Handler


@contextmanager
def backend(directory: Path, egnyte: Egnyte) -> Iterator[tuple[Server, str]]:
    """Run ``pserve production.ini`` at the most verbose log level, and yield it with the path of a public file."""
    Sandbox(directory / 'egnyte').upload('/Shared/Beefree/demo/a.bin', bytes(SIZE))
    ini = Path(shutil.copy(TOP / 'production.ini', directory))
    ini.write_text(ini.read_text().replace('level = WARNING', 'level = DEBUG'))
    environ = {
        'FSP_USERNAME': 'beefree',
        'FSP_PASSWORD': 'beefree',
        'FSP_PUBLIC_SECRET': 'x' * 32,
        'FSP_REQUIRE_HTTPS': 'false',
        'FSP_EGNYTE_URL': egnyte.url,
        'FSP_EGNYTE_TOKEN': 'sandbox',
    }
    with serving(ini, **environ) as server:
        (answer,) = server.ask('GET /fsp/', headers=caller())
        items = json.loads(answer.body)['data']['items']
        yield server, next(urlsplit(item['public-url']).path for item in items if item['name'] == 'a.bin')


def received(server: Server, path: str) -> bytes:
    """Return all bytes, with the headers, until the server closes the connection."""
    with socket.create_connection(('127.0.0.1', server.port), PATIENCE) as connection:
        connection.sendall(f'GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'.encode())
        blocks = []
        while block := connection.recv(1 << 16):
            blocks.append(block)
    return b''.join(blocks)


def test_disconnecting_reader_logs_no_token(tmp_path: Path, egnyte: Egnyte) -> None:
    egnyte.spoil = 'wait'
    with backend(tmp_path, egnyte) as (server, path):
        with socket.create_connection(('127.0.0.1', server.port), PATIENCE) as connection:
            connection.sendall(f'GET {path} HTTP/1.1\r\nHost: x\r\n\r\n'.encode())
            assert connection.recv(100).startswith(b'HTTP/1.1 200')
        egnyte.go.set()
        eventually(lambda: 'Client disconnected while serving /fsp-public/-\n' in server.log)
        assert path.split('/')[2] not in server.log


@pytest.mark.parametrize(
    ('spoil', 'line'),
    [
        ('cut', 'application returned too few bytes'),
        ('cut without a length', 'Exception while serving /fsp-public/-\n'),
    ],
)
def test_truncated_content_logs_no_token(tmp_path: Path, egnyte: Egnyte, spoil: str, line: str) -> None:
    egnyte.spoil = spoil
    with backend(tmp_path, egnyte) as (server, path):
        answer = received(server, path)
        assert answer.startswith(b'HTTP/1.1 200')
        assert len(answer) < SIZE
        assert not answer.endswith(b'\r\n0\r\n\r\n'), 'it looks complete'
        eventually(lambda: line in server.log)
        assert 'public content ends early: EgnyteUnavailable' in server.log
        assert path.split('/')[2] not in server.log


@pytest.mark.parametrize('path', ['fsp-public', 'fsp-connect'])
def test_failing_body_of_host_logs_no_token(tmp_path: Path, path: str) -> None:
    script = tmp_path / 'application.py'
    script.write_text(APPLICATION)
    with running('python', script, 'files', '', log=tmp_path / 'log') as server:
        for target in (f'/files/{path}/T0ken/pic.png', f'/files/{path}//%20T0ken', f'/files/{path}/a%0AT0ken'):
            received(server, f'{target}?token=T0ken&fail')
        received(server, '/files/elsewhere?fail')
        eventually(lambda: 'Exception while serving /files/elsewhere\n' in server.log)
        assert server.log.count(f'Exception while serving /files/{path}/-\n') == 3
        assert 'sending /files/elsewhere failed' in server.log
        assert f'sending /files/{path}/-' in server.log
        assert 'T0ken' not in server.log
