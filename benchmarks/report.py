"""The report: ``results.md``."""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.deploy.nginx import program

from .calls import Cost
from .load import CONNECTIONS, Effort, Row

ROOT = Path(__file__).parents[1]
# Times the earlier ratio; less may be noise.
WORSE = 4 / 3
INTRODUCTION = """\
# Benchmarks

Written by `make bench`. Only the ratios mean something on another machine: each row measures the bridge and its own
yardstick in turns, in one run. **Less is better**; 1.00 is what the yardstick takes, and figures are times for one
request, or MB.
"""


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table in Markdown; all but the first column to the right."""
    lines = [header, ['---', *['---:'] * (len(header) - 1)], *rows]
    return ''.join(f'| {" | ".join(map(str, line))} |\n' for line in lines)


def ratios(rows: Iterable[Row]) -> str:
    """Return the one table of ratios."""
    header = ('What', 'Yardstick', 'Ours', 'Yardstick takes', 'Ratio', 'Lowest to highest', 'Calls to Egnyte')
    return table(header, map(_line, rows))


def regressions(rows: Iterable[Row], results: str) -> list[str]:
    """Return a sentence for each row that is worse than in *results*, an earlier document, by more than a third."""
    cells = [[cell.strip() for cell in line.strip('|').split('|')] for line in results.splitlines()]
    before = {tuple(line[:2]): float(line[4].strip('*')) for line in cells if len(line) == 7 and line[4][:2] == '**'}
    return [
        f'{row.what}, against {row.yardstick}: {row.ratio:.2f} instead of {before[row.what, row.yardstick]:.2f}'
        for row in rows
        if row.ratio > WORSE * before.get((row.what, row.yardstick), row.ratio)
    ]


def _line(row: Row) -> tuple[object, ...]:
    spread = f'{row.ratios[0]:.2f} to {row.ratios[-1]:.2f}' if len(row.ratios) > 1 else 'once'
    ours, theirs = (
        f'{_middle(figures):.{2 if row.unit == "ms" else 0}f} {row.unit}' for figures in (row.ours, row.theirs)
    )
    calls = '' if row.calls is None else row.calls
    return row.what, row.yardstick, ours, theirs, f'**{row.ratio:.2f}**', spread, calls


def _middle(figures: list[float]) -> float:
    return sorted(figures)[len(figures) // 2]


def document(rows: list[Row], costs: list[Cost], effort: Effort) -> str:
    """All of ``results.md``."""
    how = (
        f'Medians of {effort.rounds} rounds. Listings of one size and public pictures: {CONNECTIONS} connections that '
        f'are kept, {effort.seconds} seconds of wrk in each round. Cold listings and uploads: one after the other. '
        'Egnyte is `fsp-sandbox --latency 0.05`. Bridge and yardstick run under waitress with 32 threads; the bridge '
        'is `pserve production.ini`, with its audit log.'
    )
    return '\n'.join(
        [
            INTRODUCTION,
            '![The ratios as bars](results.svg)\n',
            ratios(rows),
            f'{how}\n',
            '## Calls to Egnyte for each operation\n',
            table(('Operation', 'Nothing known', 'Listing known'), costs),
            '## Where\n',
            where(),
        ]
    )


def where() -> str:
    """Commit, machine and versions."""
    facts = {
        'Commit': _commit(),
        'Date': f'{datetime.now(UTC):%Y-%m-%d %H:%M} UTC',
        'Machine': f'{_processor()}, {os.cpu_count()} cores, {_memory()} GB, {platform.system()} {platform.release()}',
        'Python': platform.python_version(),
        **{name: version(name) for name in ('fsp-pyramid', 'pyramid', 'waitress', 'requests', 'SQLAlchemy')},
        'nginx': _said([program() or '', '-v'], r'nginx/(\S+)'),
        'wrk': _said([shutil.which('wrk') or '', '-v'], r'wrk \S*?(\d[\d.]*)'),
    }
    return ''.join(f'- {name}: {fact}\n' for name, fact in facts.items())


def _commit() -> str:
    def git(*words: str) -> str:
        done = subprocess.run(['git', *words], cwd=ROOT, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    changed = ', with changes' if git('status', '--porcelain', '--untracked-files=no') else ''
    return f'{git("rev-parse", "--short=12", "HEAD") or "unknown"}{changed}'


def _processor() -> str:
    found = re.search(r'^model name\s*: (.*)$', Path('/proc/cpuinfo').read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _memory() -> int:
    return round(os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30)


def _said(command: list[str], pattern: str) -> str:
    if not command[0]:
        return 'not here, so its rows are missing'
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(pattern, done.stdout + done.stderr)
    return found[1] if found else 'unknown'
