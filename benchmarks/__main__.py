"""``python -m benchmarks``: the table of ratios; ``clicks``, ``day`` and ``cpu`` print tables of their own."""

import argparse
import sys
import tempfile
from pathlib import Path

from . import (
    clicks,
    cpu,
    day,
    report,
    rows,
)
from .load import QUICK, Effort
from .world import start_world

HERE = Path(__file__).parent


def main() -> None:
    """Run the benchmark that the arguments name."""
    options = _parser().parse_args()
    with tempfile.TemporaryDirectory(prefix='fsp-bench-') as name:
        {'ratios': ratios, 'clicks': clicks.main, 'day': day.main, 'cpu': cpu.main}[options.mode](options, Path(name))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='python -m benchmarks', description=__doc__)
    parser.add_argument('mode', nargs='?', default='ratios', choices=('ratios', 'clicks', 'day', 'cpu'))
    parser.add_argument('--quick', action='store_true', help='a few requests only; figures mean nothing')
    parser.add_argument('--out', type=Path, default=HERE, help='where results.md goes (default: beside this)')
    parser.add_argument('--seed', type=int, default=1, help='of the walk in clicks and day (default: 1)')
    parser.add_argument('--profile', action='store_true', help='cpu: print where the time goes')
    return parser


def ratios(options: argparse.Namespace, directory: Path) -> None:
    """Measure, print the table, and write ``results.md`` with its picture."""
    effort = QUICK if options.quick else Effort()
    with start_world(directory, '--latency', '0' if options.quick else '0.05') as world:
        found, costs = rows.measure(world, effort)
    options.out.mkdir(parents=True, exist_ok=True)
    checked_in = (HERE / 'results.md').read_text()
    (options.out / 'results.md').write_text(report.document(found, costs, effort))
    if not options.quick:
        from . import plot  # its packages are the extra "bench"

        plot.draw(found, options.out / 'results.svg')
    sys.stdout.write(report.ratios(found))
    if not options.quick:
        for worse in report.regressions(found, checked_in):
            sys.stdout.write(f'WORSE: {worse}\n')


if __name__ == '__main__':
    main()
