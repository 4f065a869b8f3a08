"""Egnyte's public API: one method a call, exceptions, pacing. Knows nothing of Beefree or Pyramid."""

from .call import Called
from .checksum import Verifier
from .client import EVENTS, Client, Content, Stored
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
    QuotaReserved,
    RangeRefused,
    Rejected,
    Throttled,
    Unauthorized,
    Unavailable,
    Unreachable,
)
from .ledger import Ledger, LedgerError, MemoryLedger
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
from .pace import Pace, Turn, Usage
from .records import Event, File, Folder, FolderListing, TrashItem, User
from .session import new_session
from .slots import Urgency

__all__ = [
    'EVENTS',
    'AlreadyExists',
    'Application',
    'Called',
    'ChecksumRefused',
    'Client',
    'Content',
    'Corrupted',
    'Download',
    'EgnyteError',
    'Event',
    'File',
    'Folder',
    'FolderListing',
    'Forbidden',
    'GrantRefused',
    'Ledger',
    'LedgerError',
    'Locked',
    'MemoryLedger',
    'NameRejected',
    'NotFound',
    'Pace',
    'QuotaExceeded',
    'QuotaReserved',
    'RangeRefused',
    'Rejected',
    'Stored',
    'Throttled',
    'Tokens',
    'TrashItem',
    'Turn',
    'Unauthorized',
    'Unavailable',
    'Unreachable',
    'Urgency',
    'Usage',
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
