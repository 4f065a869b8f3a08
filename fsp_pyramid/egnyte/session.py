"""The HTTP connections to Egnyte."""

from http.cookiejar import DefaultCookiePolicy

import requests
from requests.adapters import HTTPAdapter


def new_session(connections: int = 64) -> requests.Session:
    """A session that a process shares: without cookies it holds no state that threads could trip over.

    The environment is not asked for proxies or ``~/.netrc``: a password for Egnyte's host found there would replace the
    token. Retries are the client's business, because they count as calls.
    """
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = HTTPAdapter(pool_connections=4, pool_maxsize=connections, max_retries=0)
    session.mount('https://', adapter)
    session.mount('http://', adapter)
    return session
