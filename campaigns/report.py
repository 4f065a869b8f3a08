"""The figures in ``docs/reliability.rst``: a section for each campaign."""

import csv
import io
import textwrap
from pathlib import Path

from .result import Result

PAGE = Path(__file__).parents[1] / 'docs' / 'reliability.rst'
END = '.. campaigns: end\n'
# Failures that the page shows of a campaign, and characters of each.
SHOWN, LENGTH = 20, 500


def figures(result: Result) -> str:
    """Return the figures on one line."""
    found = ', '.join(f'{name}: {value}' for name, value in result.figures.items())
    return f'{found}; {_outcome(result)}'


def _outcome(result: Result) -> str:
    number = len(result.failures)
    return f'{number} broken promise{"s" * (number != 1)}'


def update(page: Path, result: Result) -> None:
    """Replace the section of the campaign, or add it at the end, and keep the others."""
    text = page.read_text()
    begin, end = f'.. {result.name}: begin\n', f'.. {result.name}: end\n'
    if begin not in text:
        text = text.replace(END, f'{begin}{end}\n{END}')
    head, _, rest = text.partition(begin)
    tail = rest.partition(end)[2]
    page.write_text(f'{head}{begin}\n{_section(result)}\n{end}{tail}')


def _section(result: Result) -> str:
    title = result.name.capitalize()
    lines = [
        title,
        '~' * len(title),
        '',
        _field('Promise', result.promise),
        _field('Test', result.method),
        _field('Last run', f'{result.date}, {result.seconds / 60:.0f} minutes: **{_outcome(result)}**'),
        '',
        '.. csv-table::',
        '   :header: Figure, Value',
        '   :widths: 60, 20',
        '',
        *(f'   {_row(name, str(value))}' for name, value in result.figures.items()),
        '',
    ]
    if result.failures:
        lines += ['Broken promises::', '', *(f'    {failure[:LENGTH]!r}' for failure in result.failures[:SHOWN]), '']
    return '\n'.join(lines)


def _field(name: str, text: str) -> str:
    return textwrap.fill(text, 118, initial_indent=f':{name}: ', subsequent_indent='    ', break_long_words=False)


def _row(*cells: str) -> str:
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator='').writerow(cells)
    return line.getvalue()
