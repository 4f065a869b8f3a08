"""Files of which no thumbnail can be made: too large, broken, or no pictures at all."""

import struct
import zlib
from collections.abc import Callable

from .oddities import GOOD, chunk, deflated_zeros, flat_png, quarters, saved


def icon_of(png: bytes) -> bytes:
    """An icon that says that it is of 16 x 16 pixels, whatever the PNG in it is."""
    return struct.pack('<HHHBBBBHHII', 0, 1, 1, 16, 16, 0, 0, 1, 32, len(png), 22) + png


def tiled_tiff(tile: int) -> bytes:
    """A TIFF of 100 x 100 pixels in one tile that is much larger."""
    pixels = deflated_zeros(tile, tile)
    tags = {256: 100, 257: 100, 258: 8, 259: 8, 262: 1, 277: 1, 322: tile, 323: tile, 324: 0, 325: len(pixels)}
    tags[324] = 10 + 12 * len(tags) + 4
    entries = b''.join(struct.pack('<HHII', tag, 4, 1, value) for tag, value in tags.items())
    return b'II*\0' + struct.pack('<IH', 8, len(tags)) + entries + bytes(4) + pixels


def many_comments() -> bytes:
    gif = saved(quarters(60, 40, 'P'), 'GIF')
    start = gif.index(b',')
    return gif[:start] + b'!\xfe' + b'\1A' * 400_000 + b'\0' + gif[start:]


def many_chunks() -> bytes:
    png = saved(quarters(60, 40), 'PNG')
    return png[:33] + chunk(b'prVt', b'') * 100_000 + png[33:]


def many_scans() -> bytes:
    jpeg = saved(quarters(), 'JPEG', progressive=True)
    last = jpeg.rindex(b'\xff\xc4')
    return jpeg[:-2] + jpeg[last:-2] * 100 + jpeg[-2:]


def many_markers(marker: bytes, number: int) -> bytes:
    jpeg = saved(quarters(), 'JPEG')
    return jpeg[:2] + marker * number + jpeg[2:]


def cut(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def huge_text() -> bytes:
    png = saved(quarters(60, 40), 'PNG')
    return png[:33] + chunk(b'zTXt', b'Title\0\0' + zlib.compress(bytes(20_000_000))) + png[33:]


def big_header(format_: str) -> bytes:
    """A small picture that claims to be of 16,000 x 16,000 pixels."""
    data = bytearray(saved(quarters(), format_))
    if format_ == 'GIF':
        data[6:10] = struct.pack('<HH', 16000, 16000)
    elif format_ == 'BMP':
        data[18:26] = struct.pack('<II', 16000, 16000)
    elif format_ == 'JPEG':
        start = data.index(b'\xff\xc0') + 5
        data[start : start + 4] = struct.pack('>HH', 16000, 16000)
    elif format_ == 'AVIF':
        start = data.index(b'ispe') + 8
        data[start : start + 8] = struct.pack('>II', 16000, 16000)
    return bytes(data)


BAD: dict[str, Callable[[], bytes]] = {
    'nothing': lambda: b'',
    'text': lambda: b'Dear diary, this is no picture.\n' * 100,
    'SVG': lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>',
    'PDF': lambda: b'%PDF-1.7\n1 0 obj\n<<>>\nendobj\n',
    'EPS': lambda: b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n',
    'PPM': lambda: saved(quarters(), 'PPM'),
    'JPEG 2000': lambda: saved(quarters(), 'JPEG2000'),
    'PNG of 144 megapixels': lambda: flat_png(12000, 12000),
    'PNG of 50.4 megapixels': lambda: flat_png(7100, 7100),
    'ICO with 144 megapixels': lambda: icon_of(flat_png(12000, 12000)),
    'TIFF with a large tile': lambda: tiled_tiff(12000),
    **{
        f'{name} that claims 256 megapixels': (lambda name=name: big_header(name))
        for name in ('GIF', 'BMP', 'JPEG', 'AVIF')
    },
    'GIF, many comments': many_comments,
    'PNG, many chunks': many_chunks,
    'PNG, huge text': huge_text,
    'JPEG, many scans': many_scans,
    'JPEG, much EXIF': lambda: many_markers(b'\xff\xe1\0\x09Exif\0\0A', 101),
    'JPEG, many markers': lambda: many_markers(b'\xff\xe5\0\3A', 100_000),
    'too many bytes': lambda: saved(quarters(), 'PNG') + bytes(50_000_000),
    **{
        f'{name}, cut': (lambda name=name: cut(GOOD[name]()))
        for name in ('JPEG', 'JPEG, progressive', 'PNG', 'GIF', 'WebP', 'AVIF', 'BMP', 'ICO', 'TIFF')
    },
}
