"""What is known and held for all mounts of an application, by the backends that its settings name."""

from typing import Any

from pyramid.exceptions import ConfigurationError
from pyramid.path import DottedNameResolver
from zope.interface import implementer

from . import egnyte
from .interfaces import IShared
from .outage import Outage
from .pacing.steady import SteadyLedger
from .public.news import NoNews, RedisNews
from .settings import Settings
from .shares import Shares
from .storage.locks import Locks
from .storage.regions import redis_region
from .storage.shelf import Shelf
from .storage.watch import Watch

# Seconds. It is on the same network or not at all, and whatever asks it can go on without.
REDIS_TIMEOUT = 1.0


@implementer(IShared)
class Shared:
    """See IShared. Making one does no I/O.

    :param settings: the application's
    """

    def __init__(self, settings: Settings) -> None:
        # Whatever may stall leaves an eighth of the threads to others, even all of it at once.
        threads = settings.threads
        slots = max(1, threads * 3 // 8)
        self.downloads = Shares(slots, share=-(-slots // 3), waiting=threads * 3 // 16)
        waiting = max(1, threads * 5 // 16)
        self.pace = egnyte.Pace(_ledger(settings), reserve=settings.pace_reserve)
        if settings.cache_backend == 'redis':
            self.locks, self.shelf, self.news = _redis_memory(settings, waiting)
        else:
            self.locks, self.shelf, self.news = Locks(waiting), Shelf(settings.cache_ttl), NoNews()
        self.watch = Watch(self.shelf, settings.events_interval) if settings.events_interval else None


def _ledger(settings: Settings) -> egnyte.Ledger | None:
    """Where calls are counted; None for the memory of this process."""
    if settings.pace_backend == 'redis':
        client = redis_client(settings.redis_url)
        from .pacing.redis import RedisLedger

        return SteadyLedger(RedisLedger(client))
    if settings.pace_backend == 'database':
        return SteadyLedger(_database_ledger(settings))
    return None


def _database_ledger(settings: Settings) -> egnyte.Ledger:
    try:
        from .pacing.database import DatabaseLedger, engine_by_url, engine_of_host
    except ImportError as error:
        raise ConfigurationError(
            f'fsp.pace.backend = database needs more packages: pip install "fsp-pyramid[accounts]" ({error})'
        ) from error
    if settings.accounts_session:
        return DatabaseLedger(engine_of_host(DottedNameResolver().resolve(settings.accounts_session)))
    try:
        return DatabaseLedger(engine_by_url(settings.database_url))
    except ValueError as error:
        raise ConfigurationError(f'fsp_pyramid cannot start with these settings:\n  {error}') from error


def _redis_memory(settings: Settings, waiting: int) -> tuple[Any, Shelf, RedisNews]:
    """Locks, listings and news of all processes that use one Redis. When it is down all go on without it."""
    client = redis_client(settings.redis_url)
    from redis import RedisError  # it needs the extra "redis"

    from .storage.redis_locks import RedisLocks

    outage = Outage('the Redis of fsp.redis_url', (RedisError,))
    shelf = Shelf(settings.cache_ttl, redis_region(client), outage)
    return RedisLocks(client, outage, waiting=waiting), shelf, RedisNews(client, outage)


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
