"""``fsp.folders``: mapping of directories of the file manager to folders at Egnyte.

One mapping a line; the longest one that matches a path wins::

    /         /Shared/Beefree/{uid}
    /shared/  /Shared/Brand            ro
"""

import difflib
import hashlib
import re
from dataclasses import dataclass
from string import Formatter

from ..errors import NameNotAllowed
from ..i18n import _
from ..model import Account, Identity
from ..paths import (
    Path,
    PathError,
    key,
    parse,
)
from .name_rules import check_name

# The last two exist where users connect accounts of their own.
PLACEHOLDERS = ('uid', 'client_id', 'egnyte_user', 'folder')
OF_ACCOUNTS = frozenset(PLACEHOLDERS[2:])
FOLDER = '{folder}'  # a whole path, so that it stands at the beginning
# A space before a slash parts the columns: no name at Egnyte begins or ends with a space.
_LINE = re.compile(r'(?P<directory>/.*?)\s+(?P<folder>(/|\{folder\}).*?)(?P<read_only>\s+(?i:ro))?')
# Words for "ro" and for its opposite, without hyphens and the like. At the end of a column they would silently make
# another folder, and perhaps a writable one.
_READ_ONLY_WORDS = """
    ro r rx rd rdonly ordonly ronly roonly onlyread read reads reader readers readable readaccess readmode
    readonlyaccess readonlymode view viewer viewers viewable viewaccess viewonlyaccess lock locked protect protected
    writeprotect writeprotected immutable static frozen nowrite nowrites nowriting noedit noedits noediting nochange
    nochanges nomodify notwritable notwriteable nonwritable nonwriteable unwritable unwriteable noteditable noneditable
    uneditable unmodifiable
"""
_WRITABLE_WORDS = """
    rw rwx wr w write writes writer writers writable writeable writeaccess writemode readwrite readwriteaccess full
    fullaccess fullcontrol edit editor editors editable editaccess
"""
_MODES = frozenset(_READ_ONLY_WORDS.split() + _WRITABLE_WORDS.split())
# Misspellings of these count as well.
_MISSPELT = ('readonly', 'viewonly')
_LIKENESS = 0.82
_COMMENT = re.compile(r'\s([#;])(\s|$)')
_VALUE = re.compile(r'\s*[=:][^=:]*$')  # of "ro=true"
# Separators of the words at the end of a name; "Brand-RO" is one word.
_PARTING = re.compile(r'[\s,:=|(\[]+')
_SIGN_AT_END = re.compile(r'[,:;=|<>→⇒]$|\s[-–—+*.~]+$')


@dataclass(frozen=True, slots=True)
class FolderMapping:
    """One line: *directory* as Beefree sees it, the *folder* at Egnyte with placeholders, both as names."""

    directory: Path
    folder: Path
    read_only: bool

    @property
    def placeholders(self) -> frozenset[str]:
        """Names of the placeholders in the folder."""
        return frozenset(field for name in self.folder for field in _placeholders(name))

    def resolve(self, identity: Identity, account: Account) -> 'FolderMapping':
        """Return the mapping with the placeholders replaced by the values of the caller and the account.

        Raises NameNotAllowed if that makes a name that Egnyte does not store.
        """
        values = {
            'uid': distinct_case(identity.uid),
            'client_id': distinct_case(identity.client_id),
            'egnyte_user': account.username,
        }
        start, rest = (account.folder, self.folder[1:]) if self.folder[0] == FOLDER else ((), self.folder)
        return FolderMapping(self.directory, start + tuple(_filled(name, values) for name in rest), self.read_only)


def _placeholders(name: str) -> list[str]:
    return [field[1] for field in Formatter().parse(name) if field[1]]


def _filled(name: str, values: dict[str, str]) -> str:
    filled = name.format_map(values)
    if filled != name:
        try:
            check_name(filled)
        except NameNotAllowed as error:
            raise NameNotAllowed(
                _(
                    'folder-name-impossible',
                    'Files cannot be kept here: "${folder}" (${placeholder}) is the name of the folder for them, and '
                    'Egnyte keeps no folder of such a name. Ask the administrator of the application that you opened '
                    'this editor from.',
                    folder=filled,
                    placeholder=name,
                )
            ) from error
    return filled


def distinct_case(value: str) -> str:
    """Return a name that differs from those of other spellings of *value* even if case is ignored, as it is at Egnyte.

    A value with upper-case letters gets a dot and the first 8 hex digits of its SHA-256 appended.
    """
    if value == value.lower():
        return value
    return f'{value}.{hashlib.sha256(value.encode()).hexdigest()[:8]}'


def parse_mappings(table: str) -> tuple[FolderMapping, ...]:
    """Return the mappings of a table. Raises ValueError with the line and its fault."""
    mappings = tuple(_parse_line(line) for line in map(str.strip, table.splitlines()) if line)
    if not mappings:
        raise ValueError('at least one line is needed: "/ /Shared/Beefree/{uid}"')
    seen: dict[Path, FolderMapping] = {}
    for mapping in mappings:
        if key(mapping.directory) in seen:
            raise ValueError(f'two lines are about /{"/".join(mapping.directory)}')
        seen[key(mapping.directory)] = mapping
    return mappings


def _refuse_odd_words(line: str, column: str) -> None:
    """Raise ValueError for a column that would silently become another folder, and perhaps a writable one."""
    remedy = 'behind the folder, write "ro" for a read-only one, and write nothing behind a writable one'
    if _COMMENT.search(column):
        raise ValueError(f'"{line}": a comment stands on a line of its own; {remedy}')
    if _SIGN_AT_END.search(column) or re.search(r'\s{2}|\t', column):
        raise ValueError(f'"{line}": "{column.rsplit(maxsplit=1)[-1]}" is no part of a name; {remedy}')
    if re.search(r'/\s|\s/', column):
        raise ValueError(f'"{line}": no name begins or ends with a blank; {remedy}')
    if any(_is_mode(word) for word in _last_words(column)):
        raise ValueError(f'"{line}": {remedy}. If the name of the folder ends so, write a slash behind it: "{column}/"')


def _last_words(column: str) -> set[str]:
    """Return the words that may be meant as a mode: the last one behind a blank or sign, also as a part of two."""
    name = re.sub(r'(?<=[\s,:=|(\[])r/([ow])\b', r'r\1', column, flags=re.IGNORECASE).rpartition('/')[2]
    found: set[str] = set()
    for text in (name, _VALUE.sub('', name)):
        words = [re.sub(r'[\W_]', '', word).casefold() for word in _PARTING.split(text)]
        words = [word for word in words[1:] if word]
        found.update((''.join(words[-1:]), ''.join(words[-2:])))
    return found


def _is_mode(word: str) -> bool:
    return word in _MODES or bool(difflib.get_close_matches(word, _MISSPELT, cutoff=_LIKENESS))


def _parse_line(line: str) -> FolderMapping:
    match = _LINE.fullmatch(line)
    if not match:
        raise ValueError(
            f'"{line}" needs a directory, a folder at Egnyte and perhaps "ro": "/shared/ /Shared/Brand ro"'
        )
    for column in (match['directory'], match['folder']):
        _refuse_odd_words(line, column)
    try:
        directory, folder = parse(match['directory'])[0], parse('/' + match['folder'].removeprefix('/'))[0]
        fields = [field for field in Formatter().parse(match['folder']) if field[1] is not None]
    except (PathError, ValueError) as error:
        raise ValueError(f'"{line}": {error}') from None
    if not folder:
        raise ValueError(f'"{line}": the root of Egnyte cannot be mounted, choose a folder below /Shared or /Private')
    for _text, name, form, conversion in fields:
        if name not in PLACEHOLDERS or form or conversion:
            raise ValueError(f'"{line}": {{{name}}} is unknown; there are {{{"} and {".join(PLACEHOLDERS)}}}')
    if crowded := next((name for name in folder if len(_placeholders(name)) > 1), ''):
        # "{client_id}-{uid}" would be one folder for eu-bob of acme and for bob of acme-eu.
        raise ValueError(f'"{line}": two placeholders in "{crowded}" could make one folder of two, part them by "/"')
    if any(FOLDER in name for name in folder[1:]) or (FOLDER in folder[0] and folder[0] != FOLDER):
        raise ValueError(f'"{line}": {FOLDER} is a whole path and stands at the beginning: "{FOLDER}/name"')
    return FolderMapping(directory, folder, bool(match['read_only']))
