"""Key-value stores of the listing cache: the memory of this process, or a Redis."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakValueDictionary

from .cache_entries import CachedListing, dump, load

if TYPE_CHECKING:  # it needs the extra "redis"
    from redis import Redis

# Bound on the entries of all listings in memory, some 100 MB. The oldest listings are evicted first.
MAX_ENTRIES = 200_000
# Seconds that a Redis keeps a value.
KEEP = 86400
# Seconds after which a mutex of a process that was killed expires.
EXPIRY = 10.0
# Seconds between two attempts to acquire a mutex.
POLL = 0.02


class Mutex(Protocol):
    """Mutual exclusion of all users of a backend. It may expire after EXPIRY seconds, and is waited for as long."""

    def acquire(self, blocking: bool = True) -> bool:
        """Return whether the mutex was acquired."""

    def release(self) -> None:
        """Release the mutex. May raise if it has expired."""


class CacheBackend(Protocol):
    """Values by name. A missing value is None."""

    def get(self, name: str) -> Any:
        """Return one value."""

    def get_many(self, names: Iterable[str]) -> list[Any]:
        """Return values as they are at one moment."""

    def set_many(self, values: Mapping[str, Any]) -> None:
        """Store values, all of them at one moment."""

    def delete_many(self, names: Iterable[str]) -> None:
        """Delete values."""

    def mutex(self, name: str) -> Mutex:
        """Return the mutex of that name."""


class MemoryBackend:
    """Values in this process, as the objects that they are, up to MAX_ENTRIES."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._values: OrderedDict[str, Any] = OrderedDict()
        self._size = 0
        self._mutexes: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()

    def get(self, name: str) -> Any:
        """Return one value."""
        return self._values.get(name)

    def get_many(self, names: Iterable[str]) -> list[Any]:
        """Return values as they are at one moment."""
        with self._guard:
            return [self._values.get(name) for name in names]

    def set_many(self, values: Mapping[str, Any]) -> None:
        """Store values, and evict the oldest ones beyond the bound."""
        with self._guard:
            for name, value in values.items():
                self._drop(name)
                self._values[name] = value
                self._size += _size(value)
            while self._size > MAX_ENTRIES:
                self._drop(next(iter(self._values)))

    def delete_many(self, names: Iterable[str]) -> None:
        """Delete values."""
        with self._guard:
            for name in names:
                self._drop(name)

    def _drop(self, name: str) -> None:
        if name in self._values:
            self._size -= _size(self._values.pop(name))

    def mutex(self, name: str) -> Mutex:
        """Return the mutex of that name, which exists while it is in use."""
        with self._guard:
            mutex = self._mutexes.get(name)
            if mutex is None:
                mutex = self._mutexes[name] = threading.Lock()
            return mutex


def _size(value: Any) -> int:
    return 1 + (len(value.listing.items) if isinstance(value, CachedListing) and value.listing else 0)


class RedisBackend:
    """Values as JSON in a Redis, for all processes that use it. Making one does no I/O."""

    def __init__(self, client: 'Redis') -> None:
        self._client = client

    def get(self, name: str) -> Any:
        """Return one value."""
        return _load(self._client.get(name))

    def get_many(self, names: Iterable[str]) -> list[Any]:
        """Return values as they are at one moment."""
        names = list(names)
        return [_load(data) for data in self._client.mget(names)] if names else []

    def set_many(self, values: Mapping[str, Any]) -> None:
        """Store values for a day, all of them at one moment."""
        with self._client.pipeline(transaction=True) as pipe:
            for name, value in values.items():
                pipe.set(name, dump(value), ex=KEEP)
            pipe.execute()

    def delete_many(self, names: Iterable[str]) -> None:
        """Delete values."""
        self._client.delete(*names)

    def mutex(self, name: str) -> Mutex:
        """Return the mutex of that name, a lock of redis-py."""
        return self._client.lock(
            f'fsp:mutex:{name}', timeout=EXPIRY, sleep=POLL, blocking_timeout=EXPIRY, thread_local=False
        )


def _load(data: Any) -> Any:
    return None if data is None else load(data)
