"""Latency of requests: sequential, or concurrent with wrk (a load generator in Python would be the limit)."""

import json
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .client import Answer, Connection

REPORT = Path(__file__).with_name('report.lua')
CONNECTIONS = 8


@dataclass(frozen=True)
class Effort:
    """Effort of a measurement.

    :param rounds: of ours and theirs, in turns: the machine is shared
    :param seconds: of load in each; 0 for a few requests one after the other, without wrk
    :param alone: how many requests go one after the other where no load is wanted
    """

    rounds: int = 5
    seconds: int = 2
    alone: int = 10


QUICK = Effort(rounds=1, seconds=0, alone=2)


@dataclass(frozen=True)
class Row:
    """One comparison. *ours* and *theirs* have a figure for each round.

    :param calls: to Egnyte for each operation of ours
    """

    what: str
    yardstick: str
    unit: str
    ours: list[float] = field(repr=False)
    theirs: list[float] = field(repr=False)
    calls: int | None = None

    @property
    def ratios(self) -> list[float]:
        """Ours against the yardstick of the same round, sorted."""
        return sorted(ours / theirs for ours, theirs in zip(self.ours, self.theirs, strict=True))

    @property
    def ratio(self) -> float:
        """Their median."""
        return statistics.median(self.ratios)


def compare(effort: Effort, ours: Callable[[], float], theirs: Callable[[], float]) -> tuple[list[float], list[float]]:
    """Measure ours and theirs in turns, so that other load on the machine affects both."""
    pairs = [(ours(), theirs()) for _ in range(effort.rounds)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def alone(times: int, ask: Callable[[], Answer]) -> float:
    """Return the median time of one request, in milliseconds."""
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        answer = ask()
        found.append(time.perf_counter() - begun)
        if answer.status_int >= 400:
            raise RuntimeError(f'{answer.status_int}: {answer.body[:500]!r}')
    return statistics.median(found) * 1000


def loaded(effort: Effort, connection: Connection, port: int, target: str) -> float:
    """Milliseconds for each request while several connections ask all the time. Raises RuntimeError if any fails."""
    if not effort.seconds:
        return alone(effort.alone, lambda: connection.send('GET', target))
    wrk = shutil.which('wrk')
    if wrk is None:
        raise RuntimeError('the load comes from wrk, which is missing: apt-get install wrk')
    headers = [part for item in connection.headers.items() for part in ('-H', ': '.join(item))]
    options = ['-t', '1', '-c', str(CONNECTIONS), '-d', f'{effort.seconds}s', '-s', str(REPORT)]
    done = subprocess.run(
        [wrk, *options, *headers, f'http://127.0.0.1:{port}{target}'], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout.strip().splitlines()[-1])
    if found['errors'] or found['refused'] or not found['requests']:
        raise RuntimeError(f'{target}: {found}')
    return found['microseconds'] / found['requests'] / 1000
