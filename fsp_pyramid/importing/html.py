"""References in HTML and in HTML of e-mails, with the VML and the conditional comments of Outlook.

No parser for Python gives positions of attribute values: html.parser has those of tags, lxml and html5lib of lines.
This scanner knows tags, comments and raw text, by the tokenizer of the HTML standard, and builds no tree.
"""

import html
import re
from collections.abc import Iterator
from typing import NamedTuple

from .css import scan_css
from .references import Reference, Scan, scan_escaped, shifted

# Without "<" in names and bare values, against the standard: a broken tag ends there, and is not scanned to the end of
# the document.
_ATTRIBUTE = r"""
    [\s/]*+ (?P<name>[^\s/<>][^\s/<>=]*+) (?: \s*+ = \s*+ (?: "(?P<double>[^"]*+)" | '(?P<single>[^']*+)'
    | (?P<bare>[^\s<>"'][^\s<>]*+) | (?=>) ) )?+
"""
_ATTRIBUTES = re.compile(_ATTRIBUTE, re.VERBOSE)
_TOKENS = re.compile(
    rf"""
    <!-- (?P<comment>.*?) (?:--!?>|\Z)
    | <(?P<tag>[A-Za-z][^\s/<>]*+) (?P<attributes>(?:{re.sub(r'[?]P<[a-z]+>', '?:', _ATTRIBUTE)})*+) [\s/]*+ >
    | <[!?/] [^<>]*+ >
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = re.compile(r'&(?:#[0-9]{1,7};?|#[xX][0-9A-Fa-f]{1,6};?|[A-Za-z][A-Za-z0-9]{1,31};?)')
# Elements whose content has no tags.
_RAW_TEXT = frozenset(('script', 'style', 'textarea', 'title', 'xmp', 'noembed', 'noframes', 'iframe', 'plaintext'))
_CONDITION = re.compile(r'\[if\b[^\]]*+\]>', re.IGNORECASE)
_CANDIDATE = re.compile(r'[\s,]*+(\S++)')
_DESCRIPTORS = re.compile(r'(?:\([^)]*+(?:\)|\Z)|[^,(])*+,?')

# Attributes with one URL each, by tags. A tag of VML has a prefix.
_SOURCES = frozenset(('img', 'video', 'audio', 'source', 'track', 'input', 'image', 'bgsound', 'amp-img'))
_SRCSETS = frozenset(('img', 'source'))
_ICONS = frozenset(('icon', 'apple-touch-icon', 'apple-touch-icon-precomposed', 'mask-icon', 'image_src'))
_METAS = frozenset(
    (
        *('og:image', 'og:image:url', 'og:image:secure_url', 'og:video', 'og:video:url', 'og:video:secure_url'),
        *('twitter:image', 'twitter:image:src', 'msapplication-tileimage', 'thumbnail', 'image'),
    )
)


class _Attribute(NamedTuple):
    raw: str
    at: int

    @property
    def value(self) -> str:
        return html.unescape(self.raw)

    def scan(self, scan: Scan) -> Iterator[Reference]:
        return shifted(scan_escaped(self.raw, _ESCAPES, html.unescape, scan), self.at)


def scan_html(text: str) -> Iterator[Reference]:
    """Yield the references in a document or a fragment, in their order."""
    at = 0
    while match := _TOKENS.search(text, at):
        at = match.end()
        if match['comment'] is not None:
            yield from _conditional(match['comment'], match.start('comment'))
        elif match['tag']:
            tag = match['tag'].lower()
            yield from sorted(_tag(tag, _attributes(match)))
            if tag in _RAW_TEXT:
                end = _end_of_raw_text(text, tag, at)
                if tag == 'style':
                    yield from shifted(scan_css(text[at:end]), at)
                at = end


def _conditional(comment: str, at: int) -> Iterator[Reference]:
    """Yield the references in a comment that Outlook reads: ``[if mso]>...<![endif]``."""
    condition = _CONDITION.match(comment)
    if condition:
        yield from shifted(scan_html(comment[condition.end() :]), at + condition.end())


def _end_of_raw_text(text: str, tag: str, at: int) -> int:
    end = re.compile(rf'</{tag}(?=[\s/>])', re.IGNORECASE).search(text, at)
    return end.start() if end else len(text)


def _attributes(match: re.Match[str]) -> dict[str, _Attribute]:
    found: dict[str, _Attribute] = {}
    for attribute in _ATTRIBUTES.finditer(match.string, match.start('attributes'), match.end('attributes')):
        kind = next((kind for kind in ('double', 'single', 'bare') if attribute[kind] is not None), None)
        if kind:  # of two attributes with one name, the first counts
            found.setdefault(attribute['name'].lower(), _Attribute(attribute[kind], attribute.start(kind)))
    return found


def _tag(tag: str, attributes: dict[str, _Attribute]) -> Iterator[Reference]:
    for name, attribute in attributes.items():
        if name == 'style':
            yield from attribute.scan(scan_css)
        elif name == 'srcset' and tag in _SRCSETS:
            yield from attribute.scan(_scan_srcset)
        elif name == 'href' and tag in {'a', 'area'}:
            yield from attribute.scan(_scan_link)
        elif _is_source(tag, name, attributes):
            yield from attribute.scan(scan_url)


def _is_source(tag: str, name: str, attributes: dict[str, _Attribute]) -> bool:
    match name:
        case 'src':
            return tag in _SOURCES or tag.startswith(('v:', 'o:'))
        case 'background':
            return True
        case 'poster':
            return tag == 'video'
        case 'href' if tag == 'link':
            return not _ICONS.isdisjoint(_words(attributes, 'rel'))
        case 'content' if tag == 'meta':
            return not _METAS.isdisjoint(
                (*_words(attributes, 'property'), *_words(attributes, 'name'), *_words(attributes, 'itemprop'))
            )
    return False


def _words(attributes: dict[str, _Attribute], name: str) -> list[str]:
    return attributes[name].value.lower().split() if name in attributes else []


def scan_url(text: str, is_link: bool = False) -> Iterator[Reference]:
    """Yield the one reference that *text* is, without the white space around it."""
    url = text.strip()
    if url:
        start = text.index(url)
        yield Reference(start, start + len(url), url, is_link)


def _scan_link(text: str) -> Iterator[Reference]:
    return scan_url(text, is_link=True)


def _scan_srcset(text: str) -> Iterator[Reference]:
    """Yield the candidates: https://html.spec.whatwg.org/#parse-a-srcset-attribute."""
    at = 0
    while match := _CANDIDATE.match(text, at):
        url = match[1].rstrip(',')
        yield Reference(match.start(1), match.start(1) + len(url), url)
        at = match.end()
        if url == match[1]:
            descriptors = _DESCRIPTORS.match(text, at)
            at = descriptors.end() if descriptors else at
