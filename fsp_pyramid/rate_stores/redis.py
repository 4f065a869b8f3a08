"""Rate store in a Redis, for several machines. The time is that of the Redis."""

from typing import Any

import redis

from ..egnyte import RateStoreError
from ..egnyte.rate_store import LIFETIME
from .compare_and_swap import CompareAndSwapStore

PREFIX = 'fsp:pace:'
SWAP = """
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""


class RedisRateStore(CompareAndSwapStore):
    """Rate store in a Redis. The constructor does no I/O.

    :param client: a ``redis.Redis``
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._script = client.register_script(SWAP)

    def _read(self, key: str) -> tuple[str, float]:
        try:
            with self._client.pipeline(transaction=False) as pipeline:
                text, (seconds, microseconds) = pipeline.get(PREFIX + key).time().execute()
        except redis.RedisError as error:
            raise RateStoreError(f'Redis: {type(error).__name__}') from error
        return (text or b'').decode(), seconds + microseconds / 1e6

    def _swap(self, key: str, before: str, after: str, now: float) -> bool:
        del now
        try:
            return bool(self._script(keys=[PREFIX + key], args=[before, after, int(LIFETIME)]))
        except redis.RedisError as error:
            raise RateStoreError(f'Redis: {type(error).__name__}') from error
