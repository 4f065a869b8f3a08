"""Downloads of sources: reading, checks and errors during the download."""

import hashlib
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fsp_pyramid import errors
from fsp_pyramid.clients import download_slot
from fsp_pyramid.concurrency.bulkhead import Bulkhead
from fsp_pyramid.media_types import HEAD
from fsp_pyramid.protocol import uploads
from fsp_pyramid.protocol.uploads import open_source
from fsp_pyramid.settings import ClientSettings, Settings
from fsp_pyramid.sources import minimum_rate

from ..sources.servers import (
    Reaction,
    dribbling,
    ok,
    serving,
    stalling,
)
from ..timing import PATIENCE

PNG = b'\x89PNG\r\n\x1a\n' + bytes(range(256)) * 400
HALF = len(PNG) // 2


def parse(**more: str) -> ClientSettings:
    least = {'fsp.username': 'u', 'fsp.password': 'p', 'fsp.egnyte.url': 'sandbox:/tmp/e'}
    return Settings.parse(least | {'fsp.sources.allow': '127.0.0.1'} | more, {}).clients['']


pytestmark = pytest.mark.usefixtures('_no_thread_left')


def halves(between: Callable[[], object]) -> Reaction:
    """Return the picture, with a callback after its first half."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % len(PNG) + PNG[:HALF])
        between()
        connection.sendall(PNG[HALF:])

    return answer


def test_file_is_read_during_the_download() -> None:
    read = threading.Event()
    with serving(halves(lambda: read.wait(PATIENCE))) as server:
        with open_source(f'http://127.0.0.1:{server.port}/', 'a.png', parse()) as content:
            assert content.size == len(PNG)
            first = content.file.read(HALF)
            assert PNG.startswith(first)
            assert not content.complete
            read.set()
            assert content.sha512 == hashlib.sha512(PNG).hexdigest()
            assert content.complete
            content.file.seek(0)
            assert content.file.read() == PNG
        assert content.file.closed


def test_small_file_is_complete_at_once() -> None:
    with (
        serving(ok(b'hello')) as server,
        open_source(f'http://127.0.0.1:{server.port}/', 'a.txt', parse()) as content,
    ):
        assert content.complete
        assert (content.size, content.file.read()) == (5, b'hello')


def test_file_of_unknown_size_is_waited_for() -> None:
    with (
        serving(b'HTTP/1.1 200 OK\r\n\r\n' + PNG) as server,
        open_source(f'http://127.0.0.1:{server.port}/', 'a.png', parse()) as content,
    ):
        assert content.size == len(PNG)
        assert content.file.read() == PNG


@pytest.mark.parametrize(
    ('start', 'name', 'error'),
    [
        (b'HTTP/1.1 404 No\r\nContent-Length: 9\r\n\r\n', 'a.png', errors.SourceFailed),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n', 'a.png', errors.FileTooLarge),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n' + b'x' * 9000, 'a.png', errors.TypeNotAllowed),
        (b'HTTP/1.1 200 OK\r\n\r\n' + b'MZ' * 5000, 'a.exe', errors.TypeNotAllowed),
    ],
    ids=['status', 'size', 'type', 'type-of-unknown-size'],
)
def test_refusal_by_the_first_bytes_does_not_wait_for_the_rest(
    start: bytes, name: str, error: type[errors.FSPError]
) -> None:
    """The rest never comes, and no reader waits for its timeout."""
    settings = parse(**{'fsp.sources.timeout': '60'})
    with (
        serving(stalling(start)) as server,
        pytest.raises(error) as caught,
        open_source(f'http://127.0.0.1:{server.port}/', name, settings),
    ):
        pass
    assert str(caught.value).startswith(f'"{name}" was not uploaded.')
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize('size', [b'', b'Content-Length: %d\r\n'], ids=['unknown', 'known'])
@pytest.mark.parametrize('cut', [True, False], ids=['cut', 'slow'])
def test_broken_source_fails_the_reader(size: bytes, cut: bool) -> None:
    start = b'HTTP/1.1 200 OK\r\n' + (size % len(PNG) if size else b'Transfer-Encoding: chunked\r\n') + b'\r\n'
    start += PNG[:HALF] if size else b'%x\r\n%b\r\n' % (HALF, PNG[:HALF])

    def use(url: str) -> None:
        with open_source(url, 'a.png', parse(**{'fsp.sources.timeout': '1'})) as content:
            with pytest.raises(errors.SourceFailed):
                content.file.read()
            assert content.sha512

    with serving(start if cut else stalling(start)) as server, pytest.raises(errors.SourceFailed):
        use(f'http://127.0.0.1:{server.port}/')


def test_file_that_grows_too_large_fails_the_reader() -> None:
    with (
        serving(b'HTTP/1.1 200 OK\r\n\r\n' + PNG) as server,
        pytest.raises(errors.FileTooLarge),
        open_source(f'http://127.0.0.1:{server.port}/', 'a.png', parse(**{'fsp.upload.max_size': '50 KB'})),
    ):
        pass


def test_leaving_the_context_ends_the_download() -> None:
    gone = threading.Event()

    def answer(connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % len(PNG) + PNG[:HALF])
        assert not connection.recv(1)
        gone.set()

    def use(url: str) -> None:
        with open_source(url, 'a.png', parse(**{'fsp.sources.timeout': '60'})) as content:
            assert not content.complete
            raise LookupError

    with serving(answer) as server:
        with pytest.raises(LookupError):
            use(f'http://127.0.0.1:{server.port}/')
        assert gone.wait(PATIENCE)


def test_full_disk_is_reported_as_such(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    full = Path('/dev/full')
    monkeypatch.setattr(uploads.tempfile, 'SpooledTemporaryFile', lambda _size: full.open('r+b', buffering=0))
    with (
        serving(ok(PNG)) as server,
        pytest.raises(errors.NoRoom) as caught,
        open_source(f'http://127.0.0.1:{server.port}/', 'a.png', parse()),
    ):
        pass
    assert isinstance(caught.value.__cause__, OSError)
    assert 'No space left' in caplog.text


def test_slot_is_held_for_the_download_only() -> None:
    slots, release = Bulkhead(1, 0, 0), threading.Event()
    with (
        serving(halves(lambda: release.wait(PATIENCE))) as server,
        open_source(f'http://127.0.0.1:{server.port}/', 'a.png', parse(), slots.slot()) as content,
    ):
        assert slots.running == 1
        release.set()
        assert content.sha512
        end = time.monotonic() + PATIENCE
        while slots.running:  # the thread of the download is about to end
            assert time.monotonic() < end
            time.sleep(0.01)
        assert content.file.read() == PNG


def test_without_a_slot_no_request_is_made() -> None:
    slots = Bulkhead(1, 0, 0)
    with serving(ok(PNG)) as server, slots.slot():
        url = f'http://127.0.0.1:{server.port}/'
        with (
            pytest.raises(errors.Busy, match='Many files') as caught,
            open_source(url, 'a.png', parse(), download_slot(slots, 'u2')),
        ):
            pass
        assert caught.value.retry_after
        assert not server.requests


def test_failed_download_releases_its_slot() -> None:
    slots = Bulkhead(1, 0, 0)
    with serving(b'HTTP/1.1 404 No\r\n\r\n') as server:
        for _ in range(2):
            with (
                pytest.raises(errors.SourceFailed),
                open_source(f'http://127.0.0.1:{server.port}/', 'a.png', parse(), slots.slot()),
            ):
                pass
    assert not slots.running


@pytest.mark.parametrize('first', [HEAD, 20_000], ids=['head', 'more'])
def test_storing_waits_until_the_rest_is_expected_soon(first: int) -> None:
    """Its first bytes come at once and say nothing about the speed."""
    stored, release = threading.Event(), threading.Event()

    def answer(connection: socket.socket) -> None:
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n' + PNG[:first])
        assert release.wait(PATIENCE)
        connection.sendall(bytes(1_000_000 - first))

    def use(port: int) -> int:
        with open_source(f'http://127.0.0.1:{port}/', 'a.png', parse()) as content:
            stored.set()
            return len(content.file.read())

    with serving(answer) as server, ThreadPoolExecutor(1) as pool:
        using = pool.submit(use, server.port)
        assert not stored.wait(0.5)
        release.set()
        assert using.result(PATIENCE) == 1_000_000


def test_source_that_breaks_early_fails_at_once() -> None:
    start = b'HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n' + PNG[:20_000]
    with (
        serving(start) as server,
        pytest.raises(errors.SourceFailed),
        open_source(f'http://127.0.0.1:{server.port}/', 'a.png', parse()),
    ):
        pytest.fail('it is not to be stored')


@pytest.mark.parametrize('rest', [b'', b'x'], ids=['silent', 'dribbling'])
def test_source_that_slows_down_during_storing_is_dropped(monkeypatch: pytest.MonkeyPatch, rest: bytes) -> None:
    """Neither the timeout of a minute nor the minimum rate applies: 50 KB are left."""
    monkeypatch.setattr(minimum_rate, 'WINDOW', 0.3)
    monkeypatch.setattr(minimum_rate, 'LEAST', 1)
    start = b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % len(PNG) + PNG[:HALF]
    answer = dribbling(start, rest * 10) if rest else stalling(start)
    with (
        serving(answer) as server,
        open_source(f'http://127.0.0.1:{server.port}/', 'a.png', parse(**{'fsp.sources.timeout': '60'})) as content,
    ):
        with pytest.raises(errors.SourceFailed) as caught:
            content.file.read()
        assert 'bytes a second' in caught.value.__cause__.reason
