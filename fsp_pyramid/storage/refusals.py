"""Errors that several layers raise, each with one text."""

from ..errors import Busy, Locked, NotFound, excerpt
from ..i18n import _
from ..paths import Path


def missing(path: Path) -> NotFound:
    """Return the error for a file or directory that does not exist."""
    name = excerpt(path[-1]) if path else '/'
    return NotFound(_('missing', '"${name}" does not exist. Refresh the file manager.', name=name))


def no_such_file(path: Path) -> NotFound:
    """Return the error for a file that does not exist, or is a directory."""
    name = excerpt(path[-1]) if path else '/'
    return NotFound(_('missing-file', 'There is no file "${name}". Refresh the file manager.', name=name))


def directory_busy() -> Busy:
    """Return the error for a directory that others are changing, or may be changing."""
    return Busy(
        _(
            'folder-busy',
            'This folder is being changed at the moment, and that takes long. Please try again in a few seconds.',
        ),
        retry_after=5,
    )


def locked(name: str) -> Locked:
    """Return the error for a file that is locked at Egnyte."""
    return Locked(
        _(
            'egnyte-locked',
            '"${name}" is locked by somebody at Egnyte. Ask them to unlock it, or try again later.',
            name=name,
        )
    )
