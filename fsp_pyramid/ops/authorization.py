"""Access control for detailed health and metrics: bearer token, or loopback if no token is set."""

import secrets

from pyramid.request import Request

from ..routing import has_loopback_host, is_loopback
from ..settings import Settings

# A proxy on this machine is a loopback peer, too; these headers reveal it.
FORWARDED = ('Forwarded', 'Via', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'X-Real-IP')
SCHEME = 'bearer '


class OpsAuthorization:
    """Authorize requests by ``fsp.ops.token``.

    :ivar token: '' if none is set
    """

    def __init__(self, settings: Settings) -> None:
        self.token, self._require_https = settings.ops.token, settings.require_https

    def permits(self, request: Request) -> bool:
        """Return whether the request has the token, by HTTPS if required; without a token, whether it is local."""
        if not self.token:
            return is_local(request)
        given = request.headers.get('Authorization', '')
        token = given[len(SCHEME) :].strip() if given[: len(SCHEME)].lower() == SCHEME else ''
        secure = request.scheme == 'https' or not self._require_https or is_local(request)
        return secrets.compare_digest(token.encode(), self.token.encode()) and secure

    @property
    def challenge(self) -> dict[str, str]:
        """Headers for callers that are not authorized."""
        return {'WWW-Authenticate': 'Bearer realm="fsp_pyramid"'} if self.token else {}

    @property
    def remedy(self) -> str:
        """The remedy for callers that are not authorized, as text."""
        if self.token:
            how = ' over HTTPS' if self._require_https else ''
            return f'Send the value of fsp.ops.token as "Authorization: Bearer TOKEN"{how}.'
        return 'Ask http://127.0.0.1 on the machine itself, past all proxies, or set fsp.ops.token.'


def is_local(request: Request) -> bool:
    """Return whether the request comes from this machine, and not through a proxy on it.

    waitress removes the headers of proxies that it does not trust, but a reverse proxy passes on the host that the
    client asked for.
    """
    if any(name in request.headers for name in FORWARDED):
        return False
    return is_loopback(request.environ.get('REMOTE_ADDR', '')) and has_loopback_host(request)
