"""Type policy of a site: the types of files that it accepts as uploads."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Self

from ..i18n import _
from ..media_types import ACTIVE_BY_TYPE, KNOWN, UNKNOWN, is_typeless, type_of_name
from .errors import SourceTypeRefused

# Beefree's groups of file types.
GROUPS = {
    'image': ('image/*',),
    'text': ('text/*',),
    'video': ('video/*',),
    'audio': ('audio/*',),
    'office': (
        'application/msword',
        'application/rtf',
        'application/vnd.ms-*',
        'application/vnd.openxmlformats-officedocument.*',
        'application/vnd.oasis.opendocument.*',
        'application/vnd.apple.*',
    ),
    'xml': ('application/xml', 'text/xml', 'application/*+xml'),
    'zip': ('application/zip', 'application/gzip', 'application/x-tar', 'application/x-7z-compressed'),
    'epub': ('application/epub+zip',),
    'pdf': ('application/pdf',),
    'postscript': ('application/postscript',),
    'font': ('font/*', 'application/vnd.ms-fontobject'),
}
_ZIPPED = ('application/vnd.*', 'application/epub+zip', 'application/java-archive', 'application/x-zip*')


@dataclass(frozen=True)
class TypePolicy:
    """Accepted types, as mime globs."""

    globs: tuple[str, ...]

    @classmethod
    def parse(cls, entries: Iterable[str]) -> Self:
        """Read groups (``image``) and mime globs (``application/pdf``, ``image/*``); none at all means every group.

        Raises ValueError naming the entry that is neither.
        """
        globs: list[str] = []
        for entry in list(entries) or GROUPS:
            if entry.lower() in GROUPS:
                globs.extend(GROUPS[entry.lower()])
            elif re.fullmatch(r'[\w.+*-]+/[\w.+*-]+', entry):
                globs.append(entry.lower())
            else:
                raise ValueError(
                    f'"{entry}" is no type of file: write one of {", ".join(GROUPS)}, or a mime type such as '
                    '"application/pdf" or "image/*"'
                )
        return cls(tuple(globs))

    def check(self, name: str, sniffed: str | None, declared: str | None = None) -> str:
        """Return the mime type of the file *name*.

        :param sniffed: result of :func:`sniff`
        :param declared: type that the server declares, used if the name has no known suffix

        The type of a picture is that of its content, not that of its name. Raises SourceTypeRefused for a content that
        does not match its name, above all a web page or an SVG (which can hold scripts), and for types that the site
        does not accept.
        """
        named = type_of_name(name)
        if not _agree(named, sniffed):
            raise SourceTypeRefused(
                _mismatch(sniffed),
                f'named {named}, sniffed {sniffed}',
            )
        actual = named
        typeless = is_typeless(name)
        if sniffed and (typeless or (_is_picture(sniffed) and named != UNKNOWN)):
            actual = sniffed
        elif typeless and declared and declared not in KNOWN and declared not in ACTIVE_BY_TYPE:
            actual = declared
        if not any(fnmatchcase(actual, glob) for glob in self.globs):
            raise SourceTypeRefused(
                _('type-not-allowed', 'Files of its type (${type}) are not allowed on this site.', type=actual),
                f'{actual} matches none of {", ".join(self.globs)}',
            )
        return actual


def _is_picture(type_: str) -> bool:
    return type_.startswith('image/')


def _agree(named: str, sniffed: str | None) -> bool:
    """Return whether a file with a name of one type may have a content of the other."""
    if sniffed in ACTIVE_BY_TYPE:
        return named in ACTIVE_BY_TYPE[sniffed]
    if sniffed is None:
        return named not in KNOWN
    if named in (sniffed, UNKNOWN):
        return True
    if sniffed == 'application/zip':
        return any(fnmatchcase(named, glob) for glob in _ZIPPED)
    if sniffed == 'application/pdf':
        # An .ai file is a PDF, and a text may contain "%PDF".
        return named == 'application/postscript' or (named.startswith('text/') and named not in ACTIVE_BY_TYPE)
    # Browsers sniff other pictures; an SVG is treated as one by its type alone.
    return _is_picture(sniffed) and _is_picture(named) and named not in ACTIVE_BY_TYPE


def _mismatch(sniffed: str | None) -> str:
    if sniffed is None:
        return _(
            'type-mismatch-unknown',
            'Its content is of another type, which is not what its name says. Open it in the program that it comes '
            'from, save it under the right type, then try again.',
        )
    if sniffed == 'text/html':
        return _(
            'type-mismatch-page',
            'Its content is a web page, which is not what its name says. Look for the address of the file itself, then '
            'try again.',
        )
    return _(
        'type-mismatch',
        'Its content is of type ${type}, which is not what its name says. Open it in the program that it comes from, '
        'save it under the right type, then try again.',
        type=sniffed,
    )
