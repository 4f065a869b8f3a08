"""Where listings are remembered: regions of dogpile.cache, in the memory of this process or in a Redis."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from dogpile.cache import CacheRegion, make_region, register_backend
from dogpile.cache.backends.memory import MemoryBackend
from dogpile.cache.backends.redis import RedisBackend
from dogpile.util import NameRegistry

from . import cache_serial
from .cache_entries import CachedListing

# Entries of all listings together; some 100 MB. The oldest listings go first.
MAX_ENTRIES = 200_000
# Seconds that a Redis keeps anything: a day that began without calls ends within them.
KEEP = 86400
# Seconds after which a mutex of a process that was killed is free again.
EXPIRY = 10.0
# Seconds between two looks whether a mutex is free.
POLL = 0.02


class BoundedMemory(MemoryBackend):
    """dogpile's memory backend with a bound, and a mutex for each key."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        super().__init__(arguments | {'cache_dict': _Bounded()})
        self._mutexes = NameRegistry(lambda _name: threading.Lock())

    def get_mutex(self, key: str) -> Any:
        """See CacheBackend."""
        return self._mutexes.get(key)


class _Bounded:
    """As much of a dictionary as the backend needs. Values are dogpile's, which wrap ours."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._values: OrderedDict[str, Any] = OrderedDict()
        self._size = 0

    def get(self, key: str, default: Any) -> Any:
        return self._values.get(key, default)

    def __setitem__(self, key: str, value: Any) -> None:
        with self._guard:
            self._drop(key)
            self._values[key] = value
            self._size += _size(value)
            while self._size > MAX_ENTRIES:
                self._drop(next(iter(self._values)))

    def pop(self, key: str, _default: Any) -> None:
        with self._guard:
            self._drop(key)

    def _drop(self, key: str) -> None:
        if key in self._values:
            self._size -= _size(self._values.pop(key))


def _size(value: Any) -> int:
    kept = value.payload
    return 1 + (len(kept.listing.items) if isinstance(kept, CachedListing) and kept.listing else 0)


class Redis(RedisBackend):
    """dogpile's Redis backend, without the command that redis-py gave up."""

    def set_serialized(self, key: str, value: bytes) -> None:
        """See CacheBackend."""
        self.writer_client.set(key, value, ex=self.redis_expiration_time)

    def set_serialized_multi(self, mapping: Mapping[str, bytes]) -> None:
        """See CacheBackend: all of them at one moment."""
        with self.writer_client.pipeline(transaction=True) as pipe:
            for key, value in mapping.items():
                pipe.set(key, value, ex=self.redis_expiration_time)
            pipe.execute()


register_backend('fsp_pyramid.memory', __name__, 'BoundedMemory')
register_backend('fsp_pyramid.redis', __name__, 'Redis')


def memory_region() -> CacheRegion:
    """In this process. Values stay the objects that they are."""
    return make_region().configure('fsp_pyramid.memory')


def redis_region(client: Any) -> CacheRegion:
    """In the Redis of *client* (a ``redis.Redis``), for all processes that use it. Values are JSON. Does no I/O."""
    return make_region(serializer=cache_serial.dump, deserializer=cache_serial.load).configure(
        'fsp_pyramid.redis',
        arguments={
            'connection_pool': client.connection_pool,
            'redis_expiration_time': KEEP,
            'distributed_lock': True,
            'thread_local_lock': False,
            'lock_timeout': EXPIRY,
            'lock_blocking_timeout': EXPIRY,
            'lock_sleep': POLL,
            'lock_prefix': 'fsp:mutex:',
        },
    )
