"""Everything mixed for a long time: memory and descriptors stay flat."""

import threading
import time
from itertools import count
from pathlib import Path
from statistics import median

from .effort import Effort
from .result import Result
from .walk import DONE, Walker
from .world import Service, start_world

USERS = 6
# MB and descriptors that the last quarter may have more than the second.
MORE_MEMORY, MORE_DESCRIPTORS = 24, 16
PUBLIC = ('public-url', 'thumbnail')


def run(directory: Path, effort: Effort) -> Result:
    """Work until the time is over, and compare the second quarter with the last."""
    result = Result(
        'soak',
        f'Memory grows by less than {MORE_MEMORY} MB and descriptors by less than {MORE_DESCRIPTORS} after the first '
        'quarter; nothing fails.',
        f'{USERS} users through two services with one Redis: uploads, moves, deletions, listings, thumbnails and '
        'public URLs without a pause.',
    )
    with start_world(directory) as world:
        redis = world.redis()
        shared = {'FSP_CACHE_BACKEND': 'redis', 'FSP_REDIS_URL': redis.url}
        services = [world.service(**shared), world.service(**shared)]
        stop = threading.Event()
        walkers = [
            Walker(world.client(services[number % 2], f's{number}'), world.egnyte, f's{number}', effort.seed)
            for number in range(USERS)
        ]
        threads = [threading.Thread(target=_use, args=(walker, stop, result)) for walker in walkers]
        for thread in threads:
            thread.start()
        samples = _watch(services, effort)
        stop.set()
        for thread in threads:
            thread.join()
        for walker in walkers:
            for line in walker.settle():
                result.fail(line)
        _compare(samples, result, judged=effort.minutes >= 1)
    return result


def _use(walker: Walker, stop: threading.Event, result: Result) -> None:
    for number in count():
        if stop.is_set():
            return
        answer = walker.step()
        result.count('operations')
        if answer.status_int not in DONE:
            result.count('failed operations')
            result.fail(f'{answer.status_int} {answer.body[:200]!r}')
        listing = walker.client.get('/')
        urls = [item[key] for item in listing.json.get('data', {}).get('items', ()) for key in PUBLIC if key in item]
        if urls:
            result.count('public requests')
            status = walker.client.public(urls[number % len(urls)]).status_int
            # The contents are no pictures behind their first bytes, so none has a thumbnail.
            result.expect(status in {200, 404}, f'{status} for a public URL')


def _watch(services: list[Service], effort: Effort) -> list[tuple[float, float]]:
    """Memory and descriptors of all services together, some hundred times."""
    seconds = effort.minutes * 60
    end, samples = time.monotonic() + seconds, []
    while time.monotonic() < end:
        samples.append((sum(each.memory for each in services), sum(each.descriptors for each in services)))
        time.sleep(min(seconds / 20, 5))
    return samples


def _compare(samples: list[tuple[float, float]], result: Result, *, judged: bool) -> None:
    quarter = max(1, len(samples) // 4)
    early, late = samples[quarter : 2 * quarter] or samples, samples[-quarter:]
    for at, name, most in ((0, 'memory, MB', MORE_MEMORY), (1, 'descriptors', MORE_DESCRIPTORS)):
        before, after = (median(sample[at] for sample in part) for part in (early, late))
        result.figures[f'{name}: second quarter'], result.figures[f'{name}: last quarter'] = round(before), round(after)
        result.expect(not judged or after < before + most, f'{name}: {before:.0f} became {after:.0f}')
