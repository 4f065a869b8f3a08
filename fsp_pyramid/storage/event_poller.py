"""Event poller: what others changed at Egnyte, by its events; one call covers all folders of an account.

There is no background polling: the first request that finds the last poll too old polls before it reads the cache.
"""

import logging
from collections.abc import Callable

from .. import egnyte
from ..paths import Path, key
from .listing_cache import ListingCache

log = logging.getLogger(__name__)

# Seconds until a failed poll is retried.
PAUSE = 60.0


def _ignore(_file_id: str) -> None:
    pass


class EventPoller:
    """Invalidate the cached listings that events show to be out of date.

    :param interval: seconds between two polls of an account, by any process
    """

    def __init__(self, listing_cache: ListingCache, interval: float) -> None:
        self._listing_cache, self._interval = listing_cache, interval
        # By account: the time of the next look at the last poll, and the result of catch_up until then.
        self._next: dict[str, tuple[float, bool]] = {}

    def catch_up(self, account: str, client: egnyte.Client, on_file: Callable[[str], None] = _ignore) -> bool:
        """Poll if a poll is due. Return whether the cache reflects all changes older than about the interval.

        :param client: of the account, with background priority
        :param on_file: is called with the id of each file that has an event
        """
        until, current = self._next.get(account, (0.0, False))
        if self._listing_cache.clock() < until:
            return current
        until, current = self._poll_if_due(account, client, on_file)
        self._next[account] = until, current
        return current

    def _poll_if_due(self, account: str, client: egnyte.Client, on_file: Callable[[str], None]) -> tuple[float, bool]:
        cache = self._listing_cache
        with cache.fetch_lock((account, ('', 'events')), cache.lease(account), wait=False) as leads:
            now = cache.clock()
            cursor, polled = cache.get_meta('events', account) or (None, 0.0)
            if now < polled + self._interval:
                return polled + self._interval, True
            if not leads:  # another caller polls at the moment
                return now + 1, now < polled + 2 * self._interval
            try:
                for file_id in self._poll(account, client, cursor, now):
                    on_file(file_id)
            except egnyte.EgnyteError as error:
                log.warning('could not ask Egnyte for events: %s', type(error).__name__)
                return now + PAUSE, False
            return now + self._interval, True

    def _poll(self, account: str, client: egnyte.Client, cursor: int | None, now: float) -> list[str]:
        """Apply the events after *cursor*, and return the ids of their files, as far as events tell."""
        try:
            events = None if cursor is None else client.events(cursor)
        except egnyte.NotFound as error:
            if not error.authentic:
                raise
            events = None  # Egnyte has dropped the events after the cursor
        if events is None or len(events) >= egnyte.EVENTS:
            # The changes are unknown, or more than a call returns: begin at the latest event.
            latest: int | None = client.events_cursor()
            self._listing_cache.invalidate_tree((account, ()))
        else:
            latest = max((event.id for event in events), default=cursor)
        for event in events or ():
            self._apply(account, event)
        self._listing_cache.set_meta('events', account, [latest, now])
        return [event.file_id for event in events or () if event.file_id]

    def _apply(self, account: str, event: egnyte.Event) -> None:
        for path in map(_path, event.paths):
            self._listing_cache.patch((account, path[:-1]), lambda _listing: None)
            if event.is_folder:
                self._listing_cache.invalidate_tree((account, path))


def _path(text: str) -> Path:
    return key(tuple(name for name in text.split('/') if name))
