"""From URL to resource and back: the traverser and the URL adapter of a mount.

Pyramid's own traverser would lose the trailing slash and empty segments, resolve ``..``, take ``@@x`` for a view and
obey an ``X-Vhm-Root`` header of the client's; its ``resource_url`` keeps every name that it ever saw in a cache without
bounds. None of that happens here.
"""

from functools import lru_cache
from typing import Any
from urllib.parse import quote

from pyramid.interfaces import IResourceURL, ITraverser
from zope.interface import implementer

from .. import paths
from ..errors import BadRequest
from .resources import Directory, File, node

MATCH = 'fsp_path'


@lru_cache(maxsize=4096)
def quoted(path: str) -> str:
    """*path* as it stands in a URL: each segment encoded, the slashes kept."""
    return quote(path, safe='/')


@implementer(ITraverser)
class Traverser:
    """Makes the resource that the path names, without asking anybody whether it exists."""

    def __init__(self, root: Directory) -> None:
        self.root = root

    def __call__(self, request: Any) -> dict[str, Any]:
        """Pyramid's traversal dictionary. Raises BadRequest for a path against the grammar."""
        # Without a route it is one of Pyramid's own look-ups, whose relative paths begin without a slash.
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
    """Where a resource is: ``request.resource_url(context)`` below the mount that serves the request."""

    def __init__(self, resource: Directory | File, request: Any) -> None:
        self.physical_path = self.virtual_path = quoted(f'{request.fsp.mount.path}{resource}')
        names = ('', *resource.path)
        self.physical_path_tuple = self.virtual_path_tuple = (*names, '') if isinstance(resource, Directory) else names
