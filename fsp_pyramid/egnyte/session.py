"""HTTP session for Egnyte."""

from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from ..interim_responses import FinalResponse

# Bytes of a file that are read and sent at once. With urllib3's own 16 KB, an upload of 20 MB takes a tenth longer.
BLOCK = 1 << 18


class _Connection(HTTPConnection):
    response_class = FinalResponse


class _SecureConnection(HTTPSConnection):
    response_class = FinalResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    """Adapter whose connections skip interim answers and read files in blocks of a useful size."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, blocksize=BLOCK, **kwargs)
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
