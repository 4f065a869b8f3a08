"""``kill -9`` of services under load."""

import os
import random
import threading
import time
from contextlib import suppress
from functools import partial
from urllib.parse import urlsplit

from fsp_pyramid.concurrency.redis_locks import EXPIRY
from fsp_pyramid.content.directory import COPIES, PARTS, CacheDirectory
from fsp_pyramid.content.index import Index
from fsp_pyramid.content.sweeper import ABANDONED_AFTER, Sweeper
from tests.timing import PATIENCE

from .effort import Effort
from .result import Result
from .walk import DONE, Replacer, Walker
from .world import HOME, Service, World, content_of, send, wait_until

WRITERS = 6
LARGE = 2 << 20  # bytes
LATENCY = 0.1  # seconds of Egnyte's changes
# Groups of writers that take turns: locks of the killed process expire before their folders are written to again.
TURNS = 4


def run(world: World, effort: Effort) -> Result:
    """Kill one of two services again and again while users write through both."""
    result = Result(
        'kills',
        'No acknowledged write is lost when a process dies, and a change without an answer loses no file; the public '
        'URL shows the stored version after the first look, and that of a deleted file none; listings show a change '
        f'without an answer after fsp.cache.ttl; locks expire within {EXPIRY:g} seconds; an interrupted download is '
        'repeated, and a sweep removes what it left.',
        f'Two services with one Redis, {WRITERS} users at a time who write without a pause (create, upload and move '
        'with replace and keep, upload into a directory that does not exist, delete files and directories; two '
        'replace one file), and one who loads a large file; one service is killed in the middle and started again; all '
        'is compared with what Egnyte stores.',
    )
    for name in (
        'lost writes',
        'refused writes',
        'wrong at the first look',
        'wrong later',
        'links of deleted files that show them',
    ):
        result.count(name, 0)
    groups = [[_walker(world, turn, number, effort) for number in range(WRITERS)] for turn in range(TURNS)]
    numbers = random.Random(effort.seed)
    reader = Reader(world)
    for number in range(effort.kills):
        walkers = groups[number % TURNS]
        if number >= TURNS:
            _expect_recovery(walkers, result)
        reader.service = world.pair[number % 2]
        _kill(world, number % 2, walkers, reader, numbers.uniform(0.05, 1.5), result)
        _check(walkers, result)
        _expect_partial_files(world, reader, result)
    return result


def _walker(world: World, turn: int, number: int, effort: Effort) -> Walker:
    """Return a user of one of the services; the first one of each replaces a file, which a kill leaves in doubt."""
    uid = f'k{turn}-{number}'
    kind = Replacer if number < len(world.pair) else Walker
    return kind(world.client(world.pair[number % 2], uid), world.egnyte, uid, effort.seed)


class Reader:
    """A recipient who loads a large file that is in no cache, again and again."""

    service: Service

    def __init__(self, world: World) -> None:
        self._world = world
        self._content = content_of('large') * (LARGE // len(content_of('large')))
        world.egnyte.make_folder(f'{HOME}/large')
        world.egnyte.call('POST', f'/pubapi/v1/fs-content{HOME}/large/a.png', self._content)
        listing = world.client(world.pair[0], 'large').get('/')
        self._url = listing.data['items'][0]['public-url']

    def load(self) -> bool:
        """Return whether the whole file comes."""
        self._evict()
        return send(self.service.port, 'GET', urlsplit(self._url).path).body == self._content

    def _evict(self) -> None:
        for entry, _ in CacheDirectory(str(self._world.cache)).files(COPIES):
            with suppress(FileNotFoundError):
                if entry.stat().st_size == len(self._content):
                    os.unlink(entry)

    def load_until(self, stop: threading.Event) -> None:
        """Load it until *stop* is set; the last time is interrupted by the kill."""
        while not stop.is_set():
            self.load()


def _kill(world: World, number: int, walkers: list[Walker], reader: Reader, seconds: float, result: Result) -> None:
    """Kill a service of the pair after some seconds of work, and start it again."""
    stop = threading.Event()
    threads = [threading.Thread(target=_write, args=(walker, stop, result)) for walker in walkers]
    threads.append(threading.Thread(target=reader.load_until, args=(stop,)))
    # Most kills meet a call that takes effect afterwards, as Egnyte is slower than the sandbox.
    world.egnyte.order({'method': 'POST', 'path_prefix': '/pubapi', 'latency': LATENCY, 'times': 1_000_000})
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    world.pair[number].kill()
    stop.set()
    _expect_expiry(world, result)
    for thread in threads:
        thread.join()
    world.egnyte.order()
    world.pair[number].start()
    result.count('kills')


def _write(walker: Walker, stop: threading.Event, result: Result) -> None:
    while not stop.is_set():
        answer = walker.step()
        if answer.status_int in DONE:
            result.count('acknowledged writes')
        elif answer.status_int == 0:
            result.count('interrupted writes')
            return
        else:
            result.count('refused writes')
            result.fail(f'{answer.status_int} without a reason: {answer.body[:200]!r}')
            return


def _expect_expiry(world: World, result: Result) -> None:
    """Every lock has a time to live, of live and of dead processes."""
    client = world.redis.client()
    for key in client.keys('fsp:lock:*'):
        life = client.pttl(key)
        if life == -2:
            continue
        result.highest('longest life of a lock, s', life / 1000)
        result.expect(0 <= life <= EXPIRY * 1000, f'a lock expires in {life} ms')


def _expect_recovery(walkers: list[Walker], result: Result) -> None:
    """List the folders that a killed process changed, and write to those that it locked."""
    for walker in walkers:
        began = time.monotonic()
        is_free = wait_until(partial(_can_write, walker), PATIENCE)
        result.highest('longest wait for a lock, s', time.monotonic() - began)
        result.expect(is_free, f'{walker.home} is locked for ever')
        walker.client.delete('/probe.png')
        is_right = wait_until(walker.sees, PATIENCE)
        result.highest('longest wait for a right listing, s', time.monotonic() - began)
        result.expect(is_right, f'{walker.home} is listed wrongly for ever')


def _can_write(walker: Walker) -> bool:
    return walker.client.upload('/probe.png', 'probe').status_int in DONE


def _check(walkers: list[Walker], result: Result) -> None:
    for walker in walkers:
        for line in walker.settle():
            result.count('lost writes')
            result.fail(line)
        for url in walker.gone:
            shown = walker.client.public(url)
            if shown.status_int != 404:
                result.count('links of deleted files that show them')
                result.fail(f'{walker.home}: {shown.status_int} for the link of a deleted file')
        wrong = [path for path in walker.urls if not _shows(walker, path)]
        result.count('public URLs looked at', len(walker.urls))
        result.count('wrong at the first look', len(wrong))
        for path in wrong:
            if not wait_until(partial(_shows, walker, path), PATIENCE):
                result.count('wrong later')
                result.fail(f'{walker.home}{path}: the public URL goes on showing another version')


def _shows(walker: Walker, path: str) -> bool:
    return walker.client.public(walker.urls[path]).body == walker.tree[path]


def _expect_partial_files(world: World, reader: Reader, result: Result) -> None:
    """Load the file whose download was interrupted, and remove partial files as the service does a day later."""
    directory = CacheDirectory(str(world.cache))
    result.count('partial files left', len([*directory.files(PARTS)]))
    result.expect(reader.load(), 'the file whose download was interrupted is not served')
    later = time.time() + 2 * ABANDONED_AFTER
    Sweeper(directory, Index(directory), 1 << 40, 0, clock=lambda: later).sweep()
    # The service may be loading another file at the moment.
    result.expect(
        wait_until(lambda: not [*directory.files(PARTS)], PATIENCE), 'a partial file remains long after a sweep'
    )
