"""Names of imported files: that of the source, as Egnyte allows it, with a suffix that tells the type."""

import os
import re
from urllib.parse import unquote

from ..errors import NameNotAllowed
from ..media_types import UNKNOWN, is_typeless, type_of_name
from ..paths import composed
from ..storage.name_rules import MAX_NAME_BYTES, check_name
from .policy import is_url, path_of

_SUFFIXES = {
    'image/png': '.png',
    'image/jpeg': '.jpg',
    'image/gif': '.gif',
    'image/webp': '.webp',
    'image/bmp': '.bmp',
    'image/tiff': '.tif',
    'image/x-icon': '.ico',
    'image/avif': '.avif',
    'image/heic': '.heic',
    'image/heif': '.heif',
    'image/jp2': '.jp2',
    'image/svg+xml': '.svg',
    'application/pdf': '.pdf',
}
_REFUSED = re.compile(r'[\x00-\x1f\x7f\\/":<>|*?\ud800-\udfff\U00010000-\U0010ffff]+')
# Room for the number of a second file with the name.
_LONGEST = MAX_NAME_BYTES - 12


def asset_name(source: str, sniffed: str | None, declared: str | None = None) -> str:
    """Return the name for the content of *source*, a URL or a path.

    :param sniffed: the type that the content shows
    :param declared: the type that the server declares
    """
    path = path_of(source)
    if is_url(source):
        path = path.partition('://')[2].partition('/')[2]
    last = path.rstrip('/').rpartition('/')[2]
    name = _allowed(composed(unquote(last) if is_url(source) else last))
    suffix = _SUFFIXES.get(sniffed or declared or '', '')
    if is_typeless(name):
        name += suffix
    elif suffix and type_of_name(name) == UNKNOWN:  # of a program that answered with a picture
        name = os.path.splitext(name)[0] + suffix
    return _short(name)


def _allowed(name: str) -> str:
    """Return the name without what Egnyte refuses."""
    name = _REFUSED.sub('_', name).strip(' ').rstrip('.~ ') or 'file'
    try:
        check_name(_short(name))
    except NameNotAllowed:  # a reserved name
        return f'file_{name.lstrip("._~$")}'.removesuffix('.tmp').rstrip('.~ $')
    return name


def _short(name: str) -> str:
    stem, suffix = os.path.splitext(name)
    if len(suffix.encode()) > 20:
        stem, suffix = name, ''
    return stem.encode()[: _LONGEST - len(suffix.encode())].decode(errors='ignore').rstrip('. ') + suffix
