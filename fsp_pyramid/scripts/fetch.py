"""``fsp-fetch``: explain if the guarded download would fetch a URL, and why."""

import argparse
import os
from collections.abc import Sequence

import colander

from ..settings import SCHEMA, variable
from ..sources import Allowances
from ..sources.explain import explain
from .command import (
    Failed,
    command,
    load_ini,
    new_parser,
)

_KEY = 'fsp.sources.allow'


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Print the explanation; the exit status is 0 if the URL would be fetched, 1 if it would be refused."""
    options = _parser().parse_args(argv)
    allowed, lines = explain(options.explain, _allowances(options.ini), connect=options.connect)
    print('\n'.join(lines))
    return 0 if allowed else 1


def _allowances(ini: str) -> Allowances:
    """Return the allowances of an ini file. Other keys are not read: they may need secrets that the user lacks."""
    settings = load_ini(ini).get_settings('app:main')
    text = os.environ.get(variable(_KEY)) or settings.get(_KEY, '')
    try:
        return SCHEMA[_KEY].deserialize(text if text.strip() else colander.null)
    except colander.Invalid as error:
        raise Failed(f'{_KEY}: {"; ".join(error.messages())}') from None


def _parser() -> argparse.ArgumentParser:
    parser = new_parser('fsp-fetch', 'Explain if the guarded download would fetch a URL. No file is fetched.')
    parser.add_argument('ini', metavar='INI', help='the ini file whose fsp.sources.allow counts')
    parser.add_argument('--explain', metavar='URL', required=True, help='the URL to explain')
    parser.add_argument(
        '--connect', action='store_true', help='ask for it, follow its redirects, and show what the headers say'
    )
    return parser
