"""Egnyte's public API: one method a call, exceptions, pacing. Knows nothing of Beefree or Pyramid."""

from .client import Client, Download, Stored
from .errors import (
    AlreadyExists,
    Corrupted,
    EgnyteError,
    Forbidden,
    Locked,
    NotFound,
    QuotaExceeded,
    Rejected,
    Throttled,
    Unauthorized,
    Unavailable,
    Unreachable,
)
from .pace import Pace
from .records import File, Folder, FolderListing, TrashItem
from .session import new_session

__all__ = [
    'AlreadyExists',
    'Client',
    'Corrupted',
    'Download',
    'EgnyteError',
    'File',
    'Folder',
    'FolderListing',
    'Forbidden',
    'Locked',
    'NotFound',
    'Pace',
    'QuotaExceeded',
    'Rejected',
    'Stored',
    'Throttled',
    'TrashItem',
    'Unauthorized',
    'Unavailable',
    'Unreachable',
    'new_session',
]
