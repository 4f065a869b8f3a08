"""Logo of an application: a picture file of the installation, read at start."""

import hashlib
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from ..media_types import sniff_file

TYPES = ('image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/svg+xml')
MAX_SIZE = 1 << 20  # bytes


@dataclass(frozen=True)
class Logo:
    """Content of a logo and its media type."""

    content: bytes = field(repr=False)
    media_type: str

    @property
    def digest(self) -> str:
        """Hexadecimal digest of the content."""
        return hashlib.sha256(self.content).hexdigest()[:20]


def read_logo(text: str) -> Logo:
    """Return the logo in the file at the path *text*. Raises ValueError."""
    try:
        with Path(text).open('rb') as file:
            content = file.read(MAX_SIZE + 1)
    except OSError as error:
        raise ValueError(f'this file cannot be read: {error.strerror}') from None
    if len(content) > MAX_SIZE:
        raise ValueError('this file is larger than 1 MB')
    media_type = sniff_file(BytesIO(content))
    if media_type not in TYPES:
        raise ValueError('this file is no picture: use PNG, JPEG, GIF, WebP or SVG')
    return Logo(content, media_type)
