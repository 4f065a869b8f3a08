"""URLs of public files and thumbnails: computed from what a listing shows, never asked for."""

from ..content.links import Link, Signer, checksum_digits
from ..imaging.contract import TYPES
from ..model import Entry
from ..paths import quoted


class PublicURLs:
    """Make public URLs below *base*, which has no slash at its end."""

    def __init__(self, base: str, signer: Signer) -> None:
        self.base, self._signer = base, signer

    def file(self, account_key: str, entry: Entry) -> str:
        """Return the URL of a file, for people without credentials."""
        return self._url(self._signer.sign(_link(account_key, entry)), entry)

    def thumbnail(self, account_key: str, entry: Entry, mime_type: str) -> str | None:
        """Return the URL of the thumbnail of a file, None if its type has none. It changes with the content."""
        if mime_type not in TYPES or not entry.checksum:
            return None
        digits = checksum_digits(entry.checksum)
        return self._url(f'{self._signer.sign_thumbnail(_link(account_key, entry), digits)}/{digits}', entry)

    def _url(self, token: str, entry: Entry) -> str:
        return f'{self.base}/{token}/{quoted(entry.name)}'


def _link(account_key: str, entry: Entry) -> Link:
    return Link(account_key, entry.id or '')
