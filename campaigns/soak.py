"""Everything mixed for a long time: memory and descriptors stay flat."""

import threading
import time
from collections.abc import Callable
from itertools import count
from statistics import median

from tests.imaging.pictures import picture

from .effort import Effort
from .result import Result
from .walk import DONE, Walker
from .world import Service, World, send

WALKERS = 6
# MB and descriptors that the last quarter may have more than the second.
MORE_MEMORY, MORE_DESCRIPTORS = 24, 16
# Names of pictures that are replaced in turn.
PICTURES = 5


def run(world: World, effort: Effort) -> Result:
    """Work until the time is over, and compare the second quarter with the last."""
    result = Result(
        'soak',
        f'Memory grows by less than {MORE_MEMORY} MB and descriptors by less than {MORE_DESCRIPTORS} after the second '
        'quarter; nothing fails, and all that was acknowledged is stored.',
        f'Two services with one Redis and {WALKERS} users without a pause: every operation, listings and public URLs; '
        'beside them real pictures with thumbnails, wrong logins, broken requests, links to nothing, health and '
        'readiness.',
    )
    for name in ('failed requests', 'lost writes'):
        result.count(name, 0)
    result.figures['minutes'] = effort.minutes
    walkers = [
        Walker(world.client(world.pair[number % 2], f's{number}'), world.egnyte, f's{number}', effort.seed)
        for number in range(WALKERS)
    ]
    works: list[Callable[[int], None]] = [Walking(walker, result).step for walker in walkers]
    works += [Mixture(world, service, f'p{number}', result).step for number, service in enumerate(world.pair)]
    stop = threading.Event()
    threads = [threading.Thread(target=_repeat, args=(work, stop, result)) for work in works]
    for thread in threads:
        thread.start()
    try:
        samples = _watch(world.pair, effort, result)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    for walker in walkers:
        for line in walker.settle():
            result.count('lost writes')
            result.fail(line)
    compare(samples, result, judged=effort.minutes >= 1)
    return result


def _repeat(work: Callable[[int], None], stop: threading.Event, result: Result) -> None:
    try:
        for number in count():
            if stop.is_set():
                return
            work(number)
    except Exception as error:  # noqa: BLE001 - a broken answer
        result.fail(f'{type(error).__name__}: {error}')


def _expect(result: Result, status: int, wanted: set[int], what: str) -> None:
    if status not in wanted:
        result.count('failed requests')
        result.fail(f'{what}: {status}')


class Walking:
    """A user who changes files, lists a directory, and reads a public URL."""

    def __init__(self, walker: Walker, result: Result) -> None:
        self._walker, self._result = walker, result

    def step(self, number: int) -> None:
        """Make one change, and look at it."""
        walker, result = self._walker, self._result
        answer = walker.step()
        result.count('operations')
        _expect(result, answer.status_int, DONE, f'operation {number}')
        _expect(result, walker.client.get('/').status_int, {200}, 'listing')
        if walker.urls:
            path = [*walker.urls][number % len(walker.urls)]
            result.count('public URLs looked at')
            shown = walker.client.public(walker.urls[path]).body
            result.expect(shown == walker.tree[path], f'the public URL of {path} shows another content')


class Mixture:
    """Send all other requests: pictures, wrong requests, and those of monitoring."""

    def __init__(self, world: World, service: Service, uid: str, result: Result) -> None:
        self._service, self._result, self._offers = service, result, world.offers
        self._client = world.client(service, uid)

    def step(self, number: int) -> None:
        """Upload a picture, look at it, and ask for all the rest."""
        result, client = self._result, self._client
        # What follows the end of a PNG is ignored, and makes another content of it.
        source = self._offers.offer(picture() + f'{self._service.pid} {number}'.encode())
        answer = client.upload(f'/{number % PICTURES}.png', source)
        self._offers.forget(source)
        _expect(result, answer.status_int, DONE, 'upload of a picture')
        thumbnail = client.public(answer.data['meta']['thumbnail'])
        result.count('thumbnails')
        result.expect(thumbnail.body[8:12] == b'WEBP', f'{thumbnail.status_int} for a thumbnail')
        _expect(result, client.get(f'/{number}-missing.png').status_int, {404}, 'missing file')
        _expect(result, client.request('PATCH', f'/{number % PICTURES}.png', [number]).status_int, {400}, 'bad body')
        for target, wanted in (
            ('/fsp/', 401),
            ('/fsp-public/nothing/a.png', 404),
            ('/fsp-ops/health', 200),
            ('/fsp-ops/ready', 200),
        ):
            result.count('other requests')
            _expect(result, send(self._service.port, 'GET', target).status_int, {wanted}, target)


def _watch(services: list[Service], effort: Effort, result: Result) -> list[tuple[float, float]]:
    """Memory and descriptors of all services together, some hundred times."""
    seconds = effort.minutes * 60
    end, samples = time.monotonic() + seconds, list[tuple[float, float]]()
    while time.monotonic() < end:
        samples.append((sum(each.memory for each in services), sum(each.descriptors for each in services)))
        result.highest('rendering processes at most, MB', sum(each.workers_memory for each in services))
        time.sleep(min(seconds / 20, 5))
    return samples


def compare(samples: list[tuple[float, float]], result: Result, *, judged: bool) -> None:
    """Compare the second quarter of *samples* (memory, descriptors) with the last; *judged* if it has to be flat."""
    quarter = max(1, len(samples) // 4)
    early, late = samples[quarter : 2 * quarter] or samples, samples[-quarter:]
    for at, name, most in ((0, 'memory, MB', MORE_MEMORY), (1, 'descriptors', MORE_DESCRIPTORS)):
        before, after = (median(sample[at] for sample in part) for part in (early, late))
        result.figures[f'{name}: second quarter'], result.figures[f'{name}: last quarter'] = round(before), round(after)
        result.expect(not judged or after < before + most, f'{name}: {before:.0f} became {after:.0f}')
