"""Pictures for tests."""

import io
from functools import cache

from PIL import Image


@cache
def picture(width: int = 640, height: int = 480, kind: str = 'PNG') -> bytes:
    """Return a picture whose corners differ."""
    image = Image.linear_gradient('L').resize((width, height))
    file = io.BytesIO()
    Image.merge('RGB', (image, image.rotate(180), image.point(lambda value: 255 - value // 2))).save(file, kind)
    return file.getvalue()
