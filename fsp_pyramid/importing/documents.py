"""Documents: templates and lists with references. Written with other URLs, they are the same bytes but for these."""

import codecs
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property  # noqa: TID251 - documents of one command

from .beefree import scan_json
from .html import scan_html
from .lists import scan_list
from .references import Reference, Scan, replace_urls

_SCANNERS: dict[str, Scan] = {
    '.json': scan_json,
    '.html': scan_html,
    '.htm': scan_html,
    '.xhtml': scan_html,
    '.txt': scan_list,
    '.csv': scan_list,
}
TEMPLATES = frozenset(('.json', '.html', '.htm', '.xhtml'))
LISTS = frozenset(('.txt', '.csv'))


class DocumentError(ValueError):
    """The document cannot be read; the message says why, and does not name it."""


@dataclass(frozen=True)
class Document:
    """A document.

    :param name: its suffix tells the format: ``.json`` (Beefree), ``.html``, ``.htm``, ``.xhtml``, ``.txt``, ``.csv``
    :param data: its bytes
    """

    name: str
    data: bytes

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """The references in it, in their order. Raises DocumentError."""
        scan = _SCANNERS.get('.' + self.name.rpartition('.')[2].lower())
        if scan is None:
            raise DocumentError(f'its name ends with none of {", ".join(_SCANNERS)}')
        try:
            return tuple(scan(self._text))
        except RecursionError as error:
            raise DocumentError('it is nested too deeply') from error
        except ValueError as error:
            raise DocumentError(f'it is no JSON: {error}') from error

    def rewritten(self, new: Callable[[str], str | None]) -> bytes:
        """Return the document with new URLs. See :func:`.references.replace_urls`. Raises DocumentError, ValueError."""
        return replace_urls(self._text, self.references, new).encode(self._encoding, 'surrogatepass')

    @cached_property
    def _text(self) -> str:
        return self.data.decode(self._encoding, 'surrogatepass')

    @cached_property
    def _encoding(self) -> str:
        """Encoding that gives the same bytes back."""
        if self.data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise DocumentError('it is UTF-16: save it as UTF-8')
        try:
            self.data.decode()
        except UnicodeDecodeError:
            return 'latin-1'  # of old exports; its URLs are ASCII in practice
        return 'utf-8'
