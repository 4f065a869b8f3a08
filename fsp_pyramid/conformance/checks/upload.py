"""Uploads: the provider fetches a file from its source."""

from concurrent.futures import ThreadPoolExecutor

from .. import sources
from ..context import Context
from ..http import Reply
from ..model import require
from ..reading import data_of, is_integer, meta_of, text_of
from ..registry import Group
from ..sources import Source
from ..text import clean, describe

group = Group('upload', needs='upload.file', changes=True)
PAGE, NOTES, STATUS = 'Uploading a file', 'Upload operation notes', 'Status codes'
_AT_ONCE = 4


def _stored(context: Context, name: str, source: Source) -> Reply:
    reply = context.upload(f'{context.scratch}{name}', source)
    require(reply.is_success, reply.summary)
    return reply


def _refused(reply: Reply) -> None:
    require(not reply.is_success, reply.summary)
    require(reply.is_refusal, f'{reply.summary}, as if the provider had failed')


@group.must('file', 'A file can be uploaded', 'a file that can be asked for', PAGE, needs='directories.create')
def file(context: Context) -> None:
    require(context.uploaded.is_success, context.uploaded.summary)
    require(context.stat.is_success, f'{context.uploaded.status}, but then GET is {context.stat.summary}')


@group.must('status', 'Status of an upload', '201', STATUS)
def status(context: Context) -> None:
    require(context.uploaded.status == 201, str(context.uploaded.status))


@group.must('envelope', 'The new file is described in data.meta', 'an object', PAGE)
def envelope(context: Context) -> None:
    data = data_of(context.uploaded)
    require(isinstance(data, dict) and isinstance(data.get('meta'), dict), f'data is {describe(data)}')


@group.must(
    'path', 'The metadata are those of the new file', 'its path', PAGE, needs='upload.envelope metadata.file-path'
)
def path(context: Context) -> None:
    found = text_of(meta_of(context.uploaded), 'path')
    require(found == context.file, f'path {clean(found, 80) or "missing"}')


@group.must(
    'size',
    'The size is that of the source',
    'the number of bytes',
    'Common Meta',
    needs='upload.file metadata.file-size',
)
def size(context: Context) -> None:
    content, found = context.picture.content, (meta_of(context.stat) or {}).get('size')
    require(is_integer(found) if content is None else found == len(content), describe(found))


@group.must(
    'mime-type',
    'The type is that of the picture',
    'image/...',
    'Common Meta',
    needs='upload.file metadata.file-mime-type',
)
def mime_type(context: Context) -> None:
    found = (meta_of(context.stat) or {}).get('mime-type')
    require(isinstance(found, str) and found.startswith('image/'), describe(found))


@group.must('orphan', 'A file is not stored in a directory that does not exist', 'a refusal', NOTES, cost=1)
def orphan(context: Context) -> None:
    reply = context.orphan_file
    require(not reply.is_success, reply.summary)
    require(not context.exists(f'{context.scratch}missing/file.png'), 'a refusal, but it was stored')


@group.must('orphan-status', 'Status where the directory does not exist', '403', STATUS, needs='upload.orphan')
def orphan_status(context: Context) -> None:
    require(context.orphan_file.status == 403, context.orphan_file.summary)


@group.must('broken-source', 'A source that is not found is no upload', 'an error', NOTES)
def broken_source(context: Context) -> None:
    require(not context.broken.is_success, context.broken.summary)


@group.must(
    'broken-source-leaves-nothing',
    'Nothing is stored where the source is not found',
    '404',
    NOTES,
    needs='upload.broken-source',
    cost=1,
)
def broken_source_leaves_nothing(context: Context) -> None:
    _ = context.broken
    require(not context.exists(f'{context.scratch}broken.png'), 'a file')


@group.should(
    'broken-source-code',
    'A source that is not found has its error code',
    '422, code 3450',
    'Error codes',
    needs='upload.broken-source',
)
def broken_source_code(context: Context) -> None:
    require((context.broken.status, context.broken.code) == (422, 3450), context.broken.summary)


@group.must('no-source', 'A body without a source is refused', '4xx', PAGE, cost=2)
def no_source(context: Context) -> None:
    _refused(context.post(f'{context.scratch}none.png', {}))


@group.must('no-json', 'A body that is no JSON is refused', '4xx', 'Getting Started: data formats', cost=2)
def no_json(context: Context) -> None:
    _refused(context.post(f'{context.scratch}none.png', raw=b'{"source": '))


@group.should('array', 'A body that is an array is refused', '4xx', 'Getting Started: data formats', cost=2)
def array(context: Context) -> None:
    _refused(context.post(f'{context.scratch}none.png', [1, 2]))


@group.should('source-number', 'A source that is no text is refused', '4xx', PAGE, cost=2)
def source_number(context: Context) -> None:
    _refused(context.post(f'{context.scratch}none.png', {'source': 5}))


@group.should('source-scheme', 'A source that is no web address is refused', '4xx', PAGE, cost=2)
def source_scheme(context: Context) -> None:
    _refused(context.post(f'{context.scratch}none.png', {'source': 'file:///etc/hostname'}))


@group.should('more-fields', 'More fields in the body are ignored', 'success', PAGE, cost=2)
def more_fields(context: Context) -> None:
    reply = context.post(f'{context.scratch}more.png', {'source': context.picture.url, 'fsp-check': {'a': [1]}})
    require(reply.is_success, reply.summary)


@group.should(
    'text',
    'A text file can be uploaded',
    'text/plain',
    'Common Meta',
    cost=2,
    needs='upload.file metadata.file-mime-type',
)
def text(context: Context) -> None:
    reply = _stored(context, 'text.txt', context.served(sources.TEXT))
    require(text_of(meta_of(reply), 'mime-type') == 'text/plain', describe((meta_of(reply) or {}).get('mime-type')))


@group.should(
    'jpeg', 'A photo can be uploaded', 'image/jpeg', 'Common Meta', cost=2, needs='upload.file metadata.file-mime-type'
)
def jpeg(context: Context) -> None:
    reply = _stored(context, 'photo.jpg', context.served(sources.JPEG))
    require(text_of(meta_of(reply), 'mime-type') == 'image/jpeg', describe((meta_of(reply) or {}).get('mime-type')))


@group.should(
    'no-suffix',
    'A picture whose name has no suffix is a picture',
    'image/...',
    'Image editor (current page)',
    cost=2,
    current=True,
    needs='upload.file metadata.file-mime-type',
)
def no_suffix(context: Context) -> None:
    reply = _stored(context, '6f1c2a3e-picture', context.picture)
    require(
        text_of(meta_of(reply), 'mime-type').startswith('image/'), describe((meta_of(reply) or {}).get('mime-type'))
    )


@group.must('signed-source', 'The query of a source is kept as it is', 'success', PAGE, cost=2)
def signed_source(context: Context) -> None:
    _stored(context, 'signed.png', context.served(sources.SIGNED))


@group.may('redirected-source', 'A source may be behind a redirect', 'success', PAGE, cost=2)
def redirected_source(context: Context) -> None:
    _stored(context, 'redirected.png', context.served(sources.REDIRECT))


@group.should(
    'at-once',
    'Several files can be uploaded at once',
    f'{_AT_ONCE} files',
    NOTES,
    cost=9,
    needs='upload.file listing.new-file',
)
def at_once(context: Context) -> None:
    source = context.picture
    names = [f'at-once-{number}.png' for number in range(_AT_ONCE)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        replies = list(pool.map(lambda name: context.upload(f'{context.scratch}{name}', source), names))
    for reply in replies:
        require(reply.is_success, reply.summary)
    there = set(names) & set(context.names(context.scratch))
    require(len(there) == _AT_ONCE, f'{len(there)} of them')
