"""``fsp-warm INI PATH --budget CALLS``: fill the content cache and render thumbnails in advance."""

import argparse
import sys
import tempfile
from collections.abc import Sequence

from tqdm import tqdm

from ..clients import find_client
from ..content.directory import CacheDirectory
from ..errors import FSPError
from ..interfaces import IMount
from ..model import Identity
from ..paths import Path, PathError, parse
from ..public.warming import Warmer
from .command import (
    Failed,
    beefree_id,
    command,
    environment,
    new_parser,
)

DONE, FAILED, STOPPED = 0, 1, 3


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Warm the cache, with a progress bar.

    The exit status is 0 if everything is cached, 3 if the budget or the day's calls ended before that, 1 for a failure.
    """
    options = _parser().parse_args(argv)
    with environment(options.ini) as found:
        registry = found['registry']
        try:
            find_client(registry, options.mount, options.client)
        except LookupError:
            raise Failed(
                f'In {options.ini} there is no mount "{options.mount}" with a client "{options.client}".'
            ) from None
        _check_cache(registry.getUtility(IMount, name=options.mount).settings.public.cache_dir)
        identity = Identity(options.client, options.client_id, options.uid)
        return _warm(Warmer(registry, options.mount, identity, options.budget), options.path)


def _check_cache(directory: str) -> None:
    """Raise Failed if nothing could be kept: each file would be fetched in vain."""
    if not directory:
        raise Failed('fsp.public.cache_dir is not set: what is fetched would be gone with this command.')
    try:
        root = CacheDirectory(directory).root
        with tempfile.TemporaryFile(dir=root):
            pass
    except OSError as error:
        raise Failed(f'fsp.public.cache_dir: {directory} cannot be written to: {error.strerror}.') from error


def _warm(warmer: Warmer, text: str) -> int:
    try:
        path, _ = parse(text)
    except PathError as error:
        raise Failed(f'Bad path: {error}') from error
    try:
        _walk(warmer, path)
    except FSPError as error:
        print(f'{error.title}: {error}', file=sys.stderr)
        # Errors without a time for a retry are permanent.
        return FAILED if error.retry_after is None else STOPPED
    progress = warmer.progress
    print(
        f'{progress.added} files were fetched or drawn, {progress.done} of {progress.files} are here, '
        f'{progress.calls} calls.'
    )
    if warmer.is_spent():
        print('The budget is used up. Run the command again to go on.')
    return STOPPED if warmer.is_spent() else DONE


def _walk(warmer: Warmer, path: Path) -> None:
    """Walk with a progress bar on a terminal; no bar in a pipe or a file."""
    with tqdm(unit=' files', disable=None) as bar:
        for progress in warmer.walk(path):
            bar.total, bar.n = progress.files, progress.done
            bar.set_postfix_str(f'{progress.calls} of {warmer.budget} calls')


def _parser() -> argparse.ArgumentParser:
    parser = new_parser(
        'fsp-warm',
        'Fetch the files of a directory and render their thumbnails in advance. '
        'Cached files are skipped: run it again to continue.',
    )
    parser.add_argument('ini', metavar='INI', help='the ini file of the installation')
    parser.add_argument('path', metavar='PATH', help='the directory as the File Manager shows it: /shared/')
    parser.add_argument('--budget', metavar='CALLS', type=_budget, required=True, help='calls to Egnyte at the most')
    parser.add_argument(
        '--client-id', type=beefree_id, default='fsp-warm', help='as X-BEE-ClientId says it (default: %(default)s)'
    )
    parser.add_argument('--uid', type=beefree_id, default='fsp-warm', help='as X-BEE-Uid says it, whose files they are')
    parser.add_argument('--client', default='', help='the name in fsp.clients, if there are several')
    parser.add_argument('--mount', default='fsp', help='the name of the mount, if there are several')
    return parser


def _budget(text: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise argparse.ArgumentTypeError('write a whole number, 0 or more')
    return int(text)
