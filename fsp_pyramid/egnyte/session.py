"""HTTP session for Egnyte."""

from http.cookiejar import DefaultCookiePolicy

import requests
from requests.adapters import HTTPAdapter


def new_session(connections: int = 64) -> requests.Session:
    """Return a session for all threads of a process: thread-safe, because it stores no cookies.

    It ignores proxies of the environment and ``~/.netrc``: a password for Egnyte's host there would replace the token.
    The client retries itself, because retries count as calls.
    """
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = HTTPAdapter(pool_connections=4, pool_maxsize=connections, max_retries=0)
    session.mount('https://', adapter)
    session.mount('http://', adapter)
    return session
