"""Version feed: changes to files that other machines made, through the Redis that they share.

Each machine has an index of its own, but listings that one of them fetched are shared, so its changes have to be
shared as well. The writer publishes them; a machine that serves a file asks for them now and then.
"""

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from ..concurrency.circuit_breaker import CircuitBreaker, CircuitOpen
from .index import Version

# Seconds that changes are kept. Later each machine has asked Egnyte, unless fsp.public.revalidate is longer.
TTL = 7 * 86400
# Seconds between two requests to Redis for one file, and the number of files for which that is remembered.
INTERVAL, REMEMBERED = 5.0, 10_000


class Changes(NamedTuple):
    """Published changes to a file.

    :param version: that was published last
    :param intents: UNIX seconds by process (see CacheDirectory.process_id): it is going to change the file, or died
        while it did. A change with an unknown outcome has a process that never lives
    """

    version: Version | None
    intents: Mapping[str, float]


class VersionFeed(Protocol):
    """Changes of all machines to files; *domain* and *file_id* name a file."""

    def publish(self, domain: str, version: Version) -> None:
        """Publish the current version of a file, which this process made. That settles all intents."""

    def publish_intent(self, domain: str, file_id: str, process: str, at: float) -> None:
        """Publish that a process is going to change the file. Any method but :meth:`changes` ends its intent."""

    def clear_intent(self, domain: str, file_id: str, process: str) -> None:
        """Withdraw the intent of the process: it has left the version unchanged."""

    def abandon_intent(self, domain: str, file_id: str, process: str, at: float) -> None:
        """Publish that the change of the process has an unknown outcome."""

    def changes(self, domain: str, file_id: str) -> Changes | None:
        """Return the changes to a file; None if there are none, or if they were asked for a moment ago."""


class NullVersionFeed:
    """Version feed of an application on a single machine."""

    def publish(self, domain: str, version: Version) -> None:
        """Do nothing."""

    def publish_intent(self, domain: str, file_id: str, process: str, at: float) -> None:
        """Do nothing."""

    def clear_intent(self, domain: str, file_id: str, process: str) -> None:
        """Do nothing."""

    def abandon_intent(self, domain: str, file_id: str, process: str, at: float) -> None:
        """Do nothing."""

    def changes(self, domain: str, file_id: str) -> Changes | None:  # noqa: ARG002 - of the protocol
        """Return None."""
        return None


class RedisVersionFeed:
    """Version feed in a Redis; empty while that is down. A file has a version and a hash of intents by process.

    :param client: redis.Redis
    :param breaker: skips a Redis that is down
    :param clock: seconds
    """

    def __init__(self, client: Any, breaker: CircuitBreaker, clock: Callable[[], float] = time.monotonic) -> None:
        self._client, self._breaker, self._clock = client, breaker, clock
        self._asked: OrderedDict[str, float] = OrderedDict()

    def publish(self, domain: str, version: Version) -> None:
        """Publish the current version of a file, and delete its intents."""
        self._execute(
            ('SET', _key(domain, version.file_id, 'version'), json.dumps(version), 'EX', TTL),
            ('DEL', _key(domain, version.file_id, 'intents')),
        )

    def publish_intent(self, domain: str, file_id: str, process: str, at: float) -> None:
        """Publish that a process is going to change the file."""
        key = _key(domain, file_id, 'intents')
        self._execute(('HSET', key, process, at), ('EXPIRE', key, TTL))

    def clear_intent(self, domain: str, file_id: str, process: str) -> None:
        """Delete the intent of the process."""
        self._execute(('HDEL', _key(domain, file_id, 'intents'), process))

    def abandon_intent(self, domain: str, file_id: str, process: str, at: float) -> None:
        """Replace the intent of the process by one that its next change of the file leaves alone."""
        key = _key(domain, file_id, 'intents')
        self._execute(('HDEL', key, process), ('HSET', key, f'{process}-abandoned', at), ('EXPIRE', key, TTL))

    def changes(self, domain: str, file_id: str) -> Changes | None:
        """Return the changes to a file, from one round trip."""
        key, now = _key(domain, file_id, 'version'), self._clock()
        if now - self._asked.get(key, float('-inf')) < INTERVAL:
            return None
        self._asked[key] = now
        while len(self._asked) > REMEMBERED:
            self._asked.popitem(last=False)
        version, intents = self._execute(('GET', key), ('HGETALL', _key(domain, file_id, 'intents'))) or (None, {})
        if version is None and not intents:
            return None
        return Changes(
            None if version is None else Version(*json.loads(version)),
            {process.decode(): float(at) for process, at in intents.items()},
        )

    def _execute(self, *commands: tuple[Any, ...]) -> list[Any] | None:
        """Execute commands in one round trip and transaction, and return their results; None while Redis is down."""

        def execute() -> list[Any]:
            with self._client.pipeline() as pipeline:
                for command in commands:
                    pipeline.execute_command(*command)
                return pipeline.execute()

        try:
            return self._breaker.call(execute)
        except CircuitOpen:
            return None


def _key(domain: str, file_id: str, kind: str) -> str:
    return f'fsp:{kind}:{hashlib.sha256(f"{domain} {file_id}".encode()).hexdigest()[:32]}'
