"""Downloads: one call for all concurrent requests, and no longer than a reader wants the content."""

import hashlib
import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from fsp_pyramid.content import downloads
from fsp_pyramid.content.background import BackgroundTasks
from fsp_pyramid.content.backoff import Backoff
from fsp_pyramid.content.cache import SHARE, ContentCache
from fsp_pyramid.content.directory import COPIES, PARTS
from fsp_pyramid.content.downloads import Abandoned, Damaged, Downloads
from fsp_pyramid.content.index import Copy
from fsp_pyramid.content.version_feed import NullVersionFeed
from fsp_pyramid.egnyte import Unreachable
from fsp_pyramid.errors import EgnyteUnavailable

from ..background import settle
from ..timing import PATIENCE

ORIGIN = SimpleNamespace(domain='acme', account='fsp', file_id='file')


class ScriptedDownload:
    """A download whose blocks come when a test sends them; None is its end."""

    version_id, mime_type, modified = 'v1', 'image/png', 1_700_000_000_000

    def __init__(self, content: bytes, size: int | None = -1) -> None:
        self.checksum = hashlib.sha512(content).hexdigest()
        self.size = len(content) if size == -1 else size
        self.blocks: queue.Queue[bytes | Exception | None] = queue.Queue()
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        while (block := self.blocks.get(timeout=PATIENCE)) is not None:
            if isinstance(block, Exception):
                raise block
            yield block

    def close(self) -> None:
        self.closed.set()

    def send(self, *blocks: bytes | Exception | None) -> None:
        for block in blocks:
            self.blocks.put(block)


class Requests:
    """Requests for one file, and the cache behind them."""

    def __init__(self, directory: Path, largest: int = 1 << 20) -> None:
        self.cache = ContentCache(str(directory), SHARE * largest, 0, 0, NullVersionFeed(), BackgroundTasks())
        self.backoff = Backoff()
        self.downloads = Downloads(self.cache, self.backoff)

    @property
    def copy(self) -> Copy | None:
        return self.cache.index.copy('fsp', 'file', 'v1')

    def fetch(self, open_download: Callable[[], ScriptedDownload]) -> tuple[Copy, downloads.Reader | None]:
        return self.downloads.fetch('fsp', 'file', lambda: self.copy, open_download)

    def files(self, kind: str) -> list[bytes]:
        return [Path(entry).read_bytes() for entry, _ in self.cache.directory.files(kind)]

    def check_backoff(self) -> None:
        self.backoff.check(ORIGIN)


@pytest.fixture
def requests(tmp_path: Path) -> Requests:
    return Requests(tmp_path)


def no_call() -> ScriptedDownload:
    raise AssertionError('a second call')


def test_content_is_read_while_it_grows_and_kept_when_complete(requests: Requests) -> None:
    download = ScriptedDownload(b'abcdef')
    copy, reader = requests.fetch(lambda: download)
    assert (copy.size, copy.mime_type, copy.version_id) == (6, 'image/png', 'v1')
    _, other = requests.fetch(no_call)
    download.send(b'ab', b'cd')
    assert (reader.read(9), other.read(9)) == (b'ab', b'ab')
    assert requests.files(COPIES) == []
    download.send(b'ef', None)
    assert reader.readall() + other.readall() == b'cdefcdef'
    reader.close()
    other.close()
    settle()
    assert requests.files(COPIES) == [b'abcdef']
    assert requests.fetch(no_call) == (requests.copy, None)


def test_content_of_unknown_size_is_kept_with_its_size(requests: Requests) -> None:
    download = ScriptedDownload(b'abc', size=None)
    copy, reader = requests.fetch(lambda: download)
    download.send(b'abc', None)
    with reader:
        assert reader.readall() == b'abc'
    settle()
    assert (copy.size, requests.copy.size) == (0, 3)


@pytest.mark.parametrize(
    ('blocks', 'error'),
    [
        ((b'abX', None), Damaged),
        ((b'ab', None), Damaged),
        ((b'abc', b'd', None), Damaged),
        ((b'ab', EgnyteUnavailable()), EgnyteUnavailable),
        ((b'ab', Unreachable('cut')), EgnyteUnavailable),
        ((b'ab', ZeroDivisionError()), ZeroDivisionError),
    ],
)
def test_failed_download_is_not_kept(
    requests: Requests, blocks: tuple[bytes | None, ...], error: type[Exception]
) -> None:
    download = ScriptedDownload(b'abc')
    _, reader = requests.fetch(lambda: download)
    download.send(*blocks)
    with reader, pytest.raises(error):
        reader.readall()
    settle()
    assert download.closed.is_set()
    assert (requests.files(COPIES), requests.files(PARTS), requests.copy) == ([], [], None)
    with pytest.raises(EgnyteUnavailable):
        requests.check_backoff()
    again = ScriptedDownload(b'abc')
    _, reader = requests.fetch(lambda: again)
    again.send(b'abc', None)
    with reader:
        assert reader.readall() == b'abc'


def test_failed_call_is_raised_and_not_remembered(requests: Requests) -> None:
    def failing() -> ScriptedDownload:
        raise EgnyteUnavailable

    for _ in range(2):
        with pytest.raises(EgnyteUnavailable):
            requests.fetch(failing)
    assert requests.files(PARTS) == []


def test_large_download_ends_with_its_last_reader(requests: Requests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, 'FINISH_UNREAD', 3)
    download = ScriptedDownload(b'abcdef')
    _, reader = requests.fetch(lambda: download)
    download.send(b'ab', b'cd')
    assert reader.read(2) == b'ab'
    reader.close()
    assert not download.closed.is_set()
    download.send(b'ef')
    settle()
    assert download.closed.is_set(), 'the connection is released'
    requests.check_backoff()
    assert requests.files(COPIES) == []


def test_large_download_waits_for_its_first_reader(requests: Requests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, 'FINISH_UNREAD', 3)
    download = ScriptedDownload(b'abcdef')
    download.send(b'ab', b'cd', b'ef', None)
    _, reader = requests.fetch(lambda: download)
    with reader or open(requests.cache.directory.path(COPIES, requests.copy.key), 'rb') as file:
        assert file.read() == b'abcdef'


def test_request_during_the_end_of_a_download_starts_another_one(requests: Requests) -> None:
    class EndedFile:
        """The file of a download that was given up just now."""

        def __init__(self) -> None:
            self.asked = 0

        def reader(self) -> None:
            self.asked += 1
            requests.downloads._active.clear()
            raise ValueError('the file is closed')

        def wait(self) -> None:
            raise Abandoned

    ended = EndedFile()
    requests.downloads._active[downloads.key_of('fsp', 'file')] = downloads.ActiveDownload(
        Copy(*[''] * 4, 0, 0, '', 0.0), ended
    )
    download = ScriptedDownload(b'abc')
    _, reader = requests.fetch(lambda: download)
    download.send(b'abc', None)
    with reader:
        assert reader.readall() == b'abc'
    assert ended.asked == 1


def test_small_download_is_finished_without_readers(requests: Requests) -> None:
    download = ScriptedDownload(b'abcdef')
    _, reader = requests.fetch(lambda: download)
    reader.close()
    download.send(b'abc', b'def', None)
    settle()
    assert requests.files(COPIES) == [b'abcdef']


def test_too_large_content_is_passed_on_and_not_kept(tmp_path: Path) -> None:
    requests, download = Requests(tmp_path, largest=5), ScriptedDownload(b'abcdef')
    _, reader = requests.fetch(lambda: download)
    download.send(b'abcdef', None)
    with reader:
        assert reader.readall() == b'abcdef'
    settle()
    assert (requests.files(COPIES), requests.files(PARTS), requests.copy) == ([], [], None)
