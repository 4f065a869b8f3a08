"""``fsp-doctor INI``: find what is wrong with an installation, before its users do."""

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pyramid.exceptions import ConfigurationError

from .._version import version
from ..diagnosis import Installation, Level, Options, Proxy, Result, calls_needed, diagnose, worst_first
from ..diagnosis.model import failure, ok
from ..interfaces import IAccountStores
from ..server import make_server
from ..settings.server import adjustments
from .command import Failed, command, environment, new_parser, seconds, server_section
from .probe import probe

STATUS = {Level.FAILURE: 2, Level.WARNING: 1}
# Of the application, and of our own server.
COMPLAINTS = re.compile('fsp_pyramid cannot (start|serve) with these settings:\n')


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Print the results, worst first. The exit status is 0 without warnings, 1 with warnings, 2 with failures."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    proxy = _proxy(parser, arguments)
    try:
        with _installation(arguments, proxy) as installation:
            if arguments.probe:
                return _probe(installation, arguments)
            results = _diagnose(installation, arguments)
    except Failed as error:
        results = list(_unloadable(str(error)))
    _print(results, arguments)
    return max((STATUS.get(result.level, 0) for result in results), default=0)


def _probe(installation: Installation, arguments: argparse.Namespace) -> int:
    try:
        return probe(installation, arguments)
    except Failed as error:
        print(error, file=sys.stderr)
        return STATUS[Level.FAILURE]


def _diagnose(installation: Installation, arguments: argparse.Namespace) -> list[Result]:
    options = Options(with_egnyte=not arguments.no_egnyte, with_public_link=arguments.public_url)
    calls = calls_needed(installation, options)
    # Standard output is for the report, if a program reads it.
    print(
        f'{arguments.ini}: {calls} call{"s" * (calls != 1)} to Egnyte at most.',
        file=sys.stderr if arguments.json else sys.stdout,
        flush=True,
    )
    return [ok('settings.file', 'the file can be loaded'), *diagnose(installation, options)]


@contextmanager
def _installation(arguments: argparse.Namespace, proxy: Proxy) -> Iterator[Installation]:
    """Give the installation of an ini file. Raises Failed if the application cannot be loaded."""
    ini = f'{arguments.ini}#{arguments.name}' if arguments.name else arguments.ini
    with _environment(ini) as found:
        registry = found['registry']
        try:
            installation = Installation.of(
                registry, os.environ, file=Path(arguments.ini), proxy=proxy, request=found['request']
            )
            yield replace(installation, server=_server(arguments.ini, installation.settings.threads))
        finally:
            stores = registry.queryUtility(IAccountStores)
            if stores is not None:
                stores.close()


@contextmanager
def _environment(ini: str) -> Iterator[dict[str, Any]]:
    loading = environment(ini)
    try:
        found = loading.__enter__()
    except Failed:
        raise
    except ConfigurationError as error:  # of a host's application, which our own ends with SystemExit
        raise Failed(getattr(error, 'evalue', error)) from error
    except Exception as error:  # a host's application may raise anything, with any text
        raise Failed(f'{ini}: the application cannot be loaded: {type(error).__name__}') from error
    try:
        yield found
    finally:
        loading.__exit__(None, None, None)


def _server(ini: str, threads: int) -> dict[str, str] | None:
    """Return the section of the server with its values resolved; None without one.

    :param threads: ``fsp.threads``, which our own server takes

    Raises Failed if it cannot be loaded, or if our own server would not start with it.
    """
    context = server_section(ini)
    if context is None:
        return None
    server = context.object
    if server is not make_server:
        return {'use': f'{server.__module__}.{server.__qualname__}', **context.local_conf}
    try:
        options = adjustments(context.local_conf, os.environ)
    except ConfigurationError as error:
        raise Failed(error) from error
    return {'use': 'waitress', 'threads': str(threads), **options}


def _unloadable(text: str) -> Iterator[Result]:
    """Give the results for an application that cannot be loaded."""
    heading = COMPLAINTS.match(text)
    if not heading:
        yield failure('settings.file', text, 'correct the file')
        return
    yield ok('settings.file', 'the file can be loaded')
    for line in text[heading.end() :].splitlines():
        yield failure('settings.valid', line.strip(), 'correct the setting; no other check was made')


def _print(results: list[Result], arguments: argparse.Namespace) -> None:
    counts = {level: sum(result.level is level for result in results) for level in Level}
    if arguments.json:
        fields = [
            {'id': r.id, 'level': r.level, 'subject': r.subject, 'found': r.found, 'remedy': r.remedy} for r in results
        ]
        print(json.dumps({'file': arguments.ini, 'version': version, 'counts': counts, 'results': fields}, indent=2))
        return
    for result in worst_first(results):
        print(line_of(result))
    plurals = {Level.WARNING: 'warnings', Level.FAILURE: 'failures'}
    words = [f'{count} {level if count == 1 else plurals.get(level, level)}' for level, count in counts.items()]
    print(f'{", ".join(words)}.')


def line_of(result: Result) -> str:
    """Return a result as a line."""
    level = result.level.upper() if result.remedy else str(result.level)
    subject = f'{result.subject}: ' if result.subject else ''
    remedy = f' -> {result.remedy}' if result.remedy else ''
    return f'{level:8} {result.id:22} {subject}{" ".join(result.found.split())}{remedy}'


def _proxy(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> Proxy:
    try:
        proxy = Proxy.of_nginx(arguments.nginx) if arguments.nginx else Proxy()
    except OSError as error:
        parser.error(f'--nginx: {arguments.nginx} cannot be read: {error.strerror}')
    except ValueError:
        parser.error(f'--nginx: {arguments.nginx} is no UTF-8')
    if arguments.proxy_timeout is not None:
        proxy = proxy._replace(timeout=arguments.proxy_timeout, is_told=True)
    return proxy


def _parser() -> argparse.ArgumentParser:
    parser = new_parser('fsp-doctor', 'Find what is wrong with an installation, before its users do.')
    parser.add_argument('ini', metavar='INI', help='the ini file of the installation')
    parser.add_argument('--name', help='the application in it, [app:NAME] (default: main)')
    parser.add_argument('--json', action='store_true', help='print the results as a JSON object')
    parser.add_argument('--no-egnyte', action='store_true', help='make no call to Egnyte')
    parser.add_argument(
        '--public-url', action='store_true', help='load a file through its public link (4 calls more at most)'
    )
    parser.add_argument('--nginx', metavar='FILE', help='the configuration of nginx in front')
    parser.add_argument(
        '--proxy-timeout',
        metavar='S',
        type=seconds(86400),
        help='seconds that the proxy waits (default: of --nginx, or 60)',
    )
    parser.add_argument(
        '--probe',
        action='store_true',
        help='try on this Egnyte what we assume about Egnyte, in a new folder that is removed, and make no other check',
    )
    parser.add_argument('--folder', metavar='F', type=_folder, help='for --probe: the Egnyte path of the folder above')
    return parser


def _folder(text: str) -> str:
    path = '/' + text.strip('/')
    if not path.lower().startswith(('/shared', '/private/')) or any(
        name in {'', '.', '..'} for name in path[1:].split('/')
    ):
        raise argparse.ArgumentTypeError('write a path at Egnyte such as /Shared/Beefree')
    return path
