"""Moves of files into other directories."""

from ..context import Context
from ..http import Reply
from ..model import require
from ..reading import data_of, meta_of, name_of, text_of
from ..registry import Group
from ..text import clean, describe

group = Group('move', needs='move.file', changes=True, current=True)
PAGE, CODES = 'Moving a file (current page)', 'Error codes'


def _conflict(context: Context, name: str) -> tuple[str, str]:
    """Make a file of that name here and in the subdirectory. Return the path here, and the directory."""
    context.new_file(path := f'{context.scratch}{name}')
    context.new_file(f'{context.subdirectory}{name}')
    return path, context.subdirectory


def _refused(reply: Reply) -> None:
    require(not reply.is_success, reply.summary)
    require(reply.is_refusal, f'{reply.summary}, as if the provider had failed')


@group.must('file', 'A file can be moved', 'the file in its new directory', PAGE, needs='upload.file', cost=1)
def file(context: Context) -> None:
    require(context.moved.is_success, context.moved.summary)
    require(context.exists(f'{context.subdirectory}move.png'), f'{context.moved.status}, but it is not there')


@group.must('status', 'Status of a move', '200', PAGE)
def status(context: Context) -> None:
    require(context.moved.status == 200, str(context.moved.status))


@group.must('envelope', 'The moved file is described in data.meta', 'an object', PAGE)
def envelope(context: Context) -> None:
    data = data_of(context.moved)
    require(isinstance(data, dict) and isinstance(data.get('meta'), dict), f'data is {describe(data)}')


@group.must('path', 'The metadata have the new path', 'the new path', PAGE, needs='move.envelope metadata.file-path')
def path(context: Context) -> None:
    found = text_of(meta_of(context.moved), 'path')
    require(found == f'{context.subdirectory}move.png', f'path {clean(found, 80) or "missing"}')


@group.must('gone', 'The file is not in its old directory any more', '404', PAGE, cost=1)
def gone(context: Context) -> None:
    require(not context.exists(f'{context.scratch}move.png'), 'it is there')


@group.must('size', 'The file is the same after a move', 'its size', PAGE, cost=1, needs='move.file upload.size')
def size(context: Context) -> None:
    before = meta_of(context.stat) or {}
    after = meta_of(context.get(f'{context.subdirectory}move.png')) or {}
    require(before.get('size') == after.get('size'), f'size {describe(after.get("size"))}')


@group.must(
    'public-url', 'The old public URL of a moved file works', '200', PAGE, needs='move.file public.works', cost=4
)
def public_url(context: Context) -> None:
    meta = context.new_file(path := f'{context.scratch}moved-url.png')
    reply = context.move(path, context.subdirectory)
    require(reply.is_success, reply.summary)
    answer = context.client.fetch(text_of(meta, 'public-url'))
    require(answer.status == 200, str(answer.status))


@group.must('missing', 'A file that does not exist is not found', '404', PAGE, cost=1)
def missing(context: Context) -> None:
    reply = context.move(f'{context.scratch}missing.png', context.subdirectory)
    require(reply.status == 404, reply.summary)


@group.must(
    'orphan', 'A file is not moved into a directory that does not exist', '4xx, and the file where it was', PAGE, cost=2
)
def orphan(context: Context) -> None:
    _refused(context.move(context.file, f'{context.scratch}missing/'))
    require(context.exists(context.file), 'a refusal, but the file is gone')


@group.must('conflict', 'A name that is taken is a conflict', '409', PAGE, cost=5)
def conflict(context: Context) -> None:
    reply = context.move(*_conflict(context, 'conflict.png'))
    require(reply.status == 409, reply.summary)


@group.must('conflict-code', 'A conflict has its code', 'code 3400', CODES, needs='move.conflict', cost=5)
def conflict_code(context: Context) -> None:
    reply = context.move(*_conflict(context, 'conflict-code.png'), 'ask')
    require(reply.code == 3400, reply.summary)


@group.must('conflict-unchanged', 'A conflict changes nothing', 'both files', PAGE, needs='move.conflict', cost=7)
def conflict_unchanged(context: Context) -> None:
    path, directory = _conflict(context, 'conflict-both.png')
    context.move(path, directory)
    require(context.exists(path), 'the file is gone')
    require(context.exists(f'{directory}conflict-both.png'), 'the file in the other directory is gone')


@group.must('ask', '"ask" is a conflict', '409', PAGE, needs='move.conflict', cost=5)
def ask(context: Context) -> None:
    reply = context.move(*_conflict(context, 'ask-move.png'), 'ask')
    require(reply.status == 409, reply.summary)


@group.should('cancel', 'An empty strategy cancels', '409', PAGE, needs='move.conflict', cost=5)
def cancel(context: Context) -> None:
    reply = context.move(*_conflict(context, 'cancel.png'), '')
    require(reply.status == 409, reply.summary)


@group.must('keep', '"keep" moves the file under another name', 'another name', PAGE, cost=6)
def keep(context: Context) -> None:
    path, directory = _conflict(context, 'keep-move.png')
    reply = context.move(path, directory, 'keep')
    require(reply.is_success, reply.summary)
    name = name_of(meta_of(reply) or {})
    require(name and name != 'keep-move.png', f'name {clean(name, 60) or "missing"}')
    require(context.exists(f'{directory}{name}'), 'no such file')


@group.must(
    'replace',
    '"replace" takes the place of the other file',
    'one file',
    PAGE,
    cost=7,
    needs='move.file listing.new-file listing.unique',
)
def replace(context: Context) -> None:
    path, directory = _conflict(context, 'replace-move.png')
    reply = context.move(path, directory, 'replace')
    require(reply.is_success, reply.summary)
    require(not context.exists(path), 'the file is still where it was')
    names = [name for name in context.names(directory) if name.startswith('replace-move')]
    require(len(names) == 1, f'{len(names)} files')


@group.should('same-place', 'A move to where the file is loses nothing', 'the file', PAGE, cost=4)
def same_place(context: Context) -> None:
    context.new_file(path := f'{context.scratch}same.png')
    context.move(path, context.scratch, 'replace')
    require(context.exists(path), 'it is gone')


@group.must('no-path', 'A body without a directory is refused', '4xx', PAGE, cost=1)
def no_path(context: Context) -> None:
    _refused(context.client.send('PATCH', context.file, {}))


@group.should('path-number', 'A directory that is no text is refused', '4xx', PAGE, cost=1)
def path_number(context: Context) -> None:
    _refused(context.client.send('PATCH', context.file, {'new_path': 5}))
