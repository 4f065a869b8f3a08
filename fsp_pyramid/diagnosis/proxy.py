"""Facts about the proxy in front of the service, from the operator or from nginx's configuration."""

import re
from pathlib import Path
from typing import NamedTuple, Self

# Seconds: proxy_read_timeout of nginx, and the idle time-out of the usual balancers.
DEFAULT_TIMEOUT = 60.0
_UNITS = {'': 1.0, 's': 1.0, 'ms': 0.001, 'm': 60.0, 'h': 3600.0}


class Proxy(NamedTuple):
    """The proxy.

    :param timeout: seconds that it waits for a response to begin
    :param is_told: whether the time-out is known, and not the usual default
    :param file: nginx's configuration; '' if unknown
    :param user: user of nginx's workers, and *group* their group; '' if unknown
    :param servers: number of our processes in its upstream; 0 if unknown
    :param alias: directory that nginx sends cached files from; '' if unknown
    """

    timeout: float = DEFAULT_TIMEOUT
    is_told: bool = False
    file: str = ''
    user: str = ''
    group: str = ''
    servers: int = 0
    alias: str = ''

    @classmethod
    def of_nginx(cls, file: str) -> Self:
        """Read a configuration of nginx as in ``deploy/nginx.conf``; files that it includes are not read.

        Raises OSError, and ValueError if it is no UTF-8.
        """
        text = re.sub(r'(?m)^\s*#.*$', '', Path(file).read_text(encoding='utf-8'))
        timeouts = re.findall(r'\bproxy_read_timeout\s+(\d+)(ms|[smh]?)\s*;', text)
        found = [float(number) * _UNITS[unit] for number, unit in timeouts]
        user = re.search(r'(?m)^\s*user\s+(\S+?)(?:\s+(\S+))?\s*;', text)
        upstream = re.search(r'\bupstream\s+\S+\s*\{(.*?)\}', text, re.DOTALL)
        cache = re.search(r'\blocation\s+/fsp-cache/\s*\{.*?\balias\s+([^;]+?)\s*;', text, re.DOTALL)
        return cls(
            timeout=min(found, default=DEFAULT_TIMEOUT),
            is_told=True,
            file=file,
            user=user[1] if user else '',
            group=(user[2] or '') if user else '',
            servers=len(re.findall(r'(?m)\bserver\s+(?![^;]*\bdown\b)[^;{]+;', upstream[1])) if upstream else 0,
            alias=cache[1] if cache else '',
        )
