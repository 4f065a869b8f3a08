"""Resource tree of a mount: nodes with a name and a parent, without I/O."""

from zope.interface import implementer

from .. import paths
from ..interfaces import IDirectory, IFile


class _Resource:
    def __init__(self, name: str, parent: 'Directory | None') -> None:
        self.__name__ = name
        self.__parent__ = parent

    @property
    def path(self) -> paths.Path:
        """The names from the root on. Pyramid's ``resource_path`` cannot distinguish a directory from a file."""
        names, here = [], self
        while here.__parent__ is not None:  # no recursion: the path of a request may have thousands of names
            names.append(here.__name__)
            here = here.__parent__
        return tuple(reversed(names))

    def __repr__(self) -> str:
        return f'<{type(self).__name__} {self}>'


@implementer(IDirectory)
class Directory(_Resource):
    """A path that ends with a slash. The root has no parent."""

    def __str__(self) -> str:
        return paths.text(self.path, directory=True)


@implementer(IFile)
class File(_Resource):
    """A path that does not end with a slash."""

    def __str__(self) -> str:
        return paths.text(self.path)


def node(path: paths.Path, *, directory: bool, root: Directory | None = None) -> Directory | File:
    """Return the node of *path* with its chain of parents, below *root* or a new root."""
    here = root or Directory('', None)
    if not path:
        return here
    for name in path[:-1]:
        here = Directory(name, here)
    return (Directory if directory else File)(path[-1], here)
