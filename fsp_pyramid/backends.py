"""Backends shared by all mounts of an application: rate limiter, locks, listing cache and version feed."""

from typing import TYPE_CHECKING, Any

from pyramid.exceptions import ConfigurationError
from pyramid.path import DottedNameResolver
from zope.interface import implementer

from . import egnyte
from .concurrency.bulkhead import Bulkhead
from .concurrency.circuit_breaker import CircuitBreaker
from .concurrency.locks import KeyedLocks
from .content.version_feed import NullVersionFeed, RedisVersionFeed
from .interfaces import IBackends
from .rate_stores.fallback import FallbackStore
from .settings import Settings
from .storage.cache_backends import MemoryBackend, RedisBackend
from .storage.event_poller import EventPoller
from .storage.listing_cache import ListingCache

if TYPE_CHECKING:  # it needs the extra "redis"
    from .concurrency.redis_locks import RedisKeyedLocks

# Seconds. Redis is on the same network or out of reach, and its users can go on without it.
REDIS_TIMEOUT = 1.0
# Seconds that an upload waits for a slot to download its source.
DOWNLOAD_WAIT = 5.0


@implementer(IBackends)
class Backends:
    """The application's backends, as its settings name them. Making them does no I/O.

    :param settings: settings of the application
    """

    def __init__(self, settings: Settings) -> None:
        # All that may stall together leaves an eighth of the threads to other requests; a silent Egnyte leaves more.
        threads = settings.threads
        slots = max(1, threads * 3 // 8)
        self.downloads = Bulkhead(slots, threads * 3 // 16, DOWNLOAD_WAIT, running_share=-(-slots // 3))
        self.calls = Bulkhead(max(1, threads * 5 // 8), waiting=0, patience=0)
        waiting = max(1, threads * 5 // 16)
        self.rate_limiter = egnyte.RateLimiter(_rate_store(settings), reserve=settings.pace.reserve)
        self.locks: KeyedLocks | RedisKeyedLocks
        self.version_feed: NullVersionFeed | RedisVersionFeed
        if settings.cache.backend == 'redis':
            self.locks, self.listing_cache, self.version_feed = _redis_backends(settings, waiting)
        else:
            self.locks, self.listing_cache, self.version_feed = (
                KeyedLocks(waiting),
                ListingCache(settings.cache.ttl, MemoryBackend(listings_size(settings))),
                NullVersionFeed(),
            )
        self.event_poller = (
            EventPoller(self.listing_cache, settings.events.interval) if settings.events.interval else None
        )


def _rate_store(settings: Settings) -> egnyte.RateStore | None:
    """Return the store of the rate limiter; None for the memory of this process."""
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
    """Return the object that ``fsp.accounts.session`` names. Raises ConfigurationError if it cannot be imported."""
    try:
        return DottedNameResolver().resolve(settings.accounts.session)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigurationError(
            f'fsp.accounts.session: {settings.accounts.session} cannot be imported: {error}'
        ) from error


def _redis_backends(settings: Settings, waiting: int) -> 'tuple[RedisKeyedLocks, ListingCache, RedisVersionFeed]':
    """Return locks, listing cache and version feed in a Redis. While it is down, all of them go on without it."""
    client = redis_client(settings.redis_url)
    from redis import RedisError  # it needs the extra "redis"

    from .concurrency.redis_locks import RedisKeyedLocks

    breaker = CircuitBreaker('the Redis of fsp.redis_url', (RedisError,))
    listing_cache = ListingCache(settings.cache.ttl, RedisBackend(client, listings_size(settings)), breaker)
    return RedisKeyedLocks(client, breaker, waiting=waiting), listing_cache, RedisVersionFeed(client, breaker)


def listings_size(settings: Settings) -> int:
    """Return the share of ``fsp.cache.memory`` for listings, in bytes; rendered responses have the rest."""
    # An entry takes 750 bytes, and 450 in a response.
    return settings.cache.memory * 5 // 8


def redis_client(url: str) -> Any:
    """Return a ``redis.Redis`` that connects at its first use. Raises ConfigurationError if the extra is missing."""
    try:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError as error:
        raise ConfigurationError(f'a Redis needs more packages: pip install "fsp-pyramid[redis]" ({error})') from error
    # One retry without a delay: an idle connection may have been closed at the other end.
    retry = Retry(NoBackoff(), 1)
    try:
        return redis.Redis.from_url(
            url, socket_timeout=REDIS_TIMEOUT, socket_connect_timeout=REDIS_TIMEOUT, retry=retry
        )
    except ValueError:
        # redis-py's message may contain the URL, with its password.
        raise ConfigurationError('fsp.redis_url: write "redis://HOST:6379/0", or "rediss://" for TLS') from None
