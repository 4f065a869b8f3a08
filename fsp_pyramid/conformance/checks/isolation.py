"""Isolation: files of one uid are not those of another."""

from ..context import Context
from ..http import Reply
from ..model import Skip, require
from ..reading import names_of
from ..registry import Group

group = Group('isolation', needs='directories.create', changes=True)
PAGE = 'Authentication'


def _other(context: Context) -> dict[str, str]:
    if context.options.directory != '/':
        raise Skip('--directory may be one that users share')
    return {'X-BEE-Uid': f'{context.options.uid}-other'}


def _hidden(reply: Reply) -> None:
    require(not reply.is_success, reply.summary)


@group.should('listing', 'Another uid does not see the directory', 'not in the listing', PAGE, cost=1)
def listing(context: Context) -> None:
    reply = context.get('/', headers=_other(context))
    name = context.scratch.rstrip('/').rpartition('/')[2]
    require(f'{name}/' not in names_of(reply), 'it is listed')


@group.should('directory', 'Another uid cannot list the directory', 'a refusal', PAGE, cost=1)
def directory(context: Context) -> None:
    _hidden(context.get(context.scratch, headers=_other(context)))


@group.should('file', 'Another uid cannot ask for the file', 'a refusal', PAGE, needs='upload.file', cost=1)
def file(context: Context) -> None:
    _hidden(context.get(context.file, headers=_other(context)))


@group.should('delete', 'Another uid cannot delete the file', 'the file is there', PAGE, needs='upload.file', cost=4)
def delete(context: Context) -> None:
    headers = _other(context)
    context.new_file(path := f'{context.scratch}isolated.png')
    reply = context.delete(path, headers=headers)
    require(context.exists(path), f'{reply.summary}: it is gone')


@group.should('case', 'Uids are case-sensitive', 'a refusal', PAGE, cost=1)
def case(context: Context) -> None:
    _other(context)
    other = context.options.uid.swapcase()
    if other == context.options.uid:
        raise Skip('the uid has no letters')
    _hidden(context.get(context.scratch, headers={'X-BEE-Uid': other}))
