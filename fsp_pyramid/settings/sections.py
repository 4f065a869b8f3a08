"""Dataclasses of the settings, in sections that follow the keys: ``fsp.egnyte.max_wait`` is ``egnyte.max_wait``.

Times are in seconds and sizes in bytes. Secrets are left out of every ``repr``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ..sources import Allowances, TypePolicy
from ..storage.mappings import FolderMapping
from .logos import Logo
from .schema import PREFIX

section = dataclass(frozen=True, kw_only=True)


@section
class EgnyteSettings:
    """Connection of a client to Egnyte: ``fsp.egnyte.*``."""

    url: str
    token: str = field(repr=False)
    timeout: float
    max_wait: float

    @property
    def sandbox_directory(self) -> str:
        """Directory of the embedded sandbox; '' for a real Egnyte."""
        scheme, _, directory = self.url.partition(':')
        return directory if scheme == 'sandbox' else ''


@section
class UploadSettings:
    """Rules for the files that a client uploads: ``fsp.upload.*``."""

    on_conflict: str
    max_size: int
    types: TypePolicy


@section
class SourcesSettings:
    """Download of the sources of a client's uploads: ``fsp.sources.*``."""

    allow: Allowances
    timeout: float


@section
class ClientAccountsSettings:
    """Accounts at Egnyte that a client uses: ``fsp.accounts.mode``."""

    mode: str


@section
class OAuthSettings:
    """OAuth application that a client's users grant access to: ``fsp.oauth.*``."""

    key: str
    secret: str = field(repr=False)
    scope: str
    domain: str
    domains: tuple[str, ...]
    service_url: str


@section
class ClientSettings:
    """Settings of one client: ``fsp.client.NAME.*``, and ``fsp.*`` for what it does not name."""

    username: str
    password: str = field(repr=False)
    client_ids: frozenset[str]
    read_only: bool
    disabled: bool
    language: str
    title: str
    support_url: str
    logo: Logo | None
    folders: tuple[FolderMapping, ...]
    egnyte: EgnyteSettings
    upload: UploadSettings
    sources: SourcesSettings
    accounts: ClientAccountsSettings
    oauth: OAuthSettings


@section
class PublicSettings:
    """Public links and their content cache: ``fsp.public.*``."""

    prefix: str
    secret: tuple[str, ...] = field(repr=False)
    base_url: str
    token: str = field(repr=False)
    max_age: int
    revalidate: int
    cache_dir: str
    cache_size: int
    cache_age: float
    sendfile: str


@section
class ConnectSettings:
    """Pages on which users connect accounts: ``fsp.connect.*``."""

    prefix: str
    lifetime: float
    return_origins: tuple[str, ...]


@section
class OpsSettings:
    """Health, readiness and metrics: ``fsp.ops.*``."""

    prefix: str
    metrics: bool
    token: str = field(repr=False)


@section
class ShutdownSettings:
    """End of the server: ``fsp.shutdown.*``."""

    timeout: float


@section
class ConsoleSettings:
    """Console: ``fsp.console.*``."""

    prefix: str
    local: bool
    token: str = field(repr=False)
    permission: str

    @property
    def enabled(self) -> bool:
        """Return True if there is a console: some setting permits its use."""
        return bool(self.local or self.token or self.permission)


@section
class CacheSettings:
    """Listing cache: ``fsp.cache.*``."""

    backend: str
    ttl: float
    memory: int


@section
class PaceSettings:
    """Rate limiter: ``fsp.pace.*``."""

    backend: str
    reserve: float


@section
class EventsSettings:
    """Polling of Egnyte's events: ``fsp.events.*``."""

    interval: int


@section
class AccountsSettings:
    """Store of the accounts that users connect: ``fsp.accounts.keys`` and ``fsp.accounts.session``."""

    keys: tuple[str, ...] = field(repr=False)
    session: str


def build(cls: Any, values: Mapping[str, Any], prefix: str = PREFIX) -> Any:
    """Return a *cls* of *values* by key. A field without a key of its own is a section: the keys below its name."""
    arguments = {}
    for found in fields(cls):
        key = prefix + found.name
        arguments[found.name] = values[key] if key in values else build(found.type, values, f'{key}.')
    return cls(**arguments)
