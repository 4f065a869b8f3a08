"""Who may see more than whether it works: whoever has the token; where there is none, this machine itself."""

import secrets
from ipaddress import IPv6Address, ip_address
from typing import Any
from urllib.parse import urlsplit

from ..settings import Settings

# A proxy on this machine is a peer on this machine, too: what it adds gives it away.
FORWARDED = ('Forwarded', 'Via', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'X-Real-IP')
SCHEME = 'bearer '


class OpsAuthorization:
    """Judges requests by ``fsp.ops.token``.

    :ivar token: '' if there is none
    """

    def __init__(self, settings: Settings) -> None:
        self.token, self._require_https = settings.ops.token, settings.require_https

    def admits(self, request: Any) -> bool:
        """Whether the request has the token, by HTTPS if that is required; without a token, whether it is local."""
        if not self.token:
            return is_local(request)
        given = request.headers.get('Authorization', '')
        brought = given[len(SCHEME) :].strip() if given[: len(SCHEME)].lower() == SCHEME else ''
        secure = request.scheme == 'https' or not self._require_https or is_local(request)
        return secrets.compare_digest(brought.encode(), self.token.encode()) and secure

    @property
    def challenge(self) -> dict[str, str]:
        """Headers for those who are not admitted."""
        return {'WWW-Authenticate': 'Bearer realm="fsp_pyramid"'} if self.token else {}

    @property
    def remedy(self) -> str:
        """What those who are not admitted can do."""
        if self.token:
            how = ' over HTTPS' if self._require_https else ''
            return f'Send the value of fsp.ops.token as "Authorization: Bearer TOKEN"{how}.'
        return 'Ask http://127.0.0.1 on the machine itself, past all proxies, or set fsp.ops.token.'


def is_local(request: Any) -> bool:
    """Whether somebody on this machine asks, and no proxy on it for somebody elsewhere.

    waitress takes the headers of proxies that it does not trust away, but a proxy that works for us passes the host on
    that was asked for.
    """
    if any(name in request.headers for name in FORWARDED):
        return False
    return is_loopback(request.environ.get('REMOTE_ADDR', '')) and is_loopback(_host_name(request.host))


def is_loopback(name: str) -> bool:
    """Whether an address, or ``localhost``, is this machine."""
    if name == 'localhost':
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_loopback


def _host_name(host: str) -> str:
    try:
        return urlsplit(f'//{host}').hostname or ''
    except ValueError:
        return ''
