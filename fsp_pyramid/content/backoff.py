"""Backoff: after a failed call to Egnyte, fail at once for a while instead of spending another call."""

import time
from collections.abc import Callable

from ..errors import EgnyteUnavailable, NotFound
from .links import Link
from .origin import Origin

# Seconds without further calls after a failure.
PAUSE = 10.0
# Seconds for which a 404 counts that may be a gateway's.
DOUBTFUL_404 = 300.0


class Backoff:
    """Failures of domains (named by a text), accounts (likewise) and files (links), in this process.

    :param clock: UNIX time in seconds
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self._failed: dict[str | Link, float] = {}  # until when, by time.monotonic()
        self._missing: dict[Link, float] = {}  # until when, by the clock

    def check(self, origin: Origin) -> None:
        """Raise EgnyteUnavailable, or NotFound after a doubtful 404, if a call would be made too soon."""
        link = Link(origin.account, origin.file_id)
        if 0 < self._missing.get(link, 0.0) - self.clock() <= DOUBTFUL_404:  # else the clock was set back
            raise NotFound
        now = time.monotonic()
        if any(self._failed.get(key, 0.0) > now for key in (origin.domain, origin.account, link)):
            raise EgnyteUnavailable

    def record(self, key: str | Link) -> None:
        """Record a failure of a domain, an account or a file."""
        now = time.monotonic()
        # A new dictionary, because other threads read the old one.
        current = {other: until for other, until in self._failed.copy().items() if until > now}
        self._failed = current | {key: now + PAUSE}

    def record_missing(self, link: Link) -> None:
        """Record a 404 that may not be Egnyte's own."""
        now = self.clock()
        current = {other: until for other, until in self._missing.copy().items() if until > now}
        self._missing = current | {link: now + DOUBTFUL_404}

    def clear(self) -> None:
        """Allow all calls again."""
        self._failed, self._missing = {}, {}
