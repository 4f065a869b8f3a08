"""Listings that are remembered, and the rules under which they stay true when several threads or processes write."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar
from uuid import uuid4

from dogpile.cache import CacheRegion
from dogpile.cache.api import NO_VALUE

from ..concurrency.circuit_breaker import CircuitBreaker, CircuitOpen
from ..concurrency.single_flight import SingleFlight
from ..model import Listing
from ..paths import Path
from .cache_backends import KEEP, memory_region
from .cache_entries import CachedListing

T = TypeVar('T')

Key = tuple[str, Path]


class Lease(NamedTuple):
    """When a question was asked: at which time, and after which write of ours.

    :param is_sure: whether that is the last write of all processes; otherwise, of this one
    """

    asked: float
    write: str
    is_sure: bool


# Names in the paths of directories that people have.
USUAL_DEPTH = 20


class ListingCache:
    """Listings by account and path, shared by all who use the *region*.

    Three values are kept for a directory: its listing, its head (the same without items), and its *era*, a random text
    that is another one when the directory and all that is below it are to be forgotten. One value is kept for an
    account: a random text that names its last *write*. Where the region is out of reach, nothing is known.

    :param ttl: seconds that a listing is believed; 0 to keep none. It is kept for a day all the same
    :param region: of dogpile.cache; it brings mutexes
    :param outage: tells when the region is out of reach
    :param clock: UNIX time in seconds
    :ivar flights: questions of this process for listings that are on their way
    """

    def __init__(
        self,
        ttl: float,
        region: CacheRegion | None = None,
        breaker: CircuitBreaker | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.ttl, self.clock = ttl, clock
        self._region, self._breaker = region or memory_region(), breaker or CircuitBreaker()
        self._missed: Counter[str] = Counter()  # writes that it does not know of, by account
        self.single_flight = SingleFlight()

    def get(self, key: Key) -> CachedListing:
        """What is known, be it old. Raises KeyError where nothing is."""
        (kept,) = self._look('listing', [key])
        if kept is None:
            raise KeyError(key)
        return kept

    def heads(self, keys: Sequence[Key]) -> list[CachedListing | None]:
        """What is known of directories, without their items; None where nothing is."""
        return self._look('head', keys)

    def lease(self, account: str) -> Lease:
        """To be taken before Egnyte is asked for a listing."""
        asked = self.clock()
        with suppress(CircuitOpen):
            return Lease(asked, self._reach(lambda: self._last_write(account)), is_sure=True)
        return Lease(asked, f'missed {self._missed[account]}', is_sure=False)

    def learn(self, key: Key, listing: Listing | None, lease: Lease) -> None:
        """Keep what Egnyte answered, unless we wrote after *ticket* was taken: the answer may be older than that."""
        if self.ttl <= 0 or not lease.is_sure:
            return

        def learn() -> None:
            with self._alone(key[0]):
                if self._region.get(_name('write', (key[0], ()))) == lease.write:
                    self._keep(key, CachedListing(lease.asked, self._begun_generations(key), listing))

        with suppress(CircuitOpen):
            self._reach(learn)

    def patch(self, key: Key, change: Callable[[Listing], Listing | None]) -> None:
        """A write happened: change the listing, if it is kept; it gets no younger by that. None drops it."""

        def patch() -> None:
            with self._alone(key[0]):
                self._note_write(key[0])
                (kept,) = self._valid('listing', [key])
                changed = kept and kept.listing and change(kept.listing)
                if changed:
                    self._keep(key, CachedListing(kept.asked, kept.generations, changed))
                elif kept:
                    self._region.delete_multi([_name('listing', key), _name('head', key)])

        self._write(key[0], patch)

    def drop_below(self, key: Key) -> None:
        """Forget the directory and all that is in it."""
        self._write(key[0], lambda: self._end_generation(key))

    @contextmanager
    def flight(self, key: Key, lease: Lease, *, wait: bool) -> Iterator[bool]:
        """Whether it is the caller who asks Egnyte; False where another one does at the moment.

        With *wait* it is True in the end: when the other one has got its answer, or has been at it for too long.
        """
        mutex = self._region.backend.get_mutex(f'{_name("flight", key)}:{lease.write}')
        leads = False
        try:
            leads = self._reach(lambda: mutex.acquire(wait))
            alone = leads or wait
        except CircuitOpen:
            alone = True
        try:
            yield alone
        finally:
            if leads:
                self._release(mutex)

    def get_meta(self, kind: str, account: str) -> Any:
        """What was noted about the account; None for nothing."""
        with suppress(CircuitOpen):
            found = self._reach(lambda: self._region.get(_name(kind, (account, ()))))
            return None if found is NO_VALUE else found
        return None

    def set_meta(self, kind: str, account: str, value: Any) -> None:
        """Note something about the account, in what JSON has; for a day."""
        with suppress(CircuitOpen):
            self._reach(lambda: self._region.set(_name(kind, (account, ())), value))

    # What follows raises DownError, or what the region raises

    def _reach(self, ask: Callable[[], T]) -> T:
        if self._missed:
            self._breaker.call(self._make_up)
        return self._breaker.call(ask)

    def _write(self, account: str, write: Callable[[], None]) -> None:
        try:
            self._reach(write)
        except CircuitOpen:
            # What is remembered there lacks this write. It is dropped as soon as it can be reached again.
            self._missed[account] += 1

    def _make_up(self) -> None:
        for account in list(self._missed):
            self._end_generation((account, ()))
            del self._missed[account]  # a Counter does not mind if another thread was faster

    def _look(self, kind: str, keys: Sequence[Key]) -> list[CachedListing | None]:
        try:
            return self._reach(lambda: self._valid(kind, keys))
        except CircuitOpen:
            return [None] * len(keys)

    def _valid(self, kind: str, keys: Sequence[Key]) -> list[CachedListing | None]:
        """What is kept, without what is too old and what is of another era. It is read at once, so it fits together."""
        names = [_name(kind, key) for key in keys]
        wanted = list(dict.fromkeys(name for key in keys for name in _generations(key)))
        values = self._region.get_multi([*names, *wanted])
        now = dict(zip(wanted, values[len(names) :], strict=True))
        oldest = self.clock() - KEEP

        def is_valid(key: Key, kept: Any) -> bool:
            return (
                kept is not NO_VALUE
                and kept.asked > oldest
                and kept.generations == tuple(now[name] for name in _generations(key))
            )

        return [kept if is_valid(key, kept) else None for key, kept in zip(keys, values, strict=False)]

    def _begun_generations(self, key: Key) -> tuple[str, ...]:
        """The eras of the directory and of those above it, a new one where there was none."""
        return tuple(
            uuid4().hex if generation is NO_VALUE else generation
            for generation in self._region.get_multi(_generations(key))
        )

    def _end_generation(self, key: Key) -> None:
        with self._alone(key[0]):
            self._note_write(key[0])
            self._region.set(_name('era', key), uuid4().hex)

    def _keep(self, key: Key, kept: CachedListing) -> None:
        head = kept.listing and Listing(kept.listing.entry, ())
        values = {_name('listing', key): kept, _name('head', key): CachedListing(kept.asked, kept.generations, head)}
        # Last, so that eras outlive what was learnt in them.
        self._region.set_multi(values | dict(zip(_generations(key), kept.generations, strict=True)))

    def _last_write(self, account: str) -> str:
        """Which write was the last one. If that is not known (any more) there was another one."""
        found = self._region.get(_name('write', (account, ())))
        if found is NO_VALUE:
            with self._alone(account):  # for one of those who find that out at the same time
                found = self._region.get(_name('write', (account, ())))
                return self._note_write(account) if found is NO_VALUE else found
        return found

    def _note_write(self, account: str) -> str:
        write = uuid4().hex
        self._region.set(_name('write', (account, ())), write)
        return write

    @contextmanager
    def _alone(self, account: str) -> Iterator[None]:
        """Nobody else changes what is remembered for the account: it takes a moment, and needs no call to Egnyte."""
        mutex = self._region.backend.get_mutex(_name('account', (account, ())))
        mutex.acquire()  # if it does not come free before it expires, somebody was killed who held it
        try:
            yield
        finally:
            self._release(mutex)

    def _release(self, mutex: Any) -> None:
        with suppress(*self._breaker.failures):  # it has expired, or cannot be reached and will expire
            mutex.release()


def _generations(key: Key) -> tuple[str, ...]:
    """The names of the eras of the directory and of those above it."""
    # There are several for each directory that a listing shows; but nobody shall fill the memory with absurd paths.
    return _usual_generations(key) if len(key[1]) <= USUAL_DEPTH else _all_generations(key)


def _all_generations(key: Key) -> tuple[str, ...]:
    account, path = key
    return tuple(_name('era', (account, path[:depth])) for depth in range(len(path) + 1))


_usual_generations = lru_cache(maxsize=4096)(_all_generations)


def _name(kind: str, key: Key) -> str:
    """Names of accounts may hold what is nobody's business, and any length of it; folders may be seen."""
    path = '/'.join(key[1]).encode('utf-8', 'backslashreplace').decode()  # half a pair of surrogates has no UTF-8
    return f'fsp:{kind}:{_digest(key[0])}:/{path}'


@lru_cache(maxsize=1024)
def _digest(account: str) -> str:
    return hashlib.sha256(account.encode()).hexdigest()[:32]
