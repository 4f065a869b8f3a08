"""Real services that tests use where there are any: skipped without, or failed with FSP_REQUIRE_SERVICES=1."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn
from uuid import uuid4

import psycopg
import pytest
import redis as redis_py

REDIS = 'redis://127.0.0.1:6379/0'
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
        connection = psycopg.connect(POSTGRESQL, autocommit=True, connect_timeout=5)
    except psycopg.OperationalError as error:
        missing('PostgreSQL', error)
    schema = f'fsp_{uuid4().hex}'
    with connection:
        connection.execute(f'CREATE SCHEMA {schema}')
        try:
            yield f'{POSTGRESQL}?options=-csearch_path%3D{schema}'
        finally:
            # Whoever left a transaction open is told, instead of waited for.
            connection.execute("SET lock_timeout = '5s'")
            connection.execute(f'DROP SCHEMA {schema} CASCADE')


def redis() -> str:
    """The URL of a real Redis. Others use it, too: make up names of keys, and delete them."""
    try:
        with redis_py.Redis.from_url(REDIS, socket_connect_timeout=5) as client:
            client.ping()
    except redis_py.RedisError as error:
        missing('Redis', error)
    return REDIS
