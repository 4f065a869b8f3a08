"""The benchmarks run and count correctly; tests ignore their figures."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.load import Row

from .deploy.nginx import program
from .functional.processes import environment
from .protocol.test_calls import OPERATIONS
from .timing import PATIENCE

ROOT = Path(__file__).parents[1]


def bench(*arguments: str | Path) -> str:
    """Return the output of ``python -m benchmarks``."""
    command = [sys.executable, '-m', 'benchmarks', *arguments, '--quick']
    done = subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (done.returncode, done.stderr) == (0, '')
    return done.stdout


def rows(text: str) -> list[list[str]]:
    """Return the cells of tables in Markdown, without their headers."""
    lines = [[cell.strip() for cell in line.strip('|\n').split('|')] for line in text.splitlines() if line[:1] == '|']
    return [line for line, below in zip(lines, [*lines[1:], ['']], strict=True) if '---' not in line[0] + below[0]]


def test_table_of_ratios(tmp_path: Path) -> None:
    printed = rows(bench('--out', tmp_path))
    calls = {what: calls for what, *_, calls in printed}
    assert calls.pop('cached listing, 50 entries') == '0'
    assert calls.pop('cold listing, 50 entries') == '1'
    assert calls.pop('upload, 200 kB') == '1'
    assert calls.pop('public picture seen before, 200 kB') in {'0', '1'}
    assert ('2 processes, cached listing, 50 entries' in calls) == bool(program())
    assert sum(what.startswith('memory') for what in calls) == 2
    assert all(float(ratio.strip('*')) > 0 for *_, ratio, _, _ in printed)

    results = (tmp_path / 'results.md').read_text()
    counted = {name: (int(cold), int(known)) for name, cold, known in (row for row in rows(results) if len(row) == 3)}
    assert counted == {name: (cold, known) for name, (*_, cold, known) in OPERATIONS.items()}
    assert set(re.findall(r'^- (\w+): .', results, re.MULTILINE)) >= {'Commit', 'Machine', 'Python', 'pyramid', 'wrk'}
    assert [row for row in rows(results) if len(row) == 7] == printed


def test_worse_rows_are_pointed_out() -> None:
    rows = [Row(what, 'other', 'ms', [ratio], [1.0]) for what, ratio in (('a', 1.5), ('b', 1.3), ('new', 9.0))]
    before = report.ratios([Row(what, 'other', 'ms', [1.0], [1.0]) for what in ('a', 'b')])
    assert report.regressions(rows, before) == ['a, against other: 1.50 instead of 1.00']


@pytest.mark.parametrize(('mode', 'total'), [('clicks', 20), ('day', 60)])
def test_walks(mode: str, total: int) -> None:
    *found, everything = (row for row in rows(bench(mode)) if row[0] != 'list after a change')
    assert everything[0] == 'all'
    assert sum(int(row[1]) for row in found) == total
    if mode == 'day':
        assert all(int(row[1]) == sum(map(int, row[2:])) for row in (*found, everything))
