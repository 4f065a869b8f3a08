"""``deploy/nginx.conf`` in a real nginx: as reverse proxy of two processes, and as server of files from disk."""

import json
import ssl
from base64 import b64encode
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ..functional.processes import Answer, Server
from ..ports import free_port
from .conftest import (
    BIG,
    ETAG,
    FILES,
    HEADERS,
)
from .nginx import HOST, Nginx, proxying

PICTURE = FILES['pic.png']
TOKEN = 'T0ken-that-nobody-may-see'
PIC, BIN = (f'GET /fsp-public/{TOKEN}/{name}' for name in ('pic.png', 'big.bin'))
WHO = {
    'Authorization': f'Basic {b64encode(b"beefree:a-password").decode()}',
    'X-BEE-ClientId': 'app',
    'X-BEE-Uid': 'demo',
}


def public_url(answer: Answer) -> str:
    assert answer.status == 200, answer.body
    items = json.loads(answer.body)['data']['items']
    return next(item['public-url'] for item in items if 'public-url' in item)


# Reverse proxy of the application


def test_proxied_request_yields_proxied_urls(backend: Nginx) -> None:
    url = urlsplit(public_url(backend.ask('GET /fsp/', **WHO)))
    assert (url.scheme, url.hostname, url.port) == ('https', HOST, backend.https_port)
    answer = backend.ask(f'GET {url.path}')
    assert answer.status == 200
    assert answer.headers['Content-Length'] == str(len(answer.body)) != '0'


def test_both_processes_answer(backend: Nginx, processes: list[Server]) -> None:
    for _ in range(4):
        backend.ask('GET /fsp/', **WHO)
    assert all(backend.logged(f'"127.0.0.1:{process.port}" "200"') for process in processes)


def test_link_of_either_process_is_served(backend: Nginx) -> None:
    path = urlsplit(public_url(backend.ask('GET /fsp/', **WHO))).path
    assert {backend.ask(f'GET {path}').status for _ in range(4)} == {200}


def test_nginx_sends_cached_content(backend: Nginx) -> None:
    path = urlsplit(public_url(backend.ask('GET /fsp/', **WHO))).path
    first, again = backend.ask(f'GET {path}'), backend.ask(f'GET {path}')
    assert (first.status, again.status, again.body == first.body) == (200, 200, True)
    kept = {'ETag', 'Last-Modified', 'Content-Type', 'Content-Disposition', 'Content-Security-Policy'}
    kept |= {'X-Content-Type-Options', 'Cross-Origin-Resource-Policy'}
    assert {name: again.headers.get_all(name) for name in kept} == {name: [first.headers[name]] for name in kept}
    assert backend.ask(f'GET {path}', If_None_Match=again.headers['ETag']).status == 304
    # Only nginx supports multiple ranges.
    several = backend.ask(f'GET {path}', Range='bytes=0-3,-4')
    assert (several.status, several.headers.get_content_type()) == (206, 'multipart/byteranges')
    part = backend.ask(f'GET {path}', Range='bytes=2-', If_Range=again.headers['ETag'])
    assert (part.status, part.body) == (206, first.body[2:])


def test_plain_http_from_proxy_is_refused(backend: Nginx, processes: list[Server]) -> None:
    (plain,) = processes[0].ask('GET /fsp/', headers=WHO)
    assert (plain.status, json.loads(plain.body)['code']) == (403, 3300)
    assert backend.ask('GET /fsp/', **WHO, X_Forwarded_Proto='http').status == 200


@pytest.mark.parametrize(
    'forged',
    [
        {'X-Forwarded-Host': 'evil.example'},
        {'Forwarded': 'host=evil.example;proto=http'},
        {'X-Forwarded-Port': '666'},
        {'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Port': '666', 'X-Forwarded-By': 'me'},
    ],
)
def test_client_headers_do_not_change_urls(backend: Nginx, forged: dict[str, str]) -> None:
    url = urlsplit(public_url(backend.ask('GET /fsp/', **WHO, **forged)))
    assert (url.scheme, url.hostname, url.port) == ('https', HOST, backend.https_port)


def test_forged_headers_are_replaced(files: Nginx) -> None:
    forged = {f'X-Forwarded-{name}': '6.6.6.6' for name in ('For', 'Host', 'Proto', 'Port', 'By')}
    received = json.loads(files.ask('GET /echo', **forged, Forwarded='for=6.6.6.6').body)
    assert received.pop('HTTP_HOST') == HOST
    assert received == {
        'HTTP_X_FORWARDED_FOR': '127.0.0.1',
        'HTTP_X_FORWARDED_HOST': HOST,
        'HTTP_X_FORWARDED_PROTO': 'https',
        'HTTP_X_FORWARDED_PORT': str(files.https_port),
    }


def test_large_bodies_are_refused(backend: Nginx) -> None:
    assert backend.ask('POST /fsp/x.png', 'x' * (1024 * 1024 + 1), **WHO).status == 413
    answer = backend.ask('POST /fsp/x.png', json.dumps({'source': 'http://10.0.0.1/x.png'}), **WHO)
    assert (answer.status, json.loads(answer.body)['code']) == (422, 3450)


def test_plain_http_is_redirected(backend: Nginx) -> None:
    answer = backend.ask('GET /fsp-public/x/y.png?q=1', secure=False, host='evil.example')
    assert (answer.status, answer.headers['Location']) == (301, f'https://{HOST}/fsp-public/x/y.png?q=1')


def test_unknown_host_gets_no_answer(backend: Nginx) -> None:
    with pytest.raises(ssl.SSLError):
        backend.ask('GET /fsp/', host='evil.example')


def test_answers_have_hsts_header(backend: Nginx, files: Nginx) -> None:
    for answer in (backend.ask('GET /fsp/'), backend.ask('GET /fsp-public/x/y.png'), files.ask(PIC)):
        assert answer.headers.get_all('Strict-Transport-Security') == ['max-age=31536000']


def test_health_and_metrics_are_not_public(backend: Nginx) -> None:
    assert backend.ask('GET /fsp-ops/metrics').status == 404


# Files from disk


def test_file_has_headers_of_application(files: Nginx) -> None:
    answer = files.ask(PIC)
    assert (answer.status, answer.body) == (200, PICTURE)
    assert {name: answer.headers.get_all(name) for name in HEADERS} == {name: [HEADERS[name]] for name in HEADERS}
    assert answer.headers['Content-Length'] == str(len(PICTURE))
    assert 'X-Accel-Redirect' not in answer.headers


def test_head_has_no_body(files: Nginx) -> None:
    answer = files.ask(PIC.replace('GET', 'HEAD'))
    assert (answer.status, answer.body) == (200, b'')
    assert (answer.headers['Content-Length'], answer.headers['ETag']) == (str(len(PICTURE)), ETAG)


def test_single_range_is_served(files: Nginx) -> None:
    answer = files.ask(PIC, Range='bytes=10-19')
    assert (answer.status, answer.body) == (206, PICTURE[10:20])
    assert answer.headers['Content-Range'] == f'bytes 10-19/{len(PICTURE)}'
    assert (answer.headers['ETag'], answer.headers['Content-Type']) == (ETAG, 'image/png')


def test_multiple_ranges_are_served(files: Nginx) -> None:
    answer = files.ask(PIC, Range='bytes=0-3,-4')
    assert answer.status == 206
    assert answer.headers.get_content_type() == 'multipart/byteranges'
    for part in (PICTURE[:4], PICTURE[-4:]):
        assert b'\r\n\r\n' + part + b'\r\n' in answer.body


def test_unsatisfiable_range_is_416(files: Nginx) -> None:
    answer = files.ask(PIC, Range='bytes=5000-')
    assert (answer.status, answer.headers['Content-Range']) == (416, f'bytes */{len(PICTURE)}')


@pytest.mark.parametrize(
    ('condition', 'status'),
    [(ETAG, 206), ('"version-0"', 200), (HEADERS['Last-Modified'], 206), ('Tue, 14 Nov 2023 22:13:21 GMT', 200)],
)
def test_if_range_is_honoured(files: Nginx, condition: str, status: int) -> None:
    assert files.ask(PIC, Range='bytes=0-3', If_Range=condition).status == status


def test_conditional_request_is_304(files: Nginx) -> None:
    by_bridge = files.ask(PIC, If_None_Match=ETAG)
    assert (by_bridge.status, by_bridge.body, by_bridge.headers['ETag']) == (304, b'', ETAG)
    assert by_bridge.headers['Cache-Control'] == HEADERS['Cache-Control']
    by_nginx = files.ask(PIC, If_Modified_Since=HEADERS['Last-Modified'])
    assert (by_nginx.status, by_nginx.headers['ETag']) == (304, ETAG)
    assert files.ask(PIC, If_None_Match='"version-0"').status == 200


def test_condition_holds_for_file_that_nginx_does_not_cache(files: Nginx, tmp_path: Path) -> None:
    """Nginx forwards no condition of a request that it may cache, as that for a file from 100 MB on."""
    port = int(files.configuration.read_text().split('server 127.0.0.1:')[1].split()[0])
    with proxying(tmp_path, [port], files.cache) as nginx:
        kept = HEADERS.keys() - {'Last-Modified'}
        for tags in (ETAG, f'W/{ETAG}', f'"version-0", {ETAG}', f'"version-0",W/{ETAG},"x"'):
            known = nginx.ask(PIC, If_None_Match=tags)
            assert (known.status, known.body, known.headers['ETag']) == (304, b'', ETAG)
            assert {name: known.headers.get_all(name) for name in kept} == {name: [HEADERS[name]] for name in kept}
        changed: dict[str, str]
        for changed in ({}, {'If_None_Match': '"version-0"'}, {'If_None_Match': ETAG[:-1]}, {'If_None_Match': ''}):
            answer = nginx.ask(PIC, **changed)
            assert (answer.status, answer.body) == (200, PICTURE)
        both = {'If_None_Match': '"version-0"', 'If_Modified_Since': HEADERS['Last-Modified']}
        assert nginx.ask(PIC, **both).status == 200


def test_large_file_is_served_completely(files: Nginx) -> None:
    answer = files.ask(BIN)
    assert (answer.status, answer.body == BIG) == (200, True)
    answer = files.ask(BIN, Range=f'bytes={len(BIG) - 1000}-')
    assert (answer.status, answer.body) == (206, BIG[-1000:])


def test_cache_directory_is_not_public(files: Nginx) -> None:
    for path in ('/fsp-cache/ab/pic.png', '/fsp-cache/', '/fsp-public/../fsp-cache/ab/pic.png'):
        assert files.ask(f'GET {path}').status == 404
    assert files.ask(f'GET /fsp-public/{TOKEN}/..%2f..%2fnginx.conf').status in {400, 404}


# Logs


def test_tokens_and_queries_are_not_logged(files: Nginx) -> None:
    files.ask(f'{PIC}?secret=query')
    files.ask(PIC.replace('fsp-public', 'fsp%2Dpublic'))
    files.ask(PIC.replace('pic.png', 'gone.png'))  # written to the error log
    files.ask(f'GET /fsp-public/{TOKEN}')
    files.ask(f'GET /fsp-public/{TOKEN}/a/b')
    files.ask(f'GET //fsp-public/{TOKEN}/pic.png')
    files.ask(f'GET /echo/x?secret={TOKEN}', Referer=f'https://{HOST}/fsp-public/{TOKEN}/pic.png')
    files.ask(f'GET /fsp-public/{TOKEN}/..%2f..%2fx')
    files.ask(f'POST /fsp-public/{TOKEN}/pic.png', 'x' * (1024 * 1024 + 1))
    assert files.logged('"GET /fsp-public/-/pic.png HTTP/1.1" 200')
    assert files.logged('"GET /fsp-public/-/gone.png HTTP/1.1" 404')
    assert files.logged('"GET /echo/x HTTP/1.1" 200')
    assert files.logged('"POST  HTTP/1.1" 413')
    for log in (files.access_log, files.error_log):
        assert TOKEN not in log
        assert 'secret' not in log


@pytest.mark.parametrize(
    ('path', 'logged'),
    [
        ('/fsp-connect/SECRET', '/fsp-connect/-'),
        ('/fsp-connect/SECRET/folder', '/fsp-connect/-'),
        ('//fsp-connect/SECRET', '/fsp-connect/-'),
        ('/FSP-PUBLIC/SECRET/pic.png', '/FSP-PUBLI/-'),
        ('/fsp-public;/SECRET/pic.png', '/fsp-publi/-'),
        ('/%66sp-connect/SECRET', '/fsp-connect/-'),
        ('/app/fsp-publi%0aSECRET', '/app/fsp-publi/-'),
        ('/fsp/fsp-files/name.png', '/fsp/fsp-files/name.png'),
    ],
)
def test_links_are_not_logged_in_any_spelling(files: Nginx, path: str, logged: str) -> None:
    files.ask(f'GET {path}')
    assert files.logged(f'"GET {logged} HTTP/1.1"')
    assert 'SECRET' not in files.access_log + files.error_log


def test_tokens_are_not_logged_without_upstream(tmp_path_factory: pytest.TempPathFactory) -> None:

    with proxying(tmp_path_factory.mktemp('alone'), [free_port(), free_port()]) as alone:
        assert alone.ask(PIC).status == 502
        assert alone.ask('GET /fsp/').status == 502
        assert alone.logged('"GET /fsp-public/-/pic.png HTTP/1.1" 502')
        assert TOKEN not in alone.access_log + alone.error_log
