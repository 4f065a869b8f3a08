"""``fsp-import INI --uid UID --into DIRECTORY SOURCE...``: store assets from elsewhere, and rewrite templates."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path as FilePath
from typing import Any, NamedTuple

from tqdm import tqdm

from ..errors import FSPError
from ..importing import (
    Asset,
    Document,
    DocumentError,
    Importer,
    Left,
    LeftReference,
    Plan,
    Policy,
    State,
    StateError,
    Stopped,
    plan,
)
from ..importing.locations import DocumentFile, Found, LocationError, open_location, resolve
from ..importing.providers import ProviderError
from ..importing.results import Report, counted, map_as_csv, map_of, printable, read_map, write
from ..model import Identity
from ..paths import PathError, parse
from ..public.assets import AssetStore
from .command import INTERRUPTED, Failed, beefree_id, command, ended_by_signals, environment, new_parser

DONE, INCOMPLETE, UNUSABLE, STOPPED = 0, 1, 2, 3


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Import, and print a report.

    The exit status is 0 if everything is stored and written, 1 if some assets or templates could not be, 2 if the
    import could not be run, 3 if it stopped within the budget or the day's calls, 130 if it was interrupted.
    """
    parser = _parser()
    options = parser.parse_intermixed_args(argv)
    try:
        if options.rewrite_only:
            return _rewrite(parser, options)
        given = {'INI and a SOURCE': len(options.words) > 1, '--uid': options.uid, '--into': options.into}
        if lacking := [name for name, value in given.items() if not value]:
            parser.error(f'{", ".join(lacking)} {"is" if len(lacking) == 1 else "are"} missing')
        return _import(options)
    except (Failed, LocationError, ProviderError, StateError) as error:
        print('\n'.join(map(printable, str(error).splitlines())), file=sys.stderr)
        return UNUSABLE
    except FSPError as error:
        print(printable(f'{error.title}: {error}'), file=sys.stderr)
        return UNUSABLE
    except BrokenPipeError:  # of standard output
        raise
    except OSError as error:
        print(printable(f'{error.filename or "A file"} cannot be used: {error.strerror}.'), file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        print('Interrupted. Run the command again to go on.', file=sys.stderr)
        return INTERRUPTED


# Rewriting with a map


def _rewrite(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    if options.map is None:
        parser.error('--rewrite-only needs --map')
    try:
        urls = read_map(options.map.read_text(encoding='utf-8'))
    except ValueError as error:
        raise Failed(f'{options.map} cannot be read: {error}.') from error
    report = Report()
    found = resolve(options.words, os.environ, options.client_id, options.uid or '')
    policy = Policy(links=True)
    for file in found.documents:
        name = str(file.path)
        try:
            document = Document(file.path.name, file.path.read_bytes())
            mapped = _mapped(document, policy, urls, file.path.parent)
            _write(options.out, file, document.rewritten(mapped.sources.get))
        except ValueError as error:
            report.unreadable[name] = str(error)
        else:
            report.written[name], report.left[name] = [], mapped.left
    print(report.as_json() if options.json else report.as_text())
    return INCOMPLETE if report.unreadable else DONE


def _mapped(document: Document, policy: Policy, urls: dict[str, str], directory: FilePath) -> Plan:
    """Return the plan of a document with new URLs in place of sources."""
    needed = plan(document, policy, directory)
    new = {url: urls[source] for url, source in needed.sources.items() if source in urls}
    unmapped = [LeftReference(url, Left.UNMAPPED) for url in needed.sources if url not in new]
    return Plan(new, (*needed.left, *unmapped))


def _write(out: FilePath, file: DocumentFile, data: bytes) -> None:
    """Write a document. Raises Failed where it would replace the original."""
    path = out / file.output
    if path.exists() and path.samefile(file.path):
        raise Failed(f'{path} is the original, which is never replaced: name another directory with --out.')
    write(path, data)


# Importing


class _Template(NamedTuple):
    file: DocumentFile
    document: Document
    plan: Plan


def _import(options: argparse.Namespace) -> int:
    ini, *locations = options.words
    into = _directory(options.into)
    with environment(ini) as found:
        identity = Identity(options.client, options.client_id, options.uid)
        try:
            store = AssetStore(found['registry'], options.mount, identity, options.public_url or '')
        except (LookupError, ValueError) as error:
            raise Failed(f'{ini}: {error}.') from None
        policy = Policy((f'{store.base_url}/',), tuple(options.from_host), options.links, tuple(options.only))
        contents = resolve(locations, os.environ, options.client_id, options.uid)
        run = _Run(options, contents, policy, into)
        if options.dry_run:
            return run.describe()
        state_path = options.state or options.out / 'fsp-import.sqlite'
        state_path.parent.mkdir(parents=True, exist_ok=True)
        import_ = {
            'mount': options.mount, 'client': options.client, 'client-id': options.client_id, 'uid': options.uid,
            'into': '/'.join(into), 'public-url': store.base_url,
        }  # fmt: skip
        with State(state_path, import_) as state, ended_by_signals():
            importer = Importer(
                store, state, store.rules, into,
                policy=policy, budget=options.budget, opener=open_location, on_asset=run.on_asset,
            )  # fmt: skip
            return run.finish(importer, store, state)


class _Run:
    """One run of the command.

    :param options: of the command line
    :param contents: of the locations
    :param into: the directory of the assets
    """

    def __init__(self, options: argparse.Namespace, contents: Found, policy: Policy, into: tuple[str, ...]) -> None:
        self._options, self._report, self._into = options, Report(), into
        self._assets = [asset for asset in contents.assets if policy.selects(asset.source)]
        self._templates = self._read(contents.documents, policy)
        sources = {source for template in self._templates for source in template.plan.sources.values()}
        self._expected = sources | {asset.source for asset in self._assets}
        self._bar: Any = None

    def _read(self, files: Sequence[DocumentFile], policy: Policy) -> list[_Template]:
        templates = []
        for file in files:
            name = str(file.path)
            try:
                document = Document(file.path.name, file.path.read_bytes())
                templates.append(_Template(file, document, plan(document, policy, file.path.parent)))
            except DocumentError as error:
                self._report.unreadable[name] = str(error)
            else:
                self._report.left[name] = templates[-1].plan.left
        return templates

    def describe(self) -> int:
        """Print what an import would do."""
        if self._options.json:
            print(self._report.as_json())
        else:
            print(self._announcement(0))
            for source in sorted(self._expected):
                print(printable(f'would move {source}'))
            print(self._report.as_text().partition('\n')[2])
        return INCOMPLETE if self._report.unreadable else DONE

    def _announcement(self, done: int) -> str:
        left = len(self._expected) - done
        below = {asset.below for asset in self._assets} | {()} if self._options.keep_tree else {()}
        directories = {(*self._into, *path) for path in below}
        levels = {path[: length + 1] for path in directories for length in range(len(path))}
        calls = left + len(directories) if left else 0
        # A listing of the directory above, and the creation.
        more = f', and up to {2 * len(levels)} more for directories that are missing' if left and levels else ''
        return (
            f'{counted(len(self._templates), "template")}, {counted(len(self._expected), "asset")}, {done} of them '
            f'done before; about {counted(calls, "call")}{more}.'
        )

    def finish(self, importer: Importer, store: AssetStore, state: State) -> int:
        """Import everything, write the results, and return the exit status."""
        self._report.earlier = frozenset(self._expected & {asset.source for asset in state if asset.is_done})
        if not self._options.json:
            print(self._announcement(len(self._report.earlier)), flush=True)
        with self._progress() as self._bar:
            try:
                self._import_all(importer)
            except Stopped as stop:
                self._report.stopped = _stopped(stop)
        self._report.calls = store.calls
        if self._options.map:
            write(self._options.map, map_as_csv(map_of(state)).encode())
        write(self._options.out / 'report.html', self._report.as_html().encode())
        print(self._report.as_json() if self._options.json else self._report.as_text())
        if self._report.stopped:
            return STOPPED
        return INCOMPLETE if self._report.failed or self._report.unreadable else DONE

    def _import_all(self, importer: Importer) -> None:
        for template in self._templates:
            result = importer.import_document(template.document, template.file.path.parent)
            _write(self._options.out, template.file, result.document.data)
            broken = [asset for asset in result.assets if asset.status == 'failed']
            self._report.written[str(template.file.path)] = broken
        for asset in self._assets:
            importer.import_asset(asset.source, asset.below if self._options.keep_tree else ())

    def _progress(self) -> AbstractContextManager[Any]:
        return tqdm(total=len(self._expected), unit=' assets', disable=None, leave=False)

    def on_asset(self, asset: Asset) -> None:
        """Show the progress: a line for each asset where there is no terminal."""
        if not self._report.add(asset):
            return
        self._bar.update()
        if self._bar.disable and not self._options.json and asset.source not in self._report.earlier:
            what = f'{asset.status:<7} {asset.source} {"->" if asset.url else ":"} {asset.path or asset.reason}'
            print(printable(what), flush=True)


def _stopped(stop: Stopped) -> str:
    if stop.retry_after is None:
        return f'{stop} Run the command again to go on.'
    at = datetime.now(UTC) + timedelta(seconds=stop.retry_after)
    return f'{stop} Run the command again after {at:%Y-%m-%d %H:%M} UTC to go on.'


def _directory(text: str) -> tuple[str, ...]:
    try:
        return parse(text)[0]
    except PathError as error:
        raise Failed(f'Bad path of --into: {error}.') from error


# Options


def _parser() -> argparse.ArgumentParser:
    parser = new_parser(
        'fsp-import',
        'Store the assets of templates, lists, directories, buckets and other providers, and write the templates with '
        'their new URLs. Run it again to go on after an interruption.',
    )
    parser.add_argument(
        'words', nargs='+', metavar='INI SOURCE',
        help='the ini file of the installation, then templates (.json, .html), lists (.txt, .csv), directories, URLs, '
        's3://BUCKET/PREFIX, fsp:https://HOST/BASE, beefree:/PATH/',
    )  # fmt: skip
    parser.add_argument('--uid', type=beefree_id, help='as X-BEE-Uid says it, whose files they become')
    parser.add_argument('--into', metavar='DIRECTORY', help='as the File Manager shows it: /imported/')
    parser.add_argument(
        '--client-id', type=beefree_id, default='fsp-import', help='as X-BEE-ClientId says it (default: %(default)s)'
    )
    parser.add_argument('--client', default='', help='the name in fsp.clients, if there are several')
    parser.add_argument('--mount', default='fsp', help='the name of the mount, if there are several')
    _add_outputs(parser)
    parser.add_argument('--budget', metavar='CALLS', type=_number, help='calls to Egnyte at the most')
    parser.add_argument('--dry-run', action='store_true', help='tell what would be done, without a call or a download')
    parser.add_argument('--public-url', metavar='URL', type=_url, help='URL of the application for browsers')
    parser.add_argument('--keep-tree', action='store_true', help='keep the directories of directories and providers')
    parser.add_argument('--links', action='store_true', help='import files behind links (href), too')
    parser.add_argument(
        '--only', metavar='GLOB', action='append', default=[], help='sources or their names: "*.png"; or several'
    )
    parser.add_argument(
        '--from-host',
        metavar='HOST',
        action='append',
        default=[],
        help='import from "*.acme.com" alone; or several',
    )
    return parser


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    file: Callable[[str], FilePath] = FilePath
    parser.add_argument(
        '--out', metavar='DIR', type=file, default=FilePath('imported'),
        help='directory of the templates and the report (default: %(default)s)',
    )  # fmt: skip
    parser.add_argument('--state', metavar='FILE', type=file, help='what is done (default: fsp-import.sqlite in --out)')
    parser.add_argument('--map', metavar='FILE', type=file, help='CSV file of old and new URLs')
    parser.add_argument(
        '--rewrite-only', action='store_true', help='rewrite templates by --map, without INI, calls and downloads'
    )
    parser.add_argument('--json', action='store_true', help='print the report as JSON')


def _number(text: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise argparse.ArgumentTypeError('write a whole number, 0 or more')
    return int(text)


def _url(text: str) -> str:
    if not text.startswith(('http://', 'https://')) or any(character in text for character in '?#@ \'"<>'):
        raise argparse.ArgumentTypeError('write the URL of the application, such as https://files.example.com')
    return text
