"""Cleaning up: delete what a run has made, and say what is left."""

from collections.abc import Iterator

from .context import Context
from .model import TransportError
from .reading import child, metas_of, name_of

_DEPTH, _DELETIONS = 8, 500


def clean_up(context: Context) -> list[str]:
    """Delete the scratch directory with all that is in it. Return the paths that are left, if any.

    Nothing is asked where nothing was made. Nothing outside of the scratch directory is touched.
    """
    if not context.made:
        return []
    try:
        return _clean_up(context)
    except TransportError:
        return [context.scratch]


def _clean_up(context: Context) -> list[str]:
    for path in _below(context, context.scratch, _DEPTH):
        context.delete(path)
    if context.delete(context.scratch).is_success and not context.exists(context.scratch):
        return []
    for path in sorted(set(context.made), key=len, reverse=True):  # a listing may not show all
        context.delete(path)
    return [context.scratch] if context.exists(context.scratch) else []


def _below(context: Context, directory: str, depth: int) -> Iterator[str]:
    """Yield what is in *directory*, a directory after all that is in it."""
    for meta in metas_of(context.get(directory))[:_DELETIONS]:
        name = name_of(meta)
        if not name or name in {'.', '..'}:
            continue
        path = child(directory, meta)
        if path.endswith('/') and depth:
            yield from _below(context, path, depth - 1)
        yield path
