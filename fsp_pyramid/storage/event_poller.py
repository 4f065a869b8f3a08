"""What others changed at Egnyte, by its events: one call tells it for all folders of an account.

Nobody polls while nobody asks: the request that finds the last poll to be too long ago makes the next one, before it
believes anything that is remembered.
"""

import logging
from collections.abc import Callable

from .. import egnyte
from ..paths import Path, key
from .listing_cache import ListingCache

log = logging.getLogger(__name__)

# Seconds until a poll that failed is tried again.
PAUSE = 60.0


def _nobody(_file_id: str) -> None:
    """Nobody listens."""


class EventPoller:
    """Drops from the shelf what events say that is out of date.

    :param interval: seconds between two polls of an account, by whatever process
    """

    def __init__(self, listing_cache: ListingCache, interval: float) -> None:
        self._listing_cache, self._interval = listing_cache, interval
        # Until when this process need not look whether it is time, and whether all is known until then.
        self._known: dict[str, tuple[float, bool]] = {}

    def catch_up(self, account: str, client: egnyte.Client, on_file: Callable[[str], None] = _nobody) -> bool:
        """Poll if it is time. Whether all changes are known that are older than the interval and a moment.

        :param client: of the account, with the urgency of what nobody waits for
        :param on_file: is told the id of each file that an event is about
        """
        until, current = self._known.get(account, (0.0, False))
        if self._listing_cache.clock() < until:
            return current
        until, current = self._look(account, client, on_file)
        self._known[account] = until, current
        return current

    def _look(self, account: str, client: egnyte.Client, on_file: Callable[[str], None]) -> tuple[float, bool]:
        with self._listing_cache.flight(
            (account, ('', 'events')), self._listing_cache.lease(account), wait=False
        ) as leads:
            now = self._listing_cache.clock()
            cursor, polled = self._listing_cache.get_meta('events', account) or (None, 0.0)
            if now < polled + self._interval:
                return polled + self._interval, True
            if not leads:  # somebody else is about to know
                return now + 1, now < polled + 2 * self._interval
            try:
                for file_id in self._poll(account, client, cursor, now):
                    on_file(file_id)
            except egnyte.EgnyteError as error:
                log.warning('could not ask Egnyte for events: %s', type(error).__name__)
                return now + PAUSE, False
            return now + self._interval, True

    def _poll(self, account: str, client: egnyte.Client, cursor: int | None, now: float) -> list[str]:
        """The ids of the files that something happened to, as far as that can be told."""
        try:
            events = None if cursor is None else client.events(cursor)
        except egnyte.NotFound as error:
            if not error.authentic:
                raise
            events = None  # too long ago
        if events is None or len(events) >= egnyte.EVENTS:
            # Nobody knows what changed, or more than a call can tell: from now on, then.
            latest = client.events_cursor()
            self._listing_cache.drop_below((account, ()))
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
                self._listing_cache.drop_below((account, path))


def _path(text: str) -> Path:
    return key(tuple(name for name in text.split('/') if name))
