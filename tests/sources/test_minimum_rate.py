"""Minimum rate of a response."""

import socket
import time

import pytest

from fsp_pyramid.sources import Allowances, SourceUnavailable, download, minimum_rate
from fsp_pyramid.sources.deadline import Deadline
from fsp_pyramid.sources.minimum_rate import LEAST, WINDOW, MinimumRate

from ..timing import PATIENCE
from .servers import (
    Reaction,
    dribbling,
    ok,
    redirect,
    serving,
    stalling,
)

pytestmark = pytest.mark.usefixtures('_no_thread_left')


def reason(answer: Reaction) -> str:
    """Return the reason of a refused source; its timeout is a minute."""
    with serving(answer) as server, pytest.raises(SourceUnavailable) as caught:
        fetch(server.port)
    return caught.value.reason


def fetch(port: int) -> bytes:
    url, allow = f'http://127.0.0.1:{port}/', Allowances.parse(['127.0.0.1'])
    with download(url, max_size=1 << 20, timeout=PATIENCE, allow=allow) as source:
        return b''.join(source.chunks())


@pytest.mark.parametrize(
    'answer',
    [
        stalling(b'HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n' + bytes(100)),
        dribbling(b'HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n', b'x'),
        dribbling(b'HTTP/1.1 200 OK\r\n\r\n', b'xx'),
        dribbling(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', b'1\r\nx\r\n'),
        dribbling(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', b'0'),
        dribbling(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n', b'X: y\r\n'),
    ],
    ids=['silent', 'length', 'no-length', 'chunks', 'chunk-size', 'trailers'],
)
def test_slow_body_is_aborted(answer: Reaction, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minimum_rate, 'WINDOW', 0.3)
    assert reason(answer) == 'came at less than 1024 bytes a second for 0.3 seconds'


INTERIM = b'HTTP/1.1 103 Early Hints\r\n\r\n'


@pytest.mark.parametrize(
    'answer',
    [
        dribbling(b'', b'H'),
        dribbling(b'HTTP/1.1 200 OK\r\nX: ', b'y'),
        dribbling(b'HTTP/1.1 200 OK\r\n', b'X: y\r\n'),
        stalling(b'HTTP/1.1 200 OK\r\nX: '),
        dribbling(b'HTTP/1.1 302 Found\r\nLocation: /', b'y'),
        dribbling(b'HTTP/1.1 103 Early Hints\r\nLink: ', b'y'),
        stalling(INTERIM + b'HTTP/1.1 200 OK\r\nX: '),
        dribbling(INTERIM, b'H'),
    ],
    ids=['status', 'header', 'headers', 'silent', 'redirect', 'interim', 'silent-after-interim', 'after-interim'],
)
def test_slow_head_is_aborted(answer: Reaction, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minimum_rate, 'WINDOW', 0.3)
    assert reason(answer) == 'came at less than 1024 bytes a second for 0.3 seconds'


def test_slow_head_after_a_redirect_is_aborted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minimum_rate, 'WINDOW', 0.3)
    answers = redirect('/b'), dribbling(b'HTTP/1.1 200 OK\r\nX: ', b'y')
    with serving(*answers) as server, pytest.raises(SourceUnavailable) as caught:
        fetch(server.port)
    assert caught.value.reason.startswith('came at less than 1024 bytes a second')
    assert len(server.requests) == 2


@pytest.mark.parametrize('interim', [b'', INTERIM], ids=['at-first', 'after-interim'])
def test_server_may_take_its_time_before_its_answer(interim: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The windows that begin with the answer itself are longer than the test."""

    def answer(connection: socket.socket) -> None:
        monkeypatch.setattr(minimum_rate, 'WINDOW', 0.5 if interim else 0.05)
        if interim:
            connection.sendall(interim.replace(b'\r\n\r\n', b'\r\nX: %s\r\n\r\n' % bytes(1000).replace(b'\0', b'x')))
        time.sleep(3 * minimum_rate.WINDOW)
        monkeypatch.setattr(minimum_rate, 'WINDOW', 60.0)
        connection.sendall(ok(b'x'))

    with serving(answer) as server:
        assert fetch(server.port) == b'x'


def test_window_with_a_pause_demands_nothing() -> None:
    with Deadline(60) as deadline:
        rate = MinimumRate(deadline)
        rate.add(1)
        rate.pause()
        assert rate.check()
        rate.add(1)
        assert not rate.check()


@pytest.mark.parametrize(
    ('start', 'rest'),
    [
        (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', b'1;' + b'e' * 60_000 + b'\r\na\r\n'),
        (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n', b'X: ' + b'b' * 1000 + b'\r\n'),
        (b'HTTP/1.1 200 OK\r\n', b'X: ' + b'b' * 60_000 + b'\r\n'),
    ],
    ids=['extensions', 'trailers', 'headers'],
)
def test_framing_is_limited(start: bytes, rest: bytes) -> None:
    def endless(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(rest)

    assert 'bytes with headers and framing' in reason(endless)


def test_chunks_of_a_few_bytes_are_accepted() -> None:
    chunks = b'8\r\n12345678\r\n' * (1 << 17)
    with serving(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' + chunks + b'0\r\n\r\n') as server:
        assert len(fetch(server.port)) == 1 << 20


def test_pause_within_a_window_is_accepted() -> None:
    """Only the number of bytes in a window counts, so this checks without a clock."""
    with Deadline(60) as deadline:
        slow = MinimumRate(deadline)
        for _ in range(3):
            slow.add(int(LEAST * WINDOW))
            assert slow.check()
        deadline.left()
        slow.add(int(LEAST * WINDOW) - 1)
        assert not slow.check()
        with pytest.raises(SourceUnavailable, match='fetched'):
            deadline.left()


def test_required_rate_holds_for_later_windows() -> None:
    with Deadline(60) as deadline:
        fast = MinimumRate(deadline)
        fast.least = 10 * LEAST
        fast.add(int(LEAST * WINDOW))
        assert fast.check()
        fast.add(int(10 * LEAST * WINDOW))
        assert fast.check()
        fast.add(int(10 * LEAST * WINDOW) - 1)
        assert not fast.check()
