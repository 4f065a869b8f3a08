"""Oversized requests: bounded work, and bounded echoes in answers and logs."""

import gc
import io
import json
import logging
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
import webob
from pyramid.config import Configurator

from fsp_pyramid import main
from fsp_pyramid.testing import Sandbox

from ..sources.servers import serving
from .envelope import ask, read

Make = Callable[..., Any]
MOST = 200  # maximum characters of a request that an answer or a log line repeats
LONG = 'w' * 3000


@pytest.fixture
def standalone(settings: dict[str, str], egnyte: Sandbox) -> Any:
    """Return the application of an ini file."""
    return main({}, **settings)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """Capture the log at all levels."""
    caplog.set_level('DEBUG')
    return lambda: '\n'.join(record.getMessage() + str(record.exc_text or '') for record in caplog.records)


def body_of(text: str) -> dict[str, Any]:
    """Return the WSGI keys for a body."""
    return {'wsgi.input': io.BytesIO(text.encode()), 'CONTENT_LENGTH': str(len(text.encode()))}


def longest_run(text: str, character: str = 'w') -> int:
    runs = [0]
    for found in text:
        runs.append(runs[-1] + 1 if found == character else 0)
    return max(runs)


@pytest.mark.parametrize('path', ['/a' * 101, '/a' * 101 + '/', '/' + 'a' * 5000, '/a' * 60_000, '/' + 'é' * 2500])
@pytest.mark.parametrize('method', ['GET', 'POST', 'DELETE', 'PATCH'])
def test_oversized_path_is_a_bad_request(make: Make, egnyte: Sandbox, path: str, method: str) -> None:
    egnyte.forget_calls()
    assert read(ask(make(), '/fsp' + path.encode().decode('latin-1'), method)) == (400, 3500)
    assert egnyte.calls == []


@pytest.mark.parametrize('path', ['/a' * 101 + '/', '/' + 'a' * 5000 + '/', '/a' * 30_000 + '/'])
def test_oversized_target_of_a_move_is_a_bad_request(make: Make, egnyte: Sandbox, path: str) -> None:
    egnyte.forget_calls()
    answer = ask(make(), '/fsp/Notes.txt', 'PATCH', **body_of(json.dumps({'new_path': path})))
    assert read(answer) == (400, 3500)
    assert '"new_path" is not a valid path' in answer.json['details']
    assert egnyte.calls == []


def test_memory_for_deep_path_is_linear(make: Make, egnyte: Sandbox) -> None:
    """Expect at most twice the peak memory for twice the names; quadratic growth would be fourfold."""
    application = make()
    read(ask(application, '/fsp/'))

    def peak(names: int) -> int:
        tracemalloc.start()
        try:
            assert ask(application, f'/fsp{"/a" * names}/').status_int in {400, 404}
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)
    assert peak(40_000) < 3 * peak(20_000)
    assert peak(20_000) < 100 * 20_000, 'a refused path costs little more than its text'


@pytest.mark.parametrize('prefix', ['', '/other', '/fsp-ops', '/fsp-connect', '/fsp-public/x'])
def test_long_url_outside_mounts_leaks_no_memory(standalone: Any, prefix: str) -> None:
    def rest(names: int) -> int:
        tracemalloc.start()
        try:
            for number in range(5):
                assert ask(standalone, f'{prefix}{"/a" * names}/{number}').status_int == 404
            gc.collect()
            return tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()

    rest(10)
    assert rest(20_000) < 5 * 20_000


def test_long_name_is_truncated_in_answer_and_log(make: Make, egnyte: Sandbox, log: Callable[[], str]) -> None:
    application = make()
    source = json.dumps({'source': 'http://192.0.2.1/'})
    for method, path, body in (
        ('GET', f'/{LONG}', ''),
        ('GET', f'/{LONG}/', ''),
        ('POST', f'/{LONG}/', ''),
        ('POST', f'/{LONG}.png', source),
        ('DELETE', f'/{LONG}', ''),
        ('DELETE', f'/{LONG}/', ''),
        ('PATCH', f'/{LONG}', json.dumps({'new_path': f'/{LONG}/'})),
        ('PATCH', '/Notes.txt', json.dumps({'new_path': f'/{LONG}/'})),
        ('PATCH', '/Notes.txt', json.dumps({'new_path': LONG, 'conflict_strategy': LONG})),
        ('GET', f'/{LONG * 2}', ''),
        ('GET', '/\xff' + LONG, ''),
        ('W' * 3000, '/', ''),
    ):
        answer = ask(application, f'/fsp{path}', method, **body_of(body))
        assert read(answer)[0] in {400, 403, 404, 405}
        assert longest_run(answer.text.lower()) <= MOST, (method, path[:20])
    assert longest_run(log().lower()) <= MOST


@pytest.mark.parametrize('name', ['HTTP_X_BEE_CLIENTID', 'HTTP_X_BEE_UID', 'HTTP_HOST', 'HTTP_AUTHORIZATION'])
def test_long_header_is_truncated_in_answer_and_log(
    make: Make, egnyte: Sandbox, log: Callable[[], str], name: str
) -> None:
    answer = ask(make(), '/fsp/', **{name: LONG})
    assert read(answer)[0] in {400, 401}
    assert longest_run(answer.text + str(answer.headers)) <= MOST
    assert longest_run(log()) <= MOST


@pytest.mark.parametrize('path', [f'/{LONG}', f'/fsp-ops/{LONG}', f'/fsp-connect/{LONG}', f'/fsp-public/{LONG}/x'])
def test_standalone_application_truncates_long_url(standalone: Any, log: Callable[[], str], path: str) -> None:
    answer = ask(standalone, path)
    assert answer.status_int == 404
    assert longest_run(answer.text) <= MOST
    assert longest_run(log()) <= MOST


@pytest.mark.parametrize('host', ['w.' * 32_000, 'w' * 60_000, 'w' * 300 + '.invalid'])
def test_long_host_of_a_source_is_truncated_in_answer_and_log(
    make: Make, egnyte: Sandbox, log: Callable[[], str], host: str
) -> None:
    answer = ask(make(), '/fsp/a.png', 'POST', **body_of(json.dumps({'source': f'http://{host}'})))
    assert read(answer)[0] == 422
    assert answer.text.count('w') <= MOST
    assert all(line.count('w') <= MOST for line in log().splitlines())


@pytest.mark.parametrize(
    'sent',
    [
        b'w' * 60_000 + b'\r\n',
        b'HTTP/1.1 ' + b'w' * 60_000 + b'\r\n',
        b'HTTP/9.' + b'w' * 60_000 + b' 200 OK\r\n\r\n',
        b'HTTP/1.1 302 Go\r\nLocation: http://' + b'w.' * 30_000 + b'\r\n\r\n',
        b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/' + b'w' * 60_000 + b'\r\n\r\nhi',
    ],
    ids=['status-line', 'status', 'version', 'location', 'type'],
)
def test_long_answer_of_a_source_is_truncated_in_answer_and_log(
    make: Make, egnyte: Sandbox, log: Callable[[], str], sent: bytes
) -> None:
    application = make(sources__allow='127.0.0.1', upload__types='image')
    with serving(sent) as server:
        body = body_of(json.dumps({'source': f'http://127.0.0.1:{server.port}/'}))
        answer = ask(application, '/fsp/a', 'POST', **body)
    assert read(answer)[0] == 422
    assert answer.text.count('w') <= MOST
    assert all(line.count('w') <= MOST for line in log().splitlines())


# URLs that are not UTF-8

UNDECODABLE = [
    '/\xff',
    '/x/\xff',
    '/fspx\xff',
    '/fsp-ops/\xff',
    '/fsp-ops\xff',
    '/fsp-connect/\xff',
    '/' + '\xff' * 9000,
]


@pytest.fixture
def records(caplog: pytest.LogCaptureFixture) -> Callable[[], list[logging.LogRecord]]:
    """Return the log records of the package."""
    caplog.set_level('DEBUG', 'fsp_pyramid')
    return lambda: [record for record in caplog.records if record.name.startswith('fsp_pyramid')]


@pytest.mark.parametrize('path', UNDECODABLE)
@pytest.mark.parametrize('method', ['GET', 'POST', 'PROPFIND'])
def test_undecodable_url_outside_mounts_is_a_bad_request(
    standalone: Any,
    records: Callable[[], list[logging.LogRecord]],
    caplog: pytest.LogCaptureFixture,
    path: str,
    method: str,
) -> None:
    caplog.clear()
    assert ask(standalone, path, method).status_int == 400
    (record,) = records()
    assert record.exc_info is None
    assert len(record.getMessage()) < 400
    assert '\n' not in record.getMessage()


def test_undecodable_url_below_ops_is_a_bad_request(
    make: Make, records: Callable[[], list[logging.LogRecord]], caplog: pytest.LogCaptureFixture
) -> None:
    application = make()
    caplog.clear()
    assert ask(application, '/fsp-ops/\xff').status_int == 400
    (record,) = records()
    assert record.exc_info is None


@pytest.mark.parametrize('path', ['/\xff', '/fsp-connect/\xff'])
def test_undecodable_url_outside_prefix_is_left_to_host(settings: dict[str, str], path: str) -> None:
    def theirs(_exception: Exception, _request: Any) -> webob.Response:
        from pyramid.response import Response

        return Response('the host answers', status=418)

    with Configurator(settings=settings) as config:
        config.include('fsp_pyramid')
        config.add_exception_view(theirs, context=UnicodeDecodeError)
    answer = ask(config.make_wsgi_app(), path)
    assert (answer.status_int, answer.text) == (418, 'the host answers')
