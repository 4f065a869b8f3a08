import errno
import hashlib
import io
import os
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, precondition, rule

from fsp_pyramid.concurrency.growing_file import GrowingFile, Reader

from ..timing import PATIENCE

Make = Callable[[], IO[bytes]]


def spooled() -> IO[bytes]:
    """Return a function that makes a file that goes from memory to disk in the middle of most tests."""
    return tempfile.SpooledTemporaryFile(50)


@pytest.fixture(params=['spooled', 'named'])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    return spooled if request.param == 'spooled' else lambda: (tmp_path / 'file').open('w+b')


class Interleaved(RuleBasedStateMachine):
    """Model: appends and reads in any order, by any number of readers, against a byte string."""

    readers = Bundle('readers')

    def __init__(self) -> None:
        super().__init__()
        self.written, self.ended = b'', False
        self.file = GrowingFile(spooled())
        self.opened: list[Reader] = []

    @precondition(lambda self: not self.ended)
    @rule(data=st.binary(max_size=80))
    def append(self, data: bytes) -> None:
        self.file.write(data)
        self.written += data
        assert self.file.size == len(self.written)

    @rule()
    def finish(self) -> None:
        self.file.finish()
        self.ended = True
        assert self.file.wait() == len(self.written)

    @rule(target=readers)
    def come(self) -> Reader:
        self.opened.append(self.file.reader())
        return self.opened[-1]

    @rule(reader=consumes(readers))
    def go(self, reader: Reader) -> None:
        reader.close()

    @rule(reader=readers, place=st.integers(0, 200))
    def seek(self, reader: Reader, place: int) -> None:
        assert reader.seek(place) == place

    @rule(reader=readers, place=st.integers(0, 20))
    def seek_on(self, reader: Reader, place: int) -> None:
        assert reader.seek(place, os.SEEK_CUR) == reader.tell()

    @precondition(lambda self: self.ended)
    @rule(reader=readers)
    def seek_end(self, reader: Reader) -> None:
        assert reader.seek(0, os.SEEK_END) == len(self.written)

    @rule(reader=readers, size=st.integers(0, 100))
    def read(self, reader: Reader, size: int) -> None:
        start = reader.tell()
        if size and not self.ended and start >= len(self.written):
            return  # it would wait
        data = reader.read(size)
        assert data == self.written[start : start + size]
        assert reader.tell() == start + len(data)

    @precondition(lambda self: self.ended)
    @rule(reader=readers)
    def read_all(self, reader: Reader) -> None:
        start = reader.tell()
        assert reader.read() == self.written[start:]

    def teardown(self) -> None:
        self.file.close()
        for reader in self.opened:
            reader.close()


TestInterleaved = Interleaved.TestCase
TestInterleaved.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


@settings(max_examples=25, deadline=None)
@given(
    pieces=st.lists(st.binary(min_size=1, max_size=60), max_size=20),
    sizes=st.lists(st.integers(1, 100), min_size=1, max_size=4),
)
def test_readers_in_their_own_threads_get_all_bytes(pieces: list[bytes], sizes: list[int]) -> None:
    def follow(reader: Reader, size: int) -> bytes:
        with reader:
            return b''.join(iter(lambda: reader.read(size), b''))

    with ThreadPoolExecutor(len(sizes)) as pool, GrowingFile(spooled()) as file:
        followers = [pool.submit(follow, file.reader(), size) for size in sizes]
        for piece in pieces:
            file.write(piece)
        file.finish()
        assert [follower.result(PATIENCE) for follower in followers] == [b''.join(pieces)] * len(sizes)


def test_reader_keeps_up_with_the_writer(make: Make) -> None:
    """Each piece is written only after the one before was read: no reader waits for the end."""
    read = threading.Semaphore(0)
    got = []

    def follow(reader: Reader) -> None:
        with reader:
            while data := reader.read(100):
                got.append(data)
                read.release()

    with GrowingFile(make()) as file:
        thread = threading.Thread(target=follow, args=[file.reader()])
        thread.start()
        for number in range(100):
            file.write(b'%d' % number)
            assert read.acquire(timeout=PATIENCE)
        file.finish()
        thread.join(PATIENCE)
    assert got == [b'%d' % number for number in range(100)]


def test_read_beyond_the_written_bytes_waits(make: Make) -> None:
    with ThreadPoolExecutor() as pool, GrowingFile(make()) as file, file.reader() as reader, file.reader() as other:
        reader.seek(4)
        tail, end = pool.submit(reader.read, 10), pool.submit(other.seek, -1, os.SEEK_END)
        file.write(b'0123')
        file.write(b'45')
        assert tail.result(PATIENCE) == b'45'
        file.finish()
        assert end.result(PATIENCE) == 5
        assert other.read(10) == b'5'
        assert reader.read(10) == b''


def test_failure_reaches_all_readers_at_once(make: Make) -> None:
    error = LookupError('gone')
    with ThreadPoolExecutor() as pool, GrowingFile(make()) as file:
        waiting, behind, late = (file.reader() for _ in range(3))
        file.write(b'0123456789')
        waiting.seek(10)
        waits, ends = pool.submit(waiting.read, 1), pool.submit(file.wait)
        file.fail(error)
        assert waits.exception(PATIENCE) is error
        assert ends.exception(PATIENCE) is error
        for read in (lambda: behind.read(5), lambda: late.read(5), lambda: behind.seek(0, os.SEEK_END)):
            with pytest.raises(LookupError):
                read()
        for reader in (waiting, behind, late):
            reader.close()


def test_only_the_first_end_counts(make: Make) -> None:
    with GrowingFile(make()) as file, file.reader() as reader:
        file.write(b'x')
        assert not file.ended
        file.finish()
        assert file.ended
        file.fail(LookupError())
        assert reader.read() == b'x'
        with pytest.raises(ValueError, match='has ended'):
            file.write(b'y')


def test_readers_get_the_error_of_the_context(make: Make) -> None:
    file = GrowingFile(make())
    reader = file.reader()
    file.write(b'x')
    with pytest.raises(LookupError), file:
        raise LookupError
    with pytest.raises(LookupError):
        reader.read(1)
    reader.close()


def test_closing_without_an_end_is_a_failure(make: Make) -> None:
    with GrowingFile(make()) as file:
        reader = file.reader()
        file.write(b'x')
    with reader, pytest.raises(EOFError):
        reader.read(1)


def test_last_reader_closes_the_file(make: Make) -> None:
    inner = make()
    with GrowingFile(inner) as file:
        first, second = file.reader(), file.reader()
        file.write(b'0123')
        file.finish()
    with pytest.raises(ValueError, match='is closed'):
        file.reader()
    first.close()
    first.close()
    assert not inner.closed
    assert second.read() == b'0123'
    second.close()
    assert inner.closed
    with pytest.raises(ValueError, match='closed'):
        second.read(1)


def test_named_file_has_all_bytes_that_were_read(tmp_path: Path) -> None:
    path = tmp_path / 'file'
    with GrowingFile(path.open('w+b')) as file:
        file.write(b'0123')
        assert path.read_bytes() == b'0123'
        file.finish()


def test_failed_write_appends_nothing() -> None:
    """/dev/full is a disk without room."""
    with GrowingFile(open('/dev/full', 'r+b', buffering=0)) as file:
        with pytest.raises(OSError, match='No space left'):
            file.write(b'x')
        assert file.size == 0


def test_seek_before_the_beginning_is_refused(make: Make) -> None:
    with GrowingFile(make()) as file, file.reader() as reader, pytest.raises(ValueError, match='before the beginning'):
        reader.seek(-1)


def test_large_file_goes_to_disk() -> None:
    """A large file goes to the disk, whichever part of it is read."""
    inner = tempfile.SpooledTemporaryFile(1 << 20)  # noqa: SIM115
    block = os.urandom(1 << 16)
    with GrowingFile(inner) as file, file.reader() as reader:
        digest = hashlib.sha512()
        for _ in range(64):
            file.write(block)
            digest.update(reader.read(len(block)))
        file.finish()
        assert inner._rolled
        assert digest.digest() == hashlib.sha512(block * 64).digest()


class Truncating(io.BytesIO):
    """A file whose second write fails and loses the first, as a SpooledTemporaryFile does on a full disk."""

    def write(self, data: Any) -> int:
        if self.tell():
            self.truncate(1)
            raise OSError(errno.ENOSPC, 'No space left on device')
        return super().write(data)


def test_readers_get_the_error_and_no_early_end_after_a_failed_write() -> None:
    file, failure = GrowingFile(Truncating()), LookupError('no room')
    file.write(b'abcd')
    with pytest.raises(OSError, match='No space'):
        file.write(b'efgh')
    assert file.size == 0  # nothing can be read until the writer fails the file
    with file.reader() as reader, ThreadPoolExecutor(1) as pool:
        reader.seek(1)
        reading = pool.submit(reader.read, 3)
        file.fail(failure)
        assert reading.exception(PATIENCE) is failure
    file.close()
