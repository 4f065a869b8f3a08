"""``fsp-doctor INI --probe``: try on a real Egnyte domain what we assume about Egnyte."""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import NamedTuple

from tqdm import tqdm

from .._version import version
from ..diagnosis import Installation
from ..diagnosis.assumptions import ASSUMPTIONS, Finding, Outcome, Report, calls_needed, run
from ..diagnosis.assumptions.model import NotTried
from ..diagnosis.assumptions.report import as_json, as_text
from ..diagnosis.calls import Caller
from ..diagnosis.folders import fixed_part
from ..diagnosis.installation import Client
from .command import Failed, ended_by_signals

# Seconds that a call may wait for the rate limiter, which the running service uses as well.
MAX_WAIT = 60.0
CONFIRMED, DIFFERENT, FAILED = 0, 1, 2


class Place(NamedTuple):
    """Place of a run: the token of a client, and a folder."""

    client: Client
    parent: str


def probe(installation: Installation, arguments: argparse.Namespace) -> int:
    """Run the experiments and print their report.

    The exit status is 0 if nothing is different, 1 if something is, 2 if the run ended early or left something.
    """
    place = _place(installation, arguments.folder or '')
    print(
        f'{arguments.ini}: {calls_needed()} calls to Egnyte at most, at its pace, as {place.client.label} in a new '
        f'folder below {place.parent}, which is removed.',
        file=sys.stderr if arguments.json else sys.stdout,
        flush=True,
    )
    with ended_by_signals(), _callers(installation, place.client) as (caller, second):
        try:
            report = _run(caller, place.parent, second)
        except NotTried as error:
            raise Failed(f'{place.parent}: {error}. Name a folder that the token may write to: --folder') from error
    print(json.dumps({'version': version, **as_json(report)}, indent=2) if arguments.json else as_text(report))
    if report.left and arguments.json:
        print(f'{report.left} could not be removed: delete it by hand', file=sys.stderr)
    if report.left or report.interrupted:
        return FAILED
    return DIFFERENT if any(finding.outcome is Outcome.DIFFERENT for finding in report.findings) else CONFIRMED


def _run(caller: Caller, parent: str, second: Caller | None) -> Report:
    with tqdm(total=len(ASSUMPTIONS), unit=' assumptions', disable=None, leave=False) as bar:

        def advance(finding: Finding) -> None:
            bar.set_postfix_str(finding.id)
            bar.update()

        return run(caller, parent, second, advance)


def _place(installation: Installation, folder: str) -> Place:
    """Return the first client with a token, and its folder. Raises Failed if there is none."""
    for client in installation.clients:
        if client.settings.accounts.mode != 'token':
            continue
        if folder:
            return Place(client, folder)
        for mapping in client.settings.folders:
            path = fixed_part(mapping)
            if path and not mapping.read_only:
                return Place(client, '/' + '/'.join(path))
    raise Failed('The probe needs a client with a token (fsp.accounts.mode = token) and a writable folder: --folder.')


@contextmanager
def _callers(installation: Installation, client: Client) -> Iterator[tuple[Caller, Caller | None]]:
    """Give callers for the token of *client*, and for another token at the same Egnyte if there is one."""
    own = client.settings.egnyte
    others = [
        other.settings.egnyte
        for other in installation.clients
        if other.settings.accounts.mode == 'token'
        and other.settings.egnyte.url == own.url
        and other.settings.egnyte.token != own.token
    ]

    def caller(token: str) -> Caller:
        return Caller(own.url, token, installation.rate_limiter, own.timeout, MAX_WAIT)

    with closing(caller(own.token)) as first:
        if not others:
            yield first, None
            return
        with closing(caller(others[0].token)) as second:
            yield first, second
