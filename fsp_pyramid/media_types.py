"""Media types of files: by name, and by content (sniffing)."""

import mimetypes
import re
from typing import Protocol

UNKNOWN = 'application/octet-stream'
HEAD = 8192  # bytes at the beginning of a file that sniff() examines
PROLOG = 1 << 20  # bytes that sniff_file() reads to get past comments in front of the first tag

# Types that the standard library lacks, or that differ between versions of Python.
_OWN = {
    '7z': 'application/x-7z-compressed',
    'apng': 'image/apng',
    'avif': 'image/avif',
    'dib': 'image/bmp',
    'docx': 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    'eot': 'application/vnd.ms-fontobject',
    'epub': 'application/epub+zip',
    'flac': 'audio/flac',
    'gz': 'application/gzip',
    'heic': 'image/heic',
    'heif': 'image/heif',
    'ico': 'image/x-icon',
    'ics': 'text/calendar',
    'jfif': 'image/jpeg',
    'jp2': 'image/jp2',
    'js': 'text/javascript',
    'key': 'application/vnd.apple.keynote',
    'm4a': 'audio/mp4',
    'm4v': 'video/mp4',
    'markdown': 'text/markdown',
    'md': 'text/markdown',
    'mjs': 'text/javascript',
    'mkv': 'video/x-matroska',
    'numbers': 'application/vnd.apple.numbers',
    'odp': 'application/vnd.oasis.opendocument.presentation',
    'ods': 'application/vnd.oasis.opendocument.spreadsheet',
    'odt': 'application/vnd.oasis.opendocument.text',
    'oga': 'audio/ogg',
    'ogg': 'audio/ogg',
    'ogv': 'video/ogg',
    'otf': 'font/otf',
    'pages': 'application/vnd.apple.pages',
    'pjp': 'image/jpeg',
    'pjpeg': 'image/jpeg',
    'pptx': 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
    'rst': 'text/x-rst',
    'rtf': 'application/rtf',
    'svg': 'image/svg+xml',
    'tgz': 'application/gzip',
    'ttf': 'font/ttf',
    'wav': 'audio/wav',
    'webp': 'image/webp',
    'woff': 'font/woff',
    'woff2': 'font/woff2',
    'xhtml': 'application/xhtml+xml',
    'xlsx': 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
}
# Suffixes of programs without a registered type: names with one of them are not typeless.
_PROGRAMS = ('asp', 'aspx', 'cgi', 'cmd', 'com', 'jsp', 'jspx', 'msi', 'phar', 'php', 'phtml', 'ps1', 'scr', 'vbs')
_OWN |= dict.fromkeys(_PROGRAMS, UNKNOWN)
# A private instance: the module's functions would read /etc/mime.types and the like, which differ among machines.
_BY_SUFFIX = mimetypes.MimeTypes().types_map[True] | {f'.{suffix}': type_ for suffix, type_ in _OWN.items()}

_MAGIC = tuple(
    (re.compile(pattern, re.DOTALL), type_)
    for pattern, type_ in (
        (rb'\x89PNG\r\n\x1a\n', 'image/png'),
        (rb'\xff\xd8\xff', 'image/jpeg'),
        (rb'GIF8[79]a', 'image/gif'),
        (rb'RIFF....WEBP', 'image/webp'),
        (rb'BM....\x00{4}', 'image/bmp'),
        (rb'\x28\x00{3}.{8}\x01\x00[\x01\x04\x08\x10\x18\x20]\x00', 'image/bmp'),  # without the header of a file
        (rb'\x00\x00\x00\x0cjP  \r\n\x87\n', 'image/jp2'),
        (rb'II[\x2a\x2b]\x00|MM\x00[\x2a\x2b]', 'image/tiff'),
        (rb'\x00\x00[\x01\x02]\x00[^\x00]', 'image/x-icon'),
        (rb'PK(?:\x03\x04|\x05\x06)', 'application/zip'),
        (rb'\x1f\x8b\x08', 'application/gzip'),
        (rb'%!PS|\xc5\xd0\xd3\xc6', 'application/postscript'),
    )
)
# Specific brands first: the first brand of an AVIF may be the general mif1.
_BRANDS = {
    b'avif': 'image/avif',
    b'avis': 'image/avif',
    **dict.fromkeys((b'heic', b'heix', b'heim', b'heis', b'hevc', b'hevx'), 'image/heic'),
    **dict.fromkeys((b'mif1', b'msf1'), 'image/heif'),
}
# Spaces and comments before the first tag of XML or HTML. Without backtracking: an unfinished comment is no part of it.
_PROLOG = re.compile(r'(?>\s+|<\?.*?\?>|<!--.*?-->)*+', re.DOTALL)
_DOCTYPE = re.compile(r'<!doctype\s[^\[>]*+(?:\[.*?\]\s*)?>', re.DOTALL | re.IGNORECASE)
_SVG = re.compile(r'<(?:!doctype\s+)?(?:[\w.-]+:)?svg[\s/>\[]', re.IGNORECASE)
# A comment or tag that continues behind the bytes that were read.
_UNFINISHED = re.compile(r'\Z|<(?:\?|!--|!doctype\s|[!\w.:-]{0,64}\Z)', re.IGNORECASE)
# PDF readers look for the mark in so many bytes: printers' commands, headers of mails and the like precede it.
_PDF, _PDF_WITHIN = b'%PDF-', 1024
# The tags by which browsers recognise HTML: https://mimesniff.spec.whatwg.org/#identifying-a-resource-with-an-unknown-mime-type
_HTML = re.compile(
    r'<!doctype\s+html\b|<(?:[\w.-]+:)?'
    r'(?:html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|meta|link|img|form|base)[\s/>]',
    re.IGNORECASE,
)
# Types that sniff() always recognises: a name with such a type is wrong if the content shows another one.
KNOWN = frozenset({type_ for _, type_ in _MAGIC} | set(_BRANDS.values()) | {'image/svg+xml', 'application/pdf'})


def type_by_suffix(name: str) -> str | None:
    """Return the mime type that the suffix of a file name implies, the same on every machine.

    None for a typeless name, without a suffix or with one that implies no type: ``3f9c2a``, ``photo.v2``.
    """
    _, dot, suffix = name.rpartition('.')
    return _BY_SUFFIX.get(dot + suffix.lower())


def type_of_name(name: str) -> str:
    """Return the mime type that a file name implies, the one for unknown data for a typeless name."""
    return type_by_suffix(name) or UNKNOWN


def is_typeless(name: str) -> bool:
    """Return whether a file name implies no type."""
    return type_by_suffix(name) is None


def type_of_content(sniffed: str | None) -> str | None:
    """Return the mime type of a file with a typeless name: the sniffed one, unless browsers run its scripts."""
    return None if sniffed in ACTIVE_BY_TYPE else sniffed


def sniff(head: bytes) -> str | None:
    """Return the mime type that the first :data:`HEAD` bytes of a file show; None without a clear mark."""
    return _sniff(head)[0]


class Readable(Protocol):
    """A binary file, of which only ``read`` is used."""

    def read(self, size: int, /) -> bytes: ...


def sniff_file(file: Readable) -> str | None:
    """Return the mime type that the content of *file* shows, from its current position on, as :func:`sniff` does.

    Reads :data:`HEAD` bytes, and up to :data:`PROLOG` where comments precede the first tag. ``file.read(n)`` has to
    return *n* bytes unless the file ends.
    """
    head = file.read(HEAD)
    type_, unfinished = _sniff(head)
    while unfinished and (more := file.read(min(7 * len(head), PROLOG - len(head)))):
        head += more
        type_, unfinished = _sniff(head)
    return type_


def _sniff(head: bytes) -> tuple[str | None, bool]:
    """Return the type, and whether more of the file may show another one."""
    for pattern, magic_type in _MAGIC:
        if pattern.match(head):
            return magic_type, False
    if head[4:8] == b'ftyp':
        length = min(int.from_bytes(head[:4]), 256)
        brands = [head[at : at + 4] for at in (8, *range(16, length, 4))]
        return next((type_ for brand, type_ in _BRANDS.items() if brand in brands), None), False
    type_, unfinished = _sniff_markup(head)
    if type_ is None and _PDF in head[: _PDF_WITHIN + len(_PDF)]:
        return 'application/pdf', unfinished
    return type_, unfinished


def _sniff_markup(head: bytes) -> tuple[str | None, bool]:
    text = head.decode(_encoding(head), 'replace')
    start = _after_prolog(text, 0)
    if not (_SVG.match(text, start) or _HTML.match(text, start)):
        doctype = _DOCTYPE.match(text, start)  # of another document type, whose first tag may be one of these
        if doctype:
            start = _after_prolog(text, doctype.end())
    if _SVG.match(text, start):
        return 'image/svg+xml', False
    if _HTML.match(text, start):
        return 'text/html', False
    return None, bool(_UNFINISHED.match(text, start))


def _after_prolog(text: str, start: int) -> int:
    match = _PROLOG.match(text, start)
    return match.end() if match else start


def _encoding(head: bytes) -> str:
    if head.startswith((b'\xff\xfe', b'\xfe\xff')):
        return 'utf-16'
    if head[1:2] == b'\0' != head[:1]:
        return 'utf-16-le'
    return 'utf-16-be' if head[:1] == b'\0' != head[1:2] else 'utf-8-sig'


# Types whose scripts browsers run: a file has one only if its name implies it.
ACTIVE_BY_TYPE = {'text/html': {'text/html', 'application/xhtml+xml'}, 'image/svg+xml': {'image/svg+xml'}}
ACTIVE = frozenset().union(*ACTIVE_BY_TYPE.values())
"""Mime types whose scripts browsers run."""
