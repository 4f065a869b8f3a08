"""Request lines and headers that take the parser's patterns a time with the square of their length, or more."""

import pytest
from waitress.adjustments import Adjustments

from fsp_pyramid.server.graceful import SMALL_BODY, _Parser

MANY = 200_000  # of which the square takes hours


def parsed(head: bytes) -> _Parser:
    parser = _Parser(Adjustments(max_request_header_size=10 * MANY))
    parser.received(head + b'\r\n\r\n')
    assert parser.completed
    return parser


@pytest.mark.parametrize('line', [b'GET a://' + b'9' * MANY + b' x', b'GET ' + b'a:' * MANY + b'\t HTTP/1.1 x', b'GET'])
def test_malformed_request_line_is_refused(line: bytes) -> None:
    assert 'Start line' in str(parsed(line).error.body)


@pytest.mark.parametrize('uri', [b'http://localhost/' + b'9' * MANY, b'a://' + b'9' * MANY, b'/' + b':' * MANY])
def test_long_uri_is_parsed(uri: bytes) -> None:
    parser = parsed(b'GET ' + uri + b' HTTP/1.1')
    assert (parser.error, parser.request_uri) == (None, uri.decode())


@pytest.mark.parametrize('space', [b' ', b'\t', b' \t' * MANY, b''])
def test_white_space_around_a_value_is_ignored(space: bytes) -> None:
    parser = parsed(b'GET / HTTP/1.1\r\nHost: h\r\nX-A:' + space + b'x  y' + space + b'\r\nX-B:' + space)
    assert parser.error is None
    assert (parser.headers['X_A'], parser.headers['X_B'], parser.headers['HOST']) == ('x  y', '', 'h')


@pytest.mark.parametrize('value', [b' ' * MANY + b'\x01', b'a ' * MANY + b'\x01'])
def test_control_character_in_a_value_is_refused(value: bytes) -> None:
    assert 'Invalid header' in str(parsed(b'GET / HTTP/1.1\r\nX:' + value).error.body)


def test_folded_line_is_refused() -> None:
    """RFC 9112, 5.2. Its parts were joined one by one."""
    assert 'folded' in str(parsed(b'GET / HTTP/1.1\r\nX: a' + b'\r\n ' * MANY).error.body)


@pytest.mark.parametrize(
    ('path', 'size', 'is_refused'),
    [
        ('/fsp/a.png', SMALL_BODY, False),
        ('/fsp/a.png', SMALL_BODY + 1, True),
        ('/', SMALL_BODY + 1, True),
        ('/console/upload/fsp/-/a.png', SMALL_BODY + 1, False),
    ],
)
@pytest.mark.parametrize('expect', ['', 'Expect: 100-continue\r\n'])
def test_large_body_is_refused_before_it_arrives(path: str, size: int, is_refused: bool, expect: str) -> None:
    parser = _Parser(Adjustments(), upload_paths=('/console/upload/',))
    parser.received(f'POST {path} HTTP/1.1\r\n{expect}Content-Length: {size}\r\n\r\n'.encode())
    assert (parser.completed, parser.error is not None) == (is_refused, is_refused)
    assert parser.expect_continue == (bool(expect) and not is_refused)


def test_large_body_without_a_length_is_refused() -> None:
    parser = _Parser(Adjustments(), upload_paths=())
    parser.received(b'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n')
    assert not parser.completed
    parser.received(b'%x\r\n' % SMALL_BODY + bytes(SMALL_BODY))
    assert parser.error.code == 413
