"""Public links: their base URL, and whether it leads here."""

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
    """Load an invalid link: only this service refuses it in its words."""
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
        return ok('public.answers', 'this service answers', base)
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
    return int(_source(installation) is not None)


def _source(installation: Installation) -> tuple[Client, str] | None:
    """Return a client with a token, and the path of a folder that may hold a file."""
    for client in installation.clients:
        for mapping in client.settings.folders:
            path = folders.fixed_part(mapping)
            if client.settings.accounts.mode == 'token' and path:
                return client, '/' + '/'.join(path)
    return None


def check_link(installation: Installation) -> Iterator[Result]:
    """Load the first byte of a file through its public link, from outside in."""
    base, source = installation.settings.public.base_url, _source(installation)
    if not base or source is None:
        reason = 'fsp.public.base_url is not set' if not base else 'no client has a token and a folder of its own'
        yield skipped('public.link', reason)
        return
    client, folder = source
    try:
        file = _first_file(installation, client, folder)
    except (egnyte.EgnyteError, *MALFORMED) as error:
        yield skipped('public.link', f'{folder} cannot be listed: {type(error).__name__}')
        return
    if file is None:
        yield skipped('public.link', f'{folder} holds no file: upload one and try again')
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


def _first_file(installation: Installation, client: Client, folder: str) -> tuple[str, str] | None:
    """Return the id and the name of the first file in a folder."""
    own = client.settings.egnyte
    with closing(Caller(own.url, own.token, installation.rate_limiter, own.timeout, own.max_wait)) as caller:
        response = caller.call('GET', f'/pubapi/v1/fs{quote(folder)}', params={'count': 100})
    if not succeeded(response):
        raise egnyte.EgnyteError('no listing', status=response.status_code)
    files = [item for item in json_object(response).get('files', []) if int(item['size'])]
    return (str(files[0]['group_id']), str(files[0]['name'])) if files else None


CHECKS = (check_base,)
