"""``/pubapi/v1/perms``."""

from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request

from .. import grants, users
from ..call import Call
from ..errors import invalid, refused
from ..incoming import json_object
from ..permissions import Access, Level
from ..routing import ANY_PATH, add_resource
from ..store import reading, writing


def read(request: Request) -> dict[str, Any]:
    """Return the permissions at a folder, of all users and groups or of those asked for."""
    call: Call = request.call
    with reading(call.db):
        found = grants.folder_grants(call, call.find(request.matchdict['path'], Level.OWNER))
    asked = {kind: request.GET[kind].lower().split('|') for kind in found if request.GET.get(kind)}
    if not asked:
        return found
    return {kind: [one for one in found[kind] if one['subject'].lower() in asked.get(kind, ())] for kind in found}


def change(request: Request) -> dict[str, Any]:
    """Grant a permission."""
    call: Call = request.call
    with writing(call.db):
        grants.change(call, call.find(request.matchdict['path']), json_object(request))
    return {}


def effective(request: Request) -> dict[str, str]:
    """Return the permission of a user, or of the caller, in a folder."""
    call: Call = request.call
    with reading(call.db):
        username = request.matchdict.get('username')
        user = users.user(call.db, 'username', username) if username else call.user
        if user is None or not (call.user.is_admin or user.id == call.user.id):
            raise refused(403, 'User is not authorized to manage resources')
        return {'permission': Access(call.db, user).level(_folder(request)).label}


def _folder(request: Request) -> Any:
    if folder_id := request.GET.get('folder_id'):
        return request.call.by_guid(folder_id, is_file=False)
    if folder := request.GET.get('folder'):
        return request.call.find(folder)
    raise invalid('folder', 'Is missing')


def includeme(config: Configurator) -> None:
    """Permissions by folder and by user."""
    add_resource(config, 'perms.folder', '/pubapi/v1/perms/folder' + ANY_PATH, GET=read, POST=change)
    add_resource(config, 'perms.caller', '/pubapi/v1/perms/user', GET=effective)
    add_resource(config, 'perms.user', '/pubapi/v1/perms/user/{username}', GET=effective)
