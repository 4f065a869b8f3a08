"""Egnyte: within reach, its clock, the token, the calls that are left, and the mapped folders.

One call for each token, and one for each mapped folder. Clients with the same Egnyte, token and folder share them.
"""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import requests

from .. import egnyte
from ..egnyte.errors import from_response
from ..egnyte.provenance import MALFORMED, json_object
from ..egnyte.rate_rules import QuotaHeaders
from ..egnyte.times import http_date
from ..egnyte.transport import succeeded
from . import folders, probes
from .calls import Caller
from .installation import Client, Installation
from .model import Level, Result, failure, ok, skipped, warning

# Seconds. Our own changes are recognized by Egnyte's time with a tolerance of two; states of OAuth live for minutes.
TOLERANCE, FAR = 2.0, 60.0
# Share of the day's calls below which the operator is warned.
FEW = 0.2
OFFICIAL = ('.egnyte.com', '.egnytegov.com')
LOOPBACK = ('localhost', '127.', '[::1]')


def calls_needed(installation: Installation) -> int:
    """Return the calls that :func:`check_egnyte` makes at most."""
    accounts = _accounts(installation)
    return sum(1 + len(folders.distinct(clients)) for clients in accounts.values()) + bool(_public_token(installation))


def check_egnyte(installation: Installation) -> Iterator[Result]:
    """Check each Egnyte, and with each token of the settings the user and the mapped folders."""
    reached = {}
    for url in _urls(installation):
        result = _reachable(url)
        reached[url] = result.level is not Level.FAILURE
        yield result
    for (url, token), clients in _accounts(installation).items():
        label = ', '.join(client.label for client in clients)
        if not reached[url]:
            yield skipped('egnyte.token', 'Egnyte is out of reach', label)
            continue
        own = clients[0].settings.egnyte
        with closing(Caller(url, token, installation.rate_limiter, own.timeout, own.max_wait)) as caller:
            yield from _account(caller, label, clients)
    yield from _users_accounts(installation)
    if token := _public_token(installation):
        own = installation.clients[0].settings.egnyte
        if reached.get(own.url):
            with closing(Caller(own.url, token, installation.rate_limiter, own.timeout, own.max_wait)) as caller:
                yield from _account(caller, 'fsp.public.token', [])


def _accounts(installation: Installation) -> dict[tuple[str, str], list[Client]]:
    """Return the clients with a token by URL and token. The sandbox of a directory without files is left alone."""
    found = defaultdict(list)
    for client in installation.clients:
        own = client.settings
        if own.accounts.mode == 'token' and not _is_new_sandbox(own.egnyte.sandbox_directory):
            found[own.egnyte.url, own.egnyte.token].append(client)
    return found


def _is_new_sandbox(directory: str) -> bool:
    # Its first call would create it.
    return bool(directory) and not Path(directory).exists()


def _public_token(installation: Installation) -> str:
    return '' if installation.is_sandbox else installation.settings.public.token


def _urls(installation: Installation) -> list[str]:
    return list(
        dict.fromkeys(
            client.settings.egnyte.url
            for client in installation.clients
            if client.settings.accounts.mode == 'token' or client.settings.oauth.domain == 'fixed'
        )
    )


def _reachable(url: str) -> Result:
    if url.startswith('sandbox:'):
        directory = url.removeprefix('sandbox:')
        if _is_new_sandbox(directory):
            return skipped('egnyte.reachable', 'the first request creates the sandbox', directory)
        return ok('egnyte.reachable', 'an embedded sandbox', directory)
    host = urlsplit(url).netloc
    if error := probes.connect(url):
        # The error names the host, which is the subject.
        return failure('egnyte.reachable', f'no connection: {error.rpartition(": ")[2]}', _remedy(error), host)
    if not host.lower().endswith(OFFICIAL) and not host.startswith(LOOPBACK):
        return warning(
            'egnyte.reachable',
            "answers, and is not below egnyte.com: Egnyte's API is not at a name of your own",
            'write https://DOMAIN.egnyte.com',
            host,
        )
    return ok('egnyte.reachable', f'answers{", with a certificate that is trusted" * url.startswith("https:")}', host)


def _remedy(error: str) -> str:
    if 'gaierror' in error:
        return 'the name is unknown: correct fsp.egnyte.url, or the DNS of this machine'
    if 'SSL' in error or 'Certificate' in error:
        return 'another server, or a proxy that inspects TLS, answers: correct fsp.egnyte.url, or trust its authority'
    return 'allow connections to this host and port in the firewall'


def _account(caller: Caller, label: str, clients: list[Client]) -> Iterator[Result]:
    """Check a token and its folders."""
    began = time.time()
    try:
        response = caller.call('GET', '/pubapi/v1/userinfo')
        ended = time.time()
        yield _clock(response, began, ended, label)
        if not succeeded(response):
            raise from_response(response, 'GET')
        user = egnyte.User.read(json_object(response))
    except egnyte.Unauthorized as error:
        yield failure('egnyte.token', f'Egnyte refuses it: {error}', 'get a new token, and set it', label)
        return
    except egnyte.QuotaExceeded as error:
        yield failure(
            'egnyte.quota',
            f'the calls of this day are used up, for {error.wait / 3600:.1f} hours more',
            'wait, or ask Egnyte for more calls a day',
            label,
        )
        return
    except (egnyte.EgnyteError, *MALFORMED) as error:
        text = str(error) if isinstance(error, egnyte.EgnyteError) else type(error).__name__
        yield failure('egnyte.token', f'no answer of Egnyte: {text}', 'see whether a proxy answers in its place', label)
        return
    yield ok('egnyte.token', f'valid, of {user.username}', label)
    yield _quota(response, label)
    for client, mapping in folders.distinct(clients).values():
        yield folders.check(caller, client, mapping, user.username)


def _clock(response: requests.Response, began: float, ended: float, label: str) -> Result:
    """Compare this machine's clock with Egnyte's ``Date``, which has whole seconds."""
    try:
        date = http_date(response.headers.get('Date', ''))
    except ValueError:
        return skipped('egnyte.clock', 'the answer has no date', label)
    ahead, behind = began - (date + 1), date - ended
    wrong = max(ahead, behind, 0.0)
    text = f'this clock is {wrong:.0f} s {"ahead of" if ahead > behind else "behind"} Egnyte'
    if wrong > FAR:
        return failure(
            'egnyte.clock',
            f'{text}: states of OAuth and links of connect pages are refused',
            'synchronize it (NTP)',
            label,
        )
    if wrong > TOLERANCE:
        return warning('egnyte.clock', f'{text}: own changes are not recognized', 'synchronize it (NTP)', label)
    return ok('egnyte.clock', 'this clock agrees with Egnyte', label)


def _quota(response: requests.Response, label: str) -> Result:
    quota = QuotaHeaders.read(response.headers)
    if quota.daily is None or quota.used is None:
        return skipped('egnyte.quota', 'the answer does not tell the calls of this day', label)
    left = max(0, quota.daily - quota.used)
    text = f'{left} of {quota.daily} calls left today' + (f', {quota.qps} a second' if quota.qps else '')
    if left < quota.daily * FEW:
        return warning(
            'egnyte.quota', text, 'find out which application uses this token, or ask Egnyte for more', label
        )
    return ok('egnyte.quota', text, label)


def _users_accounts(installation: Installation) -> Iterator[Result]:
    for client in installation.clients:
        own = client.settings
        if own.accounts.mode == 'oauth':
            yield skipped('egnyte.token', 'users connect accounts of their own', client.label)
        elif _is_new_sandbox(own.egnyte.sandbox_directory):
            yield skipped('egnyte.token', 'the first request creates the sandbox', client.label)


CHECKS = (check_egnyte,)
