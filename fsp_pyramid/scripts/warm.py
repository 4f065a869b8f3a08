"""``fsp-warm INI PATH --budget CALLS``: fetch contents and make thumbnails before anybody asks for them."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pyramid.paster import bootstrap, setup_logging

from ..errors import FSPError
from ..interfaces import IMount
from ..model import Identity
from ..paths import PathError, parse
from ..public.warming import Progress, Warming

WIDTH = 30
DONE, FAILED, STOPPED = 0, 1, 3


def main(argv: Sequence[str] | None = None) -> int:
    """Walk, with a bar that shows how far it has come.

    The result is 0 if all is here, 3 if the budget or the day's calls ended before that, 1 if it cannot be done.
    """
    options = _parser().parse_args(argv)
    if not Path(options.ini.partition('#')[0]).is_file():
        return _fail(f'There is no file {options.ini}.')
    setup_logging(options.ini)
    with bootstrap(options.ini) as environment:
        mount = environment['registry'].queryUtility(IMount, name=options.mount)
        if mount is None or options.client not in mount.bridges:
            return _fail(f'In {options.ini} there is no mount "{options.mount}" with a client "{options.client}".')
        if not mount.settings.public_cache_dir:
            return _fail('fsp.public.cache_dir is not set: what is fetched would be gone with this command.')
        identity = Identity(options.client, options.client_id, options.uid)
        return _warm(Warming(environment['registry'], options.mount, identity, options.budget), options.path)


def _warm(warming: Warming, text: str) -> int:
    try:
        path, _ = parse(text)
        for progress in warming.walk(path):
            print(f'\r{_bar(progress, warming)}', end='', file=sys.stderr, flush=True)
    except (FSPError, PathError) as error:
        print(file=sys.stderr)
        retry_after = getattr(error, 'retry_after', None)
        _fail(f'{getattr(error, "title", "Bad path")}: {error}')
        # What is not there will not be there later.
        return FAILED if retry_after is None else STOPPED
    print(file=sys.stderr)
    told = warming.progress
    print(f'{told.brought} files were fetched or drawn, {told.done} of {told.files} are here, {told.calls} calls.')
    if warming.spent:
        print('The budget is used up. Run the command again to go on.')
    return STOPPED if warming.spent else DONE


def _bar(progress: Progress, warming: Warming) -> str:
    full = WIDTH * progress.done // max(progress.files, 1)
    files = f'{progress.done} of {progress.files} files'
    return f'[{"#" * full}{"." * (WIDTH - full)}] {files}, {progress.calls} of {warming.budget} calls '


def _fail(message: str) -> int:
    print(message, file=sys.stderr)
    return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='fsp-warm',
        description='Fetch the files of a directory and make their thumbnails, so that nobody has to wait for them. '
        'What is here already is skipped: run it again to go on.',
    )
    parser.add_argument('ini', metavar='INI', help='the ini file of the installation')
    parser.add_argument('path', metavar='PATH', help='the directory as the File Manager shows it: /shared/')
    parser.add_argument('--budget', metavar='CALLS', type=int, required=True, help='calls to Egnyte at the most')
    parser.add_argument('--client-id', default='fsp-warm', help='as X-BEE-ClientId says it (default: %(default)s)')
    parser.add_argument('--uid', default='fsp-warm', help='as X-BEE-Uid says it, whose files they are')
    parser.add_argument('--client', default='', help='the name in fsp.clients, if there are several')
    parser.add_argument('--mount', default='fsp', help='the name of the mount, if there are several')
    return parser
