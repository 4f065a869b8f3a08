"""Outages of everything that the service needs: refusing, hanging, slow, gone, full, and coming back."""

import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from statistics import median

import pytest

from benchmarks.client import Answer
from fsp_pyramid.backends import redis_client
from tests.services import postgresql, small_disk
from tests.timing import PATIENCE

from .effort import Effort
from .proxy import Mode, Proxy, proxy
from .result import Result
from .walk import DONE
from .world import (
    HOME,
    Client,
    Service,
    World,
    content_of,
    send,
    wait_until,
)

# A listing that waits for a time-out takes hundreds of times as long as usual.
SLOWER = 10
# Exchanges of a listing with Redis at most, each of which a slow one delays.
EXCHANGES = 3
# Listings of an outage at least: a Redis that hangs delays the first one, and one every few seconds.
LISTINGS = 8
DISK = 256 << 10  # kilobytes of the disk that fills up
Action = Callable[[], object]


def run(world: World, effort: Effort) -> Result:
    """Let each dependency fail in each way while users work."""
    result = Result(
        'outages',
        f'The health check answers whatever fails; listings go on, half of them within {SLOWER} times the slowest one '
        f'before the outage (and {EXCHANGES} exchanges with a slow Redis); what is acknowledged is stored; everything '
        'works again by itself afterwards.',
        'Redis, PostgreSQL and Egnyte behind a proxy that refuses, hangs (connections stay open) and is slow; the '
        'cache directory and TMPDIR away, and their disk full; no file may grow (RLIMIT_FSIZE). Meanwhile a user lists '
        'a directory, and another one uploads into one and reads a public URL.',
    )
    for name in ('failed listings', 'lost writes'):
        result.count(name, 0)
    result.figures['seconds of each'] = effort.seconds
    with ExitStack() as stack:
        disk, is_small = _disk(world, stack)
        if not is_small:
            result.figures['not tested'] = 'full disk: no permission to mount one'
        egnyte, redis = stack.enter_context(proxy(world.sandbox.port)), stack.enter_context(proxy(world.redis.port))
        cache, temporary = disk / 'cache', disk / 'tmp'
        for directory in (cache, temporary):
            directory.mkdir(parents=True)
        common = {
            'FSP_EGNYTE_URL': f'http://127.0.0.1:{egnyte.port}',
            'FSP_EGNYTE_TIMEOUT': '2',
            'FSP_PUBLIC_CACHE_DIR': str(cache),
            'TMPDIR': str(temporary),
        }
        url = f'redis://127.0.0.1:{redis.port}/0'
        service = world.service(**common, FSP_CACHE_BACKEND='redis', FSP_PACE_BACKEND='redis', FSP_REDIS_URL=url)
        campaign = Campaign(world, service, result, effort)
        for mode in (Mode.REFUSES, Mode.HANGS, Mode.SLOW):
            delay = partial(_exchange, url) if mode is Mode.SLOW else float
            campaign.outage(f'Redis {mode.value}', *_proxied(redis, mode), delay)
            campaign.outage(f'Egnyte {mode.value}', *_proxied(egnyte, mode))
        for name, path in (('cache directory', cache), ('TMPDIR', temporary)):
            campaign.outage(f'{name} away', *_away(path))
        campaign.outage('no file may grow', *_limited(service))
        if is_small:
            campaign.outage('disk full', *_full(disk))
        service.stop()
        if effort.outages is None:
            _postgresql(world, common, result, effort)
    return result


def _disk(world: World, stack: ExitStack) -> tuple[Path, bool]:
    """Return a directory, and whether it is on a small disk of its own."""
    try:
        return stack.enter_context(small_disk(world.directory, DISK)), True
    except pytest.skip.Exception:
        return world.directory / 'outages', False


def _postgresql(world: World, common: dict[str, str], result: Result, effort: Effort) -> None:
    try:
        with postgresql() as url, proxy(5432) as before:
            behind = url.replace(':5432', f':{before.port}')
            service = world.service(**common, FSP_PACE_BACKEND='database', FSP_DATABASE_URL=behind)
            campaign = Campaign(world, service, result, effort)
            for mode in (Mode.REFUSES, Mode.HANGS, Mode.SLOW):
                campaign.outage(f'PostgreSQL {mode.value}', *_proxied(before, mode))
            service.stop()
    except pytest.skip.Exception:
        result.figures['not tested, either'] = 'PostgreSQL, which is missing'


def _exchange(url: str) -> float:
    """Return the seconds of one exchange with Redis."""
    with redis_client(f'{url}?socket_timeout={PATIENCE:g}') as client:
        client.ping()  # it connects
        began = time.monotonic()
        client.ping()
        return time.monotonic() - began


def _proxied(before: Proxy, mode: Mode) -> tuple[Action, Action]:
    def become(mode: Mode) -> Action:
        return lambda: setattr(before, 'mode', mode)

    return become(mode), become(Mode.WORKS)


def _away(path: Path) -> tuple[Action, Action]:
    """Replace the directory by something else."""
    elsewhere = path.with_name(f'{path.name}-away')

    def begin() -> None:
        path.rename(elsewhere)
        path.write_text('no directory')

    def end() -> None:
        path.unlink()
        elsewhere.rename(path)

    return begin, end


def _full(disk: Path) -> tuple[Action, Action]:
    """Leave no byte on the disk."""
    filler = disk / 'filler'

    def begin() -> None:
        with suppress(OSError), filler.open('wb', buffering=0) as file:
            while file.write(bytes(1 << 20)):
                pass

    return begin, filler.unlink


def _limited(service: Service) -> tuple[Action, Action]:
    """No file of the service may grow beyond its first byte, not even the log."""
    before = resource.prlimit(service.pid, resource.RLIMIT_FSIZE)

    def limit(size: int) -> Action:
        return lambda: resource.prlimit(service.pid, resource.RLIMIT_FSIZE, (size, before[1]))

    return limit(1), limit(before[0])


class Campaign:
    """Users of one service, during outages."""

    def __init__(self, world: World, service: Service, result: Result, effort: Effort) -> None:
        self._world, self._service, self._result, self._effort = world, service, result, effort
        self._number = 0

    def outage(self, name: str, begin: Action, end: Action, delay: Callable[[], float] = float) -> None:
        """Run an outage under load, and check that the service goes on and recovers.

        :param delay: measures an exchange with a dependency that is slow
        """
        if self._effort.outages is not None and name not in self._effort.outages:
            return
        self._number += 1
        result, uid = self._result, f'o{self._number}-{self._service.port}'
        client, reader = (self._world.client(self._service, each) for each in (uid, f'{uid}-reader'))
        reader.create('/d/')
        url = client.upload('/a.png', 'old').data['meta']['public-url']
        writing = Writing(lambda path, content: client.upload(path, content, 'keep'))
        listing, public = Tally(lambda: reader.get('/'), LISTINGS), Tally(lambda: client.public(url))
        health = Tally(lambda: send(self._service.port, 'GET', '/fsp-ops/health'))
        with _at_once(listing, public, health, writing):
            time.sleep(self._effort.seconds)
        usual = max(listing.times)
        listing.times.clear()
        begin()
        try:
            with _at_once(listing, public, health, writing):
                time.sleep(self._effort.seconds)
            longer = EXCHANGES * delay()
        finally:
            end()
        result.count('outages')
        self._judge(name, listing, health, SLOWER * usual + longer)
        self._recover(name, lambda: self._works(client, url) and self._is_cached(reader))
        result.count('acknowledged writes', len(writing.acknowledged))
        stored = self._world.egnyte.tree(f'{HOME}/{uid}')
        for path, content in writing.acknowledged.items():
            if stored.get(f'{HOME}/{uid}{path}') != content:
                result.count('lost writes')
                result.fail(f'{name}: {path} was acknowledged, and is not stored')

    def _judge(self, name: str, listing: 'Tally', health: 'Tally', most: float) -> None:
        result = self._result
        result.count('listings', len(listing.times))
        result.count('failed listings', listing.failed)
        result.highest('longest health check, s', max(health.times))
        result.highest('longest listing, s', max(listing.times))
        result.expect(not health.failed, f'{name}: the health check failed {health.failed} times')
        result.expect(not listing.failed, f'{name}: {listing.failed} listings failed')
        typical = median(listing.times)
        result.expect(
            typical <= most,
            f'{name}: half of the listings took {typical:.3f} s or more, at most {most:.3f} was expected',
        )

    def _works(self, client: Client, url: str) -> bool:
        return (
            client.get('/').status_int == 200
            and client.upload('/after.png', 'after').status_int in DONE
            and client.public(url).body == content_of('old')
        )

    def _is_cached(self, reader: Client) -> bool:
        """Return whether listings come from the cache, as they do when Redis is used again."""
        reader.get('/')
        self._world.egnyte.forget_calls()
        return reader.get('/').status_int == 200 and not self._world.egnyte.calls

    def _recover(self, name: str, works: Callable[[], bool]) -> None:
        back = time.monotonic()
        self._result.expect(wait_until(works, PATIENCE), f'{name}: it does not work again')
        self._result.highest('works again after at most, s', time.monotonic() - back)


class Tally:
    """Client in a loop that records how its requests are answered.

    :ivar times: seconds of each
    """

    def __init__(self, ask: Callable[[], Answer], least: int = 1) -> None:
        self._ask, self._least = ask, least
        self.failed, self.times = 0, list[float]()

    @property
    def has_enough(self) -> bool:
        """Return whether there were as many requests as are needed."""
        return len(self.times) >= self._least

    def step(self) -> None:
        """Ask once."""
        began = time.monotonic()
        self.failed += self._ask().status_int != 200
        self.times.append(time.monotonic() - began)
        time.sleep(0.05)


class Writing:
    """Uploader in a loop that records acknowledged uploads."""

    def __init__(self, upload: Callable[[str, str], Answer]) -> None:
        self._upload, self._number = upload, 0
        self.acknowledged: dict[str, bytes] = {}
        self.has_enough = False

    def step(self) -> None:
        """Upload once."""
        self._number += 1
        self.has_enough = True
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
        while not (stop.is_set() and each.has_enough):
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
