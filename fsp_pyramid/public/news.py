"""What other machines did to files: each has an index of its own, and listings that another one fetched are shared.

Who writes tells it in the Redis that all share; who serves a file listens there now and then.
"""

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import astuple
from typing import Any

from ..outage import DownError, Outage
from .index import Version

# Seconds that news are told. Later everybody has looked at Egnyte, unless fsp.public.revalidate is longer.
KEEP = 7 * 86400
# Seconds between two questions for news of one file, and how many files that is noted of.
EVERY, NOTED = 5.0, 10_000


class NoNews:
    """There are no other machines."""

    def tell(self, domain: str, version: Version) -> None:
        """Nobody listens."""

    def of(self, domain: str, file_id: str) -> Version | None:
        """None."""


class RedisNews:
    """News in a Redis. When it is down there are none.

    :param client: redis.Redis
    :param outage: knows whether it is down
    :param clock: seconds
    """

    def __init__(self, client: Any, outage: Outage, clock: Callable[[], float] = time.monotonic) -> None:
        self._client, self._outage, self._clock = client, outage, clock
        self._asked: OrderedDict[str, float] = OrderedDict()

    def tell(self, domain: str, version: Version) -> None:
        """We made this the current version."""
        self._attempt(lambda: self._client.set(_name(domain, version.file_id), json.dumps(astuple(version)), ex=KEEP))

    def of(self, domain: str, file_id: str) -> Version | None:
        """What somebody told of the file. None if nobody did, or if we have asked a moment ago."""
        name, now = _name(domain, file_id), self._clock()
        if now - self._asked.get(name, float('-inf')) < EVERY:
            return None
        self._asked[name] = now
        while len(self._asked) > NOTED:
            self._asked.popitem(last=False)
        told = self._attempt(lambda: self._client.get(name))
        return Version(*json.loads(told)) if told else None

    def _attempt(self, ask: Callable[[], Any]) -> Any:
        try:
            return self._outage.attempt(ask)
        except DownError:
            return None


def _name(domain: str, file_id: str) -> str:
    return f'fsp:version:{hashlib.sha256(f"{domain} {file_id}".encode()).hexdigest()[:32]}'
