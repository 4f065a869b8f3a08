"""References in style sheets: ``url()``, but for imported style sheets and fonts."""

import re
from collections.abc import Iterator

from .references import Reference, scan_escaped

# https://www.w3.org/TR/css-syntax-3/#consume-token: comments and strings have no url(). An @import ends with its
# semicolon, an @font-face with its block. Quantifiers are possessive, so that a broken style sheet takes no longer.
_TOKENS = re.compile(
    r"""
    /\*.*?(?:\*/|\Z)
    | @import\b (?:"[^"]*+"|'[^']*+'|url\([^)]*+\)|[^;"'])*+
    | @font-face\b [^{}]*+ \{ (?:"[^"]*+"|'[^']*+'|[^}"'])*+
    | url\( [ \t\r\n\f]*+ (?:
        "(?P<double>(?:\\.|[^"\\\r\n])*+)" | '(?P<single>(?:\\.|[^'\\\r\n])*+)' | (?P<bare>(?:\\.|[^"'()\\\s])++)
      ) [ \t\r\n\f]*+ \)
    | "(?:\\.|[^"\\\r\n])*+" | '(?:\\.|[^'\\\r\n])*+'
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_ESCAPES = re.compile(r'\\(?:[0-9A-Fa-f]{1,6}(?:\r\n|[ \t\r\n\f])?|\r\n|[^0-9A-Fa-f])', re.DOTALL)


def scan_css(text: str) -> Iterator[Reference]:
    """Yield the references in a style sheet, or in the declarations of a ``style`` attribute."""
    for match in _TOKENS.finditer(text):
        kind = match.lastgroup
        if kind:
            yield from _url(match[kind], match.start(kind))


def _url(raw: str, at: int) -> Iterator[Reference]:
    def whole(url: str) -> Iterator[Reference]:
        yield Reference(0, len(url), url)

    for found in scan_escaped(raw, _ESCAPES, _unescape, whole):
        yield Reference(at, at + len(raw), found.url)


def _unescape(escape: str) -> str:
    digits = escape[1:].strip()
    if re.fullmatch('[0-9A-Fa-f]+', digits):
        number = int(digits, 16)
        return chr(number) if 0 < number < 0x110000 and not 0xD800 <= number < 0xE000 else '\ufffd'
    return '' if escape[1:] in {'\n', '\r', '\r\n', '\f'} else escape[1:]
