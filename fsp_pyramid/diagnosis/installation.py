"""The installation that is diagnosed: settings and shared parts of an application, and what is known of its server."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self

from ..accounts import AccountKey
from ..egnyte import RateLimiter
from ..interfaces import IBackends, IMount, IPublic
from ..settings import ClientSettings, Settings
from .proxy import Proxy

# Loopback addresses in an ini file's "host".
LOOPBACK = {'127.0.0.1', 'localhost', '::1', '[::1]'}


class Client(NamedTuple):
    """A client of a mount; *label* is the key of its accounts: ``fsp``, ``fsp/acme``."""

    label: str
    settings: ClientSettings


@dataclass(frozen=True)
class Installation:
    """An application, from an ini file or in a running process.

    :param settings: settings of the application; those of its first mount
    :param clients: clients of all mounts
    :param public: the IPublic of the application
    :param ini: texts of the application's section
    :param environ: variables of the environment
    :param file: the ini file; None in a running process
    :param server: texts of ``[server:main]``; None if unknown
    :param proxy: what is known of the proxy in front
    :param request: a request, which the database of a host (``fsp.accounts.session``) is known by; None without one
    """

    settings: Settings
    clients: tuple[Client, ...]
    rate_limiter: RateLimiter
    public: Any
    ini: Mapping[str, Any]
    environ: Mapping[str, str] = field(repr=False)
    file: Path | None = None
    server: Mapping[str, str] | None = None
    proxy: Proxy = field(default_factory=Proxy)
    request: Any = None

    @classmethod
    def of(cls, registry: Any, environ: Mapping[str, str], **more: Any) -> Self:
        """Return the installation of an application's registry. *more* are the parameters from *file* on."""
        mounts = sorted(registry.getUtilitiesFor(IMount))
        return cls(
            settings=mounts[0][1].settings,
            clients=tuple(
                Client(str(AccountKey(name, client)), settings)
                for name, mount in mounts
                for client, settings in mount.settings.clients.items()
            ),
            rate_limiter=registry.getUtility(IBackends).rate_limiter,
            public=registry.getUtility(IPublic),
            ini=registry.settings,
            environ=environ,
            **more,
        )

    @property
    def is_local(self) -> bool:
        """Return whether only this machine reaches the server, as far as its section tells."""
        return self.server is not None and self.server.get('host', '') in LOOPBACK and not self.is_behind_proxy

    @property
    def is_behind_proxy(self) -> bool:
        """Return whether a proxy is configured."""
        server = self.server or {}
        return bool(self.settings.require_https or server.get('trusted_proxy') or self.proxy.file)

    @property
    def is_sandbox(self) -> bool:
        """Return whether all clients use embedded sandboxes."""
        return all(client.settings.egnyte.sandbox_directory for client in self.clients)

    @property
    def processes(self) -> int:
        """Return the number of processes that the server's section, the environment or the proxy tell; 1 otherwise."""
        told = [(self.server or {}).get('workers', ''), self.environ.get('WEB_CONCURRENCY', '')]
        return max([1, self.proxy.servers, *(int(text) for text in told if text.isdecimal())])
