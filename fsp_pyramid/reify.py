"""Properties that are computed once for each object.

Before Python 3.12, ``functools.cached_property`` holds one lock for all objects of a class while it computes a value:
the requests of all users would wait for the one whose token is being refreshed
(https://github.com/python/cpython/issues/87634). Pyramid's ``reify`` has no lock.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Pyramid has no types, and type checkers know this one.
    from functools import cached_property as reify  # noqa: TID251
else:
    from pyramid.decorator import reify

__all__ = ['reify']
