"""Placement of new items: checks of the folder and the name, and creation of missing parents."""

from . import names
from .call import Call
from .errors import ApiError, denied, refused
from .permissions import Level
from .tree import Node
from .users import principal

FOLDER_EXISTS = 'Folder already exists at this location'


def make_folder(call: Call, path: str) -> Node:
    """Create a folder and its missing parents. Raises ApiError."""
    at, missing = call.tree.walk(path)
    if not missing:
        raise exists(call, at, 403, 'A file exists at this location' if at.is_file else FOLDER_EXISTS)
    check_place(call, at, missing, is_file=False)
    return make_all(call, at, missing)


def exists(call: Call, node: Node, status: int, text: str) -> ApiError:
    """*node* is in the way; nothing is said about it to those who may not see it."""
    return refused(status, text) if call.access.level(node) else denied()


def make_room(call: Call, path: str, *, is_file: bool) -> tuple[Node, str]:
    """Return the parent folder of a new item at *path*, made if it is missing, and the item's name."""
    at, missing = call.tree.walk(path)
    check_place(call, at, missing, is_file=is_file)
    return make_all(call, at, missing[:-1]), missing[-1]


def check_place(call: Call, at: Node, missing: list[str], *, is_file: bool) -> None:
    """Return whether the caller may create *missing*, a chain of names, in the existing *at*."""
    for position, name in enumerate(missing, 1):
        _check_name(call, name, folder=not is_file or position < len(missing))
    if len('/'.join([at.path, *missing]).encode()) > names.PATH_BYTES:
        raise refused(call.options.bad_name_status, 'Path is too long')
    if not at.names:
        raise refused(409, 'Cannot create items in the root folder')
    if call.access.level(at) < Level.EDITOR or at.path == '/Private':
        raise denied()
    if at.is_file:
        raise denied('A file is in the way')
    if at.path == '/Shared' and is_file and len(missing) == 1 and not call.options.files_in_shared:
        raise denied('Files cannot be stored directly in /Shared')
    if at.path == '/Shared' and not call.user.is_admin:
        raise denied()
    if call.options.strict_parents and len(missing) > 1:
        raise refused(404, 'Parent folder not found')


def _check_name(call: Call, name: str, *, folder: bool) -> None:
    if text := names.complaint(name, folder=folder):
        raise ApiError(call.options.bad_name_status, {'errorMessage': text})


def make_all(call: Call, at: Node, missing: list[str]) -> Node:
    """Create the nested folders *missing* below *at*; return the last one."""
    for name in missing:
        at = call.tree.add(at, name, call.now, is_file=False)
        _own(call, at)
        call.note_event('create', at)
    return at


def _own(call: Call, folder: Node) -> None:
    """Make the creator of a folder its owner; permissions exist only below /Shared."""
    if folder.names[0] == 'Shared':
        call.db.execute(
            'INSERT INTO permissions VALUES (?, ?, ?)',
            (folder.id, principal(call.user.id), Level.OWNER),
        )
