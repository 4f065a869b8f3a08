"""The table of ``docs/reliability.rst``."""

import csv
import io
import re
from pathlib import Path

from .result import Result

PAGE = Path(__file__).parents[1] / 'docs' / 'reliability.rst'
BEGIN, END = '.. campaigns: begin\n', '.. campaigns: end\n'


def figures(result: Result) -> str:
    """Return the figures on one line."""
    found = ', '.join(f'{name}: {value}' for name, value in result.figures.items())
    return f'{found}; {len(result.failures)} broken promises ({result.date})'


def update(page: Path, results: list[Result]) -> None:
    """Replace the rows of these campaigns between the markers, and keep the others."""
    text = page.read_text()
    head, _, rest = text.partition(BEGIN)
    table, _, tail = rest.partition(END)
    rows = {row[0]: row for row in csv.reader(re.findall(r'^   (".*)$', table, re.MULTILINE))}
    rows |= {result.name: [result.name, result.promise, result.method, figures(result)] for result in results}
    page.write_text(f'{head}{BEGIN}{_table(list(rows.values()))}{END}{tail}')


def _table(rows: list[list[str]]) -> str:
    lines = io.StringIO()
    csv.writer(lines, quoting=csv.QUOTE_ALL, lineterminator='\n').writerows(rows)
    indented = ''.join(f'   {line}\n' for line in lines.getvalue().splitlines())
    options = '   :header: Campaign, Promise, Test, Last figures\n   :widths: 10, 30, 30, 30\n'
    return f'\n.. csv-table::\n{options}\n{indented}\n'
