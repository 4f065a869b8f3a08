"""A day with 1,000 calls for a user who makes 3,000 requests: what is answered, and from where.

A working day of eight hours goes by in two minutes. Every time in seconds is divided by the same number: the
pause between requests, fsp.cache.ttl, and the second in which Egnyte allows two calls. The day's thousand stays.
"""

import argparse
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

from fsp_pyramid.sandbox.users import API_KEY, API_SECRET

from .clicks import start
from .report import table
from .walk import Step, Walk
from .world import HOME, World, start_world

FASTER = 240
HOURS, REQUESTS, DAILY, QPS, TTL = 8, 3000, 1000, 2, 60.0
WEIGHTS = {'list': 60, 'open': 30, 'upload': 5, 'replace': 1, 'move': 1, 'delete': 2, 'create': 1}
READS = {'list', 'open'}
ANSWERS = ('fresh', 'from memory', 'stale', 'refused')


class Day:
    """Watches a walk, and tells answers apart by the calls that the sandbox got meanwhile."""

    def __init__(self, world: World, walk: Walk, ttl: float) -> None:
        self._world, self._walk, self._ttl = world, walk, ttl
        self._listed: dict[str, float] = {}
        self.answers: dict[str, Counter[str]] = defaultdict(Counter)
        self.codes: Counter[str] = Counter()
        self.calls = 0
        self.firsts: dict[str, int] = {}

    def request(self, number: int) -> None:
        """Make the next request of the walk."""
        self._world.egnyte.forget_calls()
        step, now = self._walk.step(), time.monotonic()
        calls = self._world.egnyte.calls
        # Listings are asked for by path, files and contents by id.
        for call in calls:
            if call['method'] == 'GET' and call['status'] == 200:
                self._listed[call['path'].removeprefix(f'/pubapi/v1/fs{HOME}/walker').rstrip('/')] = now
        answer = self._kind(step, len(calls), now)
        self.calls += len(calls)
        self.answers[step.operation][answer] += 1
        kind = 'read' if step.operation in READS else 'write'
        if answer == 'refused':
            self.firsts.setdefault(f'{kind} refused', number)
            self.codes[f'{step.answer.status_int} for a {kind}'] += 1
        if self.calls >= DAILY:
            self.firsts.setdefault('last call spent', number)

    def _kind(self, step: Step, calls: int, now: float) -> str:
        if step.answer.status_int >= 400:
            return 'refused'
        if calls:
            return 'fresh'
        # A little more than it was told to keep, because it is timed from outside.
        old = now - self._listed.get(step.directory.rstrip('/'), now) > self._ttl * 1.2
        return 'stale' if step.operation == 'list' and old else 'from memory'


def main(options: argparse.Namespace, directory: Path) -> None:
    """Print what became of the requests."""
    requests, ttl = (60 if options.quick else REQUESTS), TTL / FASTER
    with start_world(directory, '--daily', str(DAILY), '--qps', str(QPS * FASTER)) as world:
        walk = start(world, options, WEIGHTS, FSP_CACHE_TTL=str(ttl), FSP_EGNYTE_TOKEN=new_token(world))
        day = Day(world, walk, ttl)
        begun, pause = time.monotonic(), HOURS * 3600 / REQUESTS / FASTER
        for number in range(1, requests + 1):
            day.request(number)
            time.sleep(max(0, begun + number * pause - time.monotonic()))
        late = time.monotonic() - begun - requests * pause
    _print(day, requests, late / pause)


def new_token(world: World) -> str:
    """Return a token of which no call was spent on preparations."""
    form = f'grant_type=password&username=demo&password=demo&client_id={API_KEY}&client_secret={API_SECRET}'
    kind = 'application/x-www-form-urlencoded'
    return world.egnyte.send('POST', '/puboauth/token', form, **{'Content-Type': kind}).json['access_token']


def _print(day: Day, requests: int, late: float) -> None:
    total = sum(day.answers.values(), Counter())
    rows = [
        (name, sum(found.values()), *(found[answer] for answer in ANSWERS))
        for name, found in [*sorted(day.answers.items()), ('all', total)]
    ]
    write = sys.stdout.write
    write(table(('Operation', 'Requests', *(answer.capitalize() for answer in ANSWERS)), rows))
    write(f'\n{day.calls} calls to Egnyte for {requests} requests')
    for what, number in sorted(day.firsts.items(), key=lambda item: item[1]):
        write(f'; {what} at request {number} ({number * HOURS / REQUESTS:.1f} h)')
    write(''.join(f'; {count} times {code}' for code, count in day.codes.items()))
    write(f'. The walk ended {max(0, late):.0f} requests late.\n')
