"""``fsp-check BASE_URL``: conformance suite for a Beefree file system provider."""

import argparse
import getpass
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from tqdm import tqdm

from ..conformance import GROUPS, Options, Profile, Report, Result, run
from ..conformance.engine import estimate
from ..conformance.reports import FORMATS, summary
from ..settings.variables import CHECK_PASSWORD
from .command import command, ended_by_signals, new_parser, seconds

UNUSABLE = 2


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Check, print a summary, write the reports.

    The exit status is 0 if all documented rules hold, 1 if some do not, 2 if the checks could not be made.
    """
    parser = _parser()
    arguments = parser.parse_args(argv)
    options = _options(parser, arguments)
    checks, requests = estimate(options)
    kind = 'read-only: nothing is changed' if options.read_only else 'in a directory of its own, which is removed'
    print(f'{checks} checks of {options.base_url}, {requests} requests at the most, {kind}.', flush=True)
    with ended_by_signals():
        report = _run(options, checks)
    print(summary(report))
    return report.status if _write(report, arguments.report) else UNUSABLE


def _run(options: Options, checks: int) -> Report:
    with tqdm(total=checks, unit=' checks', disable=None, leave=False) as bar:

        def advance(result: Result) -> None:
            bar.set_postfix_str(result.check.group)
            bar.update()

        return run(options, advance)


def _write(report: Report, paths: Sequence[Path]) -> bool:
    for path in paths:
        try:
            path.write_text(FORMATS[path.suffix](report), encoding='utf-8')
        except OSError as error:
            print(f'{path} cannot be written: {error.strerror}.', file=sys.stderr)
            return False
    return True


def _options(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> Options:
    return Options(
        base_url=arguments.base_url,
        username=arguments.username,
        password=_password(parser, arguments.password),
        client_id=arguments.client_id,
        uid=arguments.uid,
        source=arguments.source or '',
        directory=arguments.directory,
        read_only=arguments.read_only,
        only=tuple(name for names in arguments.only for name in names),
        timeout=arguments.timeout,
        profile=Profile(arguments.profile),
        ca_file=arguments.ca_file or '',
    )


def _password(parser: argparse.ArgumentParser, password: str | None) -> str:
    """Return the password of the command line, of the environment, or of the terminal."""
    if password is None:
        password = os.environ.get(CHECK_PASSWORD)
    if password is None and sys.stdin.isatty():
        with suppress(EOFError):
            password = getpass.getpass()
    if password is None:
        parser.error(f'a password is needed: --password, or the variable {CHECK_PASSWORD}')
    return password


def _parser() -> argparse.ArgumentParser:
    parser = new_parser('fsp-check', 'Check whether a Beefree file system provider does what Beefree documents.')
    parser.add_argument(
        'base_url', metavar='BASE_URL', type=_url, help='as the Beefree console has it, without a slash'
    )
    parser.add_argument('--username', required=True, help='user name of Basic authentication')
    parser.add_argument('--password', help=f'its password; better in the variable {CHECK_PASSWORD}')
    parser.add_argument('--client-id', default='fsp-check', help='X-BEE-ClientId (default: %(default)s)')
    parser.add_argument('--uid', default='fsp-check', help='X-BEE-Uid (default: %(default)s)')
    parser.add_argument(
        '--source', metavar='URL', type=_source, help='a picture that the provider can fetch, for uploads'
    )
    parser.add_argument(
        '--directory', metavar='PATH', type=_directory, default='/', help='make the directory of the run in this one'
    )
    parser.add_argument('--read-only', action='store_true', help='make only checks that change nothing')
    parser.add_argument(
        '--only', metavar='GROUP', type=_groups, action='append', default=[], help=f'{", ".join(GROUPS)}; or several'
    )
    parser.add_argument(
        '--report', metavar='FILE', type=_report, action='append', default=[], help='.json, .xml (JUnit) or .html'
    )
    parser.add_argument(
        '--timeout', metavar='S', type=seconds(3600), default=30.0, help='seconds for an answer (default: 30)'
    )
    parser.add_argument(
        '--profile', choices=[str(profile) for profile in Profile], default='current',
        help='seed: the older page, without moves and conflict strategies',
    )  # fmt: skip
    parser.add_argument('--ca-file', metavar='FILE', type=_file, help='certificates to trust')
    return parser


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {'http', 'https'} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or parts.username:
        raise argparse.ArgumentTypeError('write a URL such as https://files.example.com/fsp')
    return text


def _source(text: str) -> str:
    if not text.startswith(('http://', 'https://')):
        raise argparse.ArgumentTypeError('write the URL of a picture')
    return text


def _directory(text: str) -> str:
    path = f'/{text.strip("/")}/' if text.strip('/') else '/'
    if any(name in {'', '.', '..'} for name in path[1:-1].split('/')) and path != '/':
        raise argparse.ArgumentTypeError('write a path such as /shared/tests/')
    return path


def _groups(text: str) -> list[str]:
    names = text.split(',')
    if unknown := [name for name in names if name not in GROUPS]:
        raise argparse.ArgumentTypeError(f'there is no group {", ".join(unknown)}')
    return names


def _report(text: str) -> Path:
    path = Path(text)
    if path.suffix not in FORMATS:
        raise argparse.ArgumentTypeError(f'the name has to end with {", ".join(FORMATS)}')
    if not path.parent.is_dir() or path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f'{path} cannot be written')
    return path


def _file(text: str) -> str:
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f'there is no file {text}')
    return text
