"""Contents on their way: once, however many ask, and no longer than somebody wants them."""

import hashlib
import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fsp_pyramid.content import downloads
from fsp_pyramid.content.directory import COPIES, PARTS, CacheDirectory
from fsp_pyramid.content.downloads import Abandoned, Damaged, Downloads
from fsp_pyramid.content.index import Copy, Index
from fsp_pyramid.egnyte import Unreachable
from fsp_pyramid.errors import EgnyteUnavailable

from ..background import settle
from ..timing import PATIENCE


class Coming:
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


class ContentService:
    """Asks for one file."""

    def __init__(self, directory: Path, largest: int = 1 << 20) -> None:
        self.place = CacheDirectory(str(directory))
        self.index = Index(self.place)
        self.kept: list[Copy] = []
        self.failed: list[Copy] = []
        self.fetches = Downloads(self.place, self.index, largest, self.kept.append, self.failed.append)

    def ask(self, open_download: Callable[[], Coming]) -> tuple[Copy, downloads.Reader | None]:
        return self.fetches.fetch('fsp', 'file', lambda: self.index.copy('fsp', 'file', 'v1'), open_download)

    def files(self, kind: str) -> list[bytes]:
        return [path.read_bytes() for path, _ in self.place.files(kind)]


@pytest.fixture
def content_service(tmp_path: Path) -> ContentService:
    return ContentService(tmp_path)


def nobody() -> Coming:
    raise AssertionError('it is asked for twice')


def test_it_is_read_while_it_comes_and_kept_when_it_has_come(content_service: ContentService) -> None:
    coming = Coming(b'abcdef')
    copy, reader = content_service.ask(lambda: coming)
    assert (copy.size, copy.mime_type, copy.version_id) == (6, 'image/png', 'v1')
    _, other = content_service.ask(nobody)
    coming.send(b'ab', b'cd')
    assert (reader.read(9), other.read(9)) == (b'ab', b'ab')
    assert content_service.files(COPIES) == []
    coming.send(b'ef', None)
    assert reader.readall() + other.readall() == b'cdefcdef'
    reader.close()
    other.close()
    settle()
    assert content_service.files(COPIES) == [b'abcdef']
    assert content_service.ask(nobody) == (content_service.kept[0], None)


def test_what_egnyte_tells_no_size_of(content_service: ContentService) -> None:
    coming = Coming(b'abc', size=None)
    copy, reader = content_service.ask(lambda: coming)
    coming.send(b'abc', None)
    with reader:
        assert reader.readall() == b'abc'
    assert (copy.size, content_service.kept[0].size) == (0, 3)


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
def test_what_does_not_come_whole_is_not_kept(
    content_service: ContentService, blocks: tuple[bytes | None, ...], error: type[Exception]
) -> None:
    coming = Coming(b'abc')
    _, reader = content_service.ask(lambda: coming)
    coming.send(*blocks)
    with reader, pytest.raises(error):
        reader.readall()
    settle()
    assert coming.closed.is_set()
    assert (content_service.files(COPIES), content_service.files(PARTS), content_service.kept) == ([], [], [])
    assert [copy.file_id for copy in content_service.failed] == ['file']
    again = Coming(b'abc')
    _, reader = content_service.ask(lambda: again)
    again.send(b'abc', None)
    with reader:
        assert reader.readall() == b'abc'


def test_a_failure_to_begin_is_told_and_forgotten(content_service: ContentService) -> None:
    def failing() -> Coming:
        raise EgnyteUnavailable

    for _ in range(2):
        with pytest.raises(EgnyteUnavailable):
            content_service.ask(failing)
    assert content_service.files(PARTS) == []


def test_a_large_one_ends_with_its_last_reader(
    content_service: ContentService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, 'FINISHED_ALONE', 3)
    coming = Coming(b'abcdef')
    _, reader = content_service.ask(lambda: coming)
    coming.send(b'ab', b'cd')
    assert reader.read(2) == b'ab'
    reader.close()
    assert not coming.closed.is_set()
    coming.send(b'ef')
    settle()
    assert coming.closed.is_set(), 'the connection is given back'
    assert content_service.failed == []
    assert content_service.files(COPIES) == []


def test_a_large_one_waits_for_its_first_reader(
    content_service: ContentService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, 'FINISHED_ALONE', 3)
    coming = Coming(b'abcdef')
    coming.send(b'ab', b'cd', b'ef', None)
    _, reader = content_service.ask(lambda: coming)
    with reader or open(content_service.place.path(COPIES, content_service.kept[0].key), 'rb') as file:
        assert file.read() == b'abcdef'


def test_who_comes_when_the_last_reader_goes_gets_another_one(
    content_service: ContentService, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Given:
        """A fetch that was given up just now."""

        def __init__(self) -> None:
            self.asked = 0

        def reader(self) -> None:
            self.asked += 1
            content_service.fetches._coming.clear()
            raise ValueError('the file is closed')

        def wait(self) -> None:
            raise Abandoned

    given = Given()
    content_service.fetches._coming[downloads.key_of('fsp', 'file')] = downloads.ActiveDownload(
        Copy(*[''] * 4, 0, 0, '', 0.0), given
    )
    coming = Coming(b'abc')
    _, reader = content_service.ask(lambda: coming)
    coming.send(b'abc', None)
    with reader:
        assert reader.readall() == b'abc'
    assert given.asked == 1


def test_a_small_one_comes_to_its_end_alone(content_service: ContentService) -> None:
    coming = Coming(b'abcdef')
    _, reader = content_service.ask(lambda: coming)
    reader.close()
    coming.send(b'abc', b'def', None)
    settle()
    assert content_service.files(COPIES) == [b'abcdef']


def test_what_is_too_large_is_passed_on_and_not_kept(tmp_path: Path) -> None:
    content_service, coming = ContentService(tmp_path, largest=5), Coming(b'abcdef')
    _, reader = content_service.ask(lambda: coming)
    coming.send(b'abcdef', None)
    with reader:
        assert reader.readall() == b'abcdef'
    settle()
    assert (content_service.files(COPIES), content_service.files(PARTS), content_service.kept) == ([], [], [])
