"""A folder's options: what may be set, and what the settings forbid."""

import json
from typing import Any

from .call import Call
from .errors import denied, invalid
from .permissions import Level
from .tree import Node

DESCRIPTION_LENGTH = 200
RESTRICTIONS = ('admins_owners_or_full_access_users', 'admins_or_owners', 'admins_only')
INHERITANCE = (
    'legacy',
    'this_folder_only',
    'this_folder_and_subfolders_until_overridden',
    'this_folder_and_subfolders',
)
# Each folder has its own options here, so there is nothing that could be inherited; nor are there e-mails.
UNKEPT = {'email_preferences', 'inheritance_rule'}
LINK_TYPES = ['domain', 'recipients', 'password', 'anyone']


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


CHECKS = {
    'folder_description': lambda value: isinstance(value, str) and len(value) <= DESCRIPTION_LENGTH,
    'public_links': lambda value: value in ('files_folders', 'files', 'folders', 'disabled'),
    'restrict_move_delete': _is_flag,
    'move_delete_folder_restriction': lambda value: value in RESTRICTIONS,
    'allow_links': _is_flag,
    'allow_upload_links': _is_flag,
    'inheritance_rule': lambda value: value in INHERITANCE,
    'email_preferences': lambda value: isinstance(value, dict),
}


def parse(body: dict[str, Any]) -> dict[str, Any]:
    """Return the options in a request's body. Raises ApiError."""
    if not body:
        raise invalid('options', 'There is nothing to change')
    for name, value in body.items():
        if name not in CHECKS or not CHECKS[name](value):
            raise invalid(name, 'Unknown option, or a value that it cannot have')
    return body


def change(call: Call, folder: Node, changed: dict[str, Any]) -> None:
    """Set some options; this is for owners."""
    call.access.require(folder, Level.OWNER)
    if folder.is_file:
        raise denied('A file has no folder options')
    kept = folder.options | {name: value for name, value in changed.items() if name not in UNKEPT}
    call.db.execute('UPDATE nodes SET options = ? WHERE id = ?', (json.dumps(kept), folder.id))
    call.tree.touch(folder, call.now)


def check_restriction(call: Call, folder: Node) -> None:
    """Refuse to move or delete a folder whose options keep the caller from it."""
    by_flag = RESTRICTIONS[bool(folder.options.get('restrict_move_delete'))]
    restriction = folder.options.get('move_delete_folder_restriction', by_flag)
    if restriction == 'admins_only' and not call.user.is_admin:
        raise denied('Only administrators may move or delete this folder')
    if restriction == 'admins_or_owners':
        call.access.require(folder, Level.OWNER)


def allowed_links(folder: Node) -> dict[str, Any]:
    """Which links may be made to the folder and to the files in it."""
    public = folder.options.get('public_links', 'files_folders')
    internal = [] if not folder.options.get('allow_links', True) else LINK_TYPES[:2]
    every = LINK_TYPES if internal else []
    return {
        'allowed_file_link_types': every if public in {'files_folders', 'files'} else internal,
        'allowed_folder_link_types': every if public in {'files_folders', 'folders'} else internal,
        'allow_upload_links': folder.options.get('allow_upload_links', True),
    }
