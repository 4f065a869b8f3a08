"""Steps of the clock, forward and back, under a running service."""

import random
import shutil
import time
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection
from pathlib import Path

from benchmarks.client import TIMEOUT

from .effort import Effort
from .result import Result
from .walk import DONE, Walker
from .world import World

# Seconds: a second of NTP, the end of daylight saving on a machine with local time, days of a virtual machine asleep.
STEPS = (-86_400, -3_600, -60, -2, 2, 60, 3_600, 86_400, 30 * 86_400)
AFTER_EACH = 6


class NotInstalled(Exception):
    """libfaketime is missing."""


def library() -> Path:
    """Debian's libfaketime. Raises NotInstalled."""
    if shutil.which('faketime') is None:
        raise NotInstalled('the clock cannot be set: apt-get install faketime')
    found = sorted(Path('/usr/lib').glob('*/faketime/libfaketimeMT.so.1'))
    if not found:
        raise NotInstalled('faketime has no libfaketimeMT.so.1 in /usr/lib/*/faketime')
    return found[0]


def run(world: World, effort: Effort) -> Result:
    """Set the service's clock again and again while a user works."""
    result = Result(
        'clock',
        'Whatever happens to the clock, operations go on, and what is acknowledged is stored and served.',
        'libfaketime sets the clock of one service by seconds up to 30 days, forward and back; after each step '
        f'{AFTER_EACH} operations, a listing and every public URL.',
    )
    for name in ('refused', 'lost writes', 'wrong public URLs'):
        result.count(name, 0)
    offset = world.directory / 'offset'
    offset.write_text('+0')
    service = world.service(
        LD_PRELOAD=str(library()),
        FAKETIME_TIMESTAMP_FILE=str(offset),
        FAKETIME_NO_CACHE='1',
        # Pauses and time-outs measure with this clock, which no step touches.
        FAKETIME_DONT_FAKE_MONOTONIC='1',
    )
    walker = Walker(world.client(service, 'c'), world.egnyte, 'c', effort.seed)
    numbers, seconds = random.Random(effort.seed), 0
    for _ in range(effort.steps):
        seconds += numbers.choice(STEPS)
        offset.write_text(f'{seconds:+d}')
        result.count('steps')
        result.expect(_shows(service.port, seconds), f'the clock was not set by {seconds:+d} s')
        _work(walker, result, seconds)
    return result


def _shows(port: int, offset: int) -> bool:
    """Return whether the clock of the service differs from ours by *offset* seconds; it tells whole seconds."""
    earliest = int(time.time())
    connection = HTTPConnection('127.0.0.1', port, timeout=TIMEOUT)
    connection.request('GET', '/fsp-ops/health')
    date = connection.getresponse().headers['Date']
    connection.close()
    return earliest <= parsedate_to_datetime(date).timestamp() - offset <= time.time()


def _work(walker: Walker, result: Result, seconds: int) -> None:
    for _ in range(AFTER_EACH):
        answer = walker.step()
        result.count('operations')
        if answer.status_int not in DONE:
            result.count('refused')
            result.fail(f'at {seconds:+d} s: {answer.status_int} {answer.body[:200]!r}')
    if walker.client.get('/').status_int != 200:
        result.count('refused')
        result.fail(f'at {seconds:+d} s: no listing')
    for line in walker.settle():
        result.count('lost writes')
        result.fail(f'at {seconds:+d} s: {line}')
    for path, url in walker.urls.items():
        result.count('public URLs looked at')
        if walker.client.public(url).body != walker.tree[path]:
            result.count('wrong public URLs')
            result.fail(f'at {seconds:+d} s: the public URL of {path} shows another content')
