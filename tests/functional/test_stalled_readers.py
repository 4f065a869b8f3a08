"""Stalled readers of public files at a real ``pserve``: listings are still answered."""

import json
import re
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from fsp_pyramid.testing import Sandbox

from ..timing import eventually
from .envelope import caller
from .processes import (
    PATIENCE,
    Answer,
    Server,
    serving,
)

TOP = Path(__file__).parents[2]
SECRETS = {
    'FSP_USERNAME': 'beefree',
    'FSP_PASSWORD': 'beefree',
    'FSP_PUBLIC_SECRET': 'x' * 32,
    'FSP_REQUIRE_HTTPS': 'false',
}
LARGE = 17 << 20  # more than the 16 MB that waitress buffers by default


@contextmanager
def backend(directory: Path, *files: str, threads: str = '', **waitress: str) -> Iterator[tuple[Server, list[str]]]:
    """Run ``pserve production.ini`` with options of waitress, and yield it with the paths of large public files."""
    sandbox = Sandbox(directory / 'egnyte')
    for name in files:
        sandbox.upload(f'/Shared/Beefree/demo/{name}', name.encode() + bytes(LARGE))
    text = (TOP / 'production.ini').read_text()
    # The server must not close the first of many readers that stall before the last one has connected.
    for key, value in ({'channel_timeout': f'{PATIENCE:.0f}'} | waitress).items():
        text, found = re.subn(rf'^{key} = .*$', f'{key} = {value}', text, flags=re.MULTILINE)
        assert found, key
    ini = directory / 'production.ini'
    ini.write_text(text)
    environ = SECRETS | {'FSP_EGNYTE_URL': f'sandbox:{directory / "egnyte"}', 'FSP_THREADS': threads}
    with serving(ini, **environ) as server:
        items = json.loads(listing(server).body)['data']['items']
        urls = {item['name']: item['public-url'] for item in items if 'public-url' in item}
        yield server, [urlsplit(urls[name]).path for name in files]


def keep(server: Server, path: str, directory: Path) -> Answer:
    """Request a file, and wait until it is complete in the cache: its last byte is sent shortly before."""
    (answer,) = server.ask(f'GET {path}')
    (index,) = directory.glob('**/index.sqlite')
    with closing(sqlite3.connect(index)) as database:
        eventually(lambda: database.execute('SELECT count(*) FROM copies').fetchone() == (1,))
    return answer


def listing(server: Server) -> Answer:
    (answer,) = server.ask('GET /fsp/', headers=caller())
    assert answer.status == 200, answer.body
    return answer


class Reader:
    """Stalled reader: requests a file, and stops reading shortly after the headers of the answer."""

    def __init__(self, server: Server, path: str) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.settimeout(PATIENCE)
        self._socket.connect(('127.0.0.1', server.port))
        self._socket.sendall(f'GET {path} HTTP/1.1\r\nHost: x\r\n\r\n'.encode())
        self.head = b''

    def read_head(self) -> int:
        """Read the head of the answer, and return the status."""
        while b'\r\n\r\n' not in self.head:
            block = self._socket.recv(1024)
            assert block, 'the connection was closed'
            self.head += block
        return int(self.head.split()[1])

    def close(self) -> None:
        self._socket.close()


def test_stalled_readers_of_complete_files_hold_no_thread(tmp_path: Path) -> None:
    with backend(tmp_path, 'a.bin') as (server, (path,)), ExitStack() as stack:
        whole = keep(server, path, tmp_path)
        assert len(whole.body) == LARGE + len('a.bin')
        readers = [Reader(server, path) for _ in range(130)]
        for reader in readers:
            stack.callback(reader.close)
        assert {reader.read_head() for reader in readers} == {200}
        listing(server)
        (part,) = server.ask(f'GET {path}', headers={'Range': 'bytes=0-4'})
        assert (part.status, part.body) == (206, b'a.bin')


def test_stalled_readers_of_downloads_leave_threads_free(tmp_path: Path) -> None:
    names = [f'{number}.bin' for number in range(10)]
    with backend(tmp_path, *names, threads='8', outbuf_high_watermark='65536') as (server, paths), ExitStack() as stack:
        readers = [Reader(server, path) for path in paths]
        for reader in readers:
            stack.callback(reader.close)
        outcomes = sorted(reader.read_head() for reader in readers)
        assert outcomes[:1] == [200]
        assert set(outcomes) <= {200, 503}
        refused = [reader.head.decode().lower() for reader in readers if reader.read_head() == 503]
        assert all('cache-control: no-store' in head and 'retry-after: ' in head for head in refused)
        listing(server)


def test_excess_public_bodies_are_refused(tmp_path: Path) -> None:
    with backend(tmp_path, 'a.bin') as (server, (path,)), ExitStack() as stack:
        keep(server, path, tmp_path)
        readers = [Reader(server, path) for _ in range(210)]
        for reader in readers:
            stack.callback(reader.close)
        outcomes = [reader.read_head() for reader in readers]
        assert outcomes.count(200) == 200
        refused = [reader.head.decode().lower() for reader in readers if reader.read_head() == 503]
        assert len(refused) == 10
        assert all('cache-control: no-store' in head and 'retry-after: ' in head for head in refused)
        listing(server)


@pytest.mark.parametrize('ini', ['production.ini', 'development.ini'])
def test_waitress_limits_are_set_explicitly(ini: str) -> None:
    text = (TOP / ini).read_text().split('[server:main]')[1].split('[loggers]')[0]
    assert {'connection_limit', 'channel_timeout', 'outbuf_high_watermark', 'asyncore_use_poll'} <= set(
        re.findall(r'^(\w+) = ', text, re.MULTILINE)
    )
