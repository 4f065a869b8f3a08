"""Listing cache: listings by account and path, kept consistent while several threads or processes write."""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar
from uuid import uuid4

from ..concurrency.circuit_breaker import CircuitBreaker, CircuitOpen
from ..concurrency.single_flight import SingleFlight
from ..model import Listing
from ..paths import Path
from .cache_backends import KEEP, CacheBackend, MemoryBackend, Mutex
from .cache_entries import CachedListing, new_version

T = TypeVar('T')

Key = tuple[str, Path]


class Lease(NamedTuple):
    """Lease taken before a read, so that a result older than our last write is not cached.

    :param taken_at: UNIX time in seconds
    :param write: random text that names the account's last write
    :param is_certain: True if *write* is the last write of all processes; otherwise it is the last one of this process
    """

    taken_at: float
    write: str
    is_certain: bool


# Seconds between two attempts to report missed writes to the backend.
RETRY = 1.0
# Depth of the directories that people have.
USUAL_DEPTH = 20


class ListingCache:
    """Listings by account and path, shared by all users of the *backend*.

    For a directory, the backend has its listing, its head (the listing without items), and its *generation*: a random
    text, whose replacement invalidates the directory and all directories below it. For an account, it has a random text
    that names the last *write*. While the backend is out of reach, the cache is empty.

    :param ttl: seconds for which a listing is fresh; 0 to store none. It is stored for a day all the same
    :param backend: memory of this process by default
    :param breaker: skips the backend while it is out of reach
    :param clock: UNIX time in seconds
    :ivar single_flight: requests of this process for listings that are in progress
    """

    def __init__(
        self,
        ttl: float,
        backend: CacheBackend | None = None,
        breaker: CircuitBreaker | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.ttl, self.clock = ttl, clock
        self._backend, self._breaker = backend or MemoryBackend(), breaker or CircuitBreaker()
        self._missed = MissedWrites(self._invalidate_account)
        self.single_flight = SingleFlight()

    def get(self, key: Key) -> CachedListing:
        """Return the listing, even if it is stale. Raises KeyError if there is none."""
        (cached,) = self._read('listing', [key])
        if cached is None:
            raise KeyError(key)
        return cached

    def heads(self, keys: Sequence[Key]) -> list[CachedListing | None]:
        """Return listings without their items; None for a directory that is not cached."""
        return self._read('head', keys)

    def lease(self, account: str) -> Lease:
        """Take a lease, before Egnyte is asked for a listing."""
        now = self.clock()
        with suppress(CircuitOpen):
            return Lease(now, self._use(lambda: self._last_write(account)), is_certain=True)
        return Lease(now, f'missed {self._missed.last(account)}', is_certain=False)

    def store(self, key: Key, listing: Listing | None, lease: Lease, asked: Path = ()) -> None:
        """Store Egnyte's answer, unless we wrote after *lease* was taken: the answer may be older than that write.

        :param asked: path that Egnyte was asked for
        """
        if self.ttl <= 0 or not lease.is_certain:
            return

        def store() -> None:
            with self._locked(key[0]):
                if self._backend.get(_name('write', (key[0], ()))) == lease.write:
                    self._set(key, CachedListing(lease.taken_at, self._ensure_generations(key), listing, asked))

        with suppress(CircuitOpen):
            self._use(store)

    def patch(self, key: Key, change: Callable[[Listing], Listing | None]) -> None:
        """Record a write: apply *change* to the cached listing, which keeps its age; None deletes the listing."""

        def patch() -> None:
            with self._locked(key[0]):
                self._new_write(key[0])
                (cached,) = self._read_valid('listing', [key])
                if cached is None:
                    return
                changed = cached.listing and change(cached.listing)
                if changed:
                    self._set(key, replace(cached, listing=changed))
                else:
                    self._backend.delete_many([_name('listing', key), _name('head', key)])

        self._write(key[0], patch)

    def invalidate_tree(self, key: Key) -> None:
        """Invalidate the directory and all directories below it."""
        self._write(key[0], lambda: self._new_generation(key))

    @contextmanager
    def fetch_lock(self, key: Key, lease: Lease, *, wait: bool) -> Iterator[bool]:
        """Single-flight across processes: yield True if the caller is to ask Egnyte, False if another one does.

        With *wait*, wait until the other caller has its answer, or for EXPIRY seconds, and yield True.
        """
        mutex = self._backend.mutex(f'{_name("flight", key)}:{lease.write}')
        acquired = False
        try:
            acquired = self._use(lambda: mutex.acquire(blocking=wait))
            leads = acquired or wait
        except CircuitOpen:
            leads = True
        try:
            yield leads
        finally:
            if acquired:
                self._release(mutex)

    def get_meta(self, kind: str, account: str) -> Any:
        """Return a value about the account; None if there is none."""
        with suppress(CircuitOpen):
            return self._use(lambda: self._backend.get(_name(kind, (account, ()))))
        return None

    def set_meta(self, kind: str, account: str, value: Any) -> None:
        """Store a JSON value about the account for a day."""
        with suppress(CircuitOpen):
            self._use(lambda: self._backend.set_many({_name(kind, (account, ())): value}))

    # The methods below raise CircuitOpen, or errors of the backend

    def _use(self, function: Callable[[], T]) -> T:
        self._missed.report()
        return self._breaker.call(function)

    def _write(self, account: str, write: Callable[[], None]) -> None:
        try:
            self._use(write)
        except CircuitOpen:
            # The backend's listings lack this write. They are invalidated as soon as it is within reach again.
            self._missed.add(account)

    def _invalidate_account(self, account: str) -> None:
        self._breaker.call(lambda: self._new_generation((account, ())))

    def _read(self, kind: str, keys: Sequence[Key]) -> list[CachedListing | None]:
        try:
            return self._use(lambda: self._read_valid(kind, keys))
        except CircuitOpen:
            return [None] * len(keys)

    def _read_valid(self, kind: str, keys: Sequence[Key]) -> list[CachedListing | None]:
        """Return values that are neither too old nor of an earlier generation."""
        names = [_name(kind, key) for key in keys]
        if len(keys) == 1:
            value, *generations = self._backend.get_many([*names, *_generation_names(keys[0])])
            return [self._if_valid(value, generations)]
        values = self._backend.get_many(names)
        # Of thousands of directories in one listing, few are cached. Generations that are newer than a value void it.
        found = [key for key, value in zip(keys, values, strict=True) if value is not None]
        generation_names = list(dict.fromkeys(name for key in found for name in _generation_names(key)))
        current = dict(zip(generation_names, self._backend.get_many(generation_names), strict=True))
        return [
            value and self._if_valid(value, [current[name] for name in _generation_names(key)])
            for key, value in zip(keys, values, strict=True)
        ]

    def _if_valid(self, cached: CachedListing | None, generations: Sequence[str]) -> CachedListing | None:
        """Return the value if these are its generations and it is not too old."""
        if cached is None or cached.as_of <= self.clock() - KEEP or cached.generations != tuple(generations):
            return None
        return cached

    def _ensure_generations(self, key: Key) -> tuple[str, ...]:
        """Return the generations of the directory and of those above it, new ones where there are none."""
        return tuple(generation or uuid4().hex for generation in self._backend.get_many(_generation_names(key)))

    def _new_generation(self, key: Key) -> None:
        with self._locked(key[0]):
            self._new_write(key[0])
            self._backend.set_many({_name('era', key): uuid4().hex})

    def _set(self, key: Key, cached: CachedListing) -> None:
        if cached.listing is not None:
            versioned = Listing(cached.listing.entry, cached.listing.items, new_version())
            cached = replace(cached, listing=versioned)
        head = cached.listing and Listing(cached.listing.entry, ())
        values = {
            _name('listing', key): cached,
            _name('head', key): replace(cached, listing=head),
        }
        # Generations come last, so that they are evicted after the listings that depend on them.
        self._backend.set_many(values | dict(zip(_generation_names(key), cached.generations, strict=True)))

    def _last_write(self, account: str) -> str:
        """Return the name of the last write. If it is unknown (it may have expired), begin a new one."""
        name = _name('write', (account, ()))
        found = self._backend.get(name)
        if found is None:
            with self._locked(account):  # the first of those that find it missing at the same time
                return self._backend.get(name) or self._new_write(account)
        return found

    def _new_write(self, account: str) -> str:
        write = uuid4().hex
        self._backend.set_many({_name('write', (account, ())): write})
        return write

    @contextmanager
    def _locked(self, account: str) -> Iterator[None]:
        """Exclude other changes of the account's cache. Held for a moment: no call to Egnyte is made meanwhile."""
        mutex = self._backend.mutex(_name('account', (account, ())))
        mutex.acquire()  # if it is not free before it expires, the process that held it was killed
        try:
            yield
        finally:
            self._release(mutex)

    def _release(self, mutex: Mutex) -> None:
        with suppress(*self._breaker.failures):  # it has expired, or is out of reach and will expire
            mutex.release()


class MissedWrites:
    """The last write of each account that the backend does not know of. A thread reports them, and ends when it has.

    :param invalidate: invalidates the backend's listings of an account. Raises CircuitOpen
    """

    def __init__(self, invalidate: Callable[[str], None]) -> None:
        self._invalidate = invalidate
        self._guard = threading.Lock()
        self._writes: dict[str, str] = {}
        self._running = False

    def last(self, account: str) -> str:
        """Return the name of the account's last missed write; '' if there is none."""
        return self._writes.get(account, '')

    def add(self, account: str) -> None:
        """Add a write, and report it as soon as possible."""
        with self._guard:
            self._writes[account] = uuid4().hex
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name='fsp-missed-writes', daemon=True).start()

    def report(self) -> None:
        """Invalidate the listings of all accounts with missed writes. Raises CircuitOpen."""
        with self._guard:
            writes = dict(self._writes)
        for account, write in writes.items():
            self._invalidate(account)
            with self._guard:
                if self.last(account) == write:  # otherwise it missed one more meanwhile
                    del self._writes[account]

    def _run(self) -> None:
        while True:
            time.sleep(RETRY)
            with suppress(CircuitOpen):
                self.report()
            with self._guard:
                if not self._writes:
                    self._running = False
                    return


def _generation_names(key: Key) -> tuple[str, ...]:
    """Return the names of the generations of the directory and of those above it."""
    # A listing needs several for each directory in it; but paths of absurd depth must not fill the memory.
    return _usual_generation_names(key) if len(key[1]) <= USUAL_DEPTH else _all_generation_names(key)


def _all_generation_names(key: Key) -> tuple[str, ...]:
    account, path = key
    # "era" is how processes of version 0.1 call it.
    return tuple(_name('era', (account, path[:depth])) for depth in range(len(path) + 1))


_usual_generation_names = lru_cache(maxsize=4096)(_all_generation_names)


def _name(kind: str, key: Key) -> str:
    """Return the name of a value. Accounts are hashed, as their names may be secret or long; folders stay readable."""
    path = '/'.join(key[1]).encode('utf-8', 'backslashreplace').decode()  # half a pair of surrogates has no UTF-8
    return f'fsp:{kind}:{_digest(key[0])}:/{path}'


@lru_cache(maxsize=1024)
def _digest(account: str) -> str:
    return hashlib.sha256(account.encode()).hexdigest()[:32]
