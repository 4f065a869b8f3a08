import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import urllib3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fsp_pyramid.sources import (
    Allowances,
    SourceCompressed,
    SourceEmpty,
    SourceError,
    SourceInvalid,
    SourceTooLarge,
    SourceUnavailable,
    download,
)
from fsp_pyramid.sources.transport import Target

from ..timing import PATIENCE
from .servers import (
    Reaction,
    dribbling,
    ok,
    redirect,
    serving,
    silent,
    stalling,
)

LOOPBACK = ('127.0.0.1', '::1')


def fetch(url: str, *allow: str, max_size: int = 100_000, timeout: float = PATIENCE) -> bytes:
    with download(url, max_size=max_size, timeout=timeout, allow=Allowances.parse(allow or LOOPBACK)) as source:
        return b''.join(source.chunks())


def refusal(url: str, *allow: str, max_size: int = 100_000, timeout: float = PATIENCE) -> SourceUnavailable:
    with pytest.raises(SourceUnavailable) as caught:
        fetch(url, *allow, max_size=max_size, timeout=timeout)
    return caught.value


# Bodies and headers


def test_headers_are_known_before_the_body() -> None:
    withheld = threading.Event()

    def answer(connection: socket.socket) -> None:
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: Image/JPEG; q=1\r\n\r\n')
        assert withheld.wait(PATIENCE)
        connection.sendall(b'hello')

    with serving(answer) as server:
        url = f'http://127.0.0.1:{server.port}/a'
        with download(url, max_size=5, timeout=PATIENCE, allow=Allowances.parse(LOOPBACK)) as source:
            assert (source.size, source.declared_type) == (5, 'image/jpeg')
            withheld.set()
            assert b''.join(source.chunks()) == b'hello'


def test_missing_headers_are_none() -> None:
    with serving(b'HTTP/1.1 200 OK\r\n\r\nhello') as server:
        url = f'http://127.0.0.1:{server.port}/'
        with download(url, max_size=5, timeout=PATIENCE, allow=Allowances.parse(LOOPBACK)) as source:
            assert (source.size, source.declared_type) == (None, None)


def test_large_file_arrives_completely() -> None:
    body = os.urandom(3 << 20)
    with serving(ok(body)) as server:
        assert fetch(f'http://127.0.0.1:{server.port}/', max_size=len(body)) == body


def test_abandoned_source_releases_its_reader() -> None:
    with serving(stalling(b'HTTP/1.1 200 OK\r\n\r\nx')) as server, ThreadPoolExecutor() as pool:
        url = f'http://127.0.0.1:{server.port}/'
        with download(url, max_size=5, timeout=PATIENCE, allow=Allowances.parse(LOOPBACK)) as source:
            chunks = source.chunks()
            assert next(chunks) == b'x'
            waiting = pool.submit(next, chunks)
            source.abandon()
            assert isinstance(waiting.exception(PATIENCE), SourceUnavailable)


@pytest.mark.parametrize(
    'answer',
    [
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n',
        b'HTTP/1.1 200 OK\r\n\r\nhello',
        b'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello and more that does not belong to it',
        b'HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\nContent-Encoding: identity\r\n\r\nhello',
        b'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
        b'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
        b'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\n\r\nhello',
        b'HTTP/1.0 103\r\nConnection: close\r\n\r\nHTTP/1.1 199 x\r\n\r\nHTTP/1.1 200 OK\r\n\r\nhello',
        b'HTTP/1.1 100 Continue\r\n\r\n' * 3
        + b'HTTP/1.1 103 Early Hints\r\n\r\n' * 2
        + b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
        b'HTTP/1.1 203 Non-Authoritative Information\r\nContent-Length: 5\r\n\r\nhello',
    ],
)
def test_framings_of_a_body(answer: bytes) -> None:
    with serving(answer) as server:
        assert fetch(f'http://127.0.0.1:{server.port}/') == b'hello'


def test_request_has_minimal_headers() -> None:
    with serving(ok(b'x')) as server:
        fetch(f'http://LOCALHOST:{server.port}/a b/é?q=ü#fragment')
    head, *headers = server.requests[0].decode().strip().split('\r\n')
    assert head == 'GET /a%20b/%C3%A9?q=%C3%BC HTTP/1.1'
    assert sorted(headers) == [
        'Accept-Encoding: identity',
        'Accept: */*',
        'Connection: close',
        f'Host: localhost:{server.port}',
        'User-Agent: fsp-pyramid',
    ]


# Unchanged URLs

GIVEN = [
    ('/%c3%a9.png?sig=%2f', '/%c3%a9.png?sig=%2f'),
    ('/%C3%a9.png?sig=%2F%2f', '/%C3%a9.png?sig=%2F%2f'),
    ('/100%.png?a=%&b=%zz', '/100%.png?a=%&b=%zz'),
    ('/50%25%', '/50%25%'),
    ('/%7Ea~b;c=[1]|d+e!$&\'()*,@:"<>^`{}?x=[a]|{b}+%20', '/%7Ea~b;c=[1]|d+e!$&\'()*,@:"<>^`{}?x=[a]|{b}+%20'),
    ('/a//b/./c/../d/..', '/a//b/./c/../d/..'),
    ('/a?', '/a?'),
    ('/a?b?c/../d', '/a?b?c/../d'),
    ('?a=b', '/?a=b'),
    ('', '/'),
    ('#x', '/'),
    ('/a#b#c?d', '/a'),
    ('/a b/é?q=ü x', '/a%20b/%C3%A9?q=%C3%BC%20x'),
    ('/a\tb\r\nHost: x\x00\x7f', '/a%09b%0D%0AHost:%20x%00%7F'),
    ('\\a\\b', '/\\a\\b'),
    ('/%e2%82%ac€%', '/%e2%82%ac%E2%82%AC%'),
]


@pytest.mark.parametrize(('given', 'sent'), GIVEN)
def test_url_is_requested_unchanged(given: str, sent: str) -> None:
    with serving(ok(b'x')) as server:
        fetch(f'http://127.0.0.1:{server.port}{given}')
    assert server.requests[0].partition(b'\r\n')[0].decode() == f'GET {sent} HTTP/1.1'


@pytest.mark.parametrize(('given', 'sent'), [row for row in GIVEN if row[0].startswith('/') and '\n' not in row[0]])
@pytest.mark.parametrize('base', ['http://127.0.0.1:{port}', '//127.0.0.1:{port}', ''])
def test_redirect_is_followed_unchanged(given: str, sent: str, base: str) -> None:
    with serving(ok(b'x')) as server:
        with serving(redirect(base.format(port=server.port) + given), ok(b'x')) as first:
            fetch(f'http://127.0.0.1:{first.port}/%c3?%2f')
        asked = (server.requests or first.requests[1:])[0]
    assert asked.partition(b'\r\n')[0].decode() == f'GET {sent} HTTP/1.1'


@pytest.mark.parametrize(
    ('location', 'sent'),
    [
        ('c%2fd?e=%2F', '/a/%c3/c%2fd?e=%2F'),
        ('./c;x=1', '/a/%c3/c;x=1'),
        ('../c', '/a/c'),
        ('../../../c', '/c'),
        ('..', '/a/'),
        ('.', '/a/%c3/'),
        ('c/../d/./e', '/a/%c3/d/e'),
        ('c?../d', '/a/%c3/c?../d'),
        ('?x=%2f&y', '/a/%c3/b?x=%2f&y'),
        ('?', '/a/%c3/b?'),
        ('#part', '/a/%c3/b?q=%2f'),
        ('caf\xe9/ü', '/a/%c3/caf%C3%A9/%C3%BC'),
        ('[c]|d', '/a/%c3/[c]|d'),
    ],
)
def test_relative_redirect_keeps_the_spelling_of_both(location: str, sent: str) -> None:
    with serving(redirect(location), ok(b'x')) as server:
        fetch(f'http://127.0.0.1:{server.port}/a/%c3/b?q=%2f')
    assert server.requests[1].partition(b'\r\n')[0].decode() == f'GET {sent} HTTP/1.1'


@pytest.mark.parametrize('location', ['/g ', ' /g', '\t/g \t ', '/g\t'])
def test_white_space_around_a_redirect_is_not_part_of_it(location: str) -> None:
    with serving(redirect(location), ok(b'x')) as server:
        fetch(f'http://127.0.0.1:{server.port}/a')
    assert server.requests[1].startswith(b'GET /g HTTP/1.1\r\n')


def test_redirect_to_white_space_is_none() -> None:
    with serving(redirect(' \t ')) as server:
        assert 'status 302' in refusal(f'http://127.0.0.1:{server.port}/').reason


def test_redirect_in_bytes_that_are_no_utf8_keeps_them() -> None:
    with serving(redirect('/caf@.png').replace(b'@', b'\xe9'), ok(b'x')) as server:
        fetch(f'http://127.0.0.1:{server.port}/')
    assert server.requests[1].startswith(b'GET /caf%E9.png HTTP/1.1\r\n')


# Size


@pytest.mark.parametrize(
    'answer',
    [
        b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n',
        b'HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999\r\n\r\n',
        b'HTTP/1.1 200 OK\r\n\r\n' + b'x' * 11,
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nxxxxxx\r\n6\r\nxxxxxx\r\n0\r\n\r\n',
    ],
)
def test_too_large_by_header_or_by_body(answer: bytes) -> None:
    with serving(answer) as server, pytest.raises(SourceTooLarge, match='larger than 10 bytes') as caught:
        fetch(f'http://127.0.0.1:{server.port}/', max_size=10)
    assert caught.value.max_size == 10


def test_endless_body_is_aborted_at_the_limit() -> None:
    sent = 0

    def endless(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(b'HTTP/1.1 200 OK\r\n\r\n')
        while sent < 1 << 30:
            sent += connection.send(bytes(1 << 16))

    with serving(endless) as server, pytest.raises(SourceTooLarge, match='larger than 1 MB'):
        fetch(f'http://127.0.0.1:{server.port}/', max_size=1 << 20)
    assert sent < 64 << 20  # what the buffers of two sockets hold


def test_maximum_size_is_accepted() -> None:
    with serving(ok(b'x' * 10)) as server:
        assert len(fetch(f'http://127.0.0.1:{server.port}/', max_size=10)) == 10


@pytest.mark.parametrize(
    'answer', [ok(b''), b'HTTP/1.1 200 OK\r\n\r\n', b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n']
)
def test_empty_file_has_its_own_error(answer: bytes) -> None:
    with serving(answer) as server, pytest.raises(SourceEmpty, match='is empty'):
        fetch(f'http://127.0.0.1:{server.port}/')


# Invalid answers


@pytest.mark.parametrize(
    ('answer', 'reason'),
    [
        (ok(b'hell', 'Content-Length: 5'), '5 bytes were announced, 4 came'),
        (ok(b'', 'Content-Length: 5'), '5 bytes were announced, 0 came'),
        (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel', 'IncompleteRead'),
        (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n', 'IncompleteRead'),
        (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhel\r\n', 'IncompleteRead'),
        (ok(b'x', 'Transfer-Encoding: rot13, chunked'), 'unknown transfer coding'),
        (ok(b'x', 'Transfer-Encoding: chunked, chunked'), 'unknown transfer coding'),
        (ok(b'hello', 'Content-Length: 5', 'Content-Length: 6'), 'malformed size'),
        (ok(b'hello', 'Content-Length: 5, 6'), 'malformed size'),
        (ok(b'hello', 'Content-Length: +5'), 'malformed size'),
        (ok(b'hello', 'Content-Length: 0_5'), 'malformed size'),
        (ok(b'hello', 'Content-Length: -5'), 'malformed size'),
        (ok(b'hello', 'Content-Length: x'), 'malformed size'),
        (b'HTTP/1.1 204 No Content\r\n\r\n', 'status 204'),
        (b'HTTP/1.1 206 Partial Content\r\nContent-Length: 1\r\n\r\nx', 'status 206'),
        (b'HTTP/1.1 302 Found\r\nContent-Length: 1\r\n\r\nx', 'status 302'),
        (b'HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 200 OK\r\n\r\nx', 'status 101'),
        (b'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 404 No\r\n\r\n', 'status 404'),
        (b'HTTP/1.1 103 Early Hints\r\n\r\n', 'RemoteDisconnected'),
        (b'HTTP/1.1 100 Continue\r\n\r\n' * 1000, 'more than 8 interim answers (status 1xx)'),
        (b'HTTP/1.1 103 Early Hints\r\n\r\n' * 9 + ok(b'x'), 'more than 8 interim answers (status 1xx)'),
        (b'HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\nx', 'status 404'),
        (b'HTTP/1.1 500 Oh\r\nContent-Length: 1\r\n\r\nx', 'status 500'),
        (b'', 'RemoteDisconnected'),
        (b'hello, I am no HTTP server\r\n\r\n', 'BadStatusLine'),
        (b'HTTP/1.1 200 OK\r\nX: ' + b'x' * 70_000 + b'\r\n\r\n', 'LineTooLong'),
        (b'HTTP/1.1 200 OK\r\n' + b'X: y\r\n' * 101 + b'\r\n', 'more than 100 headers'),
    ],
)
def test_bad_answers(answer: bytes, reason: str) -> None:
    with serving(answer) as server:
        assert reason in refusal(f'http://127.0.0.1:{server.port}/').reason


HUGE = b'r' * 60_000


@pytest.mark.parametrize(
    'answer',
    [
        HUGE + b'\r\n',
        b'HTTP/1.1 ' + b'9' * 60_000 + b'\r\n',
        b'HTTP/9.' + b'9' * 60_000 + b' 200 OK\r\n\r\n',
        b'HTTP/1.1 500 ' + HUGE + b'\r\n\r\n',
        b'HTTP/1.1 200 ' + HUGE + b'\r\n\r\n',
        b'HTTP/1.1 200 OK\r\nContent-Encoding: gzip;' + HUGE + b'\r\n\r\n',
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: ' + HUGE + b'\r\n\r\n',
        b'HTTP/1.1 200 OK\r\nContent-Length: ' + HUGE + b'\r\n\r\n',
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' + HUGE + b'\r\n',
        b'HTTP/1.1 302 Go\r\nLocation: http://' + b'a.' * 30_000 + b'/\r\n\r\n',
        b'HTTP/1.1 302 Go\r\nLocation: http://' + b'r' * 60_000 + b'\r\n\r\n',
        b'HTTP/1.1 302 Go\r\nLocation: http://localhost:' + b'9' * 60_000 + b'\r\n\r\n',
        b'HTTP/1.1 302 Go\r\nLocation: http://[' + b'1' * 60_000 + b']/\r\n\r\n',
        b'HTTP/1.1 302 Go\r\nLocation: ' + HUGE + b'://x/\r\n\r\n',
    ],
)
def test_errors_truncate_a_long_answer(answer: bytes) -> None:
    with serving(answer) as server, pytest.raises(SourceError) as caught:
        fetch(f'http://127.0.0.1:{server.port}/')
    assert len(str(caught.value)) < 400
    assert len(caught.value.reason) < 400


@pytest.mark.parametrize('host', ['a.' * 32_000, 'a' * 60_000, 'é' * 30_000, f'{"x" * 60_000}.invalid'])
def test_errors_truncate_a_long_host(host: str) -> None:
    with pytest.raises(SourceError) as caught:
        fetch(f'http://{host}/')
    assert len(caught.value.reason) < 400


def test_origin_of_a_long_host_is_cut_but_its_redirects_are_not() -> None:
    target = Target.parse(f'http://{"a." * 120}example/x/y').follow('z')
    assert (target.host, target.path) == ('a.' * 120 + 'example', '/x/z')
    assert len(target.origin) < 230


@pytest.mark.parametrize(
    ('header', 'declared'),
    [
        ('Image/PNG ; charset=x', 'image/png'),
        ('application/vnd.oasis.opendocument.text', 'application/vnd.oasis.opendocument.text'),
        ('image/svg+xml', 'image/svg+xml'),
        *((invalid, None) for invalid in ('', 'image', 'image/', 'a/b/c', 'a b/c', 'text/<b>', 'text/' + 'g' * 60_000)),
    ],
)
def test_declared_type_is_a_type_or_none(header: str, declared: str | None) -> None:
    with serving(ok(b'x', f'Content-Type: {header}')) as server:
        url = f'http://127.0.0.1:{server.port}/'
        with download(url, max_size=5, timeout=PATIENCE, allow=Allowances.parse(LOOPBACK)) as source:
            assert source.declared_type == declared


@pytest.mark.parametrize(
    'coding',
    ['identity', 'Identity', '', 'identity, identity'],
)
def test_identity_is_no_transfer_coding(coding: str) -> None:
    with serving(ok(b'hello', f'Transfer-Encoding: {coding}', 'Content-Length: 5')) as server:
        assert fetch(f'http://127.0.0.1:{server.port}/') == b'hello'
    with serving(f'HTTP/1.1 200 OK\r\nTransfer-Encoding: {coding}\r\n\r\nhello'.encode()) as server:
        assert fetch(f'http://127.0.0.1:{server.port}/') == b'hello'


@pytest.mark.parametrize(
    'lines',
    [
        *('chunked', 'Chunked', 'chunked ', 'chunked\t', ', chunked', 'identity, chunked', 'identity,Chunked '),
        'identity\r\nTransfer-Encoding: chunked',
        'identity, chunked\r\nContent-Length: 3',
    ],
)
def test_chunks_are_recognized_in_each_spelling(lines: str) -> None:
    head = f'HTTP/1.1 200 OK\r\nTransfer-Encoding: {lines}\r\n\r\n'
    with serving(head.encode() + b'3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n') as server:
        assert fetch(f'http://127.0.0.1:{server.port}/') == b'hello'


@pytest.mark.parametrize('coding', ['gzip', 'gzip, chunked', 'identity, deflate', 'X-GZIP, chunked', 'compress;q=1'])
def test_compressing_transfer_coding_is_refused_with_its_own_text(coding: str) -> None:
    with (
        serving(ok(b'x', f'Transfer-Encoding: {coding}')) as server,
        pytest.raises(SourceCompressed, match='compressed'),
    ):
        fetch(f'http://127.0.0.1:{server.port}/')


@pytest.mark.parametrize(
    'encoding',
    [
        *('identity', 'UTF-8', 'utf8', 'None', '8bit', '7bit', 'binary', 'aws-chunked', 'AWS-Chunked, UTF-8'),
        *('', ',', 'base64', 'image/png', '"none"', 'identity;q=1', 'iso-8859-1', 'windows-1252'),
    ],
)
def test_unknown_content_encoding_is_ignored(encoding: str) -> None:
    with serving(ok(b'hello', f'Content-Encoding: {encoding}')) as server:
        assert fetch(f'http://127.0.0.1:{server.port}/') == b'hello'


@pytest.mark.parametrize(
    ('encoding', 'shown'),
    [
        *((name, name) for name in ('gzip', 'x-gzip', 'deflate', 'compress', 'x-compress', 'br', 'zstd', 'dcb', 'xz')),
        ('identity, BR', 'br'),
        ('aws-chunked,GZip', 'gzip'),
        ('utf-8, gzip;q=1', 'gzip'),
        ('"gzip"', 'gzip'),
    ],
)
def test_compression_is_refused_with_its_own_text(encoding: str, shown: str) -> None:
    with serving(ok(b'x', f'Content-Encoding: {encoding}')) as server, pytest.raises(SourceCompressed) as caught:
        fetch(f'http://127.0.0.1:{server.port}/')
    assert f'compressed ({shown})' in str(caught.value)
    assert f'compressed ({shown})' in caught.value.reason
    assert f'127.0.0.1:{server.port}' in caught.value.reason


def test_second_content_encoding_is_checked() -> None:
    answer = ok(b'x', 'Content-Encoding: utf-8', 'Content-Encoding: zstd')
    with serving(answer) as server, pytest.raises(SourceCompressed, match='zstd'):
        fetch(f'http://127.0.0.1:{server.port}/')


def test_gzip_bomb_is_not_decompressed() -> None:
    # 1 MB on the wire for 1 GB of content, sent with and without a Content-Encoding.
    packed = b'\x1f\x8b\x08' + bytes(1 << 20)
    with serving(ok(packed, 'Content-Encoding: gzip'), ok(packed)) as server:
        with pytest.raises(SourceCompressed):
            fetch(f'http://127.0.0.1:{server.port}/', max_size=2 << 20)
        assert fetch(f'http://127.0.0.1:{server.port}/', max_size=2 << 20) == packed


HEADS = [
    b'',
    b'HTTP/1.1 200 OK\r\n',
    b'HTTP/1.1 302 Go\r\nLocation: ',
    b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(HEADS), st.binary(max_size=80))
def test_any_answer_ends_as_a_file_or_a_source_error(head: bytes, rest: bytes) -> None:
    with serving(head + rest) as server, suppress(SourceError):
        fetch(f'http://127.0.0.1:{server.port}/')


# Time


@pytest.mark.parametrize(
    'answer',
    [
        silent,
        dribbling(b'', b'H'),
        dribbling(b'HTTP/1.1 200 OK\r\n', b'X: y\r\n'),
        dribbling(b'HTTP/1.1 200 OK\r\nX: ', b'y'),
        dribbling(b'', b'HTTP/1.1 100 Continue\r\n\r\n'),
        dribbling(b'HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n', b'x'),
        dribbling(b'HTTP/1.1 200 OK\r\n\r\n', b'x'),
        dribbling(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', b'1\r\nx\r\n'),
        dribbling(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', b'0'),
    ],
    ids=['silent', 'status', 'headers', 'header-line', 'continue', 'body-with-length', 'body', 'chunks', 'chunk-size'],
)
@pytest.mark.parametrize('scheme', ['http', 'https'])
def test_deadline_holds_for_slow_servers(answer: Reaction, scheme: str) -> None:
    # A server without TLS: with https the handshake never ends, or fails.
    with serving(answer) as server:
        start = time.monotonic()
        error = refusal(f'{scheme}://127.0.0.1:{server.port}/', timeout=0.25)
        elapsed = time.monotonic() - start  # the answer itself takes PATIENCE seconds, and then ends otherwise
    if scheme == 'http' or answer is silent:
        assert error.reason == 'took longer than 0.25 seconds'
        assert elapsed >= 0.24


def test_deadline_spans_redirects() -> None:
    def slow(connection: socket.socket) -> None:
        time.sleep(0.25)
        connection.sendall(redirect('/again'))

    # With a deadline for each redirect, only the fourth one would fail.
    with serving(slow) as server:
        assert refusal(f'http://127.0.0.1:{server.port}/', timeout=0.6).reason == 'took longer than 0.6 seconds'


# Redirects


@pytest.mark.parametrize('status', [301, 302, 303, 307, 308])
def test_three_redirects_are_followed(status: int) -> None:
    with (
        serving(redirect('c?d', status), redirect('/é', status), ok(b'here')) as other,
        serving(redirect(f'//localhost:{other.port}/b/', status)) as server,
    ):
        assert fetch(f'http://127.0.0.1:{server.port}/a') == b'here'
    assert [request.split()[1] for request in other.requests] == [b'/b/', b'/b/c?d', b'/%C3%A9']


def test_fourth_redirect_and_a_loop_are_refused() -> None:
    with serving(redirect('/again')) as server:
        assert 'more than 3 redirects' in refusal(f'http://127.0.0.1:{server.port}/').reason
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ('location', 'reason'),
    [
        ('http://127.0.0.2:{port}/', 'loopback'),
        ('http://127.0.0.1:{port}/', 'loopback'),
        ('http://localhost./', 'loopback'),
        ('http://169.254.169.254/latest/meta-data/', 'link-local'),
        ('http://[::ffff:127.0.0.1]:{port}/', 'IPv4-mapped'),
        ('//10.0.0.1/', 'private network'),
        ('http://1.1.1.1:22/', 'port 22'),
        ('file:///etc/passwd', 'must begin with http'),
        ('ftp://127.0.0.1/', 'must begin with http'),
        ('gopher://127.0.0.1/', 'must begin with http'),
        ('http://user:word@127.0.0.1:{port}/', 'user name'),
        ('http://[::1/', 'bad redirect'),
    ],
)
def test_every_redirect_is_checked(location: str, reason: str) -> None:
    with serving(ok(b'secret')) as inside, serving(redirect(location.format(port=inside.port))) as server:
        error = refusal(f'http://127.0.0.1:{server.port}/', f'127.0.0.1:{server.port}')
    assert reason in error.reason
    assert not inside.requests


def test_no_cookie_is_sent() -> None:
    first = redirect('/b').replace(b'\r\n\r\n', b'\r\nSet-Cookie: a=b\r\n\r\n')
    with serving(first, ok(b'x')) as server:
        fetch(f'http://127.0.0.1:{server.port}/')
    assert b'Cookie' not in server.requests[1]


# Messages


def test_refused_and_unreachable_look_the_same_to_the_caller() -> None:
    with socket.create_server(('127.0.0.1', 0)) as closing:
        port = closing.getsockname()[1]
    unreachable = refusal(f'http://127.0.0.1:{port}/')
    with serving(ok(b'x')) as server:
        refused = refusal(f'http://127.0.0.1:{server.port}/', '127.0.0.9')
    no_such_host = refusal('http://nowhere.invalid/')
    assert str(unreachable) == str(refused) == str(no_such_host)
    assert 'ConnectionRefusedError' in unreachable.reason
    assert 'loopback (127.0.0.0/8, RFC 1122)' in refused.reason
    assert 'no address' in no_such_host.reason


def test_path_and_query_are_never_shown() -> None:
    answers = [ok(b'x', 'Content-Length: 5'), b'HTTP/1.1 404 No\r\n\r\n', b'', redirect('/SECRET?SECRET'), ok(b'')]
    errors: list[SourceError] = []
    with serving(*answers) as server:
        base = f'127.0.0.1:{server.port}/SECRET?sig=SECRET'
        for url in [f'http://{base}'] * 5 + [f'http://SECRET:SECRET@{base}', f'ftp://{base}', 'http://SECRET SECRET/']:
            with pytest.raises(SourceError) as caught:
                fetch(url)
            errors.append(caught.value)
    for error in errors:
        assert 'SECRET' not in f'{error} {error.reason} {error!r}'
    assert len({type(error) for error in errors}) == 3


# Environment


@pytest.fixture
def _foreign_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    with serving(ok(b'from the proxy')) as proxy:
        for name in ('http_proxy', 'HTTP_PROXY', 'https_proxy', 'all_proxy', 'ALL_PROXY'):
            monkeypatch.setenv(name, f'http://127.0.0.1:{proxy.port}')
        monkeypatch.delenv('no_proxy', raising=False)
        netrc = tmp_path / '.netrc'
        netrc.write_text('machine 127.0.0.1 login me password secret\ndefault login me password secret\n')
        netrc.chmod(0o600)
        monkeypatch.setenv('HOME', str(tmp_path))
        monkeypatch.setenv('NETRC', str(netrc))
        yield
    assert not proxy.requests


@pytest.mark.usefixtures('_foreign_environment')
def test_proxies_and_netrc_are_ignored() -> None:
    with serving(ok(b'direct')) as server:
        assert fetch(f'http://127.0.0.1:{server.port}/') == b'direct'
    assert b'uthorization' not in server.requests[0]


@pytest.mark.parametrize(
    'url',
    [
        '',
        'x',
        '/a/b',
        '//127.0.0.1/',
        '127.0.0.1/',
        'http:127.0.0.1',
        'http:///x',
        'http://',
        'http://?x',
        ' http://127.0.0.1/',
        'http://127.0.0.1 /',
        'http://127.0.0.1\r\n/',
        'http://127.0.0.1:99999/',
        'http://127.0.0.1:x/',
        'http://[::1/',
        'http://[fe80::1%25eth0]/',
        'http://@127.0.0.1/',
        'http://:@127.0.0.1/',
        'http://user@127.0.0.1/',
        'http://1.1.1.1:80@127.0.0.1/',
        'http://1.1.1.1%2f@127.0.0.1/',
        'ftp://127.0.0.1/',
        'file:///etc/passwd',
        'gopher://127.0.0.1:25/x',
        'data:text/plain,x',
        'javascript:alert(1)',
        'unix:///run/x.sock',
    ],
)
def test_invalid_urls_are_refused(url: str) -> None:
    with pytest.raises(SourceInvalid):
        fetch(url)


def test_urllib3_is_the_real_one() -> None:
    # niquests replaces it by urllib3-future (releases 2.x.9xx), which parses URLs in another way.
    assert int(urllib3.__version__.split('.')[2]) < 900
