"""Deletion of files and of empty directories."""

from ..context import Context
from ..http import MALFORMED, Reply
from ..model import require
from ..registry import Group
from ..text import describe

group = Group('delete', needs='delete.file', changes=True)
FILE, DIRECTORY, STATUS = 'Deleting a file', 'Deleting a directory', 'Status codes'
SLASH = 'The trailing slash (/) on the request matters!'


def _null(reply: Reply) -> None:
    value = reply.json
    require(isinstance(value, dict), 'no JSON' if value is MALFORMED else describe(value))
    require(value.get('status') == 'success', f'status is {describe(value.get("status"))}')
    require(
        'data' in value and value['data'] is None,
        f'data is {describe(value["data"])}' if 'data' in value else 'no data',
    )


@group.must('file', 'A file can be deleted', 'success, then 404', FILE, needs='upload.file', cost=1)
def file(context: Context) -> None:
    require(context.deleted.is_success, context.deleted.summary)
    require(not context.exists(f'{context.scratch}delete.png'), f'{context.deleted.status}, but it is still there')


@group.must('file-status', 'Status of the deletion of a file', '200', STATUS)
def file_status(context: Context) -> None:
    require(context.deleted.status == 200, str(context.deleted.status))


@group.must(
    'file-data',
    'Answer to the deletion of a file',
    '{"status": "success", "data": null}',
    FILE,
    needs='delete.file-status',
)
def file_data(context: Context) -> None:
    _null(context.deleted)


@group.must('file-unlisted', 'A deleted file is not listed', 'not in the listing', FILE, cost=1)
def file_unlisted(context: Context) -> None:
    _ = context.deleted
    require('delete.png' not in context.names(context.scratch), 'it is listed')


@group.must('missing-file', 'A file that does not exist is not found', '404', STATUS, cost=1)
def missing_file(context: Context) -> None:
    reply = context.delete(f'{context.scratch}missing.png')
    require(reply.status == 404, reply.summary)


@group.must(
    'directory', 'An empty directory can be deleted', 'success, then 404', DIRECTORY, needs='directories.create', cost=1
)
def directory(context: Context) -> None:
    require(context.deleted_directory.is_success, context.deleted_directory.summary)
    there = context.exists(f'{context.scratch}delete/')
    require(not there, f'{context.deleted_directory.status}, but it is still there')


@group.must('directory-status', 'Status of the deletion of a directory', '200', STATUS, needs='delete.directory')
def directory_status(context: Context) -> None:
    require(context.deleted_directory.status == 200, str(context.deleted_directory.status))


@group.must(
    'directory-data',
    'Answer to the deletion of a directory',
    '{"status": "success", "data": null}',
    DIRECTORY,
    needs='delete.directory-status',
)
def directory_data(context: Context) -> None:
    _null(context.deleted_directory)


@group.must(
    'directory-unlisted',
    'A deleted directory is not listed',
    'not in the listing',
    DIRECTORY,
    needs='delete.directory',
    cost=1,
)
def directory_unlisted(context: Context) -> None:
    _ = context.deleted_directory
    require('delete/' not in context.names(context.scratch), 'it is listed')


@group.must(
    'missing-directory', 'A directory that does not exist is not found', '404', STATUS, needs='delete.directory', cost=1
)
def missing_directory(context: Context) -> None:
    reply = context.delete(f'{context.scratch}missing/')
    require(reply.status == 404, reply.summary)


@group.must(
    'not-empty',
    'A directory with a file in it is not deleted',
    'a refusal, and the file is there',
    DIRECTORY,
    needs='upload.file delete.directory',
    cost=6,
)
def not_empty(context: Context) -> None:
    path = context.new_directory('full')
    context.new_file(f'{path}file.png')
    reply = context.delete(path)
    require(not reply.is_success, reply.summary)
    require(context.exists(f'{path}file.png'), 'a refusal, but the file is gone')


@group.must(
    'not-empty-directory',
    'A directory with a directory in it is not deleted',
    'a refusal',
    DIRECTORY,
    needs='delete.not-empty',
    cost=5,
)
def not_empty_directory(context: Context) -> None:
    path = context.new_directory('outer')
    context.new_directory('outer/inner')
    reply = context.delete(path)
    require(not reply.is_success, reply.summary)


@group.should(
    'not-empty-status',
    "A directory that is not empty is refused as the client's mistake",
    '4xx',
    DIRECTORY,
    needs='delete.not-empty',
    cost=5,
)
def not_empty_status(context: Context) -> None:
    path = context.new_directory('filled')
    context.new_file(f'{path}file.png')
    reply = context.delete(path)
    require(reply.is_refusal, reply.summary)


@group.must(
    'file-as-directory',
    'A file with a slash is not deleted',
    '404, and the file is there',
    SLASH,
    needs='delete.directory upload.file',
    cost=4,
)
def file_as_directory(context: Context) -> None:
    context.new_file(path := f'{context.scratch}slash.png')
    reply = context.delete(f'{path}/')
    require(reply.status == 404, reply.summary)
    require(context.exists(path), '404, but the file is gone')


@group.must(
    'directory-as-file',
    'A directory without a slash is not deleted',
    '404, and the directory is there',
    SLASH,
    needs='delete.file',
    cost=4,
)
def directory_as_file(context: Context) -> None:
    path = context.new_directory('no-slash')
    reply = context.delete(path.rstrip('/'))
    require(reply.status == 404, reply.summary)
    require(context.exists(path), '404, but the directory is gone')


@group.should('again', 'A name can be used again after a deletion', 'success', FILE, cost=2)
def again(context: Context) -> None:
    _ = context.deleted
    reply = context.upload(f'{context.scratch}delete.png')
    require(reply.is_success, reply.summary)
