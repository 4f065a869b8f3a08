"""Metadata: the fields of directories and files, and their types."""

import re
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from ..context import Context
from ..model import Skip, require
from ..reading import DIRECTORY_TYPE, Meta, data_of, is_directory, is_integer, meta_of, metas_of, name_of, text_of
from ..registry import Group
from ..text import clean, describe

group = Group('metadata', needs='listing.root')
COMMON, FILE, DIRECTORY = 'Common Meta', 'File specific Meta', 'Directory specific Meta'
_DAY = 24 * 3600 * 1000
_MILLISECONDS = 100_000_000_000  # a smaller number of milliseconds is before 1973: those are seconds
_URL = re.compile(r"https?://[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")


def _directories(context: Context) -> Iterator[Meta]:
    """Yield the metadata of the root, if it has some, and of the directories in it.

    Not those of a new directory: in the page's own example their path has no slash at its end.
    """
    if meta := meta_of(context.root):
        yield meta
    yield from (meta for meta in metas_of(context.root) if is_directory(meta))


def _each(context: Context, field: str, holds: Callable[[object], object]) -> None:
    """Require that *field* of all directories *holds*."""
    metas = list(_directories(context))
    if not metas:
        raise Skip('there is no directory to look at')
    for meta in metas:
        _field(meta, field, holds)


def _field(meta: Meta, field: str, holds: Callable[[object], object]) -> None:
    value = describe(meta[field]) if field in meta else f'no {field}'
    name = clean(name_of(meta), 60)
    require(field in meta and holds(meta[field]), f'{value} (on "{name}")' if name else value)


def _is_time(value: object) -> bool:
    return is_integer(value) and (value == 0 or value >= _MILLISECONDS)  # type: ignore[operator]


@group.must('directory-mime-type', 'mime-type of directories', DIRECTORY_TYPE, COMMON)
def directory_mime_type(context: Context) -> None:
    _each(context, 'mime-type', lambda value: value == DIRECTORY_TYPE)


@group.must('directory-name', 'name of directories', 'text', COMMON)
def directory_name(context: Context) -> None:
    _each(context, 'name', lambda value: isinstance(value, str) and value)


@group.must('directory-path', 'path of directories', 'text with a slash at both ends', COMMON)
def directory_path(context: Context) -> None:
    _each(context, 'path', lambda value: isinstance(value, str) and value[:1] == value[-1:] == '/')


@group.must('directory-last-modified', 'last-modified of directories', 'an integer', COMMON)
def directory_last_modified(context: Context) -> None:
    _each(context, 'last-modified', is_integer)


@group.must(
    'directory-milliseconds',
    'last-modified of directories is in milliseconds',
    'UNIX milliseconds',
    COMMON,
    needs='metadata.directory-last-modified',
)
def directory_milliseconds(context: Context) -> None:
    _each(context, 'last-modified', _is_time)


@group.must('directory-size', 'size of directories', '0', COMMON)
def directory_size(context: Context) -> None:
    _each(context, 'size', lambda value: is_integer(value) and value == 0)


@group.must('directory-permissions', 'permissions of directories', 'ro or rw', COMMON)
def directory_permissions(context: Context) -> None:
    _each(context, 'permissions', lambda value: value in ('ro', 'rw'))


@group.should('directory-extra', 'extra of directories', 'an object', COMMON)
def directory_extra(context: Context) -> None:
    _each(context, 'extra', lambda value: isinstance(value, dict))


@group.may('item-count', 'item-count of directories', 'an integer, 0 if it is not known', DIRECTORY)
def item_count(context: Context) -> None:
    _each(context, 'item-count', lambda value: is_integer(value) and value >= 0)  # type: ignore[operator]


@group.must('root-path', 'path of the root', '/', 'Listing Directories', needs='listing.meta metadata.directory-path')
def root_path(context: Context) -> None:
    _field(meta_of(context.root) or {}, 'path', lambda value: value == '/')


@group.may('root-name', 'name of the root', 'root', 'Listing Directories', needs='listing.meta metadata.directory-name')
def root_name(context: Context) -> None:
    _field(meta_of(context.root) or {}, 'name', lambda value: value == 'root')


@group.must(
    'file-envelope',
    'Metadata of a file stand in data.meta',
    'an object',
    'Meta data',
    needs='upload.file',
    changes=True,
)
def file_envelope(context: Context) -> None:
    data = data_of(context.stat)
    require(isinstance(data, dict) and isinstance(data.get('meta'), dict), f'data is {describe(data)}')


@group.must('file-mime-type', 'mime-type of files', 'type/subtype', COMMON)
def file_mime_type(context: Context) -> None:
    _field(context.file_meta, 'mime-type', lambda value: re.fullmatch(r'[\w.+-]+/[\w.+-]+', str(value)))


@group.must('file-name', 'name of files', 'last segment of the path', COMMON)
def file_name(context: Context) -> None:
    path = text_of(context.file_meta, 'path')
    _field(context.file_meta, 'name', lambda value: value and value == path.rpartition('/')[2])


@group.must('file-path', 'path of files', 'absolute, without a slash at its end', COMMON)
def file_path(context: Context) -> None:
    _field(context.file_meta, 'path', lambda value: re.fullmatch(r'(?s)/.*[^/]', str(value)))


@group.must('file-last-modified', 'last-modified of files', 'an integer', COMMON)
def file_last_modified(context: Context) -> None:
    _field(context.file_meta, 'last-modified', is_integer)


@group.must(
    'file-milliseconds',
    'last-modified of files is in milliseconds',
    'UNIX milliseconds',
    COMMON,
    needs='metadata.file-last-modified',
)
def file_milliseconds(context: Context) -> None:
    _field(context.file_meta, 'last-modified', _is_time)


@group.should(
    'file-now',
    'A new file was modified now',
    'within a day',
    COMMON,
    needs='metadata.file-milliseconds upload.file',
    changes=True,
)
def file_now(context: Context) -> None:
    now = time.time() * 1000
    _field(meta_of(context.stat) or {}, 'last-modified', lambda value: abs(int(str(value)) - now) < _DAY)


@group.must('file-size', 'size of files', 'an integer', COMMON)
def file_size(context: Context) -> None:
    _field(context.file_meta, 'size', lambda value: is_integer(value) and value >= 0)  # type: ignore[operator]


@group.must('file-permissions', 'permissions of files', 'ro or rw', COMMON)
def file_permissions(context: Context) -> None:
    _field(context.file_meta, 'permissions', lambda value: value in ('ro', 'rw'))


@group.should('file-extra', 'extra of files', 'an object', COMMON)
def file_extra(context: Context) -> None:
    _field(context.file_meta, 'extra', lambda value: isinstance(value, dict))


@group.should(
    'can-move',
    'Files say whether they can be moved',
    'extra.can-move: true or false',
    'Moving a file (current page)',
    needs='metadata.file-extra',
    current=True,
)
def can_move(context: Context) -> None:
    _field(context.file_meta['extra'], 'can-move', lambda value: isinstance(value, bool))


@group.must('public-url', 'public-url of files', 'an absolute URL', FILE)
def public_url(context: Context) -> None:
    _field(context.file_meta, 'public-url', _is_url)


@group.must(
    'public-url-encoded', 'public-url is url-encoded', 'characters of URLs only', FILE, needs='metadata.public-url'
)
def public_url_encoded(context: Context) -> None:
    require(_URL.fullmatch(text_of(context.file_meta, 'public-url')), 'other characters')


@group.must('thumbnail', 'thumbnail of files, if there is one', 'an absolute URL, or no field', FILE)
def thumbnail(context: Context) -> None:
    if 'thumbnail' not in context.file_meta:
        raise Skip('the file has no thumbnail, which is optional')
    _field(context.file_meta, 'thumbnail', _is_url)


@group.must(
    'thumbnail-encoded', 'thumbnail is url-encoded', 'characters of URLs only', FILE, needs='metadata.thumbnail'
)
def thumbnail_encoded(context: Context) -> None:
    require(_URL.fullmatch(text_of(context.file_meta, 'thumbnail')), 'other characters')


@group.must(
    'consistent',
    'A file has the same metadata alone and in listings',
    'the same',
    'Meta data',
    needs='listing.new-file',
    changes=True,
)
def consistent(context: Context) -> None:
    alone = meta_of(context.stat) or {}
    listed = next(meta for meta in metas_of(context.contents) if name_of(meta) == 'picture.png')
    differing = [
        name for name in ('name', 'path', 'size', 'mime-type', 'last-modified') if alone.get(name) != listed.get(name)
    ]
    require(not differing, f'another {", ".join(differing)}')


def _is_url(value: object) -> bool:
    return isinstance(value, str) and urlsplit(value).scheme in {'http', 'https'} and bool(urlsplit(value).netloc)
