"""Opens pictures that may be hostile: what they claim is checked before Pillow takes memory for their pixels.

Nothing global of Pillow is touched, for that is the host's: not ``Image.MAX_IMAGE_PIXELS``, nor the filters of warnings
(which threads share). Between 89 and 179 megapixels Pillow warns, or raises where warnings are errors; such pictures
are refused here in any case. Its other warnings (of broken EXIF and the like) are only reasons to refuse a picture
where the host made warnings errors.
"""

import io
from functools import cache
from importlib.util import find_spec

from PIL import Image
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile, DibImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.IcoImagePlugin import IcoFile, IcoImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TILELENGTH, TILEWIDTH, TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from ..sources.types import HEAD, sniff

MAX_BYTES = 50_000_000
"""Bytes of a file, which is held in memory as a whole; there is no use in fetching a larger one."""
MAX_PIXELS = 50_000_000
# Their decoders hold a picture twice to four times. With these limits, a render takes 400 MB at the most. (But an AVIF
# may claim to be small and hold a frame of up to 268 megapixels, and neither libavif nor Pillow lets us forbid that.)
_MAX_PIXELS = dict.fromkeys(('image/avif', 'image/tiff', 'image/webp'), 25_000_000)
# A header is read in some hundred pieces, pixels in some thousand. Millions of tiny pieces (comments, markers, chunks)
# are made to take time, and a hundred times their size in memory.
_MAX_READS = 100_000
_MAX_SCANS = 100  # of a progressive JPEG, which is gone through as a whole for each of them; usual are 10
_MAX_EXIFS = 100  # in a JPEG, which Pillow joins one by one; usual is 1

_PLUGINS = (
    AvifImageFile, BmpImageFile, GifImageFile, IcoImageFile, JpegImageFile, PngImageFile, TiffImageFile, WebPImageFile,
)  # fmt: skip
# Pillow opens a file with the one plugin for its type, and never with others: EPS would run Ghostscript.
_FORMATS = {Image.MIME[plugin.format]: plugin.format for plugin in _PLUGINS}
if find_spec('pillow_heif'):
    _FORMATS |= {'image/heic': 'HEIF', 'image/heif': 'HEIF'}

TYPES = frozenset(_FORMATS)
"""Mime types that are rendered. Those of HEIC are among them where the extra ``heic`` is installed."""


class Unrenderable(Exception):
    """There is no thumbnail of this file, now or later; the message says why, for the log."""


def open_picture(data: bytes) -> Image.Image:
    """The picture that *data* holds; its pixels are not decoded yet.

    Raises Unrenderable for what is none of :data:`TYPES` or too large, and whatever Pillow raises for what is broken.
    """
    type_ = sniff(data[:HEAD])
    if type_ not in TYPES:
        raise Unrenderable(f'its content is {type_ or "of no known type"}')
    if type_ == 'image/jpeg' and (data.count(b'\xff\xda') > _MAX_SCANS or data.count(b'Exif\0\0') > _MAX_EXIFS):
        raise Unrenderable('it is made of far more scans or EXIF segments than is usual')
    if type_ == 'image/x-icon':
        _check_size(_icon_size(data), type_)
    if _FORMATS[type_] == 'HEIF':
        _register_heif()
    image = Image.open(_File(data), formats=(_FORMATS[type_],))
    _check_size(image.size, type_)
    if isinstance(image, TiffImageFile) and TILEWIDTH in image.tag_v2:
        # Tiles may be larger than the picture.
        _check_size((image.tag_v2[TILEWIDTH], image.tag_v2[TILELENGTH]), type_)
    return image


def _check_size(size: tuple[int, int], type_: str) -> None:
    limit = _MAX_PIXELS.get(type_, MAX_PIXELS)
    if size[0] * size[1] > limit:
        raise Unrenderable(f'its size is {size[0]} x {size[1]}, more than {limit:,} pixels of {type_}')


def _icon_size(data: bytes) -> tuple[int, int]:
    """The size of the picture that Pillow takes from an icon, which it decodes as soon as it opens the icon.

    (A bitmap's height is doubled by its mask.)
    """
    entry = IcoFile(_File(data)).entry[0]
    file = _File(data[entry.offset :])
    is_png = sniff(data[entry.offset : entry.offset + 8]) == 'image/png'
    return (PngImageFile if is_png else DibImageFile)(file).size


class _File(io.BytesIO):
    """A file that cannot be read in more than a certain number of pieces."""

    _reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self._reads += 1
        if self._reads > _MAX_READS:
            raise Unrenderable('it is made of far more pieces than is usual')
        return super().read(size)


@cache
def _register_heif() -> None:
    from pillow_heif import register_heif_opener

    register_heif_opener()
