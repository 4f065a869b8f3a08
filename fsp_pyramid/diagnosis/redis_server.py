"""Redis of ``fsp.redis_url``: within reach, new enough, and keeping what it holds."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from ..backends import redis_client
from . import probes
from .installation import Installation
from .model import Result, failure, ok, skipped, warning

# Older ones get no security fixes any more.
OLDEST = (6, 0)


def check_redis(installation: Installation) -> Iterator[Result]:
    """Check the Redis that a backend uses."""
    settings = installation.settings
    if 'redis' not in (settings.cache.backend, settings.pace.backend):
        yield skipped('redis.reachable', 'no backend is redis')
        return
    from redis import RedisError  # it needs the extra "redis"

    with closing(redis_client(settings.redis_url)) as client:
        try:
            probes.redis(client)
        except RedisError as error:
            yield failure(
                'redis.reachable',
                f'no answer: {type(error).__name__}',
                'start it, or correct fsp.redis_url (host, port, password, TLS)',
            )
            return
        yield ok('redis.reachable', 'answers')
        try:
            yield from _server(client)
        except RedisError as error:  # managed ones forbid some commands
            yield skipped('redis.version', f'it does not tell: {type(error).__name__}')


def _server(client: Any) -> Iterator[Result]:
    version = str(client.info('server').get('redis_version', ''))
    numbers = tuple(int(part) for part in version.split('.')[:2] if part.isdecimal())
    if numbers < OLDEST:
        yield warning('redis.version', f'Redis {version}', f'use {".".join(map(str, OLDEST))} or later')
    else:
        yield ok('redis.version', f'Redis {version}')
    memory = client.info('memory')
    policy, limit = str(memory.get('maxmemory_policy', '')), int(memory.get('maxmemory', 0))
    if limit and policy != 'noeviction':  # all keys expire, so that volatile-* may evict them as well
        yield warning(
            'redis.memory',
            f'{policy} with {limit >> 20} MB: locks and counts of calls may be evicted',
            'set maxmemory-policy to noeviction, or use a Redis of its own',
        )
    else:
        yield ok('redis.memory', f'{policy}, {f"{limit >> 20} MB" if limit else "no limit"}')


CHECKS = (check_redis,)
