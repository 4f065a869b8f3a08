"""Directories: creation."""

from ..context import Context
from ..model import require
from ..reading import data_of, meta_of, text_of
from ..registry import Group
from ..text import clean, describe

group = Group('directories', needs='directories.create', changes=True)
PAGE, NOTES, STATUS = 'Creating a new directory', 'Create operation notes', 'Status codes'


@group.must(
    'create', 'A directory can be created', 'a directory that can be listed', PAGE, needs='listing.root', cost=2
)
def create(context: Context) -> None:
    context.require_directory()
    require(context.created.is_success, context.created.summary)
    reply = context.get(context.scratch)
    require(reply.is_success, f'{context.created.status}, but then its listing is {reply.summary}')


@group.must('status', 'Status of a creation', '201', STATUS)
def status(context: Context) -> None:
    require(context.created.status == 201, str(context.created.status))


@group.must('envelope', 'The new directory is described in data.meta', 'an object', PAGE)
def envelope(context: Context) -> None:
    data = data_of(context.created)
    require(isinstance(data, dict) and isinstance(data.get('meta'), dict), f'data is {describe(data)}')


@group.must(
    'path',
    'The metadata are those of the new directory',
    'its path',
    PAGE,
    needs='directories.envelope metadata.directory-path',
)
def path(context: Context) -> None:
    # The page's own example has no slash at the end of the path here.
    found = text_of(meta_of(context.created), 'path')
    require(found.rstrip('/') == context.scratch.rstrip('/'), f'path {clean(found, 80) or "missing"}')


@group.should(
    'path-slash', 'The path of the new directory ends with a slash', 'a slash', 'Common Meta', needs='directories.path'
)
def path_slash(context: Context) -> None:
    require(text_of(meta_of(context.created), 'path').endswith('/'), 'none')


@group.must('nested', 'A directory can be created in a new one', 'success', NOTES, cost=3)
def nested(context: Context) -> None:
    reply = context.create(path := f'{context.scratch}nested/')
    require(reply.is_success and context.exists(path), reply.summary)


@group.must('exists', 'A directory that exists is not created again', 'a refusal', NOTES)
def exists(context: Context) -> None:
    require(context.again.is_refusal or not context.again.is_success, context.again.summary)


@group.must('exists-status', 'Status for a directory that exists', '403', STATUS, needs='directories.exists')
def exists_status(context: Context) -> None:
    require(context.again.status == 403, context.again.summary)


@group.must('orphan', 'A directory is not created in one that does not exist', 'a refusal', NOTES, cost=1)
def orphan(context: Context) -> None:
    require(not context.orphan.is_success, context.orphan.summary)
    require(not context.exists(f'{context.scratch}missing/directory/'), 'a refusal, but it was created')


@group.must(
    'orphan-status', 'Status where the containing directory does not exist', '403', STATUS, needs='directories.orphan'
)
def orphan_status(context: Context) -> None:
    require(context.orphan.status == 403, context.orphan.summary)


@group.should(
    'orphan-code',
    'Error code where the containing directory does not exist',
    'code 3300',
    'Error codes',
    needs='directories.orphan-status',
)
def orphan_code(context: Context) -> None:
    require(context.orphan.code == 3300, context.orphan.summary)


@group.should(
    'file-in-the-way', 'A directory does not take the name of a file', 'a refusal', NOTES, needs='upload.file', cost=3
)
def file_in_the_way(context: Context) -> None:
    _ = context.uploaded
    reply = context.create(f'{context.file}/')
    require(not reply.is_success, reply.summary)
    require(context.exists(context.file), 'a refusal, but the file is gone')


@group.should(
    'keeps-files',
    'A refused creation changes nothing',
    'the file is there',
    NOTES,
    needs='upload.file directories.exists',
    cost=1,
)
def keeps_files(context: Context) -> None:
    _ = context.uploaded, context.again
    require(context.exists(context.file), 'the file in the directory is gone')
