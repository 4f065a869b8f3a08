"""What is known and held for all mounts of an application, by the backends that its settings name."""

from typing import Any

from pyramid.exceptions import ConfigurationError
from zope.interface import implementer

from . import egnyte
from .interfaces import IShared
from .settings import Settings
from .storage.locks import Locks
from .storage.shelf import Shelf

# Seconds. It is on the same network or not at all, and whatever asks it can go on without.
REDIS_TIMEOUT = 2.0


@implementer(IShared)
class Shared:
    """See IShared. Making one does no I/O.

    :param settings: the application's
    """

    def __init__(self, settings: Settings) -> None:
        self.pace, self.locks, self.shelf = egnyte.Pace(), Locks(), Shelf(settings.cache_ttl)


def redis_client(url: str) -> Any:
    """A ``redis.Redis`` that connects when it is used first. Raises ConfigurationError where the extra is missing."""
    try:
        import redis
    except ImportError as error:
        raise ConfigurationError(f'a Redis needs more packages: pip install "fsp-pyramid[redis]" ({error})') from error
    try:
        return redis.Redis.from_url(url, socket_timeout=REDIS_TIMEOUT, socket_connect_timeout=REDIS_TIMEOUT)
    except ValueError:
        # Its own complaint may show the URL, with its password.
        raise ConfigurationError('fsp.redis_url: write "redis://HOST:6379/0", or "rediss://" for TLS') from None
