"""``/pubapi/v2/users`` and ``/pubapi/v2/groups``, for administrators."""

from types import ModuleType
from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request

from .. import scim, scim_groups, scim_users
from ..incoming import json_object, number
from ..routing import add_resource
from ..store import reading, writing

PAGE = 100


class Directory:
    """The views for users, or for groups. *resources* is the module that knows them."""

    def __init__(self, resources: ModuleType) -> None:
        self._resources = resources

    def index(self, request: Request) -> dict[str, Any]:
        """Return a page of those that match the filters."""
        start, count = number(request, 'startIndex', 1) or 1, number(request, 'count', PAGE)
        with reading(request.db):
            scim.require_admin(request.call)
            found = self._resources.every(request.db)
        return scim.listing(found, request.GET.getall('filter'), start, count)

    def create(self, request: Request) -> dict[str, Any]:
        """Create a resource."""
        request.response.status_code = 201
        with writing(request.db):
            scim.require_admin(request.call)
            return self._resources.create(request.call, json_object(request))

    def read(self, request: Request) -> dict[str, Any]:
        """One by id."""
        with reading(request.db):
            scim.require_admin(request.call)
            return self._resources.find(request.db, request.matchdict['id'])

    def update(self, request: Request) -> dict[str, Any]:
        """Change what the body holds."""
        with writing(request.db):
            scim.require_admin(request.call)
            return self._resources.update(request.call, request.matchdict['id'], json_object(request))

    def delete(self, request: Request) -> dict[str, Any]:
        """Delete one."""
        with writing(request.db):
            scim.require_admin(request.call)
            self._resources.remove(request.call, request.matchdict['id'])
        return {}


def replace_group(request: Request) -> dict[str, Any]:
    """Set name and members of a group; without members it has none."""
    with writing(request.db):
        scim.require_admin(request.call)
        body = {'displayName': None, 'members': []} | json_object(request)
        return scim_groups.update(request.call, request.matchdict['id'], body)


def includeme(config: Configurator) -> None:
    """Register the same views for both kinds; only groups can be replaced as a whole."""
    for name, resources, more in (('user', scim_users, {}), ('group', scim_groups, {'PUT': replace_group})):
        views = Directory(resources)
        add_resource(config, f'{name}s', f'/pubapi/v2/{name}s', GET=views.index, POST=views.create)
        one = {'GET': views.read, 'PATCH': views.update, 'DELETE': views.delete} | more
        add_resource(config, name, f'/pubapi/v2/{name}s/{{id}}', **one)
