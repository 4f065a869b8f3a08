"""``python -m campaigns [NAME...]``: run campaigns, print their figures, write them into ``docs/reliability.rst``."""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from . import (
    clock,
    faults,
    fuzz,
    kills,
    memory,
    outages,
    report,
    soak,
)
from .effort import QUICK, Effort
from .result import Result
from .world import start_world

CAMPAIGNS = {
    'kills': kills.run,
    'faults': faults.run,
    'outages': outages.run,
    'clock': clock.run,
    'fuzz': fuzz.run,
    'soak': soak.run,
    'memory': memory.run,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Return 1 if a promise is broken, 2 if a campaign could not be run."""
    options = _parser().parse_args(argv)
    given = {name: value for name in ('kills', 'operations', 'minutes', 'seed') if (value := getattr(options, name))}
    effort = replace(QUICK if options.quick else Effort(), **given)
    status = 0
    for name in options.names or CAMPAIGNS:
        try:
            result = _run(name, effort)
        except (clock.NotInstalled, pytest.skip.Exception) as error:
            print(f'{name}: not run: {error}')
            status = 2
            continue
        print(f'{name} ({result.seconds:.0f} s): {report.figures(result)}')
        for failure in result.failures:
            print(f'  {failure}')
        sys.stdout.flush()
        status = max(status, bool(result.failures))
        if options.out:
            report.update(options.out, result)
    return status


def _run(name: str, effort: Effort) -> Result:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix='fsp-campaign-') as directory, start_world(Path(directory)) as world:
        result = CAMPAIGNS[name](world, effort)
        result.seconds = time.monotonic() - began
    return result


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='python -m campaigns', description=__doc__)
    parser.add_argument('names', nargs='*', metavar='NAME', choices=[*CAMPAIGNS, []], help=', '.join(CAMPAIGNS))
    parser.add_argument('--quick', action='store_true', help='a few steps of each only')
    parser.add_argument('--kills', type=int, help='processes killed (default: 200)')
    parser.add_argument('--operations', type=int, help='operations of the fuzzer (default: 100000)')
    parser.add_argument('--minutes', type=float, help='length of the soak (default: 60)')
    parser.add_argument('--seed', type=int, help='of the random walks (default: 1)')
    parser.add_argument('--out', type=Path, help='the page that gets the figures, as docs/reliability.rst')
    return parser


if __name__ == '__main__':
    sys.exit(main())
