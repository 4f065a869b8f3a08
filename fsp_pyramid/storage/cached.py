"""What was seen a moment ago: listings, believed for a short time and patched by our own writes."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property
from itertools import takewhile
from typing import Literal, NamedTuple, TypeVar

from zope.interface import implementer

from ..concurrency.locks import Held
from ..errors import (
    Busy,
    EgnyteUnavailable,
    FSPError,
    NotFound,
    QuotaUsedUp,
    excerpt,
)
from ..interfaces import IStorage
from ..model import (
    Change,
    Content,
    Download,
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
from .listing_cache import Key, ListingCache

T = TypeVar('T')

# Egnyte is in trouble, or takes no calls: what was seen last is better than nothing. By class, what callers are told.
TROUBLE: dict[type[FSPError], str] = {QuotaUsedUp: 'quota', Busy: 'busy', EgnyteUnavailable: 'unavailable'}
# Seconds after which Egnyte is asked again when it did not answer, and there is something to show.
SILENCE = 30.0
# Seconds that a listing is believed at the most while events should tell what others changed, and do not.
UNWATCHED_TTL = 60.0


class CacheLookup(NamedTuple):
    """How a listing, or a file in one, was looked up, for those who count.

    :param outcome: ``hit`` (remembered), ``miss`` (Egnyte was asked, by the caller or for somebody else who wanted the
        same), or ``stale`` (remembered, and older than it should be)
    :param reason: why it is stale: ``quota``, ``busy``, ``unavailable``, or ``refreshing`` where somebody else asks
        Egnyte at the moment
    :param age: seconds since Egnyte told it; 0 for a miss
    """

    outcome: Literal['hit', 'miss', 'stale']
    reason: str = ''
    age: float = 0.0


def _plenty() -> float:
    """Nothing is scarce."""
    return 1.0


def _nothing() -> bool:
    """Nothing has to be caught up with."""
    return True


def _ignore(_looked: CacheLookup) -> None:
    """Nobody counts."""


@implementer(IStorage)
class CachedStorage:
    """Answers from the shelf what it can, and asks below for the rest, one for all who want to know the same.

    What is older than the ttl is asked for anew, and its caller waits for that; but it is served as it is where
    somebody else is asking already, or where Egnyte is in trouble or takes no calls.

    :param account: whose files *storage* has: permissions differ, so that others' listings say nothing about them
    :param scarcity: how many times longer than usual listings are believed, from 1 to 60: see :mod:`.scarcity`
    :param on_look: hears of each look
    :param catch_up: is called before anything is believed, once, and tells whether the changes of others are in what is
        remembered. If they are not, the ttl is one minute at the most
    """

    def __init__(
        self,
        storage: IStorage,
        listing_cache: ListingCache,
        account: str,
        ttl_factor: Callable[[], float] = _plenty,
        on_look: Callable[[CacheLookup], None] = _ignore,
        catch_up: Callable[[], bool] = _nothing,
    ) -> None:
        self._storage, self._listing_cache, self._account = storage, listing_cache, account
        self._ttl_factor, self._on_look, self._catch_up = ttl_factor, on_look, catch_up

    def _key(self, path: Path) -> Key:
        return self._account, key(path)

    def list_directory(self, path: Path, fresh: bool = False) -> Listing:
        """See IStorage: asks nobody as long as the listing, or its parent's that lacks it, is remembered."""
        return self._counted(self._asked(path) if fresh else self._look(path))

    def _look(self, path: Path) -> Listing:
        kept = self._kept(path)
        if kept is None or not self._believes(kept):
            self._deny_by_parent(path)
            return self._ask_once(path) if kept is None or kept.listing is None else self._refresh(path, kept)
        self._on_look(CacheLookup('hit', age=self._age(kept)))
        return _there(path, kept.listing)

    @cached_property
    def _ttl(self) -> float:
        return self._listing_cache.ttl if self._catch_up() else min(self._listing_cache.ttl, UNWATCHED_TTL)

    def _kept(self, path: Path) -> CachedListing | None:
        _ = self._ttl  # it may turn out that something is out of date
        try:
            return self._listing_cache.get(self._key(path))
        except KeyError:
            return None

    def _age(self, kept: CachedListing) -> float:
        return max(self._listing_cache.clock() - kept.asked, 0)

    def _believes(self, kept: CachedListing) -> bool:
        """Whether it is young enough. How scarce calls are is asked only where that decides."""
        age, ttl = self._age(kept), self._ttl
        return age < ttl or (age < ttl * MOST and age < ttl * self._ttl_factor())

    def _deny_by_parent(self, path: Path) -> None:
        """Raise NotFound where the parent's listing lacks the directory."""
        parent = self._kept(path[:-1]) if path else None
        if parent is None or not self._believes(parent):
            return
        item = parent.listing and parent.listing.find(path[-1])
        if item is None or not item.is_directory:
            self._on_look(CacheLookup('hit', age=self._age(parent)))
            raise _missing(path)

    def _ask_once(self, path: Path) -> Listing:
        """Ask, or get the answer that somebody else is waiting for."""
        # Who comes after a write of ours does not take an answer that was asked for before it.
        lease = self._listing_cache.lease(self._account)
        question = self._key(path), lease.write

        def ask() -> Listing:
            with self._listing_cache.flight(self._key(path), lease, wait=True):
                return self._faster(path) or self._ask(path)

        self._on_look(CacheLookup('miss'))
        return self._listing_cache.single_flight.do(question, ask)

    def _refresh(self, path: Path, old: CachedListing) -> Listing:
        """Ask anew; where that makes no sense, or is under way, the *old* listing has to do."""

        def ask() -> Listing | None:
            with self._listing_cache.flight(
                self._key(path), self._listing_cache.lease(self._account), wait=False
            ) as leads:
                return (self._faster(path) or self._ask(path)) if leads else None

        # What it is by now: somebody of ours may have written while Egnyte was silent.
        return self._or_old(ask, old) or _there(path, (self._kept(path) or old).listing)

    def _or_old(self, ask: Callable[[], T | None], old: CachedListing) -> T | None:
        """What *ask* returns. None where *old* has to do: it returned None, or failed by one of TROUBLE."""
        reason, until = self._listing_cache.get_meta('trouble', self._account) or ('', 0.0)
        if self._listing_cache.clock() >= until:
            try:
                answer = ask()
            except FSPError as error:
                reason = _trouble(error)
                if not reason:
                    raise
                if reason == 'unavailable':  # the others cost no time
                    self._listing_cache.set_meta(
                        'trouble', self._account, [reason, self._listing_cache.clock() + SILENCE]
                    )
            else:
                if answer is not None:
                    self._on_look(CacheLookup('miss'))
                    return answer
                reason = 'refreshing'
        self._on_look(CacheLookup('stale', reason, self._age(old)))
        return None

    def _faster(self, path: Path) -> Listing | None:
        """What somebody else learnt while we waited for our turn to ask. Raises NotFound."""
        kept = self._kept(path)
        return _there(path, kept.listing) if kept and self._believes(kept) else None

    def _asked(self, path: Path) -> Listing:
        self._on_look(CacheLookup('miss'))
        return self._ask(path)

    def _ask(self, path: Path) -> Listing:
        lease = self._listing_cache.lease(self._account)
        try:
            listing = self._storage.list_directory(self._spelled(path), fresh=True)
        except NotFound as error:
            if not is_doubtful(error):
                self._listing_cache.learn(self._key(path), None, lease)
            raise
        self._listing_cache.learn(self._key(path), listing, lease)
        return listing

    def _spelled(self, path: Path) -> Path:
        """Return *path* as it is stored, as far as remembered: Egnyte may tell forms of composed characters apart."""
        if text(path).isascii():
            return path
        (head,) = self._listing_cache.heads([self._key(path)])
        if head and head.listing:
            return head.listing.entry.path
        parent = self._kept(path[:-1])
        item = parent and parent.listing and parent.listing.find(path[-1])
        return item.path if item else path

    def _counted(self, listing: Listing) -> Listing:
        """With the item counts of directories that were listed themselves: Egnyte tells counts for nothing less."""
        directories = tuple(takewhile(lambda item: item.is_directory, listing.items))
        if not directories:  # most often: thousands of files need not be copied
            return listing
        heads = self._listing_cache.heads([self._key(item.path) for item in directories])
        counts = [head.listing.entry.item_count if head and head.listing else 0 for head in heads]
        if not any(counts):
            return listing
        known = tuple(
            replace(item, item_count=count) if count else item for item, count in zip(directories, counts, strict=True)
        )
        return replace(listing, items=known + listing.items[len(known) :])

    def peek_directory(self, path: Path) -> Entry | None:
        """See IStorage."""
        (head,) = self._listing_cache.heads([self._key(path)])
        return head.listing.entry if head and head.listing and self._believes(head) else None

    def stat_file(self, path: Path) -> Entry:
        """See IStorage: asks nobody if the parent's listing is remembered."""
        parent = self._kept(path[:-1]) if path else None
        if parent is not None and self._believes(parent):
            self._on_look(CacheLookup('hit', age=self._age(parent)))
            return _file(path, parent)
        if parent is None or parent.listing is None:
            self._on_look(CacheLookup('miss'))
            return self._storage.stat_file(self._spelled(path))
        return self._or_old(lambda: self._storage.stat_file(self._spelled(path)), parent) or _file(path, parent)

    def find_file(self, file_id: str) -> Entry:
        """See IStorage: always asks, because listings are kept by path."""
        return self._storage.find_file(file_id)

    def create_directory(self, path: Path, with_parent: bool = False) -> tuple[Entry, Change]:
        """See IStorage."""
        lease = self._listing_cache.lease(self._account)
        entry, change = self._writing(lambda: self._storage.create_directory(path, with_parent), path)
        parent = self.peek_directory(path[:-1])
        if parent is not None:
            entry = replace(entry, access=parent.access)
        self._listing_cache.learn(self._key(entry.path), Listing(entry, ()), lease)
        for depth in range(len(path) - 1):  # parents that were missing came with it
            self._listing_cache.patch(
                self._key(path[:depth]), lambda above, name=path[depth]: above.find(name) and above
            )
        self._replace(path[:-1], new=entry)
        return entry, change

    def store_file(self, path: Path, content: Content, over: Entry | None = None) -> tuple[Entry, Change]:
        """See IStorage."""
        entry, change = self._writing(lambda: self._storage.store_file(path, content, over), path)
        self._replace(path[:-1], old=over, new=entry)
        return entry, change

    def delete(self, entry: Entry) -> Change:
        """See IStorage."""
        change = self._writing(lambda: self._storage.delete(entry), entry.path)
        self._replace(entry.path[:-1], old=entry)
        if entry.is_directory:
            self._listing_cache.drop_below(self._key(entry.path))
        return change

    def move_file(self, entry: Entry, path: Path) -> tuple[Entry, Change]:
        """See IStorage."""
        moved, change = self._writing(lambda: self._storage.move_file(entry, path), entry.path, path)
        self._replace(entry.path[:-1], old=entry)
        self._replace(path[:-1], new=moved)
        return moved, change

    def open_file(self, file_id: str, byte_range: tuple[int, int | None] | None = None) -> Download:
        """See IStorage: contents are not kept here."""
        return self._storage.open_file(file_id, byte_range)

    def lock(self, *paths: Path) -> AbstractContextManager[Held]:
        """See IStorage."""
        return self._storage.lock(*paths)

    def revert(self, change: Change) -> None:
        """See IStorage: what it touched is asked for anew, because others may have written in between."""
        try:
            self._storage.revert(change)
        finally:
            for entry in filter(None, (change.entry, change.before)):
                self._listing_cache.drop_below(self._key(entry.path))
                self._forget(entry.path[:-1])
            if change.with_parent:
                self._forget(change.entry.path[:-2])

    def _writing(self, write: Callable[[], T], *paths: Path) -> T:
        """Do it; if that fails, what we believed of the directories of *paths* may be wrong."""
        try:
            return write()
        except FSPError:
            for path in paths:
                self._forget(path[:-1])
            raise

    def _forget(self, path: Path) -> None:
        self._listing_cache.patch(self._key(path), lambda _listing: None)

    def _replace(self, path: Path, *, old: Entry | None = None, new: Entry | None = None) -> None:
        """Take *old* out of the listing of *path* and put *new* into it."""
        gone = {fold(entry.name) for entry in (old, new) if entry is not None}

        def change(listing: Listing) -> Listing:
            items = [item for item in listing.items if fold(item.name) not in gone]
            if new is not None:
                items.append(replace(new, access=listing.entry.access))
            items.sort(key=lambda item: item.order)
            return Listing(replace(listing.entry, item_count=len(items)), tuple(items))

        self._listing_cache.patch(self._key(path), change)


def _trouble(error: FSPError) -> str:
    """Return the reason why an old listing is better than the error; '' if it is not."""
    if isinstance(error, NotFound) and is_doubtful(error):
        return TROUBLE[EgnyteUnavailable]
    return TROUBLE.get(type(error), '')


def _there(path: Path, listing: Listing | None) -> Listing:
    if listing is None:
        raise _missing(path)
    return listing


def _file(path: Path, parent: CachedListing) -> Entry:
    item = parent.listing and parent.listing.find(path[-1])
    if item is None or item.is_directory:
        raise _missing(path)
    return item


def _missing(path: Path) -> NotFound:
    return NotFound(f'"{excerpt(path[-1]) if path else "/"}" does not exist. Refresh the file manager.')
