"""Outages of everything that the service needs: refusing, hanging, slow, gone, full, and coming back."""

import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.client import Answer
from tests.services import POSTGRESQL, postgresql

from .effort import Effort
from .proxy import Mode, Proxy, proxy
from .result import Result
from .walk import DONE
from .world import (
    HOME,
    Service,
    World,
    content_of,
    send,
    start_world,
    wait_until,
)

# Seconds in which everything has to work again after an outage.
RECOVERY = 60.0
CircuitBreaker = Callable[[], None]


def run(directory: Path, effort: Effort) -> Result:
    """Let each dependency fail in each way while users work."""
    result = Result(
        'outages',
        'The health check answers whatever fails; what is acknowledged is stored; without Redis, PostgreSQL or a disk '
        'listings go on; everything works again by itself afterwards.',
        'Redis, PostgreSQL and Egnyte behind a proxy that refuses, hangs (connections stay open) and is slow; the '
        'cache directory and TMPDIR away, and no file may grow (RLIMIT_FSIZE, as on a full disk).',
    )
    with start_world(directory) as world, proxy(world.sandbox.port) as egnyte:
        redis = world.redis()
        temporary = directory / 'tmp'
        temporary.mkdir()
        common = {
            'FSP_EGNYTE_URL': f'http://127.0.0.1:{egnyte.port}',
            'FSP_EGNYTE_TIMEOUT': '5',
            'TMPDIR': str(temporary),
        }
        with proxy(redis.port) as before_redis:
            url = f'redis://127.0.0.1:{before_redis.port}/0'
            settings = {'FSP_CACHE_BACKEND': 'redis', 'FSP_PACE_BACKEND': 'redis', 'FSP_REDIS_URL': url}
            service = world.service(**common, **settings)
            campaign = Campaign(world, service, result, effort)
            for mode in (Mode.REFUSES, Mode.HANGS, Mode.SLOW):
                campaign.breaker(f'Redis {mode.value}', *_proxied(before_redis, mode), goes_on=True)
                campaign.breaker(f'Egnyte {mode.value}', *_proxied(egnyte, mode), goes_on=mode is Mode.SLOW)
            for name, path in (('cache directory', world.cache), ('TMPDIR', temporary)):
                campaign.breaker(f'{name} away', *_away(path), goes_on=True)
            campaign.breaker('disk full', *_full(service), goes_on=True)
            service.stop()
        _postgresql(world, common, result, effort)
    return result


def _postgresql(world: World, common: dict[str, str], result: Result, effort: Effort) -> None:
    try:
        with postgresql() as url, proxy(5432) as before:
            behind = url.replace(':5432', f':{before.port}')
            service = world.service(**common, FSP_PACE_BACKEND='database', FSP_DATABASE_URL=behind)
            campaign = Campaign(world, service, result, effort)
            for mode in (Mode.REFUSES, Mode.HANGS, Mode.SLOW):
                campaign.breaker(f'PostgreSQL {mode.value}', *_proxied(before, mode), goes_on=True)
            service.stop()
    except pytest.skip.Exception:
        result.figures['PostgreSQL'] = f'not at {POSTGRESQL.rpartition("@")[2]}'


def _proxied(before: Proxy, mode: Mode) -> tuple[CircuitBreaker, CircuitBreaker]:
    def become(mode: Mode) -> CircuitBreaker:
        return lambda: setattr(before, 'mode', mode)

    return become(mode), become(Mode.WORKS)


def _away(path: Path) -> tuple[CircuitBreaker, CircuitBreaker]:
    """Replace the directory by something else."""
    elsewhere = path.with_name(f'{path.name}-away')

    def begin() -> None:
        path.rename(elsewhere)
        path.write_text('no directory')

    def end() -> None:
        path.unlink()
        elsewhere.rename(path)

    return begin, end


def _full(service: Service) -> tuple[CircuitBreaker, CircuitBreaker]:
    """No file of the service may grow beyond its first byte: writing fails as it does on a full disk."""
    before = resource.prlimit(service.pid, resource.RLIMIT_FSIZE)

    def limit(bytes_: int) -> CircuitBreaker:
        return lambda: resource.prlimit(service.pid, resource.RLIMIT_FSIZE, (bytes_, before[1])) and None

    return limit(1), limit(before[0])


class Campaign:
    """Users of one service, during outages."""

    def __init__(self, world: World, service: Service, result: Result, effort: Effort) -> None:
        self._world, self._service, self._result, self._effort = world, service, result, effort
        self._number = 0

    def breaker(self, name: str, begin: CircuitBreaker, end: CircuitBreaker, *, goes_on: bool) -> None:
        """Run an outage under load, and check that the service recovers.

        :param goes_on: listings are answered meanwhile
        """
        self._number += 1
        result, uid = self._result, f'o{self._number}-{self._service.port}'
        client = self._world.client(self._service, uid)
        url = client.upload('/a.png', 'old').data['meta']['public-url']
        listing, public = Tally(lambda: client.get('/')), Tally(lambda: client.public(url))
        health = Tally(lambda: send(self._service.port, 'GET', '/fsp-ops/health'))
        writing = Writing(lambda path, name: client.upload(path, name, 'keep'))
        begin()
        try:
            with _at_once(listing, public, health, writing):
                time.sleep(self._effort.seconds)
        finally:
            end()
        result.count('outages')
        result.highest('health check at most, s', health.longest)
        result.highest('listing at most, s', listing.longest)
        result.expect(not health.failed, f'{name}: the health check failed {health.failed} times')
        result.expect(not goes_on or not listing.failed, f'{name}: {listing.failed} of {listing.asked} listings failed')
        back = time.monotonic()
        works = wait_until(
            lambda: (
                client.get('/').status_int == 200
                and client.upload('/after.png', 'after').status_int in DONE
                and client.public(url).body == content_of('old')
            ),
            RECOVERY,
        )
        result.expect(works, f'{name}: it does not work again after {RECOVERY:g} seconds')
        result.highest('works again after at most, s', time.monotonic() - back)
        result.count('acknowledged writes', len(writing.acknowledged))
        stored = self._world.egnyte.tree(f'{HOME}/{uid}')
        for path, content in writing.acknowledged.items():
            if stored.get(f'{HOME}/{uid}{path}') != content:
                result.count('lost writes')
                result.fail(f'{name}: {path} was acknowledged, and is not stored')
        result.count('lost writes', 0)


class Tally:
    """Client in a loop that counts its answers."""

    def __init__(self, ask: Callable[[], Answer]) -> None:
        self._ask = ask
        self.asked, self.failed, self.longest = 0, 0, 0.0

    def step(self) -> None:
        """Ask once."""
        began = time.monotonic()
        answer = self._ask()
        self.asked += 1
        self.failed += answer.status_int != 200
        self.longest = max(self.longest, time.monotonic() - began)
        time.sleep(0.05)


class Writing:
    """Uploader in a loop that records acknowledged uploads."""

    def __init__(self, upload: Callable[[str, str], Answer]) -> None:
        self._upload, self._number = upload, 0
        self.acknowledged: dict[str, bytes] = {}

    def step(self) -> None:
        """Upload once."""
        self._number += 1
        name = f'w{self._number}'
        answer = self._upload('/w.png', name)
        if answer.status_int in DONE:
            self.acknowledged[answer.data['meta']['path']] = content_of(name)
        time.sleep(0.05)


@contextmanager
def _at_once(*works: Tally | Writing) -> Iterator[None]:
    """Run all of them in threads until the context is left and the last answers have arrived."""
    stop = threading.Event()

    def work(each: Tally | Writing) -> None:
        while not stop.is_set():
            each.step()

    threads = [threading.Thread(target=work, args=(each,)) for each in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
