"""References in Beefree's templates as JSON, of the simple and the full schema, and in saved rows.

The schemas grow, so that keys are judged by their words: ``src``, ``image``, ``background-image``, ``thumbnail``.
Strings with CSS or with HTML are scanned as such. Everything keeps its place: nothing is parsed and written again.
"""

import json
import re
from collections.abc import Iterator

from ..media_types import type_by_suffix
from .css import scan_css
from .html import scan_html, scan_url
from .references import Reference, scan_escaped, shifted

_TOKENS = re.compile(r'"(?P<string>(?:[^"\\]|\\.)*+)"|[{}\[\],:]', re.DOTALL)
_ESCAPES = re.compile(r'\\(?:u[Dd][89ABab][0-9A-Fa-f]{2}\\u[Dd][C-Fc-f][0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|.)')
_PICTURE_KEY = re.compile(r'src|image|img|background|thumb|icon|poster|logo|picture|photo', re.IGNORECASE)
_LINK_KEY = re.compile(r'href|link|action|target', re.IGNORECASE)
# Of these, the source is a page or a style sheet.
_NO_PICTURES = frozenset(('video', 'webfonts', 'fonts', 'iframe', 'scripts'))
_TAG = re.compile(r'<[!A-Za-z]')
_URL = re.compile(r'\s*(?:https?:)?//\S+\s*', re.IGNORECASE)


def scan_json(text: str) -> Iterator[Reference]:
    """Yield the references in a template. Raises ValueError, which names the line, if it is no JSON."""
    json.loads(text.removeprefix('\ufeff'))
    # Keys on the way to the current value; None for the items of a list.
    keys: list[str | None] = []
    key: str | None = None
    string: re.Match[str] | None = None
    for token in _TOKENS.finditer(text):
        sign = token[0]
        if token['string'] is not None:
            string = token
            continue
        if sign == ':' and string:
            key, string = _unescaped(string['string']), None
            continue
        if string:  # a value, which ends here
            yield from _value(string, key, [*keys, key])
            string = None
        if sign in '{[':
            keys.append(key)
            # Items of a list are named by the key of the list.
            key = key if sign == '[' else None
        elif sign in '}]':
            key = keys.pop()
    if string:
        yield from _value(string, None, [])


def _unescaped(raw: str) -> str:
    return json.loads(f'"{raw}"', strict=False)


def _value(string: re.Match[str], key: str | None, keys: list[str | None]) -> Iterator[Reference]:
    def scan(text: str) -> Iterator[Reference]:
        return _scan_value(text, key or '', [name.lower() for name in keys if name])

    references = scan_escaped(string['string'], _ESCAPES, lambda escape: json.loads(f'"{escape}"'), scan)
    yield from shifted(references, string.start('string'))


def _scan_value(text: str, key: str, keys: list[str]) -> Iterator[Reference]:
    if _URL.fullmatch(text):
        is_page = not _NO_PICTURES.isdisjoint(keys) and not _is_picture(text)
        if _LINK_KEY.search(key) or is_page:
            yield from scan_url(text, is_link=True)
        elif _PICTURE_KEY.search(key) or _is_picture(text):
            yield from scan_url(text)
    elif _TAG.search(text):
        yield from scan_html(text)
    elif 'url(' in text.lower():
        yield from scan_css(text)
    elif _PICTURE_KEY.fullmatch(key) and re.match(r'\{\{|\[\[|%%|\*\||data:', text):
        yield from scan_url(text)  # to be told as left


def _is_picture(url: str) -> bool:
    path = re.split('[?#]', url.strip(), maxsplit=1)[0]
    return (type_by_suffix(path) or '').startswith(('image/', 'video/', 'audio/'))
