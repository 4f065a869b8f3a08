"""The processes of a campaign: a sandbox, services that can be killed and started again, and their clients."""

import hashlib
import json
import os
import shutil
import signal
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property  # noqa: TID251 - a campaign has one world
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote, urlsplit

from benchmarks.client import (
    PASSWORD,
    TIMEOUT,
    USERNAME,
    Answer,
)
from tests.functional.processes import Server, running, serving
from tests.services import RedisServer, redis_server

ROOT = Path(__file__).parents[1]
HOME = '/Shared/Campaign'
# Seconds: a minute by default. A listing may lack the change of a killed process for so long.
TTL = 15
ADMINISTRATOR, ORDINARY = 'sandbox', 'sandbox-alice'
# Beefree's own client gives up later than any of our time-outs.
BROKEN = Answer(0, b'{}')


def content_of(name: str) -> bytes:
    """Return the content that the source offers under *name*: a PNG by its first bytes."""
    return b'\x89PNG\r\n\x1a\n' + hashlib.sha256(name.encode()).digest() * 64


class Client:
    """A user of the File Manager. Each request has a connection of its own, so that a killed service can come back."""

    def __init__(self, service: 'Service', uid: str, source: str, username: str = USERNAME) -> None:
        self._service, self._source = service, source
        credentials = b64encode(f'{username}:{PASSWORD}'.encode()).decode()
        self._headers = {'Authorization': f'Basic {credentials}', 'X-BEE-ClientId': 'campaign', 'X-BEE-Uid': uid}

    def request(self, method: str, path: str, body: Any = None) -> Answer:
        """Make a request. The status is 0 if the connection broke, so that the outcome is unknown."""
        data = None if body is None else json.dumps(body).encode()
        return send(self._service.port, method, f'/fsp{quote(path)}', data, self._headers)

    def get(self, path: str) -> Answer:
        """List a directory, or ask for a file."""
        return self.request('GET', path)

    def create(self, path: str) -> Answer:
        """Create a directory."""
        return self.request('POST', path)

    def delete(self, path: str) -> Answer:
        """Delete a file or an empty directory."""
        return self.request('DELETE', path)

    def upload(self, path: str, name: str, strategy: str | None = 'replace') -> Answer:
        """Upload the content of *name*."""
        source = name if name.startswith('http') else f'{self._source}/{name}'
        return self.request('POST', path, _with_strategy({'source': source}, strategy))

    def move(self, path: str, directory: str, strategy: str | None = 'replace') -> Answer:
        """Move a file into a directory."""
        return self.request('PATCH', path, _with_strategy({'new_path': directory}, strategy))

    def public(self, url: str) -> Answer:
        """Return the content at a public URL, from this service, without credentials."""
        return send(self._service.port, 'GET', urlsplit(url).path)


def _with_strategy(body: dict[str, str], strategy: str | None) -> dict[str, str]:
    return body if strategy is None else body | {'conflict_strategy': strategy}


def send(
    port: int, method: str, target: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> Answer:
    """Send a request over a new connection; BROKEN without an answer."""
    connection = HTTPConnection('127.0.0.1', port, timeout=TIMEOUT)
    try:
        connection.request(method, target, body, headers or {})
        response = connection.getresponse()
        return Answer(response.status, response.read())
    except (OSError, HTTPException):
        return BROKEN
    finally:
        connection.close()


class Egnyte:
    """Ground truth: the contents of the sandbox, as its administrator sees them."""

    def __init__(self, port: int) -> None:
        self.port = port

    def call(self, method: str, target: str, body: Any = None) -> Answer:
        """Return a call with the administrator's token."""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        headers = {'Authorization': f'Bearer {ADMINISTRATOR}', 'Content-Type': 'application/json'}
        return send(self.port, method, target, data, headers)

    def make_folder(self, path: str) -> None:
        """Create a folder, unless it is there."""
        self.call('POST', f'/pubapi/v1/fs{quote(path)}', {'action': 'add_folder'})

    def grant(self, path: str, username: str, permission: str) -> None:
        """Grant a user access to a folder."""
        body = {'users': [username], 'permission': permission}
        answer = self.call('POST', f'/pubapi/v1/perms/folder{quote(path)}', body)
        if answer.status_int != 200:
            raise RuntimeError(f'the sandbox refuses a permission: {answer}')

    def content(self, path: str) -> bytes | None:
        """Return the content of a file, None where there is none."""
        answer = self.call('GET', f'/pubapi/v1/fs-content{quote(path)}')
        return answer.body if answer.status_int == 200 else None

    def tree(self, path: str) -> dict[str, bytes | None]:
        """All below a folder: contents of files by path, None for folders."""
        answer = self.call('GET', f'/pubapi/v1/fs{quote(path)}')
        found: dict[str, bytes | None] = {}
        if answer.status_int != 200:
            return found
        for folder in answer.json.get('folders', ()):
            found |= {folder['path']: None} | self.tree(folder['path'])
        return found | {file['path']: self.content(file['path']) for file in answer.json.get('files', ())}

    def order(self, *faults: dict[str, Any]) -> None:
        """Replace the injected faults."""
        self.call('PUT', '/_sandbox/faults', list(faults))

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The calls since they were forgotten."""
        return self.call('GET', '/_sandbox/calls').json['calls']

    def forget_calls(self) -> None:
        """Reset the record of calls."""
        self.call('DELETE', '/_sandbox/calls')


class Service:
    """``pserve production.ini``, which can be killed, and started again on another port."""

    def __init__(self, ini: Path, environ: dict[str, str]) -> None:
        self._ini, self.environ = ini, environ
        self._stack, self.server = ExitStack(), None
        self.start()

    server: Server | None

    def start(self) -> None:
        """Start it, and wait until it listens."""
        self.server = self._stack.enter_context(serving(self._ini, **self.environ))

    def stop(self) -> None:
        """End it, if it has not ended."""
        self._stack.close()

    def kill(self) -> None:
        """``kill -9``."""
        os.kill(self.pid, signal.SIGKILL)
        self.stop()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        assert self.server is not None
        return self.server.port

    @property
    def pid(self) -> int:
        """Of the process."""
        assert self.server is not None
        return self.server.pid

    @property
    def log(self) -> str:
        """All output of all its processes."""
        assert self.server is not None
        return self.server.log

    @property
    def memory(self) -> float:
        """Resident memory in MB."""
        return memory_of(self.pid)

    @property
    def workers_memory(self) -> float:
        """Resident memory of its child processes in MB."""
        return sum(memory_of(pid) for pid in children(self.pid))

    @property
    def descriptors(self) -> int:
        """Open files."""
        return len(os.listdir(f'/proc/{self.pid}/fd'))


def children(pid: int | str) -> list[int]:
    """Return the process ids of the children of a process."""
    lists = [_read(path) for path in Path(f'/proc/{pid}/task').glob('*/children')]
    return [int(child) for text in lists for child in text.split()]


def memory_of(pid: int, name: str = 'VmRSS') -> float:
    """Return a field of /proc/PID/status in MB; 0 for a process that has ended."""
    lines = _read(Path(f'/proc/{pid}/status')).splitlines()
    return next((int(line.split()[1]) * 1024 / 1_000_000 for line in lines if line.startswith(f'{name}:')), 0)


def _read(path: Path) -> str:
    """Return a file below /proc; '' if its process or thread has ended meanwhile."""
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ''


class World:
    """Starts processes in *directory*, and ends them when *stack* is left."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self.directory, self.stack = directory, stack
        command = ('fsp-sandbox', '--root', directory / 'egnyte', '--port=')
        self.sandbox = stack.enter_context(running(*command, log=directory / 'sandbox.log'))
        self.egnyte = Egnyte(self.sandbox.port)
        self.egnyte.make_folder(HOME)
        self.egnyte.grant(HOME, 'alice', 'Full')
        self.offers = stack.enter_context(_source())
        self.source = self.offers.url
        self._services = 0

    @cached_property
    def pair(self) -> list[Service]:
        """Two services with one Redis."""
        shared = {'FSP_CACHE_BACKEND': 'redis', 'FSP_REDIS_URL': self.redis.url, 'FSP_CACHE_TTL': str(TTL)}
        return [self.service(**shared), self.service(**shared)]

    def service(self, **settings: str | None) -> Service:
        """Start another service; *settings* are environment variables such as FSP_CACHE_TTL, None for one to omit."""
        self._services += 1
        directory = self.directory / f'service{self._services}'
        directory.mkdir()
        environ: dict[str, str | None] = {
            'FSP_USERNAME': USERNAME,
            'FSP_PASSWORD': PASSWORD,
            'FSP_EGNYTE_URL': f'http://127.0.0.1:{self.sandbox.port}',
            'FSP_EGNYTE_TOKEN': ADMINISTRATOR,
            'FSP_PUBLIC_SECRET': 'the-same-secret-for-all-services-of-a-run',
            'FSP_PUBLIC_CACHE_DIR': str(self.cache),
            'FSP_FOLDERS': f'/ {HOME}/{{uid}}',
            'FSP_REQUIRE_HTTPS': 'false',
            'MALLOC_ARENA_MAX': '2',  # as the systemd unit and the image set it
            'FSP_SOURCES_ALLOW': '127.0.0.1',
        }
        given = {name: value for name, value in (environ | settings).items() if value is not None}
        service = Service(Path(shutil.copy(ROOT / 'production.ini', directory)), given)
        self.stack.callback(service.stop)
        return service

    @property
    def cache(self) -> Path:
        """The directory of public contents, which all services share."""
        return self.directory / 'cache'

    @cached_property
    def redis(self) -> RedisServer:
        """A Redis of its own."""
        directory = self.directory / 'redis'
        directory.mkdir()
        return self.stack.enter_context(redis_server(directory))

    def client(self, service: Service, uid: str, username: str = USERNAME) -> Client:
        """Return a user who asks *service*."""
        return Client(service, uid, self.source, username)


@contextmanager
def start_world(directory: Path) -> Iterator[World]:
    """Yield a world in *directory*, until the context is left."""
    with ExitStack() as stack:
        yield World(directory, stack)


class Source:
    """A server of contents for upload: :func:`content_of` the last word of a path, or a content that was added."""

    def __init__(self, port: int) -> None:
        self.url, self.files = f'http://127.0.0.1:{port}', dict[str, bytes]()

    def offer(self, content: bytes) -> str:
        """Return the URL of *content*."""
        name = hashlib.sha256(content).hexdigest()
        self.files[name] = content
        return f'{self.url}/{name}'

    def forget(self, url: str) -> None:
        """Withdraw an offer."""
        del self.files[url.rpartition('/')[2]]


@contextmanager
def _source() -> Iterator[Source]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition('/')[2]
            content = source.files.get(name) or content_of(name)
            self.send_response(200)
            self.send_header('Content-Type', 'image/png')
            self.send_header('Content-Length', str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            del arguments

    with ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        thread, source = Thread(target=server.serve_forever, kwargs={'poll_interval': 0.05}), Source(server.server_port)
        thread.start()
        yield source
        server.shutdown()
        thread.join()


def wait_until(true: Callable[[], object], seconds: float) -> bool:
    """Return whether *true* returns something true within so many seconds."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True
