"""Real services that tests use where there are any: skipped without, or failed with FSP_REQUIRE_SERVICES=1."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4

import psycopg
import pytest
import redis as redis_py
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from fsp_pyramid.shared import redis_client

from .ports import free_port
from .timing import PATIENCE

# A Redis that works may need longer on a busy machine than the application waits. The URL's options come first.
PATIENT = f'?socket_timeout={PATIENCE:g}&socket_connect_timeout={PATIENCE:g}'
REDIS = f'redis://127.0.0.1:6379/0{PATIENT}'
POSTGRESQL = 'postgresql://postgres@127.0.0.1:5432/test'


def missing(service: str, error: Exception) -> NoReturn:
    """End the test, which needs *service*."""
    message = f'there is no {service} here: {error}'
    if os.environ.get('FSP_REQUIRE_SERVICES') == '1':
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of an empty place in a real PostgreSQL, which is gone afterwards."""
    try:
        connection = psycopg.connect(POSTGRESQL, autocommit=True, connect_timeout=60)
    except psycopg.OperationalError as error:
        missing('PostgreSQL', error)
    schema = f'fsp_{uuid4().hex}'
    with connection:
        connection.execute(f'CREATE SCHEMA {schema}')
        try:
            yield f'{POSTGRESQL}?options=-csearch_path%3D{schema}'
        finally:
            # Whoever left a transaction open is told, instead of waited for.
            connection.execute(f"SET lock_timeout = '{PATIENCE:g}s'")
            connection.execute(f'DROP SCHEMA {schema} CASCADE')


def redis() -> str:
    """The URL of a real Redis. Others use it, too: make up names of keys, and delete them."""
    try:
        with redis_py.Redis.from_url(REDIS) as client:
            client.ping()
    except redis_py.RedisError as error:
        missing('Redis', error)
    return REDIS


class RedisServer:
    """A Redis of our own, which tests may flush, stop and start."""

    def __init__(self, directory: Path) -> None:
        self._directory, self.port = directory, free_port()
        self.url = f'redis://127.0.0.1:{self.port}/0'
        self.patient_url = self.url + PATIENT
        self._process: subprocess.Popen[bytes] | None = None

    def client(self) -> Any:
        """As the application makes its own, but with time-outs that a busy machine does not reach."""
        return redis_client(self.patient_url)

    def start(self) -> None:
        """Start it, and wait until it answers. It comes up empty."""
        options = ('--port', str(self.port), '--bind', '127.0.0.1', '--save', '', '--dir', str(self._directory))
        try:
            self._process = subprocess.Popen(['redis-server', *options], stdout=subprocess.DEVNULL)
        except OSError as error:
            missing('redis-server', error)
        with redis_py.Redis.from_url(self.patient_url, retry=Retry(ConstantBackoff(0.1), int(10 * PATIENCE))) as client:
            client.ping()

    def stop(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def redis_server(directory: Path) -> Iterator[RedisServer]:
    """A real Redis that nobody else uses."""
    server = RedisServer(directory)
    server.start()
    try:
        yield server
    finally:
        server.stop()
