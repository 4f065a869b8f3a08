"""Public URLs: what readers of e-mails load."""

from ..context import Context
from ..model import Skip, require
from ..reading import meta_of, text_of
from ..registry import Group
from ..sources import OTHER
from ..text import clean

group = Group('public', needs='public.works')
PAGE = 'File specific Meta'


@group.must('works', 'A public URL works without credentials', '200', PAGE, needs='metadata.public-url')
def works(context: Context) -> None:
    require(context.public.status == 200, str(context.public.status))


@group.must(
    'content',
    'A public URL shows the file that was uploaded',
    'the bytes of the source',
    PAGE,
    needs='public.works upload.file',
    changes=True,
)
def content(context: Context) -> None:
    known = context.picture.content
    if known is None:
        raise Skip('the content of the source is not known')
    require(context.public.body == known, f'{len(context.public.body)} other bytes')


@group.must(
    'size',
    'A file has the size that its metadata say',
    'size bytes',
    'Common Meta',
    needs='public.works metadata.file-size',
)
def size(context: Context) -> None:
    require(len(context.public.body) == context.file_meta['size'], f'{len(context.public.body)} bytes')


@group.should(
    'content-type',
    'A public URL has the type of the file',
    'Content-Type as mime-type says',
    PAGE,
    needs='public.works metadata.file-mime-type',
)
def content_type(context: Context) -> None:
    kind = context.public.content_type
    require(kind == text_of(context.file_meta, 'mime-type').lower(), clean(kind) or 'no Content-Type')


@group.should('https', 'Public URLs use HTTPS', 'https', PAGE, needs='metadata.public-url')
def https(context: Context) -> None:
    if context.is_local:
        raise Skip('the provider is on this machine')
    require(text_of(context.file_meta, 'public-url').startswith('https://'), 'http')


@group.must('secrets', 'Public URLs do not hold the password', 'no password', PAGE, needs='metadata.public-url')
def secrets(context: Context) -> None:
    password = context.options.password
    require(
        not password or password not in text_of(context.file_meta, 'public-url').partition('://')[2], 'the password'
    )


@group.should('head', 'HEAD works, as mail programs and proxies use it', '200', 'RFC 9110, 9.3.2', cost=1)
def head(context: Context) -> None:
    reply = context.client.fetch(text_of(context.file_meta, 'public-url'), 'HEAD')
    require(reply.status == 200, str(reply.status))


@group.should('cookies', 'Public URLs set no cookies', 'no Set-Cookie', 'general practice')
def cookies(context: Context) -> None:
    require('Set-Cookie' not in context.public.headers, 'Set-Cookie')


@group.may('validator', 'Public URLs can be revalidated', 'ETag or Last-Modified', 'RFC 9110, 8.8')
def validator(context: Context) -> None:
    headers = context.public.headers
    require('ETag' in headers or 'Last-Modified' in headers, 'neither')


@group.may(
    'not-modified', 'What has not changed is not sent again', '304', 'RFC 9110, 13', needs='public.validator', cost=1
)
def not_modified(context: Context) -> None:
    headers = context.public.headers
    condition = (
        {'If-None-Match': headers['ETag']} if 'ETag' in headers else {'If-Modified-Since': headers['Last-Modified']}
    )
    reply = context.client.fetch(text_of(context.file_meta, 'public-url'), headers=condition)
    require(reply.status == 304, str(reply.status))


@group.may('cache-control', 'Public URLs say how long they may be cached', 'Cache-Control or Expires', 'RFC 9111, 5')
def cache_control(context: Context) -> None:
    headers = context.public.headers
    require('Cache-Control' in headers or 'Expires' in headers, 'neither')


@group.should(
    'replaced',
    'After a replacement the new file is shown',
    'the new bytes',
    'Conflict strategies (current page)',
    needs='public.content conflicts.replace',
    changes=True,
    current=True,
    cost=5,
)
def replaced(context: Context) -> None:
    other = context.served(OTHER)
    context.new_file(path := f'{context.scratch}replaced.png')
    meta = meta_of(context.upload(path, other, 'replace'))
    reply = context.client.fetch(text_of(meta, 'public-url'))
    require(reply.body == other.content, f'{reply.status}, other bytes')


@group.may(
    'deleted',
    'A deleted file is not shown any more',
    '404 or 410',
    'Deleting a file',
    needs='public.works delete.file',
    changes=True,
    cost=4,
)
def deleted(context: Context) -> None:
    meta = context.new_file(path := f'{context.scratch}deleted.png')
    context.delete(path)
    reply = context.client.fetch(text_of(meta, 'public-url'))
    require(reply.status in {404, 410}, str(reply.status))
