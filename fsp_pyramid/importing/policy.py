"""Policy: which references are assets to import, and why the others are left."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path as FilePath
from urllib.parse import unquote, urlsplit

from ..media_types import ACTIVE_BY_TYPE, UNKNOWN, type_by_suffix
from .references import Reference

# Of Beefree, Mailchimp, Handlebars, Liquid, ERB and shells.
_MERGE_TAG = re.compile(r'\{\{|\{%|\[\[|%%|\*\||\$\{|<%|%(?![0-9A-Fa-f]{2})\w{3,}%|%7B%7B', re.IGNORECASE)
_SCHEME = re.compile(r'([A-Za-z][A-Za-z0-9+.-]*):')
# What a template needs besides assets.
_NO_ASSETS = ('font/*', 'text/css', 'text/javascript', 'application/vnd.ms-fontobject')


class Left(StrEnum):
    """Reason why a reference is left as it is."""

    OWN = 'is served by this service already'
    DATA = 'is a data URI'
    MERGE_TAG = 'has a merge tag'
    OTHER_HOST = 'is on a host outside of --from-host'
    RELATIVE = 'is relative, and there is no such file beside the template'
    OTHER_SCHEME = 'is no web address'
    NO_ASSET = 'is a font, a style sheet or a script'
    UNMAPPED = 'is not in the map'
    UNSELECTED = 'does not match --only'


@dataclass(frozen=True)
class Policy:
    """Policy of an import.

    :param own: beginnings of URLs that are served by this service
    :param hosts: globs of the hosts to import from; none for all
    :param links: whether files behind links are imported, too
    :param only: globs of URLs and names; none for all
    """

    own: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    links: bool = False
    only: tuple[str, ...] = ()

    def judge(self, reference: Reference, directory: FilePath | None = None) -> str | Left | None:
        """Return the source of the asset, the reason to leave it, or None for a link to a page, which is not told.

        :param directory: of the document, for relative references
        """
        if reference.is_link and not self.links:
            return None
        return self._judge(reference.url, directory, is_link=reference.is_link)

    def _judge(self, url: str, directory: FilePath | None, *, is_link: bool) -> str | Left | None:
        if url.lower().startswith('data:'):
            return Left.DATA
        if _MERGE_TAG.search(url):
            return Left.MERGE_TAG
        source = (f'https:{url}' if url.startswith('//') else url).partition('#')[0]
        scheme = _SCHEME.match(source)
        if scheme is None:
            file = _file_beside(source, directory)
            return self._judge_type(str(file), is_link=is_link) if file else Left.RELATIVE
        if scheme[1].lower() not in {'http', 'https'}:
            return Left.OTHER_SCHEME
        if source.startswith(self.own):
            return Left.OWN
        if self.hosts and not _matches(_host(source), self.hosts):
            return Left.OTHER_HOST
        return self._judge_type(source, is_link=is_link)

    def _judge_type(self, source: str, *, is_link: bool) -> str | Left | None:
        type_ = type_by_suffix(path_of(source))
        if type_ and _matches(type_, _NO_ASSETS):
            return Left.NO_ASSET
        if is_link and (type_ in {None, UNKNOWN} or type_ in ACTIVE_BY_TYPE['text/html']):
            return None
        return source if self.selects(source) else Left.UNSELECTED

    def selects(self, source: str) -> bool:
        """Return whether ``--only`` selects the source."""
        name = unquote(path_of(source)).rpartition('/')[2]
        return not self.only or _matches(source, self.only) or _matches(name, self.only)


def is_url(source: str) -> bool:
    """Return whether a source is a URL, and no file."""
    return re.match('https?://', source, re.IGNORECASE) is not None


def path_of(source: str) -> str:
    """Return the path of a source, a URL or a file."""
    return re.split('[?#]', source, maxsplit=1)[0] if is_url(source) else source


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ''
    except ValueError:
        return ''


def _matches(text: str, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(text.lower(), glob.lower()) for glob in globs)


def _file_beside(url: str, directory: FilePath | None) -> FilePath | None:
    """Return the file in or below the directory of the document."""
    name = unquote(re.split('[?#]', url, maxsplit=1)[0])
    if directory is None or not name or '\0' in name:
        return None
    try:
        file = (directory / name).resolve()
        return file if file.is_relative_to(directory.resolve()) and file.is_file() else None
    except OSError:
        return None
