"""Public links: their base URL, and whether it leads here."""

from collections import deque
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import quote, urlsplit

import requests

from .. import egnyte
from ..content.links import Link
from ..egnyte.provenance import MALFORMED, json_object
from ..egnyte.transport import succeeded
from . import folders
from .calls import Caller
from .installation import Client, Installation
from .model import Result, failure, ok, skipped, warning

TIMEOUT = 5.0
# Calls to find a file with, at the most.
LISTINGS = 4
NOT_FOUND = 404
# A token that none of our keys has signed, and our answer to it.
NO_TOKEN, OUR_ANSWER = 'fsp-doctor', 'There is no such file.'
POLICY = "sandbox; default-src 'none'"


def check_base(installation: Installation) -> Iterator[Result]:
    """Check ``fsp.public.base_url``. The settings guarantee that it ends without a slash."""
    base = installation.settings.public.base_url
    if not base:
        good = ok if installation.is_sandbox else warning
        found = 'fsp.public.base_url is not set: links have the host name of the request that made them'
        if good is ok:
            yield ok('public.base', found)
        else:
            yield warning('public.base', found, 'set it to the name that recipients reach: https://HOST/fsp-public')
        yield skipped('public.answers', 'fsp.public.base_url is not set')
        return
    if urlsplit(base).scheme == 'https':
        yield ok('public.base', f'{base}')
    else:
        yield failure('public.base', f'{base} is not https: mail programs block such pictures', 'use https')
    yield _answers(base)


def _answers(base: str) -> Result:
    """Load an invalid link: only services of this package refuse it in these words, whatever their keys are."""
    try:
        response = _get(f'{base}/{NO_TOKEN}/{NO_TOKEN}')
    except requests.RequestException as error:
        return warning(
            'public.answers',
            f'nothing answers at {urlsplit(base).netloc}: {type(error).__name__}',
            'start the service and its proxy, or correct fsp.public.base_url',
            base,
        )
    if response.status_code == 404 and OUR_ANSWER in response.text:
        # An unknown file is refused in the same words as a token of another key, so that keys cannot be tried.
        found = 'an fsp_pyramid answers; that it is this one, with these keys, is seen with --public-url only'
        return ok('public.answers', found, base)
    return failure(
        'public.answers',
        f'another server answers: status {response.status_code}',
        'let it forward this path, with fsp.public.prefix, to this service',
        base,
    )


def _get(url: str, **headers: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, timeout=TIMEOUT, allow_redirects=False, headers=headers)


def calls_needed(installation: Installation) -> int:
    """Return the calls that :func:`check_link` makes at most."""
    return LISTINGS if _source(installation) is not None else 0


def _source(installation: Installation) -> tuple[Client, list[str]] | None:
    """Return a client with a token, and the paths of the folders that its files are in or below."""
    for client in installation.clients:
        paths = ['/' + '/'.join(part) for part in map(folders.fixed_part, client.settings.folders) if part]
        if client.settings.accounts.mode == 'token' and paths:
            return client, list(dict.fromkeys(paths))
    return None


def check_link(installation: Installation) -> Iterator[Result]:
    """Load the first byte of a file through its public link, from outside in."""
    base, source = installation.settings.public.base_url, _source(installation)
    if not base or source is None:
        reason = 'fsp.public.base_url is not set' if not base else 'no client has a token and a folder of its own'
        yield skipped('public.link', reason)
        return
    client, paths = source
    searched: list[str] = []
    try:
        file = _first_file(installation, client, paths, searched)
    except (egnyte.EgnyteError, *MALFORMED) as error:
        yield skipped('public.link', f'{searched[-1]} cannot be listed: {type(error).__name__}')
        return
    if file is None:
        yield skipped('public.link', f'no file in {", ".join(searched)}: upload one into one of them, and try again')
        return
    token = installation.public.signer.sign(Link(client.label, file[0]))
    try:
        response = _get(f'{base}/{token}/{quote(file[1], safe="")}', Range='bytes=0-0')
    except requests.RequestException as error:
        yield failure(
            'public.link',
            f'it cannot be loaded: {type(error).__name__}',
            'see whether this machine may connect to its own public name',
        )
        return
    status, kind = response.status_code, response.headers.get('Content-Type', 'none')
    if status in {200, 206} and response.headers.get('Content-Security-Policy', '').startswith(POLICY):
        size = len(response.content)
        if size:
            yield ok('public.link', f'{file[1]} was loaded: status {status}, type {kind}')
        else:
            yield failure(
                'public.link',
                f'{file[1]} is empty: status {status}',
                'fsp.public.sendfile = nginx needs nginx in front',
            )
    else:
        yield failure(
            'public.link',
            f'{file[1]} was not loaded: status {status}, type {kind}',
            'compare fsp.public.secret of all processes, and the log of the proxy',
        )


def _first_file(
    installation: Installation, client: Client, paths: list[str], searched: list[str]
) -> tuple[str, str] | None:
    """Return the id and the name of a file in one of the folders, or else below: uids have folders of their own.

    :param searched: gets the paths of the folders that are listed
    """
    own = client.settings.egnyte
    waiting = deque(paths)
    with closing(Caller(own.url, own.token, installation.rate_limiter, own.timeout, own.max_wait)) as caller:
        while waiting and len(searched) < LISTINGS:
            searched.append(folder := waiting.popleft())
            response = caller.call('GET', f'/pubapi/v1/fs{quote(folder)}', params={'count': 100})
            if response.status_code == NOT_FOUND:  # the first upload creates it
                continue
            if not succeeded(response):
                raise egnyte.EgnyteError('no listing', status=response.status_code)
            data = json_object(response)
            files = [item for item in data.get('files', []) if int(item['size'])]
            if files:
                return str(files[0]['group_id']), str(files[0]['name'])
            waiting += [f'{folder}/{item["name"]}' for item in data.get('folders', [])]
    return None


CHECKS = (check_base,)
