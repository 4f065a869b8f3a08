"""``kill -9`` of services under load."""

import random
import threading
import time
from functools import partial
from pathlib import Path

from .effort import Effort
from .result import Result
from .walk import DONE, Walker
from .world import World, start_world, wait_until

WRITERS = 4
# Seconds in which the public URL has to show the version that is stored, after a first look.
SOON = 30


def run(directory: Path, effort: Effort) -> Result:
    """Kill one of two services again and again while users write through both."""
    result = Result(
        'kills',
        'No acknowledged write is lost when a process dies, and its public URL shows it soon after the first look.',
        f'Two services with one Redis, {WRITERS} users who write without a pause (upload, replace, create, move, '
        'delete); one service is killed in the middle and started again; all is compared with what Egnyte stores.',
    )
    with start_world(directory) as world:
        _kill_all(world, result, effort)
    return result


def _kill_all(world: World, result: Result, effort: Effort) -> None:
    redis, numbers = world.redis(), random.Random(effort.seed)
    shared = {'FSP_CACHE_BACKEND': 'redis', 'FSP_REDIS_URL': redis.url}
    services = [world.service(**shared), world.service(**shared)]
    walkers = [
        Walker(world.client(services[number % 2], f'k{number}'), world.egnyte, f'k{number}', effort.seed)
        for number in range(WRITERS)
    ]
    for walker in walkers:
        walker.client.get('/')
    for number in range(effort.kills):
        victim, stop = services[number % 2], threading.Event()
        threads = [threading.Thread(target=_write, args=(walker, stop, result)) for walker in walkers]
        for thread in threads:
            thread.start()
        time.sleep(numbers.uniform(0.05, 1.5))
        victim.kill()
        stop.set()
        for thread in threads:
            thread.join()
        victim.start()
        result.count('kills')
        _check(walkers, result)
    result.figures['locks without an end'] = sum(
        redis.client().ttl(key) < 0 for key in redis.client().keys('fsp:lock:*')
    )
    result.expect(not result.figures['locks without an end'], 'locks are left that never expire')
    result.figures['drafts left'] = sum(1 for path in (world.cache / 'parts').rglob('*') if path.is_file())


def _write(walker: Walker, stop: threading.Event, result: Result) -> None:
    while not stop.is_set():
        status = walker.step().status_int
        if status in DONE:
            result.count('acknowledged writes')
        elif status == 0:
            result.count('interrupted writes')
            return
        else:
            result.count('refused writes')
            return


def _shows(walker: Walker, path: str) -> bool:
    return walker.client.public(walker.urls[path]).body == walker.tree[path]


def _check(walkers: list[Walker], result: Result) -> None:
    for name in ('lost writes', 'wrong at the first look', 'wrong later'):
        result.count(name, 0)
    for walker in walkers:
        for line in walker.settle():
            result.count('lost writes')
            result.fail(line)
        looks = [(walker.client.public(url), walker.tree[path], path) for path, url in walker.urls.items()]
        wrong = [path for answer, content, path in looks if answer.body != content]
        result.count('public URLs looked at', len(looks))
        result.count('wrong at the first look', len(wrong))
        for path in wrong:
            if not wait_until(partial(_shows, walker, path), SOON):
                result.count('wrong later')
                result.fail(f'{path}: the public URL shows another version {SOON} seconds after the first look')
        began = time.monotonic()
        # A lock of the dead process expires after 15 seconds at most.
        while walker.client.upload('/probe.png', 'probe').status_int not in DONE:
            if time.monotonic() > began + 60:
                result.fail('a folder cannot be written to a minute after a kill')
                break
        walker.client.delete('/probe.png')
        result.highest('longest wait for a lock, s', time.monotonic() - began)
