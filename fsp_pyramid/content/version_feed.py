"""Version feed: changes to files that other machines made, through the Redis that they share.

Each machine has an index of its own, but listings that one of them fetched are shared, so its changes have to be
shared as well. The writer publishes them; a machine that serves a file asks for them now and then.
"""

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from ..concurrency.circuit_breaker import CircuitBreaker, CircuitOpen
from .index import UNCERTAIN_FOR, Version

# Seconds that a version is kept. Later each machine has asked Egnyte, unless fsp.public.revalidate is longer.
VERSION_TTL = 7 * 86400
# Seconds that an intent is kept: a change takes less, and afterwards the file is revalidated.
INTENT_TTL = UNCERTAIN_FOR
# Seconds between two requests to Redis for one file, and the number of files for which that is remembered.
INTERVAL, REMEMBERED = 5.0, 10_000


class Intent(NamedTuple):
    """A process is going to change a file, or died while it did.

    :param process: see CacheDirectory.process_id
    :param at: UNIX seconds
    """

    process: str
    at: float


class VersionFeed(Protocol):
    """Changes of all machines to files; *domain* and *file_id* name a file."""

    def publish(self, domain: str, version: Version) -> None:
        """Publish the current version of a file, which this process made."""

    def publish_intent(self, domain: str, file_id: str, process: str, at: float) -> None:
        """Publish that a process is going to change the file; :meth:`publish` or :meth:`clear_intent` ends that."""

    def clear_intent(self, domain: str, file_id: str) -> None:
        """Withdraw the intent: the version of the file is unchanged."""

    def version(self, domain: str, file_id: str) -> Version | None:
        """Return the version that was published last; None if there is none, or if it was asked for a moment ago."""

    def intent(self, domain: str, file_id: str) -> Intent | None:
        """Return the intent to change the file; None as with :meth:`version`."""


class NullVersionFeed:
    """Version feed of an application on a single machine."""

    def publish(self, domain: str, version: Version) -> None:
        """Do nothing."""

    def publish_intent(self, domain: str, file_id: str, process: str, at: float) -> None:
        """Do nothing."""

    def clear_intent(self, domain: str, file_id: str) -> None:
        """Do nothing."""

    def version(self, domain: str, file_id: str) -> Version | None:  # noqa: ARG002 - of the protocol
        """Return None."""
        return None

    def intent(self, domain: str, file_id: str) -> Intent | None:  # noqa: ARG002 - of the protocol
        """Return None."""
        return None


class RedisVersionFeed:
    """Version feed in a Redis; empty while that is down.

    :param client: redis.Redis
    :param breaker: skips a Redis that is down
    :param clock: seconds
    """

    def __init__(self, client: Any, breaker: CircuitBreaker, clock: Callable[[], float] = time.monotonic) -> None:
        self._client, self._breaker, self._clock = client, breaker, clock
        self._asked: OrderedDict[str, float] = OrderedDict()

    def publish(self, domain: str, version: Version) -> None:
        """Publish the current version of a file, and clear its intent."""

        def publish() -> None:
            with self._client.pipeline() as pipeline:
                pipeline.set(_key(domain, version.file_id), json.dumps(version), ex=VERSION_TTL)
                pipeline.delete(_key(domain, version.file_id, 'intent'))
                pipeline.execute()

        self._call(publish)

    def publish_intent(self, domain: str, file_id: str, process: str, at: float) -> None:
        """Publish that a process is going to change the file."""
        key = _key(domain, file_id, 'intent')
        self._call(lambda: self._client.set(key, json.dumps([process, at]), ex=int(INTENT_TTL)))

    def clear_intent(self, domain: str, file_id: str) -> None:
        """Withdraw the intent."""
        self._call(lambda: self._client.delete(_key(domain, file_id, 'intent')))

    def version(self, domain: str, file_id: str) -> Version | None:
        """Return the version that was published last."""
        value = self._get(_key(domain, file_id))
        return Version(*value) if value else None

    def intent(self, domain: str, file_id: str) -> Intent | None:
        """Return the intent to change the file."""
        value = self._get(_key(domain, file_id, 'intent'))
        return Intent(*value) if value else None

    def _get(self, key: str) -> list[Any] | None:
        now = self._clock()
        if now - self._asked.get(key, float('-inf')) < INTERVAL:
            return None
        self._asked[key] = now
        while len(self._asked) > REMEMBERED:
            self._asked.popitem(last=False)
        value = self._call(lambda: self._client.get(key))
        return json.loads(value) if value else None

    def _call(self, command: Callable[[], Any]) -> Any:
        try:
            return self._breaker.call(command)
        except CircuitOpen:
            return None


def _key(domain: str, file_id: str, kind: str = 'version') -> str:
    return f'fsp:{kind}:{hashlib.sha256(f"{domain} {file_id}".encode()).hexdigest()[:32]}'
