"""Contract of the application and its worker processes: what is rendered, and the messages between them.

Without Pillow, which only the workers load: it takes a tenth of the time in which the application starts.
"""

import struct
from importlib.util import find_spec

_HEIC = ('image/heic', 'image/heif')
TYPES = frozenset((
    'image/apng', 'image/avif', 'image/bmp', 'image/gif', 'image/jp2', 'image/jpeg', 'image/png', 'image/tiff',
    'image/webp', 'image/x-icon', *(_HEIC if find_spec('pillow_heif') else ()),
))  # fmt: skip
"""Mime types that are rendered. Those of HEIC are among them where the extra ``heic`` is installed."""
MAX_BYTES = 50_000_000
"""Bytes of a file, which is held in memory as a whole; fetching a larger one is useless."""
CONTENT_TYPE = 'image/webp'
"""Type of thumbnails. All browsers that Beefree's editor supports show it; it is small, and may be transparent."""

READY = b'r'
"""Message of a worker that waits for a picture."""
REQUEST = struct.Struct('>I')
"""Header of a picture: its size in bytes."""
ANSWER = struct.Struct('>?I')
"""Header of an answer: a flag for a thumbnail, and the bytes of it or of the reason for its absence."""
CPU = 20
"""Seconds of CPU time for each picture."""


class Unrenderable(Exception):
    """The file can have no thumbnail; the message is the reason for the log."""
