"""Pictures of every kind that can be rendered, made on demand."""

import io
import struct
import zlib
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from PIL import Image, ImageCms, ImageDraw
from PIL.PngImagePlugin import PngInfo

RED, GREEN, BLUE, YELLOW = (220, 40, 30), (40, 160, 60), (40, 70, 210), (240, 210, 50)
CORNERS = (RED, GREEN, BLUE, YELLOW)  # clockwise from the upper left


def quarters(width: int = 300, height: int = 200, mode: str = 'RGB') -> Image.Image:
    """Return a picture of four colours, one in each quarter: every rotation of it looks different."""
    image = Image.new('RGB', (width, height))
    half, middle = width // 2, height // 2
    for colour, edges in zip(
        CORNERS,
        ((0, 0, half, middle), (half, 0, width, middle), (half, middle, width, height), (0, middle, half, height)),
        strict=True,
    ):
        image.paste(colour, edges)
    return image.convert(mode)


def ring(mode: str = 'RGBA') -> Image.Image:
    """Return a red disc with a hole; transparent pixels are green, which must not bleed into the edges."""
    image = Image.new('RGBA', (600, 600), (0, 255, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse((40, 40, 560, 560), (*RED, 255))
    draw.ellipse((200, 200, 400, 400), (0, 255, 0, 0))
    return image.convert(mode)


def ramp(mode: str, low: float, high: float) -> Image.Image:
    """Return a gradient from black at the left to white at the right, in values from *low* to *high*."""
    grey = Image.linear_gradient('L').rotate(90).convert('F').resize((300, 200))
    grey = grey.point(lambda value: value * ((high - low) / 255) + low)
    return grey if mode == 'F' else grey.convert('I').convert(mode)


def saved(image: Image.Image, format_: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format_, **options)
    return file.getvalue()


def turned_image(orientation: int) -> Image.Image:
    """Return a picture that looks like quarters() once its orientation is applied."""
    method = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}.get(orientation)
    image = quarters()
    exif = Image.Exif()
    exif[0x0112] = orientation
    if method is not None:
        image = image.transpose(method)
    image.info['exif'] = exif.tobytes()
    return image


def turned(orientation: int, format_: str = 'JPEG') -> bytes:
    image = turned_image(orientation)
    return saved(image, format_, exif=image.info['exif'])


def located() -> bytes:
    """Return a picture with GPS coordinates."""
    exif = Image.Exif()
    exif[0x010F] = 'Camera of Somebody'
    exif.get_ifd(0x8825)[1] = 'N'
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    return saved(quarters(), 'JPEG', exif=exif, comment=b'Comment of Somebody', xmp=b'<x>Xmp of Somebody</x>')


def profile(kind: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Return a colour profile of a kind that ImageCms cannot create."""
    white = struct.pack('>3I', 0xF6D6, 0x10000, 0xD32D)
    tags = {b'wtpt': b'XYZ \0\0\0\0' + white, **tags}
    table, body = b'', b''
    for name, tag in tags.items():
        table += name + struct.pack('>II', 132 + 12 * len(tags) + len(body), len(tag))
        body += tag + bytes(-len(tag) % 4)
    head = (
        struct.pack('>I4xI', 132 + len(table) + len(body), 0x02100000) + kind + bytes(12) + b'acsp' + bytes(28) + white
    )
    return head.ljust(128, b'\0') + struct.pack('>I', len(tags)) + table + body


def ink_profile() -> bytes:
    """Return a profile for CMYK in which every ink is grey: the more ink, the darker."""
    lab = b''.join(bytes((255 * (4 - sum(map(int, f'{inks:04b}'))) // 4, 128, 128)) for inks in range(16))
    line = bytes(range(256))
    identity = struct.pack('>9I', *(0x10000 if place % 4 == 0 else 0 for place in range(9)))
    table = b'mft1\0\0\0\0\4\3\2\0' + identity + line * 4 + lab + line * 3
    return profile(b'prtrCMYKLab ', {b'A2B0': table})


def grey_profile() -> bytes:
    """Return a profile for grey of gamma 1: 18 % of light is a middle grey."""
    return profile(b'mntrGRAYXYZ ', {b'kTRC': b'curv' + bytes(8)})


def linear_profile() -> bytes:
    """Return a profile with the colours of sRGB and a gamma of 1."""
    columns = {b'r': (0x6FA2, 0x38F5, 0x0390), b'g': (0x6299, 0xB785, 0x18DA), b'b': (0x24A0, 0x0F84, 0xB6CF)}
    tags = {name + b'XYZ': b'XYZ \0\0\0\0' + struct.pack('>3I', *column) for name, column in columns.items()}
    tags |= {name + b'TRC': b'curv' + bytes(8) for name in columns}
    return profile(b'mntrRGB XYZ ', tags)


def swapped_profile() -> bytes:
    """Return sRGB with the tags of red and blue exchanged, so that its use is obvious."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB')).tobytes()
    for one, other in ((b'rXYZ', b'bXYZ'), (b'rTRC', b'bTRC')):
        profile = profile.replace(one, b'????').replace(other, one).replace(b'????', other)
    return profile


def lab() -> Image.Image:
    profiles = ImageCms.createProfile('sRGB'), ImageCms.createProfile('LAB')
    return ImageCms.profileToProfile(quarters(), *profiles, outputMode='LAB')


def animation(format_: str) -> bytes:
    frames = [quarters(), *(Image.new('RGB', (300, 200), (value, value, value)) for value in (0, 90, 180))]
    return saved(frames[0], format_, save_all=True, append_images=frames[1:])


def long_animation() -> bytes:
    """Return a GIF of 5,000 frames."""
    gif = saved(quarters(60, 40, 'P'), 'GIF')
    frame = gif[gif.index(b',') : -1]
    return gif[:-1] + frame * 4999 + b';'


def chunk(type_: bytes, data: bytes) -> bytes:
    return struct.pack('>I', len(data)) + type_ + data + struct.pack('>I', zlib.crc32(type_ + data))


def deflated_zeros(width: int, height: int) -> bytes:
    """Return so many zeros compressed by zlib, assembled from one compressed row."""
    pack = zlib.compressobj(9, wbits=-15)
    row = pack.compress(bytes(width)) + pack.flush(zlib.Z_FULL_FLUSH)
    checksum = width * height % 65521 << 16 | 1
    return b'\x78\xda' + row * height + b'\3\0' + struct.pack('>I', checksum)


def flat_png(width: int, height: int) -> bytes:
    """Return a black PNG of any size, compressed a thousandfold."""
    pixels = deflated_zeros(width * 3 + 1, height)
    header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', pixels) + chunk(b'IEND', b'')


def plain_cmyk() -> bytes:
    """Return a CMYK JPEG without Adobe's marker; its values are inverted all the same, as is usual."""
    jpeg = saved(quarters(mode='CMYK'), 'JPEG')
    start = jpeg.index(b'\xff\xee')
    return jpeg[:start] + jpeg[start + 2 + int.from_bytes(jpeg[start + 2 : start + 4]) :]


def see_through(image: Image.Image, colour: int) -> bytes:
    return saved(image, 'PNG', transparency=colour)


def half_transparent_palette() -> bytes:
    palette = ring('RGB').quantize(4)
    alpha = [128] * 4
    alpha[palette.getpixel((0, 0))] = 0
    return saved(palette, 'PNG', transparency=bytes(alpha))


def png_with_text() -> bytes:
    info = PngInfo()
    info.add_text('Author', 'Text of Somebody' * 1000, zip=True)
    return saved(quarters(), 'PNG', pnginfo=info)


def cmyk_profile_of_rgb() -> bytes:
    return saved(quarters(mode='CMYK'), 'JPEG', icc_profile=swapped_profile())


def heic(image: Image.Image) -> bytes:
    from pillow_heif import register_heif_opener

    register_heif_opener()
    return saved(image, 'HEIF', exif=image.info.get('exif'), quality=90)


# Name: how to make it. All of them show something.
GOOD: dict[str, Callable[[], bytes]] = {
    'JPEG': lambda: saved(quarters(), 'JPEG'),
    'JPEG, progressive': lambda: saved(quarters(), 'JPEG', progressive=True),
    'JPEG, grey': lambda: saved(quarters(mode='L'), 'JPEG'),
    'JPEG, CMYK (Adobe)': lambda: saved(quarters(mode='CMYK'), 'JPEG'),
    'JPEG, CMYK (no Adobe)': plain_cmyk,
    'JPEG, CMYK, RGB profile': cmyk_profile_of_rgb,
    'JPEG, CMYK, profile of grey inks': lambda: saved(quarters(mode='CMYK'), 'JPEG', icc_profile=ink_profile()),
    'JPEG, swapped profile': lambda: saved(quarters(), 'JPEG', icc_profile=swapped_profile()),
    'JPEG, broken profile': lambda: saved(quarters(), 'JPEG', icc_profile=b'no profile at all'),
    'JPEG, GPS': located,
    'JPEG, broken EXIF': lambda: saved(quarters(), 'JPEG', exif=b'Exif\0\0II*\0\xff\xff\xff\xff\1\2'),
    **{f'JPEG, orientation {n}': (lambda n=n: turned(n)) for n in range(1, 9)},
    'PNG': lambda: saved(quarters(), 'PNG'),
    'PNG, orientation 6': lambda: turned(6, 'PNG'),
    'PNG, text': png_with_text,
    'PNG, RGBA': lambda: saved(ring(), 'PNG'),
    'PNG, LA': lambda: saved(ring('LA'), 'PNG'),
    'PNG, palette': lambda: saved(quarters(900, 600, 'P'), 'PNG'),
    'PNG, palette, transparent': lambda: saved(ring('P'), 'PNG', transparency=ring('P').getpixel((0, 0))),
    'PNG, palette, half transparent': half_transparent_palette,
    'PNG, 1 bit': lambda: saved(quarters(mode='1'), 'PNG'),
    'PNG, grey with a key': lambda: see_through(quarters(mode='L'), quarters(mode='L').getpixel((0, 0))),
    'PNG, 16 bits': lambda: saved(ramp('I;16', 0, 65535), 'PNG'),
    'PNG, grey, profile': lambda: saved(ramp('F', 0, 255).convert('L'), 'PNG', icc_profile=grey_profile()),
    'PNG, LA, profile': lambda: saved(ring('LA'), 'PNG', icc_profile=grey_profile()),
    'PNG, grey, RGB profile': lambda: saved(ramp('F', 0, 255).convert('L'), 'PNG', icc_profile=linear_profile()),
    'PNG, animated': lambda: animation('PNG'),
    'PNG, 3000 x 2': lambda: saved(quarters(3000, 2), 'PNG'),
    'PNG, 2 x 3000': lambda: saved(quarters(2, 3000), 'PNG'),
    'PNG, 1 x 1': lambda: saved(Image.new('RGB', (1, 1), RED), 'PNG'),
    'PNG, 49 megapixels': lambda: flat_png(7000, 7000),
    'GIF': lambda: saved(quarters(mode='P'), 'GIF'),
    'GIF, transparent': lambda: saved(ring(), 'GIF'),
    'GIF, animated': lambda: animation('GIF'),
    'GIF, 5,000 frames': long_animation,
    'WebP': lambda: saved(quarters(), 'WEBP'),
    'WebP, RGBA': lambda: saved(ring(), 'WEBP', lossless=True),
    'WebP, animated': lambda: animation('WEBP'),
    'WebP, orientation 6': lambda: turned(6, 'WEBP'),
    'AVIF': lambda: saved(quarters(), 'AVIF'),
    'AVIF, RGBA': lambda: saved(ring(), 'AVIF'),
    'AVIF, animated': lambda: animation('AVIF'),
    'AVIF, orientation 6': lambda: turned(6, 'AVIF'),
    'BMP': lambda: saved(quarters(), 'BMP'),
    'BMP, 1 bit': lambda: saved(quarters(mode='1'), 'BMP'),
    'BMP, palette': lambda: saved(quarters(mode='P'), 'BMP'),
    'ICO': lambda: saved(ring(), 'ICO'),
    'ICO, bitmaps': lambda: saved(ring(), 'ICO', bitmap_format='bmp'),
    'TIFF': lambda: saved(quarters(), 'TIFF'),
    'TIFF, LZW': lambda: saved(quarters(), 'TIFF', compression='tiff_lzw'),
    'TIFF, JPEG': lambda: saved(quarters(), 'TIFF', compression='jpeg'),
    'TIFF, orientation 6': lambda: turned(6, 'TIFF'),
    'TIFF, RGBA': lambda: saved(ring(), 'TIFF'),
    'TIFF, CMYK': lambda: saved(quarters(mode='CMYK'), 'TIFF'),
    'TIFF, LAB': lambda: saved(lab(), 'TIFF'),
    'TIFF, 1 bit (G4)': lambda: saved(quarters(mode='1'), 'TIFF', compression='group4'),
    'TIFF, 16 bits': lambda: saved(ramp('I;16', 0, 65535), 'TIFF'),
    'TIFF, 16 bits, big endian': lambda: saved(ramp('I;16B', 0, 65535), 'TIFF'),
    'TIFF, 32 bits': lambda: saved(ramp('I', -2_000_000, 2_000_000), 'TIFF'),
    'TIFF, float': lambda: saved(ramp('F', 0, 1), 'TIFF'),
    'TIFF, float, any range': lambda: saved(ramp('F', -9000, 120), 'TIFF', compression='tiff_deflate'),
    'TIFF, two pages': lambda: animation('TIFF'),
    'JPEG 2000': lambda: saved(quarters(), 'JPEG2000'),
    'DIB': lambda: saved(quarters(), 'DIB'),
}
# Browsers show the beginning of these, if they end early.
SHOWN = ['JPEG', 'JPEG, progressive', 'PNG', 'GIF']

if find_spec('pillow_heif'):
    GOOD['HEIC'] = lambda: heic(quarters())
    GOOD['HEIC, RGBA'] = lambda: heic(ring())
    GOOD['HEIC, orientation 6'] = lambda: heic(turned_image(6))
