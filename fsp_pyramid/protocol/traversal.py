"""Traverser and URL adapter of a mount: from URL to resource and back.

Pyramid's own traverser would lose the trailing slash and empty segments, resolve ``..``, take ``@@x`` for a view and
obey an ``X-Vhm-Root`` header of the client's; its ``resource_url`` caches every name without bounds. These do not.
"""

from typing import Any

from pyramid.interfaces import IResourceURL, ITraverser
from pyramid.request import Request
from zope.interface import implementer

from .. import paths
from ..errors import BadRequest
from .resources import Directory, File, node

MATCH = 'fsp_path'


@implementer(ITraverser)
class Traverser:
    """Traverser: return the resource that the path names, without I/O."""

    def __init__(self, root: Directory) -> None:
        self.root = root

    def __call__(self, request: Request) -> dict[str, Any]:
        """Return Pyramid's traversal dictionary. Raises BadRequest for a path against the grammar."""
        # Without a route it is a look-up of pyramid.traversal, whose relative paths begin without a slash.
        text = request.path_info if request.matchdict is None else request.matchdict[MATCH]
        try:
            path, directory = paths.parse(text if text.startswith('/') else f'/{text}')
        except paths.PathError as error:
            raise BadRequest(f'The path of this request is not valid: {error}.') from None
        return {
            'context': node(path, directory=directory, root=self.root),
            'view_name': '',
            'subpath': (),
            'traversed': path,
            'virtual_root': self.root,
            'virtual_root_path': (),
            'root': self.root,
        }


@implementer(IResourceURL)
class ResourceURL:
    """URL adapter for ``request.resource_url(context)``, below the mount that serves the request."""

    def __init__(self, resource: Directory | File, request: Request) -> None:
        self.physical_path = self.virtual_path = paths.quoted(f'{request.fsp.mount.path}{resource}')
        names = ('', *resource.path)
        self.physical_path_tuple = self.virtual_path_tuple = (*names, '') if isinstance(resource, Directory) else names
