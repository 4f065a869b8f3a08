"""Files that cannot be rendered: too large, broken, or no pictures at all."""

import base64
import struct
import zlib
from collections.abc import Callable

from PIL import Image

from .oddities import (
    GOOD,
    chunk,
    deflated_zeros,
    flat_png,
    quarters,
    saved,
)


def icon_of(png: bytes) -> bytes:
    """Return an icon that claims 16 x 16 pixels, with a PNG of any size."""
    return struct.pack('<HHHBBBBHHII', 0, 1, 1, 16, 16, 0, 0, 1, 32, len(png), 22) + png


def tiled_tiff(tile: int) -> bytes:
    """Return a TIFF of 100 x 100 pixels in one tile that is much larger."""
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


def many_scans(image: Image.Image, number: int) -> bytes:
    jpeg = saved(image, 'JPEG', progressive=True)
    last = jpeg.rindex(b'\xff\xc4')
    return jpeg[:-2] + jpeg[last:-2] * number + jpeg[-2:]


def many_markers(marker: bytes, number: int) -> bytes:
    jpeg = saved(quarters(), 'JPEG')
    return jpeg[:2] + marker * number + jpeg[2:]


def cut(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


# An AVIF that claims to be of 200 x 200 pixels, and whose frame has 268 megapixels. It took a gigabyte to make:
# Pillow wrote a flat picture of 16384 x 16383 pixels, whose "ispe" was changed then.
LYING_AVIF = zlib.decompress(base64.b85decode(
    'c-muNU{FXasVqn=%S>Yc0uY^>nP!-'
    'qnV9D5Xy^nKdYzkElE?r7iWw<6MNl?FL1uCZ0~+8f$SlbPvlxL`E;A=T8N_h`@fjhajKT~IJa>U?jm*rvG`LzRASaax%1bOWFm%q'
    '($p_n&m03_!0HnP$3zGAJv`A)gK`PX~6HqKrkXexl5@6=w-'
    '~duQiDib)jq*GoA>riwoT9wsoC=`HybNp&Kq2wWf?SxNfDU6}WNKysYI>TRl2{_dz{M^9z5f6IpNp8JcsYztOG*eDK72USp@~C%f'
    '&&9X()n|NYqczIzmjKvDyO{ZO<7r#0+UX3`P--Avwv~2xG(kLxUlmL)9jQgqccrkyj9O^x*{MJdsJkyIrEIHl}{gNceR^{FRaX|4'
    'So50$^AN0n;RZ;+csMFrF-'
    '`tIv91vf0LW{kCgN0BFdS*xou(!W3rhui#7WG!h1)jC`Ep~ept1zzKpx1SoY1~wkJO~%$_UFm|XRs{m{eInyME&^yH=o#M}_;{dg'
    'c;lrKZy>C=s0t1o}|-1jG|a>GPx-lTGwbJL|;o3_rFpVBk^!>BEzwv5^`YRjlCqqdCNGHT1HEu*%K+A>hK(8Uq}a(>W%'
))  # fmt: skip


def big_header(format_: str) -> bytes:
    """Return a small picture that claims 16,000 x 16,000 pixels."""
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
    'JPEG, many scans': lambda: many_scans(quarters(), 100),
    'JPEG, many scans of many pixels': lambda: many_scans(Image.new('L', (5000, 5000)), 30),
    'PNG with a long side': lambda: flat_png(70_000, 2),
    'JPEG, much EXIF': lambda: many_markers(b'\xff\xe1\0\x09Exif\0\0A', 101),
    'JPEG, many markers': lambda: many_markers(b'\xff\xe5\0\3A', 100_000),
    'too many bytes': lambda: saved(quarters(), 'PNG') + bytes(50_000_000),
    **{f'{name}, cut': (lambda name=name: cut(GOOD[name]())) for name in ('WebP', 'AVIF')},
}
