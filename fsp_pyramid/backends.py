"""What is known and held for all mounts of an application, by the backends that its settings name."""

from typing import Any

from pyramid.exceptions import ConfigurationError
from pyramid.path import DottedNameResolver
from zope.interface import implementer

from . import egnyte
from .concurrency.circuit_breaker import CircuitBreaker
from .concurrency.locks import KeyedLocks
from .concurrency.shares import Shares
from .content.version_feed import NullVersionFeed, RedisVersionFeed
from .interfaces import IBackends
from .rate_stores.fallback import FallbackStore
from .settings import Settings
from .storage.cache_backends import redis_region
from .storage.event_poller import EventPoller
from .storage.listing_cache import ListingCache

# Seconds. It is on the same network or not at all, and whatever asks it can go on without.
REDIS_TIMEOUT = 1.0


@implementer(IBackends)
class Backends:
    """See IShared. Making one does no I/O.

    :param settings: the application's
    """

    def __init__(self, settings: Settings) -> None:
        # Whatever may stall leaves an eighth of the threads to others, even all of it at once.
        threads = settings.threads
        slots = max(1, threads * 3 // 8)
        self.downloads = Shares(slots, share=-(-slots // 3), waiting=threads * 3 // 16)
        waiting = max(1, threads * 5 // 16)
        self.rate_limiter = egnyte.RateLimiter(_rate_store(settings), reserve=settings.pace.reserve)
        if settings.cache.backend == 'redis':
            self.locks, self.listing_cache, self.version_feed = _redis_memory(settings, waiting)
        else:
            self.locks, self.listing_cache, self.version_feed = (
                KeyedLocks(waiting),
                ListingCache(settings.cache.ttl),
                NullVersionFeed(),
            )
        self.watch = EventPoller(self.listing_cache, settings.events.interval) if settings.events.interval else None


def _rate_store(settings: Settings) -> egnyte.RateStore | None:
    """Where calls are counted; None for the memory of this process."""
    if settings.pace.backend == 'redis':
        client = redis_client(settings.redis_url)
        from .rate_stores.redis import RedisRateStore

        return FallbackStore(RedisRateStore(client))
    if settings.pace.backend == 'database':
        return FallbackStore(_database_store(settings))
    return None


def _database_store(settings: Settings) -> egnyte.RateStore:
    try:
        from .rate_stores.database import DatabaseRateStore, engine_by_url, engine_of_host
    except ImportError as error:
        raise ConfigurationError(
            f'fsp.pace.backend = database needs more packages: pip install "fsp-pyramid[accounts]" ({error})'
        ) from error
    if settings.accounts.session:
        return DatabaseRateStore(engine_of_host(host_session(settings)))
    try:
        return DatabaseRateStore(engine_by_url(settings.database_url))
    except ValueError as error:
        raise ConfigurationError(f'fsp_pyramid cannot start with these settings:\n  {error}') from error


def host_session(settings: Settings) -> Any:
    """Return what ``fsp.accounts.session`` names. Raises ConfigurationError where it cannot be imported."""
    try:
        return DottedNameResolver().resolve(settings.accounts.session)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigurationError(
            f'fsp.accounts.session: {settings.accounts.session} cannot be imported: {error}'
        ) from error


def _redis_memory(settings: Settings, waiting: int) -> tuple[Any, ListingCache, RedisVersionFeed]:
    """Locks, listings and news of all processes that use one Redis. When it is down all go on without it."""
    client = redis_client(settings.redis_url)
    from redis import RedisError  # it needs the extra "redis"

    from .concurrency.redis_locks import RedisKeyedLocks

    breaker = CircuitBreaker('the Redis of fsp.redis_url', (RedisError,))
    listing_cache = ListingCache(settings.cache.ttl, redis_region(client), breaker)
    return RedisKeyedLocks(client, breaker, waiting=waiting), listing_cache, RedisVersionFeed(client, breaker)


def redis_client(url: str) -> Any:
    """A ``redis.Redis`` that connects when it is used first. Raises ConfigurationError where the extra is missing."""
    try:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError as error:
        raise ConfigurationError(f'a Redis needs more packages: pip install "fsp-pyramid[redis]" ({error})') from error
    # Once more and at once: a connection that was not used for long may have been closed at the other end.
    retry = Retry(NoBackoff(), 1)
    try:
        return redis.Redis.from_url(
            url, socket_timeout=REDIS_TIMEOUT, socket_connect_timeout=REDIS_TIMEOUT, retry=retry
        )
    except ValueError:
        # Its own complaint may show the URL, with its password.
        raise ConfigurationError('fsp.redis_url: write "redis://HOST:6379/0", or "rediss://" for TLS') from None
