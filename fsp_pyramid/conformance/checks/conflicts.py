"""Conflicts: uploads onto a name that is taken."""

from .. import sources
from ..context import Context
from ..http import Reply
from ..model import require
from ..reading import meta_of, name_of, text_of
from ..registry import Group
from ..sources import Source
from ..text import clean

group = Group('conflicts', needs='upload.file', changes=True, current=True)
NOTES, PAGE, CODES = 'Upload operation notes', 'Conflict strategies (current page)', 'Error codes'


def _other(context: Context) -> Source:
    return context.server.source(sources.OTHER) if context.server else context.picture


def _begin(context: Context, name: str) -> str:
    context.new_file(path := f'{context.scratch}{name}')
    return path


def _size(context: Context, path: str) -> object:
    return (meta_of(context.get(path)) or {}).get('size')


def _stored(reply: Reply) -> str:
    require(reply.is_success, reply.summary)
    return name_of(meta_of(reply) or {})


@group.must(
    'plain',
    'Without a strategy a file that exists is replaced, kept beside, or refused',
    'success or 403',
    NOTES,
    cost=4,
    current=False,
)
def plain(context: Context) -> None:
    reply = context.upload(_begin(context, 'plain.png'), _other(context))
    require(reply.is_success or reply.status in {403, 409}, reply.summary)


@group.must(
    'coherent',
    'The metadata after a conflict are those of the file that was stored',
    'a file at its path',
    NOTES,
    needs='conflicts.plain upload.size upload.path',
    cost=5,
    current=False,
)
def coherent(context: Context) -> None:
    source = _other(context)
    reply = context.upload(_begin(context, 'coherent.png'), source)
    if not reply.is_success:
        return
    path = text_of(meta_of(reply), 'path')
    require(path.startswith(context.scratch), f'path {clean(path, 80) or "missing"}')
    size = _size(context, path)
    require(
        size is not None and (source.content is None or size == len(source.content)),
        f'size {size} at {clean(path, 80)}',
    )


@group.must('keep', '"keep" stores the file under another name', 'another name', PAGE, cost=4)
def keep(context: Context) -> None:
    name = _stored(context.upload(_begin(context, 'keep.png'), _other(context), 'keep'))
    require(name and name != 'keep.png', f'name {clean(name, 60) or "missing"}')


@group.must(
    'keep-old', '"keep" leaves the old file as it was', 'its size', PAGE, needs='conflicts.keep upload.size', cost=6
)
def keep_old(context: Context) -> None:
    before = _size(context, path := _begin(context, 'old.png'))
    context.upload(path, _other(context), 'keep')
    require(_size(context, path) == before, 'another file')


@group.should('keep-number', '"keep" counts', 'number_1.png', PAGE, needs='conflicts.keep', cost=4)
def keep_number(context: Context) -> None:
    name = _stored(context.upload(_begin(context, 'number.png'), _other(context), 'keep'))
    require(name == 'number_1.png', clean(name, 60))


@group.must(
    'keep-again',
    '"keep" twice makes two more files',
    'three names',
    PAGE,
    needs='conflicts.keep listing.new-file',
    cost=7,
)
def keep_again(context: Context) -> None:
    path = _begin(context, 'again.png')
    names = {'again.png', *(_stored(context.upload(path, _other(context), 'keep')) for _ in range(2))}
    require(len(names) == 3 and names <= set(context.names(context.scratch)), f'{len(names)} names')


@group.must('keep-free', '"keep" keeps a name that is free', 'the name', PAGE, cost=2)
def keep_free(context: Context) -> None:
    name = _stored(context.upload(f'{context.scratch}free.png', strategy='keep'))
    require(name == 'free.png', clean(name, 60) or 'no name')


@group.must('replace', '"replace" replaces', 'the new file under the same name', PAGE, cost=5, needs='upload.size')
def replace(context: Context) -> None:
    source = _other(context)
    name = _stored(context.upload(path := _begin(context, 'replace.png'), source, 'replace'))
    require(name == 'replace.png', f'name {clean(name, 60) or "missing"}')
    require(source.content is None or _size(context, path) == len(source.content), 'the old file')


@group.must(
    'replace-count',
    '"replace" makes no second file',
    'one file',
    PAGE,
    needs='conflicts.replace listing.new-file listing.unique',
    cost=5,
)
def replace_count(context: Context) -> None:
    _stored(context.upload(_begin(context, 'count.png'), _other(context), 'replace'))
    names = [name for name in context.names(context.scratch) if name.startswith('count')]
    require(len(names) == 1, f'{len(names)} files')


@group.should('replace-url', '"replace" keeps the public URL', 'the same URL', PAGE, needs='conflicts.replace', cost=4)
def replace_url(context: Context) -> None:
    before = context.new_file(path := f'{context.scratch}url.png')
    after = meta_of(context.upload(path, _other(context), 'replace')) or {}
    require(text_of(before, 'public-url') == text_of(after, 'public-url'), 'another URL')


@group.must('ask', '"ask" is refused, so that Beefree asks', '409', PAGE)
def ask(context: Context) -> None:
    require(context.asked.status == 409, context.asked.summary)


@group.must('ask-code', '"ask" has the code of a name conflict', 'code 3400', CODES, needs='conflicts.ask')
def ask_code(context: Context) -> None:
    require(context.asked.code == 3400, context.asked.summary)


@group.must(
    'ask-unchanged', '"ask" changes nothing', 'one file, as it was', PAGE, needs='conflicts.ask upload.size', cost=7
)
def ask_unchanged(context: Context) -> None:
    before = _size(context, path := _begin(context, 'unchanged.png'))
    context.upload(path, _other(context), 'ask')
    require(_size(context, path) == before, 'another file')
    require(not any(name.startswith('unchanged_') for name in context.names(context.scratch)), 'a second file')


@group.must('ask-free', '"ask" stores under a name that is free', 'success', PAGE, cost=2)
def ask_free(context: Context) -> None:
    _stored(context.upload(f'{context.scratch}ask-free.png', strategy='ask'))


@group.should('empty', 'An empty strategy is as none', 'success or 403', PAGE, cost=4)
def empty(context: Context) -> None:
    reply = context.upload(_begin(context, 'empty.png'), _other(context), '')
    require(reply.is_success or reply.status in {403, 409}, reply.summary)


@group.should('unknown', 'An unknown strategy is refused', '4xx', PAGE, cost=4)
def unknown(context: Context) -> None:
    reply = context.upload(_begin(context, 'unknown.png'), _other(context), 'fsp-check')
    require(reply.is_refusal, reply.summary)


@group.should('directory', 'A file does not take the place of a directory', 'a refusal', PAGE, cost=5)
def directory(context: Context) -> None:
    path = context.new_directory('in-the-way.png')
    reply = context.upload(path.rstrip('/'), strategy='replace')
    require(not reply.is_success, reply.summary)
    require(context.exists(path), 'a refusal, but the directory is gone')
