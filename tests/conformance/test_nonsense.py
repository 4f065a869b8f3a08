"""Whatever answers: a report with fails, and no traceback."""

import json
import socket
from typing import Any

import pytest

from fsp_pyramid.conformance import Outcome, Report, run
from fsp_pyramid.conformance.reports import FORMATS, summary

from .conftest import options
from .nonsense import Talk, drip, flood, hang, http, raw, serving

HTML = b'<!doctype html><html><body>Welcome</body></html>'
ODD = [None, 5, [], {}, 'x', {'path': 5, 'name': {}}, {'path': '/\ud800/', 'name': '\ud800', 'mime-type': []}]
SERVERS: dict[str, tuple[Talk, str]] = {
    'html': (http(HTML, kind='text/html'), 'transport.json'),
    'html 500': (http(HTML, '500 Oops', 'text/html'), 'listing.success'),
    'json 500': (http(b'{"code": 3001}', '500 Oops'), 'listing.success'),
    'redirect': (http(b'', '302 Found', 'text/html', 'Location: /login'), 'transport.redirect'),
    'redirect to itself': (http(b'', '301 Moved', 'text/html', 'Location: /'), 'transport.redirect'),
    'null': (http(b'null'), 'transport.json'),
    'number': (http(b'17'), 'transport.json'),
    'nothing': (http(b''), 'transport.json'),
    'not decodable': (http(b'\xff\xfe\xfd'), 'transport.json'),
    'deep': (http(b'[' * 100_000), 'transport.json'),
    'digits': (http(b'1' * 100_000), 'transport.json'),
    'array': (http(b'[1, 2]'), 'transport.json'),
    'array of anything': (http(json.dumps(ODD).encode()), 'transport.json'),
    'text': (http(b'"x"'), 'transport.json'),
    'object': (http(b'{}'), 'listing.root'),
    'array in data': (http(b'{"status": "success", "data": [1, 2]}'), 'listing.root'),
    'items that are no objects': (http(b'{"status": "success", "data": {"items": [1, 2]}}'), 'listing.root'),
    'array for items': (http(b'{"status": "success", "data": {"items": {"a": 1}}}'), 'listing.root'),
    'no http': (raw(b'SSH-2.0-OpenSSH_9.2\r\n'), 'transport.answers'),
    'cut': (raw(b''), 'transport.answers'),
    'cut in the head': (raw(b'HTTP/1.1 200 OK\r\nContent-'), 'transport.json'),
    'cut in the body': (raw(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"sta'), 'transport.answers'),
    'bad gzip': (http(b'xxx', '200 OK', 'application/json', 'Content-Encoding: gzip'), 'transport.answers'),
    'bad chunks': (raw(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'), 'transport.answers'),
    'hang': (hang, 'transport.answers'),
    'drip': (drip, 'transport.answers'),
    'flood': (flood, 'transport.answers'),
}


def written(report: Report) -> str:
    """All formats of the report, which have to be encodable."""
    texts = [write(report) for write in FORMATS.values()] + [summary(report)]
    for text in texts:
        text.encode()
    return texts[-1]


@pytest.mark.parametrize('kind', SERVERS)
def test_fault_is_told_once(kind: str) -> None:
    talk, id_ = SERVERS[kind]
    with serving(talk) as url:
        report = run(options(url, timeout=0.5 if kind in {'hang', 'drip'} else 60.0))
    fails = [result.check.id for result in report.of(Outcome.FAIL)]
    assert fails == [id_]
    assert report.of(Outcome.WARN) == []
    assert report.status == 1
    assert report.requests < 10
    assert id_ in written(report)
    assert 'cannot be judged' not in written(report)


@pytest.mark.parametrize('value', [{'data': ODD}, {'status': 'success', 'data': {'meta': [], 'items': ODD}}])
def test_odd_json_is_judged(value: Any) -> None:
    """It reads like a listing, so all checks are made, of answers that fit nothing."""
    with serving(http(json.dumps(value).encode())) as url:
        report = run(options(url))
    assert report.status == 1
    assert len(report.of(Outcome.FAIL)) > 3
    assert written(report)


def test_refused_connection_is_told_once() -> None:
    with socket.create_server(('127.0.0.1', 0)) as listener:
        port = listener.getsockname()[1]
    report = run(options(f'http://127.0.0.1:{port}/fsp'))
    assert [result.check.id for result in report.of(Outcome.FAIL)] == ['transport.answers']
    assert report.status == 2
    assert 'could not be reached' in written(report)


def test_unknown_host_is_told_once() -> None:
    report = run(options('https://fsp-check.invalid/fsp', timeout=60.0))
    assert [result.check.id for result in report.of(Outcome.FAIL)] == ['transport.answers']
    assert report.status == 2
