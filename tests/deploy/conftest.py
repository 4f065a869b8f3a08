"""Fixtures: nginx in front of the application, and of a stand-in that answers with X-Accel-Redirect."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from webtest.http import StopableWSGIServer

from ..functional.processes import Server, serving
from ..ports import free_port
from ..services import missing
from ..timing import PATIENCE
from .nginx import Nginx, program, proxying

TOP = Path(__file__).parents[2]
WHEN = 1_700_000_000  # Tue, 14 Nov 2023 22:13:20 GMT
BIG = hashlib.shake_256(b'big').digest(1 << 20) * 30
FILES = {'pic.png': bytes(range(256)) * 4, 'big.bin': BIG}
ETAG = '"version-1"'
HEADERS = {
    'Content-Type': 'image/png',
    'Content-Disposition': 'inline; filename="pic.png"',
    'Cache-Control': 'public, max-age=300',
    'ETag': ETAG,
    'Last-Modified': 'Tue, 14 Nov 2023 22:13:20 GMT',
    'Age': '7',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "sandbox; default-src 'none'",
    'Cross-Origin-Resource-Policy': 'cross-origin',
    'Access-Control-Allow-Origin': '*',
}


def points_to_files(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answer like the application with ``fsp.public.sendfile = nginx``; other paths echo the request."""
    path = environ['PATH_INFO']
    if not path.startswith('/fsp-public/'):
        forwarded = {name: value for name, value in environ.items() if 'FORWARDED' in name or name == 'HTTP_HOST'}
        start_response('200 OK', [('Content-Type', 'application/json')])
        return [json.dumps(forwarded).encode()]
    if environ.get('HTTP_IF_NONE_MATCH') == ETAG:
        start_response('304 Not Modified', [(name, HEADERS[name]) for name in ('ETag', 'Cache-Control')])
        return []
    target = f'/fsp-cache/ab/{path.rpartition("/")[2]}'
    start_response('200 OK', [*HEADERS.items(), ('X-Accel-Redirect', target)])
    return []


@pytest.fixture(scope='session', autouse=True)
def _nginx() -> None:
    if program() is None:
        missing('nginx', FileNotFoundError('apt-get install nginx-light'))


@pytest.fixture(scope='module')
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """Run an nginx that sends files, with one running and one missing upstream process."""
    directory = tmp_path_factory.mktemp('files')
    for name, content in FILES.items():
        path = directory / 'cache' / 'ab' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (WHEN, WHEN))
    server = StopableWSGIServer.create(points_to_files, clear_untrusted_proxy_headers=False)
    try:
        uncached = {'"" public;': '"" off;'}
        with proxying(directory, [server.effective_port, free_port()], changed=uncached) as nginx:
            yield nginx
    finally:
        server.shutdown()


def variables(directory: Path, **more: str) -> dict[str, str]:
    """Return the variables of ``production.ini``, with a sandbox and a cache in *directory*."""
    return {
        'FSP_USERNAME': 'beefree',
        'FSP_PASSWORD': 'a-password',
        'FSP_EGNYTE_URL': f'sandbox:{directory}/egnyte',
        'FSP_PUBLIC_SECRET': 'a-signing-secret-of-forty-characters-or-so',
        'FSP_PUBLIC_SENDFILE': 'nginx',
        'FSP_PUBLIC_CACHE_DIR': f'{directory}/cache',
    } | more


@pytest.fixture(scope='module')
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    """Run two processes of ``pserve production.ini`` over one sandbox."""
    directory = tmp_path_factory.mktemp('production')
    secrets = variables(directory)
    first, second = (Path(shutil.copy(TOP / 'production.ini', directory / f'{n}.ini')) for n in (1, 2))
    with serving(first, **secrets) as one, serving(second, **secrets) as two:
        yield [one, two]


@pytest.fixture(scope='module')
def backend(processes: list[Server], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """Run nginx in front of the two processes."""
    cache = processes[0].directory / 'cache'
    ports = [process.port for process in processes]
    # nginx must not close the first of many readers that stall before the last one has connected.
    patient = {'send_timeout 30s;': f'send_timeout {PATIENCE:.0f}s;'}
    with proxying(tmp_path_factory.mktemp('bridge'), ports, cache, changed=patient) as nginx:
        yield nginx
