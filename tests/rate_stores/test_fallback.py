"""Fallback while the shared rate store cannot be reached."""

import logging
from contextlib import closing
from pathlib import Path

import pytest

from fsp_pyramid.backends import redis_client
from fsp_pyramid.concurrency.circuit_breaker import PAUSE
from fsp_pyramid.egnyte import (
    MemoryRateStore,
    RateLimiter,
    RateStoreError,
    Throttled,
)
from fsp_pyramid.egnyte.rate_store import Result
from fsp_pyramid.rate_stores.database import DatabaseRateStore, engine_by_url
from fsp_pyramid.rate_stores.fallback import FallbackStore
from fsp_pyramid.rate_stores.redis import RedisRateStore

from ..ports import free_port
from ..services import Relay, hanging_database, postgresql

NOON = 20_000 * 86400 + 43_200.0


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


class Failing(MemoryRateStore):
    """Rate store that a test can make unreachable."""

    down = False
    tries = 0

    def update(self, key: str, act: object) -> Result:
        self._may_fail()
        return super().update(key, act)

    def get(self, key: str) -> object:
        self._may_fail()
        return super().get(key)

    def _may_fail(self) -> None:
        self.tries += 1
        if self.down:
            raise RateStoreError('out of reach')


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def failing(clock: Clock) -> Failing:
    return Failing(clock)


@pytest.fixture
def rate_limiter(failing: Failing, clock: Clock) -> RateLimiter:
    return RateLimiter(FallbackStore(failing, clock, clock), clock=clock, sleep=lambda _seconds: None)


def test_fallback_continues_the_known_count(rate_limiter: RateLimiter, failing: Failing) -> None:
    turn = rate_limiter.acquire('t', 0)
    rate_limiter.observe(turn, {'X-Accesstoken-Quota-Current': '500', 'X-Accesstoken-Quota-Allotted': '2000'})
    second = rate_limiter.acquire('t', 0)
    failing.down = True
    with pytest.raises(Throttled) as caught:  # both slots of this second are known
        rate_limiter.acquire('t', 0)
    assert caught.value.wait == pytest.approx(1.04)
    assert rate_limiter.usage('t')[:2] == (501, 2000)
    alone = rate_limiter.acquire('t', 10)
    # Neither observes calls that the other one counted.
    rate_limiter.observe(second, {'X-Accesstoken-Quota-Current': '1'})
    assert rate_limiter.usage('t')[:2] == (502, 2000)
    failing.down = False
    rate_limiter.observe(alone, {'X-Accesstoken-Quota-Current': '503'})
    assert rate_limiter.usage('t').used == 503


def test_outage_is_logged_when_it_begins_and_when_it_ends(
    rate_limiter: RateLimiter, failing: Failing, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    rate_limiter.acquire('t', 100)
    assert caplog.messages == []
    failing.down = True
    for _ in range(3):
        rate_limiter.acquire('t', 100)
        clock.now += PAUSE + 1
    (begins,) = caplog.messages
    assert begins.endswith('that all processes share does not answer (RateStoreError): going on without it')
    failing.down = False
    rate_limiter.acquire('t', 100)
    rate_limiter.acquire('t', 100)
    assert caplog.messages[1:] == ['the count of calls to Egnyte that all processes share is back']
    failing.down = True
    rate_limiter.acquire('t', 100)
    assert len(caplog.messages) == 3


def test_circuit_breaker_limits_attempts(rate_limiter: RateLimiter, failing: Failing, clock: Clock) -> None:
    failing.down = True
    for _ in range(10):
        rate_limiter.acquire('t', 100)
    assert failing.tries == 1
    clock.now += PAUSE
    for _ in range(10):
        rate_limiter.usage('t')
    assert failing.tries == 2


def test_refusal_is_no_outage(rate_limiter: RateLimiter, failing: Failing, caplog: pytest.LogCaptureFixture) -> None:
    rate_limiter.acquire('t', 0)
    rate_limiter.acquire('t', 0)
    with pytest.raises(Throttled):
        rate_limiter.acquire('t', 0)
    assert failing.tries == 3
    assert caplog.messages == []


@pytest.mark.parametrize('kind', ['redis', 'postgresql', 'directory', 'read-only'])
def test_unreachable_servers_fall_back(kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Closed port, impossible directory, and a file that is no database."""
    hush = 'hush-hush'
    (tmp_path / 'file').write_text('this is no database at all, whatever its name may say to SQLite' * 10)
    rate_store = {
        'redis': lambda: RedisRateStore(redis_client(f'redis://:{hush}@127.0.0.1:{free_port()}/0')),
        'postgresql': lambda: at(f'postgresql+psycopg://fsp:{hush}@127.0.0.1:{free_port()}/fsp'),
        'directory': lambda: at(f'sqlite:///{tmp_path}/file/{hush}.sqlite'),
        'read-only': lambda: at(f'sqlite:///{tmp_path}/file'),
    }[kind]()
    rate_limiter = RateLimiter(FallbackStore(rate_store))
    assert rate_limiter.acquire(hush, 0).waited == 0
    assert rate_limiter.usage(hush).used == 1
    (begins,) = caplog.messages
    assert 'going on without it' in begins
    assert hush not in caplog.text


def at(url: str) -> DatabaseRateStore:
    return DatabaseRateStore(engine_by_url(url))


def log_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the log lines of the outage, without those of the connection pool."""
    return [
        record.getMessage() for record in caplog.records if record.name == 'fsp_pyramid.concurrency.circuit_breaker'
    ]


def test_hanging_database_falls_back(caplog: pytest.LogCaptureFixture) -> None:
    with postgresql() as url, closing(Relay('127.0.0.1', 5432)) as relay:
        relayed = url.replace('127.0.0.1:5432', f'127.0.0.1:{relay.port}')
        rate_store = at(relayed)
        rate_limiter = RateLimiter(FallbackStore(rate_store))
        rate_limiter.acquire('t', 0)
        relay.stop()
        assert rate_limiter.acquire('t', 60).waited < 60
        (begins,) = log_lines(caplog)
        assert 'going on without it' in begins
        relay.close()
        rate_store.close()


def test_database_that_hangs_from_the_start_falls_back(caplog: pytest.LogCaptureFixture) -> None:
    """The first caller creates the tables, with a lock that all others need."""
    with hanging_database() as database:
        database.hang()
        rate_store = at(database.url)
        rate_limiter = RateLimiter(FallbackStore(rate_store))
        for _ in range(2):
            assert rate_limiter.acquire('t', 60).waited < 60
        (begins,) = log_lines(caplog)
        assert 'going on without it' in begins
