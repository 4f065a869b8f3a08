"""HTTP session for Egnyte."""

from http.client import CONTINUE, SWITCHING_PROTOCOLS, HTTPException, HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

# 100 Continue, 102 Processing, 103 Early Hints... A gateway sends some before Egnyte's answer.
MAX_INTERIM = 8


class _Response(HTTPResponse):
    """Response that skips a limited number of interim answers. http.client skips 100 only, without a limit."""

    _interim = 0

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]  # private
        if not 100 <= status < 200 or status == SWITCHING_PROTOCOLS:
            return version, status, reason
        self._interim += 1
        if self._interim > MAX_INTERIM:
            raise HTTPException(f'more than {MAX_INTERIM} interim answers (status 1xx)')
        return version, CONTINUE, reason  # http.client skips its headers and reads the next status


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    """Adapter whose connections skip interim answers."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {'http': _Pool, 'https': _SecurePool}


def new_session(connections: int = 64) -> requests.Session:
    """Return a session for all threads of a process: thread-safe, because it stores no cookies.

    It ignores proxies of the environment and ``~/.netrc``: a password for Egnyte's host there would replace the token.
    The client retries itself, because retries count as calls.
    """
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = _Adapter(pool_connections=4, pool_maxsize=connections, max_retries=0)
    session.mount('https://', adapter)
    session.mount('http://', adapter)
    return session
