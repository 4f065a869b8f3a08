"""Results of an import: written documents, the map of URLs, and the report as text, JSON and an HTML page."""

import csv
import io
import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from jinja2 import Environment, PackageLoader

from .importer import LeftReference
from .policy import is_url
from .state import Asset


@dataclass
class Report:
    """Results of a run.

    :param assets: by source and directory
    :param written: documents by name, with the assets in them that failed
    :param left: documents by name, with the references that stay
    :param unreadable: documents by name, with the reason
    :param stopped: why the run stopped before its end; '' at its end
    :param earlier: sources of assets that earlier runs stored
    :param calls: to Egnyte
    """

    assets: dict[tuple[str, str], Asset] = field(default_factory=dict)
    written: dict[str, list[Asset]] = field(default_factory=dict)
    left: dict[str, tuple[LeftReference, ...]] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    stopped: str = ''
    earlier: frozenset[str] = frozenset()
    calls: int = 0

    def add(self, asset: Asset) -> bool:
        """Add an asset; return whether it is new."""
        new = (asset.source, asset.directory) not in self.assets
        self.assets[asset.source, asset.directory] = asset
        return new

    @property
    def failed(self) -> list[Asset]:
        """Assets that could not be moved."""
        return [asset for asset in self.assets.values() if asset.status == 'failed']

    @property
    def counts(self) -> Counter[str]:
        """Numbers of assets by their status."""
        return Counter(asset.status for asset in self.assets.values())

    def as_text(self) -> str:
        """Return the summary, with a line for each thing to look at."""
        counts = self.counts
        earlier = sum(asset.source in self.earlier for asset in self.assets.values())
        moved, written = counts['moved'], len(self.written)
        summary = (
            f'{counted(moved, "asset")} {"is" if moved == 1 else "are"} moved, '
            f'{counts["present"]} had a file with their content already'
            f'{f" ({earlier} of these in earlier runs)" if earlier else ""}, {counts["failed"]} could not be moved; '
            f'{counted(written, "template")} {"is" if written == 1 else "are"} written, {counted(self.calls, "call")}.'
        )
        lines = [summary]
        lines += [f'not moved: {asset.source}: {asset.reason}' for asset in self.failed]
        for name, broken in self.written.items():
            lines += [f'broken in {name}: {asset.source}' for asset in broken]
        for name, references in self.left.items():
            lines += [f'left in {name}: {_shortened(url)} {reason}' for url, reason in references]
        lines += [f'not written: {name}: {reason}' for name, reason in self.unreadable.items()]
        return '\n'.join(map(printable, [*lines, *([self.stopped] if self.stopped else [])]))

    def as_dict(self) -> dict[str, Any]:
        """Return the report for JSON."""
        return {
            'counts': dict(self.counts),
            'earlier': len(self.earlier),
            'calls': self.calls,
            'stopped': self.stopped or None,
            'assets': [asset._asdict() for asset in self.assets.values()],
            'templates': [
                {'name': name, 'broken': [asset.source for asset in broken]} for name, broken in self.written.items()
            ],
            'left': [
                {'template': name, 'url': url, 'reason': str(reason)}
                for name, references in self.left.items()
                for url, reason in references
            ],
            'unreadable': self.unreadable,
        }

    def as_json(self) -> str:
        """Return the report as JSON."""
        return json.dumps(self.as_dict(), indent=2)

    def as_html(self) -> str:
        """Return a page with the pictures side by side, which are loaded from their old and new URLs."""
        environment = Environment(loader=PackageLoader('fsp_pyramid.importing'), autoescape=True)
        return environment.get_template('report.jinja2').render(report=self, is_url=is_url, shortened=_shortened)


def counted(number: int, noun: str) -> str:
    """Return a number of things, in the plural unless it is one."""
    return f'{number} {noun}{"s" * (number != 1)}'


def printable(text: str) -> str:
    """Return *text* for a terminal, which obeys control characters: those of templates and errors are escaped."""
    return ''.join(c if c.isprintable() else c.encode('unicode_escape', 'surrogatepass').decode() for c in text)


def _shortened(url: str) -> str:
    return url if len(url) <= 200 else f'{url[:100]}…{url[-20:]}'


def write(path: FilePath, data: bytes) -> None:
    """Write a file at once: it has its old content or the new one, whatever happens. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f'.{path.name}.', delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            umask = os.umask(0)
            os.umask(umask)
            os.fchmod(file.fileno(), 0o666 & ~umask)
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


def map_of(assets: Iterable[Asset]) -> dict[str, str]:
    """Return the new URLs by the old ones, as far as they are stored."""
    return {asset.source: asset.url for asset in assets if asset.url}


def map_as_csv(urls: Mapping[str, str]) -> str:
    """Return the map as CSV with the columns old and new."""
    file = io.StringIO()
    csv.writer(file).writerows([('old', 'new'), *urls.items()])
    return file.getvalue()


def read_map(text: str) -> dict[str, str]:
    """Read a map. Raises ValueError for a file that is none."""
    rows = list(csv.reader(io.StringIO(text)))
    if not rows or rows[0] != ['old', 'new'] or any(len(row) != 2 for row in rows):
        raise ValueError('a map has the columns old and new, with a heading')
    return dict(rows[1:])
