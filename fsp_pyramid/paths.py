"""Grammar of paths: parse untrusted text into a tuple of names, or raise an error.

Inside this package, a path is a tuple of names, ``('mydir', 'pic.png')``; the root is ``()``. Nothing is unescaped,
folded or normalised on the way: a name is kept to the letter. :func:`key` compares names: Egnyte keeps the spelling of
a name and ignores its case, and composed characters may come in two forms.
"""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from typing import Literal
from urllib.parse import quote

Path = tuple[str, ...]
# Egnyte keeps no path of more bytes. Work and memory below grow with the depth, so that is bounded as well.
MAX_BYTES = 5000
MAX_NAMES = 100


class PathError(ValueError):
    """The text is not a path. The message says why, for a person."""


def parse(text: str) -> tuple[Path, bool]:
    """Split *text*, which begins with a slash, into its names; the flag is True if it ends with one (a directory).

    ``/`` is the root, a directory. Raises PathError for more than MAX_BYTES in UTF-8 or MAX_NAMES names, empty
    segments, ``.`` and ``..``, backslashes and control characters; all other names are checked by the storage.
    """
    if not text.startswith('/'):
        raise PathError('a path begins with a slash')
    # Half a pair of surrogates is refused below, and has to be counted first.
    if len(text) > MAX_BYTES or len(text.encode(errors='surrogatepass')) > MAX_BYTES:
        raise PathError(f'a path has at most {MAX_BYTES} bytes')
    if text.count('/', 0, -1) > MAX_NAMES:
        raise PathError(f'a path has at most {MAX_NAMES} names')
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
    """Return the path as people write it, not url-encoded: ``/mydir/pic.png``; a directory's ends with a slash."""
    return '/' + '/'.join(path) + ('/' if directory and path else '')


@lru_cache(maxsize=4096)
def quoted(path: str) -> str:
    """Return the text of a path as it stands in a URL: each segment encoded, the slashes kept."""
    return quote(path, safe='/')


def key(path: Sequence[str]) -> Path:
    """Return the form that all spellings of one path share: see :func:`fold`."""
    return tuple(fold(name) for name in path)


def fold(name: str) -> str:
    """Return the one form of *name* that all its spellings share: composed, and in lower case.

    A letter is folded only where its upper and its lower case map onto each other, one to one. So KELVIN SIGN is no
    "k" although its lower case is, and "Straße" and "STRASSE" are two names. How far Egnyte goes is not documented, and
    taking two files for one would put the one's content in the place of the other's.
    """
    if name.isascii():
        return name.lower()
    # Composed once more: "ẖ" exists as one character, and its upper case does not.
    return composed(''.join(map(_lower, composed(name))))


def _lower(character: str) -> str:
    lower = character.lower()
    return lower if lower.upper() == character else character


def composed(name: str) -> str:
    """Return *name* with its characters composed: NFC, but for the characters that NFC replaces by another single one.

    macOS decomposes names, most others do not. Both look the same, and are the same name. KELVIN SIGN and the
    compatibility ideographs stay as they are, as in the file systems of macOS: they were chosen on purpose.
    """
    return _in_form('NFC', name)


def decomposed(name: str) -> str:
    """Return *name* with its characters decomposed, and the same ones left alone as by :func:`composed`."""
    return _in_form('NFD', name)


def _in_form(form: Literal['NFC', 'NFD'], name: str) -> str:
    if unicodedata.is_normalized(form, name):
        return name
    pieces = [(is_singleton, ''.join(piece)) for is_singleton, piece in groupby(name, _is_singleton)]
    return ''.join(piece if is_singleton else unicodedata.normalize(form, piece) for is_singleton, piece in pieces)


def _is_singleton(character: str) -> bool:
    """Return whether the character's canonical decomposition is one other character."""
    decomposition = unicodedata.decomposition(character)
    return bool(decomposition) and ' ' not in decomposition
