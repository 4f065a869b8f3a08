"""Thumbnails: optional; if there are some, small pictures."""

import io
import warnings

from PIL import Image

from ..context import Context
from ..model import Skip, Unmet, require
from ..reading import text_of
from ..registry import Group
from ..sources import SMALL, TEXT
from ..text import clean

group = Group('thumbnails', needs='thumbnails.works')
PAGE = 'Displaying thumbnails'
_LONGEST = 200


def _size(body: bytes) -> tuple[int, int]:
    """Return width and height of a picture. Its pixels are not decoded."""
    try:
        with warnings.catch_warnings(action='ignore'), Image.open(io.BytesIO(body)) as image:
            return image.size
    except Exception as error:
        raise Unmet('something that is no picture') from error


@group.should('offered', 'A picture has a thumbnail', 'a thumbnail', PAGE, needs='upload.file', changes=True)
def offered(context: Context) -> None:
    require('thumbnail' in context.file_meta, 'none: Beefree shows an icon')


@group.must('works', 'A thumbnail can be loaded without credentials', '200', PAGE, needs='metadata.thumbnail')
def works(context: Context) -> None:
    require(context.thumbnail.status == 200, str(context.thumbnail.status))


@group.must('picture', 'A thumbnail is a picture', 'a picture', PAGE)
def picture(context: Context) -> None:
    _size(context.thumbnail.body)


@group.must(
    'bounds',
    'A thumbnail fits into a square of 200 px',
    f'at most {_LONGEST} x {_LONGEST}',
    PAGE,
    needs='thumbnails.picture',
)
def bounds(context: Context) -> None:
    width, height = _size(context.thumbnail.body)
    require(max(width, height) <= _LONGEST, f'{width} x {height}')


@group.should(
    'ratio',
    'A thumbnail keeps the aspect ratio',
    'that of the picture',
    PAGE,
    needs='thumbnails.picture upload.file',
    changes=True,
)
def ratio(context: Context) -> None:
    if context.picture.size is None:
        raise Skip('the size of the picture is not known')
    wide, high = context.picture.size
    width, height = _size(context.thumbnail.body)
    require(abs(width * high / wide - height) <= 1.5, f'{width} x {height} of {wide} x {high}')


@group.should('content-type', 'A thumbnail has the type of a picture', 'image/...', PAGE)
def content_type(context: Context) -> None:
    kind = context.thumbnail.content_type
    require(kind.startswith('image/'), clean(kind) or 'no Content-Type')


@group.may(
    'not-enlarged',
    'A small picture is not enlarged',
    '16 x 12',
    PAGE,
    needs='thumbnails.bounds upload.file',
    changes=True,
    cost=3,
)
def not_enlarged(context: Context) -> None:
    url = text_of(context.new_file(f'{context.scratch}small.png', context.served(SMALL)), 'thumbnail')
    if not url:
        raise Skip('a small picture has no thumbnail')
    width, height = _size(context.client.fetch(url).body)
    require((width, height) <= (16, 12), f'{width} x {height}')


@group.may(
    'text',
    'A text file has no thumbnail that is no picture',
    'no thumbnail, or a picture',
    PAGE,
    needs='upload.file',
    changes=True,
    cost=2,
)
def text(context: Context) -> None:
    url = text_of(context.new_file(f'{context.scratch}thumbnail.txt', context.served(TEXT)), 'thumbnail')
    if url:
        _size(context.client.fetch(url).body)
