"""Minimum rate of a body."""

import pytest

from fsp_pyramid.sources import Allowances, SourceUnavailable, download, minimum_rate
from fsp_pyramid.sources.deadline import Deadline
from fsp_pyramid.sources.minimum_rate import LEAST, WINDOW, MinimumRate

from ..timing import PATIENCE
from .servers import (
    Reaction,
    dribbling,
    serving,
    stalling,
)

pytestmark = pytest.mark.usefixtures('_no_thread_left')


def reason(answer: Reaction) -> str:
    """Return the reason of a refused source; its timeout is a minute."""
    allow = Allowances.parse(['127.0.0.1'])
    with (
        serving(answer) as server,
        download(f'http://127.0.0.1:{server.port}/', max_size=1 << 20, timeout=PATIENCE, allow=allow) as source,
        pytest.raises(SourceUnavailable) as caught,
    ):
        b''.join(source.chunks())
    return caught.value.reason


@pytest.mark.parametrize(
    'answer',
    [
        stalling(b'HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n' + bytes(100)),
        dribbling(b'HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n', b'x'),
        dribbling(b'HTTP/1.1 200 OK\r\n\r\n', b'xx'),
        dribbling(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', b'1\r\nx\r\n'),
        dribbling(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', b'0'),
    ],
    ids=['silent', 'length', 'no-length', 'chunks', 'chunk-size'],
)
def test_slow_body_is_aborted(answer: Reaction, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minimum_rate, 'WINDOW', 0.3)
    assert reason(answer) == 'came at less than 1024 bytes a second for 0.3 seconds'


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
