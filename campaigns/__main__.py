"""``python -m campaigns [NAME...]``: run campaigns, print their figures, write them into ``docs/reliability.rst``."""

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from . import (
    clock,
    faults,
    fuzz,
    kills,
    outages,
    report,
    soak,
)
from .effort import QUICK, Effort

CAMPAIGNS = {
    'kills': kills.run,
    'faults': faults.run,
    'outages': outages.run,
    'clock': clock.run,
    'fuzz': fuzz.run,
    'soak': soak.run,
}


def main() -> None:
    """Exit with 1 if a promise is broken."""
    options = _parser().parse_args()
    given = {name: value for name in ('kills', 'operations', 'minutes', 'seed') if (value := getattr(options, name))}
    effort = replace(QUICK if options.quick else Effort(), **given)
    broken = 0
    for name in options.names or CAMPAIGNS:
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix='fsp-campaign-') as directory:
            result = CAMPAIGNS[name](Path(directory), effort)
        print(f'{name} ({time.monotonic() - began:.0f} s): {report.figures(result)}')
        for failure in result.failures:
            print(f'  {failure}')
        sys.stdout.flush()
        broken += len(result.failures)
        if options.out:
            report.update(options.out, [result])
    sys.exit(broken > 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='python -m campaigns', description=__doc__)
    parser.add_argument('names', nargs='*', metavar='NAME', choices=[*CAMPAIGNS, []], help=', '.join(CAMPAIGNS))
    parser.add_argument('--quick', action='store_true', help='a few steps of each only')
    parser.add_argument('--kills', type=int, help='processes killed (default: 200)')
    parser.add_argument('--operations', type=int, help='requests of the fuzzer (default: 100000)')
    parser.add_argument('--minutes', type=float, help='length of the soak (default: 60)')
    parser.add_argument('--seed', type=int, help='of the random walks (default: 1)')
    parser.add_argument('--out', type=Path, help='the page that gets the figures, as docs/reliability.rst')
    return parser


if __name__ == '__main__':
    main()
