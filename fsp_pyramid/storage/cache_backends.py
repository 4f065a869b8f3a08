"""Key-value stores of the listing cache: the memory of this process, or a Redis."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakValueDictionary

from .cache_entries import HEADER_SIZE, CachedListing, dump, load, stored_version

if TYPE_CHECKING:  # it needs the extra "redis"
    from redis import Redis

# Bytes that an entry of a listing takes in memory, measured with names of 30 characters, ids and a checksum.
ENTRY_SIZE = 750
# Estimated bytes of all listings in memory; fsp.cache.memory decides in an application.
MAX_SIZE = 80 << 20
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
    """Values in this process, as the objects that they are.

    :param max_size: estimated bytes of all values; the oldest ones are evicted first
    """

    def __init__(self, max_size: int = MAX_SIZE) -> None:
        self._max_size = max_size
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
                if _size(value) > self._max_size:  # it would evict all others
                    continue
                self._values[name] = value
                self._size += _size(value)
            while self._size > self._max_size:
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
    entries = len(value.listing.items) if isinstance(value, CachedListing) and value.listing else 0
    return ENTRY_SIZE * (1 + entries)


class RedisBackend:
    """Values as JSON in a Redis, for all processes that use it. Making one does no I/O.

    Listings that were decoded stay in memory, and are used for as long as Redis has the same version.

    :param max_size: estimated bytes of these listings
    """

    def __init__(self, client: 'Redis', max_size: int = MAX_SIZE) -> None:
        self._client, self._decoded = client, MemoryBackend(max_size)

    def get(self, name: str) -> Any:
        """Return one value."""
        return self._load(name, self._client.get(name))

    def get_many(self, names: Iterable[str]) -> list[Any]:
        """Return values as they are at one moment."""
        names = list(names)
        decoded = {name: found for name in names if (found := self._decoded.get(name))}
        values = self._get_with(decoded, names) if decoded else None
        if values is None:
            values = self._client.mget(names) if names else []
            return [self._load(name, data) for name, data in zip(names, values, strict=True)]
        return values

    def _get_with(self, decoded: Mapping[str, CachedListing], names: Sequence[str]) -> list[Any] | None:
        """Return values, of which these are decoded already; None if Redis has another version of one of them."""
        others = [name for name in names if name not in decoded]
        with self._client.pipeline(transaction=True) as pipe:
            for name in decoded:
                pipe.getrange(name, 0, HEADER_SIZE - 1)
            if others:
                pipe.mget(others)
            found = pipe.execute()
        versions = [value.listing and value.listing.version for value in decoded.values()]
        if [stored_version(header) for header in found[: len(decoded)]] != versions:
            self._decoded.delete_many(decoded)
            return None
        values = dict(zip(others, found[-1], strict=True)) if others else {}
        return [decoded[name] if name in decoded else self._load(name, values[name]) for name in names]

    def set_many(self, values: Mapping[str, Any]) -> None:
        """Store values for a day, all of them at one moment."""
        with self._client.pipeline(transaction=True) as pipe:
            for name, value in values.items():
                pipe.set(name, dump(value), ex=KEEP)
            pipe.execute()
        for name, value in values.items():
            self._remember(name, value)

    def delete_many(self, names: Iterable[str]) -> None:
        """Delete values."""
        self._client.delete(*names)

    def mutex(self, name: str) -> Mutex:
        """Return the mutex of that name, a lock of redis-py."""
        return self._client.lock(
            f'fsp:mutex:{name}', timeout=EXPIRY, sleep=POLL, blocking_timeout=EXPIRY, thread_local=False
        )

    def _load(self, name: str, data: Any) -> Any:
        if data is None:
            return None
        value = load(data)
        self._remember(name, value)
        return value

    def _remember(self, name: str, value: Any) -> None:
        """Keep a decoded listing. One without items is decoded sooner than its version is compared."""
        if isinstance(value, CachedListing) and value.listing and value.listing.version and value.listing.items:
            self._decoded.set_many({name: value})
