"""Explanation whether the guarded download would fetch a URL, and why."""

from ..errors import excerpt
from .address_policy import Allowances, is_metadata
from .deadline import Deadline
from .download import (
    MAX_REDIRECTS,
    announced_size,
    redirected,
    too_many_redirects,
)
from .errors import SourceError
from .transport import (
    Reply,
    Target,
    get,
    resolve,
)

TIMEOUT = 20  # seconds, for all hops


def explain(url: str, allow: Allowances, *, connect: bool = False) -> tuple[bool, list[str]]:
    """Return if *url* would be fetched, and the steps to that verdict.

    :param connect: request the URL and its redirects as well; without it, only resolve the host's addresses
    """
    try:
        target = Target.parse(url)
    except SourceError as error:
        return False, [f'refused: {error}']
    with Deadline(TIMEOUT) as deadline:
        if connect:
            return _explain_hops(target, allow, deadline)
        allowed, lines = explain_hop(target, allow, deadline)
    if allowed:
        lines.append('allowed: it would be fetched, from the first of these that answers')
    return allowed, lines


def explain_hop(target: Target, allow: Allowances, deadline: Deadline) -> tuple[bool, list[str]]:
    """Return if the guard allows a request to *target*, with the request and the verdict on each of its addresses."""
    redirect = ', by a redirect from https' if target.downgraded else ''
    lines = [f'{target.scheme}, host {excerpt(target.host)}, port {target.port}{redirect}', f'  {target.request_line}']
    try:
        addresses = {answer.address: None for answer in resolve(target, deadline)}
    except SourceError as error:
        return False, [*lines, f'unreachable: {error.reason}']
    verdicts = [
        (address, allow.judge(target.host, address, target.port, downgraded=target.downgraded)) for address in addresses
    ]
    width = max(len(str(address)) for address in addresses)
    for address, verdict in verdicts:
        lines.append(f'  {address!s:{width}}  {"allowed" if verdict.allowed else "refused"}: {verdict.rule}')
    if all(verdict.allowed for _, verdict in verdicts):
        return True, lines
    refused = 'refused: every address of a host has to be allowed'
    return False, [*lines, refused, _remedy(target, any(is_metadata(address) for address in addresses))]


def _remedy(target: Target, metadata: bool) -> str:
    if metadata:
        return 'do not allow it: clouds hand out the credentials of a machine at such addresses'
    host = f'[{target.host}]' if ':' in target.host else target.host
    return f'to allow it, and nothing else, add this to fsp.sources.allow: {host}:{target.port}'


def _explain_hops(target: Target, allow: Allowances, deadline: Deadline) -> tuple[bool, list[str]]:
    lines: list[str] = []
    try:
        for _ in range(MAX_REDIRECTS + 1):
            allowed, more = explain_hop(target, allow, deadline)
            lines += more
            if not allowed:
                return False, lines
            with get(target, allow, deadline) as reply:
                following = redirected(reply, target)
                if following is None:
                    return True, lines + _explain_answer(reply, target)
                lines.append(f'  status {reply.status}, a redirect:')
            target = following
        raise too_many_redirects(target)
    except SourceError as error:
        return False, [*lines, f'refused: {error.reason}']


def _explain_answer(reply: Reply, target: Target) -> list[str]:
    """Return lines about the headers of the file. Raises SourceError for headers that are refused."""
    size = announced_size(reply, target)
    lines = [f'  status {reply.status}']
    encoding = ', '.join(reply.headers.get_all('Content-Encoding', []))
    if encoding:
        lines.append(f'  Content-Encoding: {_printable(encoding)} is ignored, as it names no compression')
    length = 'a file of unknown size' if size is None else f'{size} bytes'
    kind = _printable(reply.headers.get('Content-Type', 'no type'))
    return [*lines, f'allowed: it would be fetched: {length} of {kind}, as its server says']


def _printable(header: str) -> str:
    # Escaped, because the server's text goes to the operator's terminal.
    return excerpt(header.encode('unicode_escape').decode())
