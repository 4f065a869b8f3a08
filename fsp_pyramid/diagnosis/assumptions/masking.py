"""Answers without names, tokens and hosts: the shape of a body, headers, and the text of an error."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

# Keys of errors whose text tells the kind of the error. It is masked, and kept.
ERROR_KEYS = {'errorMessage', 'message', 'msg', 'description', 'error', 'error_description', 'code', 'faultstring'}
SHOWN_HEADERS = re.compile(
    r'x-accesstoken-.*|x-quota-reset|x-mashery-error-code|retry-after|content-type|content-length|content-range|'
    r'accept-ranges|date|allow',
    re.IGNORECASE,
)
NAMED_HEADERS = re.compile(r'x-.*|etag|last-modified|www-authenticate|cache-control', re.IGNORECASE)
_PATTERNS = (
    (re.compile(r'https?://[^\s"\'<>]+'), '<url>'),
    (re.compile(r'[\w.+-]+@[\w-]+(\.[\w-]+)+'), '<e-mail>'),
    (re.compile(r'/(?:Shared|Private)(?:/[^"\'<>\r\n]*)?', re.IGNORECASE), '<path>'),
    (re.compile(r'[\w-]+(?:\.[\w-]+)*\.egnyte(?:gov)?\.com', re.IGNORECASE), '<host>'),
    (re.compile(r'\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b', re.IGNORECASE), '<id>'),
    (re.compile(r'\b[0-9a-z_-]{24,}\b', re.IGNORECASE), '<id>'),
)
LONGEST, DEEPEST = 200, 4


class Mask:
    """Masks texts.

    :param secrets: words to hide besides what looks like a path, a host, an address or an id, by their placeholders
    """

    def __init__(self, secrets: Mapping[str, Iterable[str]]) -> None:
        words = [(word, f'<{label}>') for label, found in secrets.items() for word in found if word]
        # Longer ones first, because they may contain others.
        self._words = sorted(words, key=lambda pair: -len(pair[0]))

    def text(self, text: str) -> str:
        """Return *text* without names, tokens and hosts, shortened."""
        for pattern, label in _PATTERNS:
            text = pattern.sub(label, text)
        for word, label in self._words:
            text = re.sub(re.escape(word), label, text, flags=re.IGNORECASE)
        return ' '.join(text.split())[:LONGEST]

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the headers that describe an answer; unknown values are replaced by their kind."""
        shown = {name: self.text(value) for name, value in headers.items() if SHOWN_HEADERS.fullmatch(name)}
        named = {name: _kind(value) for name, value in headers.items() if NAMED_HEADERS.fullmatch(name)}
        return dict(sorted((named | shown).items()))

    def body(self, content: bytes, content_type: str) -> str:
        """Return the shape of a body: keys and types of JSON, with the texts of errors."""
        if not content:
            return 'empty'
        try:
            return self._shape(json.loads(content))
        except (ValueError, RecursionError):
            text = content[:2000].decode('utf-8', 'replace')
            if 'html' in content_type or text.lstrip().startswith('<'):
                return 'HTML: ' + self.text(re.sub(r'<[^>]*>', ' ', text))
            return f'{len(content)} bytes of {content_type or "no type"}'

    def _shape(self, value: Any, key: str = '', depth: int = 0) -> str:
        if isinstance(value, dict) and depth < DEEPEST:
            items = (f'{self._key(name)}: {self._shape(item, name, depth + 1)}' for name, item in value.items())
            return '{' + ', '.join(items) + '}'
        if isinstance(value, list) and depth < DEEPEST:
            return f'[{self._shape(value[0], key, depth + 1)}, ...]' if value else '[]'
        if isinstance(value, str) and key in ERROR_KEYS:
            return f'"{self.text(value)}"'
        return {dict: 'object', list: 'list', str: 'text', bool: 'boolean', int: 'integer', float: 'number'}.get(
            type(value), 'null'
        )

    def _key(self, name: str) -> str:
        return self.text(name) if re.fullmatch(r'[A-Za-z_]{1,40}', name) else '<key>'


def _kind(value: str) -> str:
    return 'number' if value.isdecimal() else 'quoted text' if value.startswith('"') else 'text'
