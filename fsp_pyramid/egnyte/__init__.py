"""Egnyte's public API: one method a call, exceptions, pacing. Knows nothing of Beefree or Pyramid."""

from .call import Called
from .checksum import Verifier
from .client import Client, Content, Stored
from .download import Download
from .errors import (
    AlreadyExists,
    ChecksumRefused,
    Corrupted,
    EgnyteError,
    Forbidden,
    GrantRefused,
    Locked,
    NameRejected,
    NotFound,
    QuotaExceeded,
    RangeRefused,
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
from .pace import Pace, Urgency
from .records import File, Folder, FolderListing, TrashItem, User
from .session import new_session

__all__ = [
    'AlreadyExists',
    'Application',
    'Called',
    'ChecksumRefused',
    'Client',
    'Content',
    'Corrupted',
    'Download',
    'EgnyteError',
    'File',
    'Folder',
    'FolderListing',
    'Forbidden',
    'GrantRefused',
    'Locked',
    'NameRejected',
    'NotFound',
    'Pace',
    'QuotaExceeded',
    'RangeRefused',
    'Rejected',
    'Stored',
    'Throttled',
    'Tokens',
    'TrashItem',
    'Unauthorized',
    'Unavailable',
    'Unreachable',
    'Urgency',
    'User',
    'Verifier',
    'authorize_url',
    'exchange',
    'new_session',
    'refresh',
    'resolve_domain',
    'revoke',
    'service_authorize_url',
]
