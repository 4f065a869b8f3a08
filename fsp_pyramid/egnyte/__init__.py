"""Egnyte's public API: one method a call, exceptions, pacing. Knows nothing of Beefree or Pyramid."""

from .client import Client, Download, Stored
from .errors import (
    AlreadyExists,
    Corrupted,
    EgnyteError,
    Forbidden,
    GrantRefused,
    Locked,
    NotFound,
    QuotaExceeded,
    Rejected,
    Throttled,
    Unauthorized,
    Unavailable,
    Unreachable,
)
from .oauth import (
    Application,
    Tokens,
    authorize_url,
    exchange,
    refresh,
    resolve_domain,
    revoke,
    service_authorize_url,
)
from .pace import Pace
from .records import File, Folder, FolderListing, TrashItem, User
from .session import new_session

__all__ = [
    'AlreadyExists',
    'Application',
    'Client',
    'Corrupted',
    'Download',
    'EgnyteError',
    'File',
    'Folder',
    'FolderListing',
    'Forbidden',
    'GrantRefused',
    'Locked',
    'NotFound',
    'Pace',
    'QuotaExceeded',
    'Rejected',
    'Stored',
    'Throttled',
    'Tokens',
    'TrashItem',
    'Unauthorized',
    'Unavailable',
    'Unreachable',
    'User',
    'authorize_url',
    'exchange',
    'new_session',
    'refresh',
    'resolve_domain',
    'revoke',
    'service_authorize_url',
]
