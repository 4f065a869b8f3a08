"""References: URLs in a document with their positions, so that a rewrite changes nothing but the URLs."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple


class Reference(NamedTuple):
    """A URL in a document.

    :param start: of the URL as it is written, in characters of the document
    :param end: of the URL as it is written
    :param url: without the escapes of the document
    :param is_link: is followed by readers (``href``), and not shown as part of the document
    """

    start: int
    end: int
    url: str
    is_link: bool = False


Scan = Callable[[str], Iterable[Reference]]


def scan_escaped(raw: str, escapes: re.Pattern[str], unescape: Callable[[str], str], scan: Scan) -> Iterator[Reference]:
    """Yield the references in *raw*, a text with escapes. *scan* sees the text without them.

    :param escapes: matches each escape
    :param unescape: returns the characters for an escape
    """
    pieces: list[str] = []
    # Positions behind the escapes, in the text and in raw.
    plain_positions, raw_positions = [0], [0]
    escape_starts: dict[int, int] = {}
    at = length = 0
    for match in escapes.finditer(raw):
        characters = unescape(match[0])
        length += match.start() - at
        escape_starts[length] = match.start()
        length += len(characters)
        pieces += raw[at : match.start()], characters
        at = match.end()
        plain_positions.append(length)
        raw_positions.append(at)
    pieces.append(raw[at:])

    def position(plain: int) -> int:
        index = bisect_right(plain_positions, plain) - 1
        return raw_positions[index] + plain - plain_positions[index]

    for reference in scan(''.join(pieces)):
        # An end in front of an escape is not its end, which has the same position if it stands for no characters.
        end = escape_starts.get(reference.end, position(reference.end))
        yield reference._replace(start=position(reference.start), end=end)


def shifted(references: Iterable[Reference], by: int) -> Iterator[Reference]:
    """Yield *references* with their positions moved."""
    for reference in references:
        yield reference._replace(start=reference.start + by, end=reference.end + by)


# Neither an escape nor a separator in HTML, in CSS, in JSON, in srcset and in CSV, so that a URL needs no escapes.
PLAIN_URL = re.compile(r'https?://[A-Za-z0-9._~:/?#\[\]@!$*+=%-]+')


def replace_urls(text: str, references: Iterable[Reference], new: Callable[[str], str | None]) -> str:
    """Return *text* with its URLs replaced.

    :param new: returns the new URL for a URL of a reference, or None to leave it

    Raises ValueError for a new URL that would need escapes.
    """
    pieces: list[str] = []
    at = 0
    for reference in references:
        url = new(reference.url)
        if url is None:
            continue
        if not PLAIN_URL.fullmatch(url):
            raise ValueError(f'"{url}" cannot stand in a template: encode its special characters with percent signs')
        pieces += text[at : reference.start], url
        at = reference.end
    return ''.join((*pieces, text[at:]))
