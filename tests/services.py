"""Real services for tests; without them tests are skipped, or fail with FSP_REQUIRE_SERVICES=1."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4

import psycopg
import pytest
import redis as redis_py
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from fsp_pyramid.backends import redis_client

from .ports import free_port
from .timing import PATIENCE

# On a busy machine a working Redis may exceed the application's time-out. Options of the URL take precedence.
PATIENT = f'?socket_timeout={PATIENCE:g}&socket_connect_timeout={PATIENCE:g}'
REDIS = f'redis://127.0.0.1:6379/0{PATIENT}'
POSTGRESQL = 'postgresql://postgres@127.0.0.1:5432/test'


def missing(service: str, error: Exception) -> NoReturn:
    """Skip or fail the test for lack of *service*."""
    message = f'there is no {service} here: {error}'
    if os.environ.get('FSP_REQUIRE_SERVICES') == '1':
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@contextmanager
def small_disk(directory: Path, kilobytes: int) -> Iterator[Path]:
    """Mount a small file system below *directory*."""
    place = directory / 'small-disk'
    place.mkdir()
    try:
        options = ['-t', 'tmpfs', '-o', f'size={kilobytes}k', 'tmpfs']
        subprocess.run(['mount', *options, place], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        missing('permission to mount', error)
    try:
        yield place
    finally:
        # Lazily: a temporary file may still be open for a moment.
        subprocess.run(['umount', '--lazy', place], check=True)


@contextmanager
def postgresql() -> Iterator[str]:
    """Create an empty schema in a real PostgreSQL, yield its URL, and drop it afterwards."""
    try:
        connection = psycopg.connect(POSTGRESQL, autocommit=True, connect_timeout=60)
    except psycopg.OperationalError as error:
        missing('PostgreSQL', error)
    schema = f'fsp_{uuid4().hex}'
    with connection:
        connection.execute(f'CREATE SCHEMA {schema}')
        try:
            # SQLAlchemy 2.0 takes "postgresql:" for psycopg2.
            yield f'{POSTGRESQL.replace(":", "+psycopg:", 1)}?options=-csearch_path%3D{schema}'
        finally:
            # A transaction that was left open causes an error, instead of a wait.
            connection.execute(f"SET lock_timeout = '{PATIENCE:g}s'")
            connection.execute(f'DROP SCHEMA {schema} CASCADE')


def redis() -> str:
    """Return the URL of a real Redis. It is shared: use random names of keys, and delete them."""
    try:
        with redis_py.Redis.from_url(REDIS) as client:
            client.ping()
    except redis_py.RedisError as error:
        missing('Redis', error)
    return REDIS


class RedisServer:
    """Private Redis, which tests may flush, stop and start."""

    def __init__(self, directory: Path) -> None:
        self._directory, self.port = directory, free_port()
        self.url = f'redis://127.0.0.1:{self.port}/0'
        self.patient_url = self.url + PATIENT
        self._process: subprocess.Popen[bytes] | None = None

    def client(self) -> Any:
        """Return a client like the application's, but with time-outs that a busy machine does not reach."""
        return redis_client(self.patient_url)

    def start(self) -> None:
        """Start the server, without data, and wait until it answers."""
        options = ('--port', str(self.port), '--bind', '127.0.0.1', '--save', '', '--dir', str(self._directory))
        try:
            self._process = subprocess.Popen(['redis-server', *options], stdout=subprocess.DEVNULL)
        except OSError as error:
            missing('redis-server', error)
        retry = Retry(ConstantBackoff(0.1), int(10 * PATIENCE))
        # redis-py 5 retries a refused connection only on request.
        with redis_py.Redis.from_url(self.patient_url, retry=retry, retry_on_error=[OSError]) as client:
            client.ping()

    def pause(self) -> None:
        """Suspend the server, with its connections open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Resume the suspended server."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Kill the server."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def redis_server(directory: Path) -> Iterator[RedisServer]:
    """Run a private Redis."""
    server = RedisServer(directory)
    server.start()
    try:
        yield server
    finally:
        server.stop()


class Relay:
    """TCP relay to a server; after a stop its connections stay open, and no byte passes."""

    def __init__(self, host: str, port: int) -> None:
        self._server, self._stopped = (host, port), threading.Event()
        self._listener = socket.create_server(('127.0.0.1', 0))
        self.port = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = [self._listener]
        self._start(self._accept)

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        threading.Thread(target=work, args=arguments, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, server = self._listener.accept()[0], socket.create_connection(self._server)
                self._sockets += [client, server]
                self._start(self._pass, client, server)
                self._start(self._pass, server, client)

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if self._stopped.is_set():
                    return
                target.sendall(data)

    def stop(self) -> None:
        self._stopped.set()

    def wake(self) -> None:
        self._stopped.clear()

    def close(self) -> None:
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


class HangingDatabase:
    """Real PostgreSQL behind a relay.

    :ivar url: URL through the relay
    """

    def __init__(self, url: str, relay: Relay) -> None:
        self.url, self._relay = url.replace('127.0.0.1:5432', f'127.0.0.1:{relay.port}'), relay

    def hang(self) -> None:
        """Stop the relay: existing and new connections are open, and no byte passes."""
        self._relay.stop()

    def wake(self) -> None:
        """Relay new connections again."""
        self._relay.wake()


@contextmanager
def hanging_database() -> Iterator[HangingDatabase]:
    """Create an empty schema in a PostgreSQL behind a relay."""
    with postgresql() as url, closing(Relay('127.0.0.1', 5432)) as relay:
        yield HangingDatabase(url, relay)
        relay.close()
