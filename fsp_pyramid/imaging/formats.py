"""Formats: open pictures that may be hostile, and check their claims before Pillow allocates memory for the pixels.

Global settings of Pillow are left to ``worker``, which runs in a process of its own. These checks refuse most hostile
pictures before they cost anything; the limits of the worker process hold for the rest.
"""

import codecs
import copy  # noqa: F401 - the plugin of GIF imports it for a picture with several frames
import io
from functools import cache

# Some of these are imported because plugins import them for a picture that needs them.
from PIL import Image, ImageColor, ImagePalette, MpoImagePlugin  # noqa: F401
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile, DibImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.IcoImagePlugin import IcoFile, IcoImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TILELENGTH, TILEWIDTH, TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from ..media_types import HEAD, sniff
from .contract import TYPES, Unrenderable

MAX_PIXELS = 50_000_000
# Decoders of these hold two to four copies of a picture, that of JPEG 2000 with four bytes for each value.
_MAX_PIXELS = dict.fromkeys(('image/avif', 'image/tiff', 'image/webp'), 25_000_000) | {'image/jp2': 12_000_000}
MAX_SIDE = 65_535
"""Pixels: the longest side that a JPEG can have, and the longest that browsers show."""
# A header is read in some hundred pieces, pixels in some thousand. Millions of tiny pieces (comments, markers, chunks)
# are an attack: they take time, and a hundred times their size in memory.
_MAX_READS = 100_000
_MAX_SCANS = 100  # of a progressive JPEG; usual are 10
_MAX_WORK = 600_000_000  # pixels times scans: each scan of a progressive JPEG goes through all of its pixels
_MAX_EXIFS = 100  # in a JPEG, which Pillow joins one by one; usual is 1

_PLUGINS = (
    AvifImageFile, BmpImageFile, GifImageFile, IcoImageFile, Jpeg2KImageFile, JpegImageFile, PngImageFile,
    TiffImageFile, WebPImageFile,
)  # fmt: skip
# Pillow opens a file with the plugins for its type, and never with others: EPS would run Ghostscript.
_FORMATS: dict[str, tuple[str, ...]] = {Image.MIME[plugin.format]: (plugin.format,) for plugin in _PLUGINS}
_FORMATS['image/bmp'] += (DibImageFile.format,)
_FORMATS['image/apng'] = (PngImageFile.format,)
_FORMATS |= {'image/heic': ('HEIF',), 'image/heif': ('HEIF',)}


def open_picture(data: bytes) -> Image.Image:
    """Open the picture in *data* without decoding its pixels.

    Raises Unrenderable for types that are not rendered and for too large pictures; Pillow may raise any exception for
    broken ones.
    """
    type_ = sniff(data[:HEAD])
    if type_ is None or type_ not in TYPES:
        raise Unrenderable(f'its content is {type_ or "of no known type"}')
    scans = data.count(b'\xff\xda') if type_ == 'image/jpeg' else 1
    if scans > _MAX_SCANS or (type_ == 'image/jpeg' and data.count(b'Exif\0\0') > _MAX_EXIFS):
        raise Unrenderable('it is made of far more scans or EXIF segments than is usual')
    if type_ == 'image/x-icon':
        _check_size(_icon_size(data), type_)
    if _FORMATS[type_] == ('HEIF',):
        load_plugins()
    image = Image.open(_File(data), formats=_FORMATS[type_])
    _check_size(image.size, type_)
    if image.width * image.height * scans > _MAX_WORK:
        raise Unrenderable(f'its {scans} scans of {image.width} x {image.height} pixels are too much work')
    if isinstance(image, TiffImageFile) and TILEWIDTH in image.tag_v2:
        # Tiles may be larger than the picture.
        _check_size((image.tag_v2[TILEWIDTH], image.tag_v2[TILELENGTH]), type_)
    return image


def _check_size(size: tuple[int, int], type_: str) -> None:
    limit = _MAX_PIXELS.get(type_, MAX_PIXELS)
    if max(size) > MAX_SIDE:
        raise Unrenderable(f'its size is {size[0]} x {size[1]}, with a side of more than {MAX_SIDE:,} pixels')
    if size[0] * size[1] > limit:
        raise Unrenderable(f'its size is {size[0]} x {size[1]}, more than {limit:,} pixels of {type_}')


def _icon_size(data: bytes) -> tuple[int, int]:
    """Return the size of the picture that Pillow takes from an icon, which it decodes when it opens the icon.

    (A bitmap's height is doubled by its mask.)
    """
    entry = IcoFile(_File(data)).entry[0]
    file = _File(data[entry.offset :])
    is_png = sniff(data[entry.offset : entry.offset + 8]) == 'image/png'
    return (PngImageFile if is_png else DibImageFile)(file).size


class _File(io.BytesIO):
    """A file that limits the number of reads."""

    _reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self._reads += 1
        if self._reads > _MAX_READS:
            raise Unrenderable('it is made of far more pieces than is usual')
        return super().read(size)


@cache
def load_plugins() -> None:
    """Import all modules that opening pictures needs: afterwards no file has to be opened for them."""
    Image.preinit()
    for codec in ('ascii', 'latin-1', 'utf-8-sig', 'utf-16', 'utf-16-le', 'utf-16-be'):  # of texts in pictures
        codecs.lookup(codec)
    if 'image/heic' in TYPES:
        from pillow_heif import register_heif_opener

        register_heif_opener(decode_threads=1)
