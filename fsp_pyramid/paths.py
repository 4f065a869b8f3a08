"""The grammar of paths: text that came from outside becomes a tuple of names, or a complaint.

Inside the bridge a path is a tuple of names, ``('mydir', 'pic.png')``; the root is ``()``. Nothing is unescaped, folded
or normalised on the way: a name is what was asked for, to the letter. Whether names are the same is :func:`key`'s
business: Egnyte keeps the spelling of a name and ignores its case.
"""

from collections.abc import Sequence

Path = tuple[str, ...]


class PathError(ValueError):
    """The text is no path. The message says what is wrong with it, for a person."""


def parse(text: str) -> tuple[Path, bool]:
    """Split *text*, which begins with a slash, into its names; the flag tells whether it ends with one (a directory).

    ``/`` is the root, a directory. Raises PathError for empty segments, ``.`` and ``..``, backslashes and control
    characters; every other name is left to those who store it.
    """
    if not text.startswith('/'):
        raise PathError('a path begins with a slash')
    if text == '/':
        return (), True
    *names, last = text[1:].split('/')
    if last:
        names.append(last)
    for name in names:
        _check(name)
    return tuple(names), not last


def _check(name: str) -> None:
    if not name:
        raise PathError('a path has no empty segments (two slashes in a row)')
    if name in {'.', '..'}:
        raise PathError(f'"{name}" is not a name')
    for character in name:
        # Not str.isprintable(): it refuses the narrow spaces in the names of macOS screenshots.
        # Half a pair of surrogates comes as an escape in JSON and cannot be encoded.
        if character < ' ' or character in '\x7f\\' or '\ud800' <= character <= '\udfff':
            raise PathError(f'a name holds no {_spelt(character)}')


def _spelt(character: str) -> str:
    if character == '\\':
        return 'backslash'
    kind = 'control character' if character <= '\x7f' else 'surrogate'
    return f'{kind} (U+{ord(character):04X})'


def text(path: Sequence[str], *, directory: bool = False) -> str:
    """The path as people write it, not url-encoded: ``/mydir/pic.png``; a directory's ends with a slash."""
    return '/' + '/'.join(path) + ('/' if directory and path else '')


def key(path: Sequence[str]) -> Path:
    """What two spellings of one path have in common: Egnyte looks names up without regard to case."""
    return tuple(fold(name) for name in path)


def fold(name: str) -> str:
    """The one form of *name* that all its spellings share.

    Not casefold(), for which "Straße" and "STRASSE" are one name: how far Egnyte goes is not documented, and taking two
    files for one would put the one's content in the place of the other's.
    """
    return name.lower()
