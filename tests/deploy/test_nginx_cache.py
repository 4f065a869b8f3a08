"""``deploy/nginx.conf`` as a cache of public files."""

import getpass
import gzip
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from webtest.http import StopableWSGIServer

from fsp_pyramid.testing import Sandbox

from ..functional.processes import Answer, Server, serving
from ..ports import free_port
from ..timing import PATIENCE, eventually
from .conftest import TOP, variables
from .nginx import HOST, Nginx, await_port, program, proxying
from .test_nginx import WHO

CONTENT = bytes(range(256)) * 800
# Seconds. A test that needs a response to be fresh makes requests without a pause, and repeats itself otherwise.
MAX_AGE = 2


@pytest.fixture(scope='module')
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp('cached')


@pytest.fixture(scope='module')
def sandbox(directory: Path) -> Sandbox:
    return Sandbox(directory / 'egnyte')


@pytest.fixture(scope='module')
def service(directory: Path) -> Iterator[Server]:
    ini = Path(shutil.copy(TOP / 'production.ini', directory / 'production.ini'))
    # Files change at Egnyte here.
    with serving(ini, **variables(directory, FSP_PUBLIC_MAX_AGE=f'{MAX_AGE}', FSP_CACHE_TTL='0')) as server:
        yield server


@pytest.fixture(scope='module')
def nginx(directory: Path, service: Server) -> Iterator[Nginx]:
    (directory / 'nginx').mkdir()
    with proxying(directory / 'nginx', [service.port], directory / 'cache') as nginx:
        yield nginx


def url(nginx: Nginx, sandbox: Sandbox, name: str, content: bytes = CONTENT, suffix: str = '.png') -> str:
    """Return the path of a new public file, without its name."""
    sandbox.upload(f'/Shared/Beefree/demo/{name}/{name}{suffix}', content)
    answer = nginx.ask(f'GET /fsp/{name}/', **WHO)
    (item,) = json.loads(answer.body)['data']['items']
    return urlsplit(item['public-url']).path.rpartition('/')[0]


def upstream_requests(nginx: Nginx, name: str) -> int:
    """Return how many requests for files of that name the application got, when all of them are logged."""
    lines = [line for line in nginx.access_log.splitlines() if f'/fsp-public/-/{name}' in line]
    return sum('"127.0.0.1:' in line for line in lines)


def test_names_share_one_response(nginx: Nginx, sandbox: Sandbox) -> None:
    base = url(nginx, sandbox, 'shared')
    first = nginx.ask(f'GET {base}/shared-0.png')
    assert (first.status, first.body) == (200, CONTENT)
    for number in range(1, 20):
        again = nginx.ask(f'GET {base}/shared-{number}.png')
        assert (again.status, again.body) == (200, CONTENT)
        assert again.headers.get_all('Cache-Control') == first.headers.get_all('Cache-Control')
        for name in ('Content-Type', 'ETag', 'Last-Modified', 'Content-Security-Policy', 'Strict-Transport-Security'):
            assert again.headers.get_all(name) == [first.headers[name]]
    assert nginx.logged('/fsp-public/-/shared-', 20)
    # As many as periods of freshness, however slow the machine is.
    assert upstream_requests(nginx, 'shared-') < 20


def test_concurrent_readers_make_one_request(nginx: Nginx, sandbox: Sandbox) -> None:
    base = url(nginx, sandbox, 'herd')
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: nginx.ask(f'GET {base}/herd.png'), range(20)))
    assert {(answer.status, answer.body == CONTENT) for answer in answers} == {(200, True)}
    assert nginx.logged('/fsp-public/-/herd.png', 20)
    assert upstream_requests(nginx, 'herd') < 20


def test_ranges_and_conditions_come_from_the_cache(nginx: Nginx, sandbox: Sandbox) -> None:
    base = url(nginx, sandbox, 'parts')
    whole = nginx.ask(f'GET {base}/parts.png')
    for part, content in (('bytes=0-9', CONTENT[:10]), ('bytes=-7', CONTENT[-7:]), ('bytes=5-9', CONTENT[5:10])):
        answer = nginx.ask(f'GET {base}/parts.png', Range=part)
        assert (answer.status, answer.body) == (206, content)
        assert answer.headers.get_all('Cache-Control') == whole.headers.get_all('Cache-Control')
    for condition in (
        {'If_None_Match': whole.headers['ETag']},
        {'If_Modified_Since': whole.headers['Last-Modified']},
        {'If_Modified_Since': 'Fri, 01 Jan 2100 00:00:00 GMT'},
    ):
        answer = nginx.ask(f'GET {base}/parts.png', **condition)
        assert (answer.status, answer.body) == (304, b'')
    head = nginx.ask(f'HEAD {base}/parts.png')
    assert (head.status, head.headers['Content-Length']) == (200, str(len(CONTENT)))


def test_type_by_the_name_in_a_url_is_for_its_reader_only(nginx: Nginx, sandbox: Sandbox, directory: Path) -> None:
    base = url(nginx, sandbox, 'nameless', b'no known type', suffix='.bin')
    shutil.rmtree(directory / 'cache')  # the name of the file is not known any more
    assert nginx.ask(f'GET {base}/a.webp').headers['Content-Type'] == 'image/webp'
    assert nginx.ask(f'GET {base}/a.gif').headers['Content-Type'] == 'image/gif'


@pytest.mark.parametrize(
    'part', ['bytes=99999999-', 'bytes=-0', 'bytes=x', 'bytes=9-5', f'bytes=0-{"9" * 20}', f'bytes=-{"9" * 20}']
)
def test_odd_range_of_a_cached_file_has_no_headers_of_a_success(nginx: Nginx, sandbox: Sandbox, part: str) -> None:
    base = url(nginx, sandbox, f'odd{abs(hash(part))}')
    assert nginx.ask(f'GET {base}/odd.png').status == 200
    answer = nginx.ask(f'GET {base}/odd.png', Range=part)
    if part == 'bytes=99999999-':
        assert answer.status == 416
        assert answer.headers.get_all('Cache-Control') == ['no-store']
        assert (answer.headers['ETag'], answer.headers['Content-Disposition']) == (None, None)
    else:
        assert (answer.status, answer.body) == (200, CONTENT)


@pytest.mark.parametrize('condition', ['If-Match', 'If-Unmodified-Since'])
def test_condition_that_looks_like_a_range_goes_to_the_application(
    nginx: Nginx, sandbox: Sandbox, condition: str
) -> None:
    name = f'like-{condition.lower()}'
    path = f'{url(nginx, sandbox, name)}/{name}.png'
    for value in ('bytes=0-', 'bytes=-5', '"x"'):
        assert nginx.ask(f'GET {path}', **{condition: value}).body == CONTENT
    assert nginx.logged(f'/fsp-public/-/{name}.png', 3)
    assert upstream_requests(nginx, name) == 3


@pytest.mark.parametrize('way', ['/%66sp-public/{token}/x', '/fsp-public/{token}%2Fx', '/fsp-public/%{hex}/x'])
def test_other_spelling_of_a_path_is_not_cached(nginx: Nginx, sandbox: Sandbox, way: str) -> None:
    """Each spelling would be another key, and the query a part of it."""
    token = url(nginx, sandbox, f'spelled{abs(hash(way))}').rpartition('/')[2]
    path = way.format(token=token, hex=f'{ord(token[0]):x}{token[1:]}')
    for number in range(3):
        assert nginx.ask(f'GET {path}?{number}').body == CONTENT
    for kept in (nginx.directory / 'public-cache').rglob('*'):
        with suppress(FileNotFoundError, IsADirectoryError):  # nginx replaces files of other tests meanwhile
            assert b'KEY: /' not in kept.read_bytes()[:1000]


def test_replaced_file_shows_within_max_age(nginx: Nginx, sandbox: Sandbox) -> None:
    base = url(nginx, sandbox, 'replaced')
    assert nginx.ask(f'GET {base}/replaced.png').body == CONTENT
    sandbox.upload('/Shared/Beefree/demo/replaced/replaced.png', CONTENT[::-1])
    end = time.monotonic() + PATIENCE
    while nginx.ask(f'GET {base}/replaced.png').body != CONTENT[::-1]:
        assert time.monotonic() < end
        nginx.ask('GET /fsp/replaced/', **WHO)
        time.sleep(0.1)


def test_outdated_file_is_kept_for_seconds_only(
    directory: Path, sandbox: Sandbox, nginx: Nginx, tmp_path: Path, service: Server
) -> None:
    ini = Path(shutil.copy(directory / 'production.ini', tmp_path / 'production.ini'))
    path = f'{url(nginx, sandbox, "outdated")}/outdated.png'
    assert nginx.ask(f'GET {path}').body == CONTENT
    (tmp_path / 'nginx').mkdir()
    with (
        serving(ini, **variables(directory, FSP_PUBLIC_MAX_AGE='3600', FSP_CACHE_TTL='0')) as other,
        proxying(tmp_path / 'nginx', [other.port]) as front,
    ):
        sandbox.upload('/Shared/Beefree/demo/outdated/outdated.png', CONTENT[::-1])
        front.ask('GET /fsp/outdated/', **WHO)
        last = front.ask(f'GET {path}')
        assert (last.body, last.headers['Cache-Control'].split(', ')[1]) == (CONTENT, 'max-age=5')
        eventually(lambda: front.ask(f'GET {path}').body == CONTENT[::-1])
        assert 'max-age=3600' in front.ask(f'GET {path}').headers['Cache-Control']


@pytest.mark.parametrize('way', ['/../', '%2f..%2f', '/..%2f', '/x/../../'])
def test_path_of_two_tokens_puts_no_file_in_the_place_of_another(nginx: Nginx, sandbox: Sandbox, way: str) -> None:
    """Nginx decodes and normalises paths, and the application does neither."""
    name = f'way{["/../", "%2f..%2f", "/..%2f", "/x/../../"].index(way)}'
    mine, other = url(nginx, sandbox, f'mine{name}', b'mine'), url(nginx, sandbox, f'other{name}', CONTENT)
    token = other.rpartition('/')[2]
    for _ in range(2):
        nginx.ask(f'GET {mine}{way}{token}/x.png')
    assert nginx.ask(f'GET {other}/x.png').body == CONTENT


def test_file_by_the_address_of_a_thumbnail_is_not_cached(nginx: Nginx, sandbox: Sandbox) -> None:
    """Each of these addresses would be a copy of the file."""
    base = url(nginx, sandbox, 'digits')
    for number in range(3):
        assert nginx.ask(f'GET {base}/0123456789a{number}/x.png').body == CONTENT
    kept = [path for path in (nginx.directory / 'public-cache').rglob('*') if path.is_file()]
    assert not any(b'0123456789a' in path.read_bytes()[:2000] for path in kept)


def test_deleted_file_disappears_while_readers_come(tmp_path: Path) -> None:
    asked: list[str] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        asked.append(environ['PATH_INFO'])
        if len(asked) > 1:
            start_response('404 Not Found', [('Cache-Control', 'no-store')])
            return [b'gone']
        caching = 'public, max-age=1, stale-while-revalidate=1, stale-if-error=2592000'
        start_response('200 OK', [('Cache-Control', caching), ('Content-Type', 'image/png')])
        return [CONTENT]

    server = StopableWSGIServer.create(application)
    try:
        with proxying(tmp_path, [server.effective_port]) as nginx:
            assert nginx.ask('GET /fsp-public/token/a.png').status == 200
            end = time.monotonic() + PATIENCE
            while nginx.ask('GET /fsp-public/token/a.png').status == 200:
                assert time.monotonic() < end
                time.sleep(0.1)
    finally:
        server.shutdown()


def test_failure_is_not_cached(nginx: Nginx, sandbox: Sandbox) -> None:
    for _ in range(2):
        answer = nginx.ask('GET /fsp-public/bad-token/failure.png')
        assert (answer.status, answer.headers.get_all('Cache-Control')) == (404, ['no-store'])
    assert nginx.logged('/fsp-public/-/failure.png', 2)
    assert upstream_requests(nginx, 'failure') == 2


CDN = """
user {user}; daemon off; pid cdn.pid; error_log stderr;
events {{ }}
http {{
    access_log off;
    {temporary}
    proxy_cache_path cdn levels=1:2 keys_zone=cdn:1m;
    server {{
        listen 127.0.0.1:{port};
        location /pictures/ {{
            proxy_pass https://127.0.0.1:{origin}/fsp-public/;
            proxy_set_header Host {host};
            proxy_ssl_server_name on; proxy_ssl_name {host};
            proxy_cache cdn; proxy_cache_key $uri; proxy_cache_revalidate on;
            add_header X-Cache $upstream_cache_status always;
        }}
    }}
}}
"""


@pytest.fixture
def cdn(tmp_path: Path, nginx: Nginx) -> Iterator[Callable[[str], Answer]]:
    """Run a plain caching nginx as a CDN, and return a function that asks it."""
    port = free_port()
    kinds = ('client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi')
    temporary = ' '.join(f'{kind}_temp_path {tmp_path}/{kind};' for kind in kinds)
    text = CDN.format(port=port, origin=nginx.https_port, host=HOST, temporary=temporary, user=getpass.getuser())
    (tmp_path / 'cdn.conf').write_text(text)
    command = [program(), '-p', tmp_path, '-e', tmp_path / 'cdn.log', '-c', tmp_path / 'cdn.conf']
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        server = Server(port, tmp_path / 'cdn.log')
        try:
            await_port(process, port)
            yield lambda target: server.ask(f'GET {target}')[0]
        finally:
            process.terminate()
            process.wait(PATIENCE)


def test_cdn_keeps_files_and_no_failures(cdn: Callable[[str], Answer], nginx: Nginx, sandbox: Sandbox) -> None:
    target = url(nginx, sandbox, 'cdn').replace('/fsp-public/', '/pictures/') + '/cdn.png'
    outcomes = []
    for _ in range(20):
        answer = cdn(target)
        assert (answer.status, answer.body) == (200, CONTENT)
        assert answer.headers['Content-Security-Policy'] == "sandbox; default-src 'none'"
        outcomes.append(answer.headers['X-Cache'])
    assert 'HIT' in outcomes
    for _ in range(2):
        answer = cdn('/pictures/bad-token/cdn.png')
        assert (answer.status, answer.headers['X-Cache']) == (404, 'MISS')
    sandbox.upload('/Shared/Beefree/demo/cdn/cdn.png', CONTENT[::-1])
    end = time.monotonic() + PATIENCE
    while cdn(target).body != CONTENT[::-1]:
        assert time.monotonic() < end
        nginx.ask('GET /fsp/cdn/', **WHO)
        time.sleep(0.1)


def test_listing_is_compressed(nginx: Nginx, sandbox: Sandbox) -> None:
    for number in range(30):
        sandbox.upload(f'/Shared/Beefree/demo/many/{number}.png', CONTENT[:1000])
    plain = nginx.ask('GET /fsp/many/', **WHO)
    packed = nginx.ask('GET /fsp/many/', **WHO, Accept_Encoding='gzip')
    assert packed.headers['Content-Encoding'] == 'gzip'
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) * 4 < len(plain.body)


def test_cached_file_outlives_the_application(
    directory: Path, sandbox: Sandbox, nginx: Nginx, tmp_path: Path, service: Server
) -> None:
    """A reader gets what is in the cache while no process of the application answers."""
    ini = Path(shutil.copy(directory / 'production.ini', tmp_path / 'production.ini'))
    base = url(nginx, sandbox, 'outlives')
    (tmp_path / 'nginx').mkdir()
    with (
        serving(ini, **variables(directory, FSP_PUBLIC_MAX_AGE='1')) as other,
        proxying(tmp_path / 'nginx', [other.port]) as front,
    ):
        assert front.ask(f'GET {base}/outlives.png').body == CONTENT
        other.process.kill()
        other.process.wait()
        stale = time.monotonic() + 1.5  # the response is fresh for a second
        while True:
            was_stale = time.monotonic() > stale
            answer = front.ask(f'GET {base}/outlives.png')
            assert (answer.status, answer.body) == (200, CONTENT)
            if was_stale:
                break
            time.sleep(0.1)
        assert front.ask(f'GET {base[:-1]}x/outlives.png').status == 502


def test_deleted_file_stays_deleted_while_the_application_is_down(
    directory: Path, sandbox: Sandbox, nginx: Nginx, tmp_path: Path, service: Server
) -> None:
    ini = Path(shutil.copy(directory / 'production.ini', tmp_path / 'production.ini'))
    path = f'{url(nginx, sandbox, "withdrawn")}/withdrawn.png'
    (tmp_path / 'nginx').mkdir()
    with (
        serving(ini, **variables(directory, FSP_PUBLIC_MAX_AGE='1')) as other,
        proxying(tmp_path / 'nginx', [other.port]) as front,
    ):
        assert front.ask(f'GET {path}').body == CONTENT
        assert front.ask('DELETE /fsp/withdrawn/withdrawn.png', **WHO).status == 200
        eventually(lambda: front.ask(f'GET {path}').status == 404)
        assert front.ask(f'GET {path}').headers.get_all('Cache-Control') == ['no-store']
        other.process.kill()
        other.process.wait()
        eventually(lambda: front.ask('GET /fsp/', **WHO).status == 502)
        for _ in range(3):
            assert front.ask(f'GET {path}').status == 404
