"""Which names Egnyte stores, and how a path splits into them.

The rules are those of Egnyte's help desk, article 201637074 "Unsupported Characters".
"""

import re

NAME_BYTES, PATH_BYTES = 245, 5000

_CHARACTERS = re.compile(r'[\\/":<>|*?\x00-\x1f\x7f\U00010000-\U0010ffff]')
_WHOLE = frozenset(
    {
        '.ds_store',
        '.metadata_never_index',
        '.thumbs.db',
        'thumbs.db',
        'powerpoint temp',
        'desktop.ini',
    }
)
_FOLDERS = re.compile(r'\.data|\.tmp|\.spotlight-.*')
_STARTS = ('._', '.~', 'word work file', '_egn_.', '.smbdelete')
_ENDS = (
    *('.', '~', '._attribs_', '._rights_', '._egn_', '_egnmeta', '.tmp', '-spotlight'),
    *('.ac$', '.sv$', '.~vsdx', '.$$$'),
)
_PATTERNS = re.compile(
    r'~.*\.(idlk|xlsx|pptx)|~\$.*\.(doc|dot|xls|xlt|ppt|pot|vsd|sld)[a-z]*'
    r'|atmp\d{4}|.*\.sas\.b\d\d|aa.\d{5}'
)


def segments(path: str) -> list[str]:
    """Return the names in *path*; doubled and trailing slashes mean nothing to Egnyte."""
    return [name for name in path.split('/') if name]


def join(parent: str, name: str) -> str:
    """Return the path of *name* in the folder *parent*."""
    return f'{parent.rstrip("/")}/{name}'


def complaint(name: str, *, folder: bool) -> str | None:
    """Return the reason why *name* cannot be stored, None if it can."""
    if _CHARACTERS.search(name):
        return 'Name contains unsupported characters'
    if name != name.strip(' '):
        return 'Name begins or ends with a space'
    if len(name.encode('utf-8', 'surrogatepass')) > NAME_BYTES:
        return f'Name is longer than {NAME_BYTES} bytes'
    if _is_reserved(name.lower(), folder=folder):
        return 'Name is reserved'
    return None


def _is_reserved(name: str, *, folder: bool) -> bool:
    return bool(
        name in _WHOLE
        or name.startswith(_STARTS)
        or name.endswith(_ENDS)
        or _PATTERNS.fullmatch(name)
        or (folder and _FOLDERS.fullmatch(name))
    )
