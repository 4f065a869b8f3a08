"""Rendering: from a picture that may be hostile to a thumbnail, a small WebP.

A picture is opened with checks (``formats``), decoded at a smaller scale where its format permits (JPEG), reduced
strip by strip, then rotated upright, converted to sRGB and written without its metadata.

The application renders through ``worker_pool``, in worker processes.
"""

import io
from itertools import chain

from PIL import Image, ImageCms
from PIL.ExifTags import Base

from .contract import MAX_BYTES, Unrenderable
from .formats import open_picture

SIZE = 200
"""Pixels: thumbnails fit into a square of this size."""
_STRIP = 1_000_000  # pixels
_MAX_PROFILE = 4_000_000  # bytes; profiles of printing presses have about 2 MB
_ROTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def render_bytes(data: bytes) -> bytes:
    """Return a thumbnail (``contract.CONTENT_TYPE``) of the picture in *data*.

    Raises Unrenderable for a picture that cannot be decoded or is too large.
    """
    if len(data) > MAX_BYTES:
        raise Unrenderable(f'it has more than {MAX_BYTES:,} bytes')
    try:
        return _webp(_thumbnail(open_picture(data)))
    except Unrenderable:
        raise
    except Exception as error:
        # Pillow raises almost any exception for hostile input.
        raise Unrenderable(f'{type(error).__name__}: {error}') from error


def _thumbnail(image: Image.Image) -> Image.Image:
    mode, size = image.mode, _fitted(*image.size)
    image.draft(None, (2 * SIZE, 2 * SIZE))
    small = _shrunk(image, size)
    if small.mode in ('I', 'F'):
        small = _eight_bits(small, (0, 65535) if mode.startswith('I;16') else _extrema(small))
    rotation = _ROTATIONS.get(_orientation(image))
    return _srgb(small if rotation is None else small.transpose(rotation))


def _fitted(width: int, height: int) -> tuple[int, int]:
    scale = min(SIZE / max(width, height), 1)
    return max(round(width * scale), 1), max(round(height * scale), 1)


def _shrunk(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Scale the picture to *size*, in a mode whose values can be averaged.

    First by an integer factor, strip by strip, because the whole picture in another mode would take its memory again;
    the rest (a factor of two or more) is resampled.
    """
    image.load()
    width, height = image.size
    factor = max(max(width, height) // (2 * SIZE), 1)
    rows = max(_STRIP // (width * factor), 1) * factor
    strips = (image.crop((0, top, width, min(top + rows, height))) for top in range(0, height, rows))
    first = _averageable(next(strips)).reduce(factor)
    reduced = Image.new(first.mode, (-(-width // factor), -(-height // factor)))
    reduced.info = first.info
    for index, part in enumerate(chain([first], (_averageable(strip).reduce(factor) for strip in strips))):
        reduced.paste(part, (0, index * rows // factor))
    return reduced.resize(size, Image.Resampling.LANCZOS, (0, 0, width / factor, height / factor))


def _averageable(image: Image.Image) -> Image.Image:
    """Convert to a mode whose values can be averaged: no palette, no transparent colour, alpha premultiplied."""
    if image.mode.startswith('I;16'):
        return image.convert('I')
    if image.has_transparency_data:
        grey = image.mode in ('1', 'L', 'LA')
        return image.convert('LA' if grey else 'RGBA').convert('La' if grey else 'RGBa')
    return image.convert({'1': 'L', 'P': 'RGB'}.get(image.mode, image.mode))


def _eight_bits(image: Image.Image, extrema: tuple[float, float]) -> Image.Image:
    low, high = extrema
    scale = 255 / (high - low) if high > low else 0
    offset = 0.5 - low * scale
    return image.point(lambda value: value * scale + offset).convert('L')


def _extrema(image: Image.Image) -> tuple[float, float]:
    low, high = image.getextrema()
    return float(low), float(high)  # type: ignore[arg-type]  # pairs only for pictures of several bands


def _orientation(image: Image.Image) -> int:
    try:
        return image.getexif().get(Base.Orientation, 1)
    except Exception:  # noqa: BLE001 - Pillow raises almost any exception for broken EXIF, which spoils no picture
        return 1


def _srgb(image: Image.Image) -> Image.Image:
    """Convert to sRGB: mode RGB, or RGBA if the picture has an alpha channel."""
    if image.mode in ('La', 'RGBa'):
        image = image.convert(image.mode.upper())
        opaque = _srgb(image.convert(image.mode[:-1]))
        opaque.putalpha(image.getchannel('A'))
        return opaque
    if image.mode not in ('L', 'CMYK', 'LAB'):
        image = image.convert('RGB')
    target = ImageCms.createProfile('sRGB')
    try:
        profile = _profile(image)
        if profile and profile.profile.xcolor_space == 'RGB ' and image.mode == 'L':
            image = image.convert('RGB')
        if profile:
            return ImageCms.profileToProfile(image, profile, target, outputMode='RGB') or image
    except (ImageCms.PyCMSError, OSError):
        pass  # a broken profile, or one for another mode: browsers ignore it, too
    return image.convert('RGB')


def _profile(image: Image.Image) -> ImageCms.ImageCmsProfile | None:
    data = image.info.get('icc_profile')
    if data and len(data) <= _MAX_PROFILE:
        return ImageCms.ImageCmsProfile(io.BytesIO(data))
    return ImageCms.ImageCmsProfile(ImageCms.createProfile('LAB')) if image.mode == 'LAB' else None


def _webp(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, 'WEBP', quality=85)
    return file.getvalue()
