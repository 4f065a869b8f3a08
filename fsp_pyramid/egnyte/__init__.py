"""Client of Egnyte's public API: one method a call, exceptions, rate limiter. Independent of Beefree and Pyramid."""

from .checksum import Verifier
from .client import (
    EVENTS,
    Client,
    Content,
    Stored,
)
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
from .oauth import (
    Application,
    Tokens,
    authorize_url,
    exchange,
    grant_password,
    refresh,
    resolve_domain,
    revoke,
    service_authorize_url,
)
from .rate_limiter import Permit, RateLimiter, Usage
from .rate_rules import Priority
from .rate_store import MemoryRateStore, RateStore, RateStoreError
from .records import (
    Event,
    File,
    Folder,
    FolderListing,
    TrashItem,
    User,
)
from .session import new_session
from .transport import CallInfo

__all__ = [
    'EVENTS',
    'AlreadyExists',
    'Application',
    'CallInfo',
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
    'Locked',
    'MemoryRateStore',
    'NameRejected',
    'NotFound',
    'Permit',
    'Priority',
    'QuotaExceeded',
    'QuotaReserved',
    'RangeRefused',
    'RateLimiter',
    'RateStore',
    'RateStoreError',
    'Rejected',
    'Stored',
    'Throttled',
    'Tokens',
    'TrashItem',
    'Unauthorized',
    'Unavailable',
    'Unreachable',
    'Usage',
    'User',
    'Verifier',
    'authorize_url',
    'exchange',
    'grant_password',
    'new_session',
    'refresh',
    'resolve_domain',
    'revoke',
    'service_authorize_url',
]
