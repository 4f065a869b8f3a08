"""Rules for names at Egnyte, with messages that tell a person what to change.

Source: Egnyte's help desk, "Unsupported Characters" (article 201637074), and the tests in its JavaScript client.
Egnyte refuses the same names, but with a message for developers, and after a call.
"""

import re

from ..errors import NameNotAllowed, excerpt
from ..i18n import _
from ..paths import fold

MAX_NAME_BYTES = 245
MAX_PATH_BYTES = 5000
_CHARACTERS = re.compile(r'[\x00-\x1f\x7f\\/":<>|*?]')
_NAMES = {
    '.ds_store',
    '.metadata_never_index',
    '.thumbs.db',
    'thumbs.db',
    'powerpoint temp',
    'desktop.ini',
    '.data',
    '.tmp',
}
_PREFIXES = ('._', '.~', 'word work file', '_egn_.', '.smbdelete', '.spotlight-')
_SUFFIXES = (
    '~',
    '._attribs_',
    '._rights_',
    '._egn_',
    '_egnmeta',
    '.tmp',
    '-spotlight',
    '.ac$',
    '.sv$',
    '.~vsdx',
    '.$$$',
)
# Temporary files of office and drawing programs.
_PATTERNS = re.compile(
    r'~.*\.(idlk|xlsx|pptx)|~\$.*\.(do[ct][xm]?|xl[st][xmb]?|pp[ts][xm]?|sld\w+)|atmp\d{4}|.*\.sas\.b\d\d|aa[a-z]\d{5}'
)


def check_name(name: str) -> None:
    """Raise NameNotAllowed if Egnyte does not store files or folders of that name."""
    complaint = _complaint(name)
    if complaint:
        raise NameNotAllowed(
            _(
                'name-not-allowed',
                '"${name}" cannot be stored: ${complaint}. Choose another name.',
                name=excerpt(name),
                complaint=complaint,
            )
        )


def check_path(path: tuple[str, ...]) -> None:
    """Raise NameNotAllowed for a path at Egnyte that is too long, or whose last name is not allowed."""
    check_name(path[-1])
    if len('/'.join(path).encode()) + 1 > MAX_PATH_BYTES:
        raise NameNotAllowed(
            _('path-too-long', 'The names of the folders above are too long together. Choose a folder further up.')
        )


def _complaint(name: str) -> str:
    lower = fold(name)
    if found := _CHARACTERS.search(name):
        return _('name-character', 'the character ${character} is not allowed in names', character=_spelt(found[0]))
    if large := next((character for character in name if ord(character) > 0xFFFF), ''):
        return _('name-emoji', 'the character ${character} is not allowed in names (no emoji)', character=large)
    if name != name.strip(' '):
        return _('name-spaces', 'a name neither begins nor ends with a space')
    if name.endswith('.'):
        return _('name-period', 'a name does not end with a period')
    if len(name.encode()) > MAX_NAME_BYTES:
        return _(
            'name-too-long',
            'it is too long (${size} bytes, ${limit} are allowed)',
            size=len(name.encode()),
            limit=MAX_NAME_BYTES,
        )
    reserved = lower in _NAMES or lower.startswith(_PREFIXES) or lower.endswith(_SUFFIXES)
    if reserved or _PATTERNS.fullmatch(lower):
        return _('name-reserved', 'names like this are reserved for temporary and system files')
    return ''


def _spelt(character: str) -> str:
    return character if character.isprintable() else f'U+{ord(character):04X}'
