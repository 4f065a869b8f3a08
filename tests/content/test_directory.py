"""The cache directory: files come into being at once or not at all."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fsp_pyramid.content.directory import (
    COPIES,
    PARTS,
    CacheDirectory,
    note_use,
)

KEY = 'ab' + 'c' * 38

HOLDER = """
import sys, time
from fsp_pyramid.content.directory import Place
with Place(sys.argv[1]).draft('{key}') as draft:
    draft.file.write(b'half')
    draft.file.flush()
    print('writing', flush=True)
    time.sleep(60)
"""


@pytest.fixture
def place(tmp_path: Path) -> CacheDirectory:
    return CacheDirectory(str(tmp_path / 'cache'))


def files(place: CacheDirectory, kind: str) -> list[str]:
    return [key for _, key in place.files(kind)]


def test_what_a_killed_process_left_goes_with_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path))
    alive = CacheDirectory('')
    alive.put(COPIES, KEY, b'hello')
    left = tmp_path / 'fsp-cache-left'
    left.mkdir()
    for directory in (left, alive.root):
        os.utime(directory, (0, 0))
    other = CacheDirectory('')
    assert other.root.is_dir()
    assert alive.path(COPIES, KEY).exists()
    assert not left.exists()


@pytest.mark.parametrize('content', [b'hello', io.BytesIO(b'hello')])
def test_what_was_put_is_there_with_its_date(place: CacheDirectory, content: bytes | io.BytesIO) -> None:
    place.put(COPIES, KEY, content, modified=1_700_000_000_123)
    path = place.path(COPIES, KEY)
    assert path.read_bytes() == b'hello'
    assert int(path.stat().st_mtime) == 1_700_000_000
    assert (files(place, COPIES), files(place, PARTS)) == ([KEY], [])
    with path.open('rb') as file:
        assert place.relative(file) == f'copies/ab/{"c" * 38}'
    place.remove(COPIES, KEY)
    place.remove(COPIES, KEY)
    assert files(place, COPIES) == []


def test_without_a_directory_it_is_the_process_own(tmp_path: Path) -> None:
    place = CacheDirectory('')
    place.put(COPIES, KEY, b'hello')
    root = place.root
    assert root.is_dir()
    del place
    assert not root.exists()


def test_what_fails_leaves_nothing(place: CacheDirectory) -> None:
    class Broken(io.RawIOBase):
        def readinto(self, _buffer: object) -> int:
            raise OSError('broken')

        def readable(self) -> bool:
            return True

    with pytest.raises(OSError, match='broken'):
        place.put(COPIES, KEY, Broken())
    assert (files(place, COPIES), files(place, PARTS)) == ([], [])


def test_a_draft_is_one_writer_s(place: CacheDirectory) -> None:
    with place.draft(KEY) as draft:
        draft.file.write(b'mine')
        with pytest.raises(BlockingIOError), place.draft(KEY):
            pass
        draft.publish(COPIES, KEY)
        with place.draft(KEY) as other:  # the place is free as soon as the file has its name
            other.file.write(b'other')
    assert place.path(COPIES, KEY).read_bytes() == b'mine'
    assert files(place, PARTS) == []


def test_a_killed_process_leaves_no_lock_and_no_copy(place: CacheDirectory) -> None:
    words = [sys.executable, '-c', HOLDER.replace('{key}', KEY), str(place.root)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b'writing\n'
        with pytest.raises(BlockingIOError), place.draft(KEY):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert files(place, COPIES) == []
    with place.draft(KEY) as draft:
        assert draft.file.read() == b'', 'it is begun anew'
        draft.file.write(b'whole')
        draft.publish(COPIES, KEY)
    assert place.path(COPIES, KEY).read_bytes() == b'whole'


def test_a_use_is_noted_and_keeps_the_date(place: CacheDirectory) -> None:
    place.put(COPIES, KEY, b'hello', modified=1_700_000_000_000)
    path = place.path(COPIES, KEY)
    os.utime(path, (1_700_000_001, 1_700_000_000))
    before = time.time()
    with path.open('rb') as file:
        note_use(file)
    assert path.stat().st_atime >= int(before)
    assert int(path.stat().st_mtime) == 1_700_000_000


def test_processes_are_known_to_live_by_their_locks(tmp_path: Path) -> None:
    one, other = CacheDirectory(str(tmp_path)), CacheDirectory(str(tmp_path))
    name = one.process()
    assert name == one.process() != other.process()
    assert one.lives(name)
    assert other.lives(name)
    assert not other.lives('0' * 16)
    (tmp_path / 'processes' / name).unlink()
    assert one.process() != name, 'the directory may be emptied at any time'


def test_what_dead_processes_left_is_removed(tmp_path: Path) -> None:
    place = CacheDirectory(str(tmp_path))
    name = place.process()
    (tmp_path / 'processes' / 'dead').touch()
    place.remove_dead_processes()
    assert [path.name for path in (tmp_path / 'processes').iterdir()] == [name]
