"""Listings: shape, order, and what is in them."""

from ..context import Context
from ..model import Skip, require
from ..reading import data_of, is_directory, items_of, meta_of, metas_of, name_of, names_of, text_of
from ..registry import Group
from ..text import clean, describe, listed

group = Group('listing', needs='listing.root')
PAGE, STATUS, CONTENT = 'Listing Directories', 'Status codes', 'Listing Directory content'
SLASH = 'The trailing slash (/) on the request matters!'
MOVE = 'Moving a file (current page)'


@group.must('success', 'The root can be listed', 'success', STATUS, needs='authentication.accepted')
def success(context: Context) -> None:
    require(200 <= context.root.status < 300, context.root.summary)


@group.must('root', 'The answer holds a list of items', 'items', PAGE, needs='transport.json')
def root(context: Context) -> None:
    items = items_of(context.root)
    require(items is not None, f'data is {describe(data_of(context.root))}')
    # Items of which some are wrong are the matter of listing.items.
    require(not items or metas_of(context.root), 'items that are no objects')


@group.must('status', 'Status of a listing', '200', STATUS)
def status(context: Context) -> None:
    require(context.root.status == 200, str(context.root.status))


@group.must(
    'envelope',
    'A success is wrapped as JSend says',
    '{"status": "success", "data": ...}',
    'Getting Started: data formats',
)
def envelope(context: Context) -> None:
    value = context.root.json
    require(isinstance(value, dict) and 'data' in value, describe(value))
    require(value.get('status') == 'success', f'status is {describe(value.get("status"))}')


@group.must('data', 'data of a listing is an object', '{"meta": ..., "items": ...}', PAGE)
def data(context: Context) -> None:
    require(isinstance(data_of(context.root), dict), describe(data_of(context.root)))


@group.must('meta', 'data.meta are the metadata of the directory', 'an object', PAGE, needs='listing.data')
def meta(context: Context) -> None:
    value = data_of(context.root).get('meta')
    require(isinstance(value, dict), describe(value))


@group.must('items', 'Each item is an object with a path', 'objects', CONTENT)
def items(context: Context) -> None:
    for item in items_of(context.root) or []:
        require(isinstance(item, dict), describe(item))
        require(text_of(item, 'path'), f'path is {describe(item.get("path"))}')


@group.must(
    'paths',
    'The path of an item is below its directory',
    'path of the directory + name',
    CONTENT,
    needs='listing.items metadata.directory-path',
)
def paths(context: Context) -> None:
    for item in metas_of(context.root):
        path = item['path']
        right = f'/{name_of(item)}' + ('/' if is_directory(item) else '')
        require(path == right, f'{clean(path, 80)} for "{clean(name_of(item), 60)}"')


@group.must('unique', 'No item is listed twice', 'different paths', CONTENT)
def unique(context: Context) -> None:
    names = names_of(context.root)
    require(len(set(names)) == len(names), f'{len(names) - len(set(names))} more than once')


@group.may(
    'directories-first',
    'Directories come before files',
    'directories first',
    CONTENT,
    needs='upload.file listing.unique',
    changes=True,
)
def directories_first(context: Context) -> None:
    kinds = [is_directory(meta) for meta in metas_of(context.contents)]
    require(kinds == sorted(kinds, reverse=True), 'files before directories')


@group.may(
    'sorted',
    'Items are sorted by their names',
    'by name, without regard to case',
    CONTENT,
    needs='listing.root listing.unique',
)
def sorted_by_name(context: Context) -> None:
    for kind in (True, False):
        names = [name_of(meta).lower() for meta in metas_of(context.root) if is_directory(meta) is kind]
        require(names == sorted(names), 'another order')


@group.must(
    'new-directory',
    'A new directory is listed',
    'the directory',
    CONTENT,
    needs='directories.create listing.items',
    changes=True,
    cost=1,
)
def new_directory(context: Context) -> None:
    name = context.scratch.rstrip('/').rpartition('/')[2]
    require(f'{name}/' in context.names(context.options.directory), 'it is not in the listing')


@group.must('empty', 'A new directory is empty', 'no items', CONTENT, needs='directories.create', changes=True, cost=3)
def empty(context: Context) -> None:
    names = context.names(context.new_directory('empty'))
    require(not names, f'{len(names)} items')


@group.must('new-file', 'A new file is listed', 'the file', CONTENT, needs='upload.file listing.items', changes=True)
def new_file(context: Context) -> None:
    require('picture.png' in names_of(context.contents), listed(names_of(context.contents)) or 'no items')


@group.must(
    'children',
    'A listing does not hold what is in subdirectories',
    'only what is in the directory',
    CONTENT,
    needs='upload.file',
    changes=True,
)
def children(context: Context) -> None:
    require('inner.png' not in names_of(context.contents), 'a file of a subdirectory')


@group.must(
    'subdirectory',
    'A subdirectory is listed',
    'its file',
    CONTENT,
    needs='upload.file listing.new-file',
    changes=True,
    cost=1,
)
def subdirectory(context: Context) -> None:
    names = context.names(context.subdirectory)
    require('inner.png' in names, listed(names) or 'no items')


@group.must('missing', 'A directory that does not exist is not found', '404', STATUS, cost=1)
def missing(context: Context) -> None:
    reply = context.get(f'{context.scratch}missing/')
    require(reply.status == 404, reply.summary)


@group.must(
    'file-as-directory',
    'A file with a slash is no directory',
    '404',
    SLASH,
    needs='upload.file listing.missing',
    changes=True,
    cost=1,
)
def file_as_directory(context: Context) -> None:
    reply = context.get(f'{context.file}/')
    require(reply.status == 404, reply.summary)


@group.must(
    'directory-as-file',
    'A directory without a slash is no file',
    '404',
    SLASH,
    needs='directories.create errors.status',
    changes=True,
    cost=1,
)
def directory_as_file(context: Context) -> None:
    reply = context.get(context.scratch.rstrip('/'))
    require(reply.status == 404, reply.summary)


@group.may(
    'item-count',
    'item-count is the number of items, or 0',
    'the number, or 0',
    'Directory specific Meta',
    needs='listing.meta listing.unique',
)
def item_count(context: Context) -> None:
    count = (meta_of(context.root) or {}).get('item-count')
    require(
        count in (0, None, len(items_of(context.root) or [])),
        f'{describe(count)} for {len(items_of(context.root) or [])}',
    )


@group.must(
    'move-flag',
    'The dialog for moves gets directories only',
    'no files',
    MOVE,
    needs='upload.file listing.items',
    changes=True,
    current=True,
    cost=1,
)
def move_flag(context: Context) -> None:
    _ = context.contents
    reply = context.get(context.scratch, headers={'X-BEE-fsp-flags': 'move'})
    require(reply.is_success, reply.summary)
    files = [meta for meta in metas_of(reply) if not is_directory(meta)]
    require(not files, f'{len(files)} files')
    require('directory/' in names_of(reply), 'no directories either')


@group.may(
    'move-flag-case',
    'The flag may be written in capitals',
    'no files',
    'RFC 9110, 5.1',
    needs='listing.move-flag',
    changes=True,
    current=True,
    cost=1,
)
def move_flag_case(context: Context) -> None:
    reply = context.get(context.scratch, headers={'x-bee-FSP-FLAGS': 'MOVE'})
    files = [meta for meta in metas_of(reply) if not is_directory(meta)]
    require(not files, f'{len(files)} files')


@group.should(
    'other-headers',
    'Other X-BEE headers are ignored',
    'the same listing',
    'Custom headers (current page)',
    current=True,
    cost=1,
)
def other_headers(context: Context) -> None:
    reply = context.get('/', headers={'X-BEE-document-id': 'fsp-check', 'X-BEE-tenant-identifier': 'fsp-check'})
    require(reply.is_success, reply.summary)


@group.must(
    'write-permission',
    'The directory of the run may be written to',
    'rw',
    'Resource access notes',
    needs='directories.create',
    changes=True,
)
def write_permission(context: Context) -> None:
    found = meta_of(context.created)
    if not found:
        raise Skip('the answer to its creation holds no metadata')
    require(found.get('permissions') == 'rw', describe(found.get('permissions')))
