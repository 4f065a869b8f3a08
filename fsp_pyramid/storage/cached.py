"""Caching layer: listings, served until their TTL ends and patched by our own writes."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import takewhile
from typing import Literal, NamedTuple, TypeVar

from ..errors import (
    Busy,
    EgnyteUnavailable,
    FSPError,
    NotFound,
    QuotaUsedUp,
)
from ..interfaces import IStorage
from ..model import (
    Change,
    Content,
    Entry,
    Listing,
)
from ..paths import (
    Path,
    fold,
    key,
    text,
)
from .adaptive_ttl import MOST
from .cache_entries import CachedListing
from .egnyte_errors import is_doubtful
from .layer import StorageLayer
from .listing_cache import Key, ListingCache
from .refusals import missing

T = TypeVar('T')

# Errors after which a stale listing is better than none, and the reason that is reported with it.
STALE_REASONS: dict[type[FSPError], str] = {QuotaUsedUp: 'quota', Busy: 'busy', EgnyteUnavailable: 'unavailable'}
# Seconds without another attempt after Egnyte did not answer, while there is a stale listing to serve.
SILENCE = 30.0
# Largest TTL in seconds while Egnyte's events are configured and cannot be read.
UNWATCHED_TTL = 60.0


class CacheLookup(NamedTuple):
    """Result of a look-up of a listing, or of a file in one.

    :param outcome: ``hit`` (fresh), ``miss`` (Egnyte was asked, by this caller or by a concurrent one), or ``stale``
        (cached, and older than it should be)
    :param reason: why a stale listing was served: ``quota``, ``busy``, ``unavailable``, or ``refreshing`` while another
        caller asks Egnyte
    :param age: age of the listing in seconds; 0 for a miss
    """

    outcome: Literal['hit', 'miss', 'stale']
    reason: str = ''
    age: float = 0.0


def _no_factor() -> float:
    return 1.0


def _caught_up() -> bool:
    return True


def _ignore(_lookup: CacheLookup) -> None:
    pass


class CachedStorage(StorageLayer):
    """Answer from the listing cache, and ask the storage below for the rest: one call for concurrent callers.

    A listing older than the TTL is refreshed, and its caller waits for that. The stale listing is served while another
    caller refreshes it, and while Egnyte fails or accepts no calls.

    :param account: account whose files *storage* has: permissions differ, so other accounts' listings prove nothing
    :param ttl_factor: returns the factor of the TTL, from 1 to 60: see :mod:`.adaptive_ttl`
    :param on_lookup: is called after each look-up
    :param catch_up: is called once, before the cache is read, and returns whether the cache reflects the changes of
        others. If it does not, the TTL is one minute at the most
    :param waiting: returns the context in which a concurrent fetch of the same listing is waited for
    """

    def __init__(
        self,
        storage: IStorage,
        listing_cache: ListingCache,
        account: str,
        ttl_factor: Callable[[], float] = _no_factor,
        on_lookup: Callable[[CacheLookup], None] = _ignore,
        catch_up: Callable[[], bool] = _caught_up,
        waiting: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        super().__init__(storage)
        self._listing_cache, self._account = listing_cache, account
        self._ttl_factor, self._on_lookup, self._catch_up = ttl_factor, on_lookup, catch_up
        self._waiting = waiting
        self._known_ttl: float | None = None

    def _key(self, path: Path) -> Key:
        return self._account, key(path)

    def list_directory(self, path: Path, fresh: bool = False) -> Listing:
        """Make no call while the listing, or a listing of the parent that lacks it, is fresh."""
        return self._with_item_counts(self._fetch_counted(path) if fresh else self._look_up(path))

    def _look_up(self, path: Path) -> Listing:
        cached = self._cached(path)
        if cached is None or not self._is_fresh(cached):
            path = self._as_listed(path)
            return self._fetch_once(path) if cached is None or cached.listing is None else self._refresh(path, cached)
        self._on_lookup(CacheLookup('hit', age=self._age(cached)))
        return _existing(path, cached.listing)

    @property
    def _ttl(self) -> float:
        if self._known_ttl is None:
            ttl = self._listing_cache.ttl
            self._known_ttl = ttl if self._catch_up() else min(ttl, UNWATCHED_TTL)
        return self._known_ttl

    def _cached(self, path: Path) -> CachedListing | None:
        _ = self._ttl  # catching up may invalidate the listing
        try:
            cached = self._listing_cache.get(self._key(path))
        except KeyError:
            return None
        return cached if self._is_of(path, cached) else None

    def _is_of(self, path: Path, cached: CachedListing) -> bool:
        """Return False if the listing may be one of another directory: the key is the same for all forms of a path.

        It is the right one if Egnyte did not have *path* in its own form, or if a fresh listing of the parent has not.
        """
        if cached.listing is None or text(path).isascii():
            return True
        found, form = _form(cached.listing.entry.path), _form(path)
        if form in {found, _form(cached.asked)}:
            return True
        parent = self._fresh(path[:-1])
        item = _item(path, parent) if parent else None
        return item is not None and _form(item.path) == found

    def _fresh(self, path: Path) -> CachedListing | None:
        cached = self._cached(path)
        return cached if cached is not None and self._is_fresh(cached) else None

    def _age(self, cached: CachedListing) -> float:
        return max(self._listing_cache.clock() - cached.as_of, 0)

    def _is_fresh(self, cached: CachedListing) -> bool:
        """Compare the age with the TTL. The factor of the TTL is computed only where it decides."""
        age, ttl = self._age(cached), self._ttl
        return age < ttl or (age < ttl * MOST and age < ttl * self._ttl_factor())

    def _as_listed(self, path: Path) -> Path:
        """Return *path* as a fresh listing of the parent spells it. Raises NotFound if that lacks the directory."""
        parent = self._fresh(path[:-1]) if path else None
        if parent is None:
            return path
        item = _item(path, parent)
        if item is None or not item.is_directory:
            self._on_lookup(CacheLookup('hit', age=self._age(parent)))
            raise missing(path)
        return item.path

    def _fetch_once(self, path: Path) -> Listing:
        """Fetch the listing, or share the result of a concurrent fetch."""
        # The key has the last write: callers after a write of ours do not share an answer from before it. It also has
        # the form of the path, because Egnyte may have another directory in another form.
        lease = self._listing_cache.lease(self._account)

        def fetch() -> Listing:
            with self._listing_cache.fetch_lock(self._key(path), lease, wait=True):
                return self._fetched_meanwhile(path) or self._fetch(path)

        self._on_lookup(CacheLookup('miss'))
        return self._listing_cache.single_flight.do((self._account, _form(path), lease.write), fetch, self._waiting)

    def _refresh(self, path: Path, old: CachedListing) -> Listing:
        """Fetch the listing again; return the stale one if another caller does that, or if Egnyte fails."""

        def fetch() -> Listing | None:
            lease = self._listing_cache.lease(self._account)
            with self._listing_cache.fetch_lock(self._key(path), lease, wait=False) as leads:
                return (self._fetched_meanwhile(path) or self._fetch(path)) if leads else None

        # Read the cache again: we may have written to it while Egnyte was silent.
        return self._unless_stale(fetch, old) or _existing(path, (self._cached(path) or old).listing)

    def _unless_stale(self, fetch: Callable[[], T | None], old: CachedListing) -> T | None:
        """Return the result of *fetch*. None to serve *old*: *fetch* returned None, or a stale reason applies."""
        reason, until = self._listing_cache.get_meta('trouble', self._account) or ('', 0.0)
        if self._listing_cache.clock() >= until:
            try:
                answer = fetch()
            except FSPError as error:
                reason = _stale_reason(error)
                if not reason:
                    raise
                if reason == 'unavailable':  # the other ones fail without a delay
                    self._listing_cache.set_meta(
                        'trouble', self._account, [reason, self._listing_cache.clock() + SILENCE]
                    )
            else:
                if answer is not None:
                    self._on_lookup(CacheLookup('miss'))
                    return answer
                reason = 'refreshing'
        self._on_lookup(CacheLookup('stale', reason, self._age(old)))
        return None

    def _fetched_meanwhile(self, path: Path) -> Listing | None:
        """Return the listing if another process fetched it while we waited for the lock. Raises NotFound."""
        cached = self._cached(path)
        return _existing(path, cached.listing) if cached and self._is_fresh(cached) else None

    def _fetch_counted(self, path: Path) -> Listing:
        self._on_lookup(CacheLookup('miss'))
        return self._fetch(path)

    def _fetch(self, path: Path) -> Listing:
        lease = self._listing_cache.lease(self._account)
        try:
            listing = self._storage.list_directory(path, fresh=True)
        except NotFound as error:
            if not is_doubtful(error):
                self._listing_cache.store(self._key(path), None, lease, path)
            raise
        self._listing_cache.store(self._key(path), listing, lease, path)
        return listing

    def _with_item_counts(self, listing: Listing) -> Listing:
        """Add the item counts of directories whose own listings are cached: Egnyte's listings have no counts."""
        directories = tuple(takewhile(lambda item: item.is_directory, listing.items))
        if not directories:  # the usual case, in which thousands of entries need no copy
            return listing
        above = key(listing.entry.path)
        heads = self._listing_cache.heads([(self._account, (*above, fold(item.name))) for item in directories])
        counts = [_count(item, head) for item, head in zip(directories, heads, strict=True)]
        if not any(counts):
            return listing

        def items() -> tuple[Entry, ...]:
            pairs = zip(directories, counts, strict=True)
            counted = tuple(item._replace(item_count=count) if count else item for item, count in pairs)
            return counted + listing.items[len(counted) :]

        return Listing(listing.entry, items, listing.version and (listing.version, tuple(counts)))

    def peek_directory(self, path: Path) -> Entry | None:
        """Return the entry if the directory's own listing is fresh."""
        (head,) = self._listing_cache.heads([self._key(path)])
        known = head and self._is_fresh(head) and self._is_of(path, head) and head.listing
        return known.entry if known else None

    def stat_file(self, path: Path) -> Entry:
        """Make no call while the parent's listing is fresh."""
        parent = self._cached(path[:-1]) if path else None
        if parent is not None and self._is_fresh(parent):
            self._on_lookup(CacheLookup('hit', age=self._age(parent)))
            return _file(path, parent)
        if parent is None or parent.listing is None:
            self._on_lookup(CacheLookup('miss'))
            return self._storage.stat_file(path)
        return self._unless_stale(lambda: self._storage.stat_file(path), parent) or _file(path, parent)

    def create_directory(self, path: Path, with_parent: bool = False) -> tuple[Entry, Change]:
        """Cache the new listing, and patch those of the directories above."""
        lease = self._listing_cache.lease(self._account)
        entry, change = self._writing(lambda: self._storage.create_directory(path, with_parent), path)
        parent = self.peek_directory(path[:-1])
        if parent is not None:
            entry = entry._replace(access=parent.access)
        self._listing_cache.store(self._key(entry.path), Listing(entry, ()), lease)
        for depth in range(len(path) - 1):  # Egnyte created missing parents with it
            self._listing_cache.patch(self._key(path[:depth]), partial(_if_it_has, path[depth]))
        self._patch(path[:-1], new=entry)
        return entry, change

    def store_file(self, path: Path, content: Content, over: Entry | None = None) -> tuple[Entry, Change]:
        """Patch the parent's listing."""
        entry, change = self._writing(lambda: self._storage.store_file(path, content, over), path)
        self._patch(path[:-1], old=over, new=entry)
        return entry, change

    def delete(self, entry: Entry) -> Change:
        """Patch the parent's listing, and invalidate the deleted tree."""
        change = self._writing(lambda: self._storage.delete(entry), entry.path)
        self._patch(entry.path[:-1], old=entry)
        if entry.is_directory:
            self._listing_cache.invalidate_tree(self._key(entry.path))
        return change

    def move_file(self, entry: Entry, path: Path) -> tuple[Entry, Change]:
        """Patch the listings of both directories."""
        moved, change = self._writing(lambda: self._storage.move_file(entry, path), entry.path, path)
        self._patch(entry.path[:-1], old=entry)
        self._patch(path[:-1], new=moved)
        return moved, change

    def revert(self, change: Change) -> None:
        """Invalidate the listings that the change touched, because others may have written in between."""
        try:
            self._storage.revert(change)
        finally:
            for entry in filter(None, (change.entry, change.before)):
                self._listing_cache.invalidate_tree(self._key(entry.path))
                self._invalidate(entry.path[:-1])
            if change.with_parent:
                self._invalidate(change.entry.path[:-2])

    def _writing(self, write: Callable[[], T], *paths: Path) -> T:
        """Call *write*; if it fails, invalidate the listings of the directories of *paths*, which may be wrong."""
        try:
            return write()
        except FSPError:
            for path in paths:
                self._invalidate(path[:-1])
            raise

    def _invalidate(self, path: Path) -> None:
        self._listing_cache.patch(self._key(path), lambda _listing: None)

    def _patch(self, path: Path, *, old: Entry | None = None, new: Entry | None = None) -> None:
        """Remove *old* from the listing of *path*, and add *new*."""

        def change(listing: Listing) -> Listing | None:
            if _form(listing.entry.path) != _form(path):
                return None  # it may be a listing of another directory
            removed = [listing.find(entry.name) for entry in (old, new) if entry is not None]
            items = [item for item in listing.items if item not in removed]
            if new is not None:
                items.append(new._replace(access=listing.entry.access))
            items.sort(key=lambda item: item.order)
            return Listing(listing.entry._replace(item_count=len(items)), tuple(items))

        self._listing_cache.patch(self._key(path), change)


def _if_it_has(name: str, listing: Listing) -> Listing | None:
    return listing if listing.find(name) else None


def _stale_reason(error: FSPError) -> str:
    """Return the reason to serve a stale listing instead of the error; '' if there is none."""
    if isinstance(error, NotFound) and is_doubtful(error):
        return STALE_REASONS[EgnyteUnavailable]
    return STALE_REASONS.get(type(error), '')


def _existing(path: Path, listing: Listing | None) -> Listing:
    if listing is None:
        raise missing(path)
    return listing


def _item(path: Path, parent: CachedListing) -> Entry | None:
    return parent.listing.find(path[-1]) if parent.listing else None


def _form(path: Path) -> str:
    """Return the text that spellings of *path* share that differ in case, and not in the composition of characters."""
    return ''.join(map(str.lower, text(path)))


def _count(item: Entry, head: CachedListing | None) -> int:
    """Return the item count of a directory in a listing; 0 if *head* is missing or of a name of another form."""
    found = head and head.listing and head.listing.entry
    return found.item_count if found and _form(found.path[-1:]) == _form((item.name,)) else 0


def _file(path: Path, parent: CachedListing) -> Entry:
    item = _item(path, parent)
    if item is None or item.is_directory:
        raise missing(path)
    return item
