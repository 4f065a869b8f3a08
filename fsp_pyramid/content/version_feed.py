"""What other machines did to files: each has an index of its own, and listings that another one fetched are shared.

Who writes tells it in the Redis that all share; who serves a file listens there now and then.
"""

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import astuple
from typing import Any, NamedTuple

from ..concurrency.circuit_breaker import CircuitBreaker, CircuitOpen
from .index import DOUBT, Version

# Seconds that news are told. Later everybody has looked at Egnyte, unless fsp.public.revalidate is longer.
KEEP = 7 * 86400
# Seconds that an intent is told: a change takes less, and after it the file is looked up rather than believed.
INTENT = DOUBT
# Seconds between two questions for news of one file, and how many files that is noted of.
EVERY, NOTED = 5.0, 10_000


class Intent(NamedTuple):
    """Some process is going to change a file, or died when it did.

    :param process: its name, see Place.process
    :param at: UNIX seconds
    """

    process: str
    at: float


class NullVersionFeed:
    """There are no other machines."""

    def tell(self, domain: str, version: Version) -> None:
        """Nobody listens."""

    def intend(self, domain: str, file_id: str, process: str, at: float) -> None:
        """Nobody listens."""

    def settle(self, domain: str, file_id: str) -> None:
        """Nobody listens."""

    def of(self, domain: str, file_id: str) -> Version | None:
        """None."""

    def intent(self, domain: str, file_id: str) -> Intent | None:
        """None."""


class RedisVersionFeed:
    """News in a Redis. When it is down there are none.

    :param client: redis.Redis
    :param outage: knows whether it is down
    :param clock: seconds
    """

    def __init__(self, client: Any, breaker: CircuitBreaker, clock: Callable[[], float] = time.monotonic) -> None:
        self._client, self._breaker, self._clock = client, breaker, clock
        self._asked: OrderedDict[str, float] = OrderedDict()

    def tell(self, domain: str, version: Version) -> None:
        """We made this the current version."""

        def tell() -> None:
            with self._client.pipeline() as pipeline:
                pipeline.set(_name(domain, version.file_id), json.dumps(astuple(version)), ex=KEEP)
                pipeline.delete(_name(domain, version.file_id, 'intent'))
                pipeline.execute()

        self._attempt(tell)

    def intend(self, domain: str, file_id: str, process: str, at: float) -> None:
        """We are going to change the file, and tell or settle how that ends."""
        name = _name(domain, file_id, 'intent')
        self._attempt(lambda: self._client.set(name, json.dumps([process, at]), ex=int(INTENT)))

    def settle(self, domain: str, file_id: str) -> None:
        """The version of the file is what it was."""
        self._attempt(lambda: self._client.delete(_name(domain, file_id, 'intent')))

    def of(self, domain: str, file_id: str) -> Version | None:
        """What somebody told of the file. None if nobody did, or if we have asked a moment ago."""
        told = self._ask(_name(domain, file_id))
        return Version(*told) if told else None

    def intent(self, domain: str, file_id: str) -> Intent | None:
        """Who is changing the file, or died when it did. None as with :meth:`of`."""
        told = self._ask(_name(domain, file_id, 'intent'))
        return Intent(*told) if told else None

    def _ask(self, name: str) -> list[Any] | None:
        now = self._clock()
        if now - self._asked.get(name, float('-inf')) < EVERY:
            return None
        self._asked[name] = now
        while len(self._asked) > NOTED:
            self._asked.popitem(last=False)
        told = self._attempt(lambda: self._client.get(name))
        return json.loads(told) if told else None

    def _attempt(self, ask: Callable[[], Any]) -> Any:
        try:
            return self._breaker.call(ask)
        except CircuitOpen:
            return None


def _name(domain: str, file_id: str, of: str = 'version') -> str:
    return f'fsp:{of}:{hashlib.sha256(f"{domain} {file_id}".encode()).hexdigest()[:32]}'
