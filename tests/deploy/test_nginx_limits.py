"""Limits of ``deploy/nginx.conf``: stalled readers, and requests from one address."""

import json
import socket
import ssl
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from fsp_pyramid.testing import Sandbox

from ..functional.processes import PATIENCE, Server
from .nginx import HOST, Nginx, proxying
from .test_nginx import PIC, WHO, public_url


def connect(nginx: Nginx) -> ssl.SSLSocket:
    """Connect over TLS, with a small buffer for answers."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.settimeout(PATIENCE)
    raw.connect(('127.0.0.1', nginx.https_port))
    context = ssl.create_default_context(cafile=str(nginx.cert))
    return context.wrap_socket(raw, server_hostname=HOST)


class Reader:
    """Stalled reader: requests a file over TLS, and stops reading after the head of the answer."""

    def __init__(self, nginx: Nginx, path: str) -> None:
        self._socket = connect(nginx)
        self._socket.sendall(f'GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n'.encode())
        self.head = ''

    def read_head(self) -> int:
        """Return the status."""
        while '\r\n\r\n' not in self.head:
            part = self._socket.recv(512).decode('latin-1')
            assert part, f'the connection ends after {self.head!r}'
            self.head += part
        return int(self.head.split()[1])

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def large(processes: list[Server], backend: Nginx) -> str:
    """Return the path of a large public file that was never requested."""
    sandbox = Sandbox(processes[0].directory / 'egnyte')
    sandbox.upload('/Shared/Beefree/demo/large/a.bin', bytes(20 << 20))
    return urlsplit(public_url(backend.ask('GET /fsp/large/', **WHO))).path


def test_stalled_readers_of_one_address_do_not_block_requests(backend: Nginx, large: str) -> None:
    with ExitStack() as stack:
        readers = [Reader(backend, large) for _ in range(130)]
        for reader in readers:
            stack.callback(reader.close)
        outcomes = Counter(reader.read_head() for reader in readers)
        assert outcomes[429] == 30
        assert outcomes[200] + outcomes[503] == 100
        for reader in readers:
            if reader.read_head() != 200:
                assert 'no-store' in reader.head
                assert 'retry-after: ' in reader.head.lower()
        assert json.loads(backend.ask('GET /fsp/', **WHO).body)['status'] == 'success'


def test_nginx_errors_are_not_cacheable(files: Nginx, tmp_path_factory: pytest.TempPathFactory) -> None:
    gone = files.ask(PIC.replace('pic.png', 'gone.png'))
    assert gone.status == 404
    assert 'no-store' in ', '.join(gone.headers.get_all('Cache-Control'))
    assert (gone.headers['ETag'], gone.headers['Age']) == (None, None)
    with proxying(tmp_path_factory.mktemp('alone'), [1, 1]) as alone:
        answer = alone.ask(PIC)
        assert (answer.status, answer.headers.get_all('Cache-Control')) == (502, ['no-store'])


def test_unsatisfiable_range_has_no_success_headers(backend: Nginx, large: str) -> None:
    assert backend.ask(f'GET {large}').status == 200
    for part in ('bytes=99999999-', 'bytes=-0', 'bytes=x', 'bytes=9-5'):
        answer = backend.ask(f'GET {large}', Range=part)
        if answer.status == 416:
            assert answer.headers.get_all('Cache-Control') == ['no-store']
            assert (answer.headers['ETag'], answer.headers['Content-Disposition']) == (None, None)
        assert answer.status == (416 if part == 'bytes=99999999-' else 200)
    for condition in ('If-Unmodified-Since', 'If-Modified-Since'):
        answer = backend.ask(f'GET {large}', **{condition: 'Fri, 01 Jan 99999 00:00:00 GMT'})
        assert answer.status == 200


def test_success_has_cache_headers_of_application(files: Nginx) -> None:
    for answer in (files.ask(PIC), files.ask(PIC, Range='bytes=0-3')):
        assert answer.headers.get_all('Cache-Control') == ['public, max-age=300']
        assert answer.headers['Retry-After'] is None


@pytest.mark.parametrize('line', ['GET /echo', PIC, 'GET /fsp-public/token', 'GET /fsp-public/token/a/b.png'])
def test_flood_from_one_address_is_rate_limited(files: Nginx, tmp_path: Path, line: str) -> None:
    """Lower the rates, so that few requests are a flood on any machine."""
    slow = {
        'rate=100r/s': 'rate=1r/m',
        'rate=50r/s': 'rate=1r/m',
        'burst=500 nodelay': 'burst=2 nodelay',
        'burst=200': 'burst=2 nodelay',
    }
    port = int(files.configuration.read_text().split('server 127.0.0.1:')[1].split()[0])
    with proxying(tmp_path, [port], files.cache, changed=slow) as nginx:
        statuses = [nginx.ask(line).status for _ in range(5)]
    assert 429 not in statuses[:3]
    assert statuses[3:] == [429, 429]


def stall(nginx: Nginx) -> ssl.SSLSocket:
    """Connect, and send the head of a request without its body; nginx waits for that."""
    sender = connect(nginx)
    head = f'POST /echo HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n'
    sender.sendall(head.encode())
    assert sender.recv(512).startswith(b'HTTP/1.1 100 ')
    return sender


def test_stalled_senders_of_one_address_are_limited(files: Nginx, tmp_path: Path) -> None:
    port = int(files.configuration.read_text().split('server 127.0.0.1:')[1].split()[0])
    changed = {'limit_conn senders 500': 'limit_conn senders 2', 'body_timeout 10s': f'body_timeout {PATIENCE:.0f}s'}
    with ExitStack() as stack, proxying(tmp_path, [port], files.cache, changed=changed) as nginx:
        first = stack.enter_context(stall(nginx))
        assert nginx.ask('GET /echo').status == 200
        stack.enter_context(stall(nginx))
        assert nginx.ask('GET /echo').status == 429
        first.sendall(b'0123456789')
        assert first.recv(512).startswith(b'HTTP/1.1 200 ')


def test_stalled_sender_is_disconnected(files: Nginx, tmp_path: Path) -> None:
    port = int(files.configuration.read_text().split('server 127.0.0.1:')[1].split()[0])
    with proxying(tmp_path, [port], files.cache, changed={'body_timeout 10s': 'body_timeout 1s'}) as nginx:
        with stall(nginx) as sender, suppress(OSError):
            assert sender.recv(512) == b''
        assert nginx.logged('"POST /echo HTTP/1.1" 408')
