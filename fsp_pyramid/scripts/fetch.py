"""``fsp-fetch``: what the guarded download would make of a URL, and why."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import colander
import plaster

from ..settings import SCHEMA, variable
from ..sources import Allowances, SourceError
from ..sources.deadline import Deadline
from ..sources.transport import Target, resolve

_KEY = 'fsp.sources.allow'
_PATIENCE = 20  # seconds for the look-up


def main(argv: Sequence[str] | None = None) -> int:
    """Print the explanation; the exit status is 0 if the URL would be fetched, 1 if it would be refused."""
    options = _parser().parse_args(argv)
    allowed, lines = explain(options.explain, _allowances(options.ini))
    print('\n'.join(lines))
    return 0 if allowed else 1


def explain(url: str, allow: Allowances) -> tuple[bool, list[str]]:
    """Whether *url* would be fetched, and the steps to that verdict. Connects to nothing but the resolver."""
    try:
        target = Target.parse(url)
    except SourceError as error:
        return False, [f'refused: {error}']
    lines = [f'{target.scheme}, host {target.host}, port {target.port}']
    try:
        with Deadline(_PATIENCE) as deadline:
            addresses = {answer.address: None for answer in resolve(target, deadline)}
    except SourceError as error:
        return False, [*lines, f'unreachable: {error.reason}']
    verdicts = [(address, allow.judge(target.host, address, target.port)) for address in addresses]
    width = max(len(str(address)) for address in addresses)
    for address, verdict in verdicts:
        lines.append(f'  {address!s:{width}}  {"allowed" if verdict.allowed else "refused"}: {verdict.rule}')
    if all(verdict.allowed for _, verdict in verdicts):
        return True, [*lines, 'allowed: it would be fetched, from the first of these that answers']
    place = f'[{target.host}]' if ':' in target.host else target.host
    remedy = f'to allow it, and nothing else, add this to fsp.sources.allow: {place}:{target.port}'
    return False, [*lines, 'refused: every address of a host has to be allowed', remedy]


def _allowances(ini: str) -> Allowances:
    """From this one key only: the rest may need secrets that whoever looks into a refusal does not have."""
    if not Path(ini).is_file():
        raise SystemExit(f'{ini}: there is no such file')
    text = os.environ.get(variable(_KEY)) or plaster.get_settings(ini, 'app:main').get(_KEY, '')
    try:
        return SCHEMA[_KEY].deserialize(text if text.strip() else colander.null)
    except colander.Invalid as error:
        raise SystemExit(f'{_KEY}: {"; ".join(error.messages())}') from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='fsp-fetch', description='Show what the guarded download would make of a URL. Nothing is fetched.'
    )
    parser.add_argument('ini', metavar='INI', help='the ini file whose fsp.sources.allow counts')
    parser.add_argument('--explain', metavar='URL', required=True, help='the URL that somebody wants us to fetch')
    return parser
