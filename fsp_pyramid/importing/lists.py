"""References in lists: every URL in a text, or in the cells of a CSV file."""

import re
from collections.abc import Iterator

from .references import Reference

# A URL that fills a quoted cell may have commas.
_URLS = re.compile(r'(?<=")https?://[^"\s]++(?=")|https?://[^\s,;"\'<>|]++', re.IGNORECASE)


def scan_list(text: str) -> Iterator[Reference]:
    """Yield the URLs of *text*."""
    for match in _URLS.finditer(text):
        yield Reference(match.start(), match.end(), match[0])
