"""Placeholder that is shown while a thumbnail is being made."""

import io
from functools import cache

_SIZE = 200
_SCALE = 4  # Pillow draws no smooth edges
_CARD, _EDGE, _SIGN, _HINT = '#f4f5f7', '#e3e6ea', '#c3c9d1', '#d5dae0'


@cache
def placeholder() -> bytes:
    """Return a WebP of 200 x 200 pixels: a grey card with the sign of a picture and three dots."""
    from PIL import Image, ImageDraw  # few processes need it

    image = Image.new('RGBA', (_SIZE * _SCALE, _SIZE * _SCALE), _EDGE + '00')
    draw = ImageDraw.Draw(image)

    def box(left: float, top: float, right: float, bottom: float) -> tuple[float, ...]:
        return tuple(_SCALE * edge for edge in (left, top, right - 1 / _SCALE, bottom - 1 / _SCALE))

    def polygon(*points: tuple[float, float]) -> list[tuple[float, float]]:
        return [(_SCALE * x, _SCALE * y) for x, y in points]

    draw.rounded_rectangle(box(0, 0, 200, 200), 14 * _SCALE, _CARD, _EDGE, 2 * _SCALE)
    draw.rounded_rectangle(box(50, 48, 150, 126), 12 * _SCALE, outline=_SIGN, width=7 * _SCALE)
    draw.ellipse(box(70, 66, 86, 82), _SIGN)
    draw.polygon(polygon((64, 113), (84, 91), (94, 101), (113, 79), (137, 106), (137, 113)), _SIGN)
    for middle, colour in ((80, _SIGN), (100, _HINT), (120, _EDGE)):
        draw.ellipse(box(middle - 6, 146, middle + 6, 158), colour)
    file = io.BytesIO()
    image.reduce(_SCALE).save(file, 'WEBP', lossless=True)
    return file.getvalue()
