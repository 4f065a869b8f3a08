"""Cache directory: atomic publication, locks and process ids."""

import fcntl
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
    record_use,
    relative_path,
)

KEY = 'ab' + 'c' * 38

HOLDER = """
import sys, time
from fsp_pyramid.content.directory import CacheDirectory
with CacheDirectory(sys.argv[1]).partial_file('{key}') as partial:
    partial.file.write(b'half')
    partial.file.flush()
    print('writing', flush=True)
    time.sleep(60)
"""


@pytest.fixture
def directory(tmp_path: Path) -> CacheDirectory:
    return CacheDirectory(str(tmp_path / 'cache'))


def files(directory: CacheDirectory, kind: str) -> list[str]:
    return [key for _, key in directory.files(kind)]


def test_temporary_directory_of_a_killed_process_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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


def test_new_directory_is_closed_to_other_users(tmp_path: Path) -> None:
    root = CacheDirectory(str(tmp_path / 'new')).root
    assert root.stat().st_mode & 0o027 == 0


@pytest.mark.parametrize('content', [b'hello', io.BytesIO(b'hello')])
def test_put_file_has_content_and_date(directory: CacheDirectory, content: bytes | io.BytesIO) -> None:
    directory.put(COPIES, KEY, content, modified=1_700_000_000_123)
    path = directory.path(COPIES, KEY)
    assert path.read_bytes() == b'hello'
    assert int(path.stat().st_mtime) == 1_700_000_000
    assert (files(directory, COPIES), files(directory, PARTS)) == ([KEY], [])
    assert path == directory.root / relative_path(COPIES, KEY) == directory.root / 'copies' / 'ab' / ('c' * 38)
    with directory.open(COPIES, KEY) as file:
        assert file.read() == b'hello'
    directory.remove(COPIES, KEY)
    directory.remove(COPIES, KEY)
    assert files(directory, COPIES) == []


def test_temporary_directory_is_removed_with_the_process(tmp_path: Path) -> None:
    directory = CacheDirectory('')
    directory.put(COPIES, KEY, b'hello')
    root = directory.root
    assert root.is_dir()
    del directory
    assert not root.exists()


def test_failed_put_leaves_no_file(directory: CacheDirectory) -> None:
    class Broken(io.RawIOBase):
        def readinto(self, _buffer: object) -> int:
            raise OSError('broken')

        def readable(self) -> bool:
            return True

    with pytest.raises(OSError, match='broken'):
        directory.put(COPIES, KEY, Broken())
    assert (files(directory, COPIES), files(directory, PARTS)) == ([], [])


def test_partial_file_has_one_writer(directory: CacheDirectory) -> None:
    with directory.partial_file(KEY) as partial:
        partial.file.write(b'mine')
        with pytest.raises(BlockingIOError), directory.partial_file(KEY):
            pass
        partial.publish(COPIES, KEY)
        # The publication may not be recorded yet: another process would download the content once more.
        with pytest.raises(BlockingIOError), directory.partial_file(KEY):
            pass
    with directory.partial_file(KEY) as other:
        other.file.write(b'other')
    assert directory.path(COPIES, KEY).read_bytes() == b'mine'
    assert files(directory, PARTS) == []


def test_download_of_an_earlier_version_is_left_alone(directory: CacheDirectory) -> None:
    path = directory.path(PARTS, KEY)
    path.parent.mkdir(parents=True)
    with path.open('wb', buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(b'half')
        with pytest.raises(BlockingIOError), directory.partial_file(KEY):
            pass
        assert path.read_bytes() == b'half'
    with directory.partial_file(KEY) as partial:
        partial.file.write(b'whole')
        partial.publish(COPIES, KEY)
    assert directory.path(COPIES, KEY).read_bytes() == b'whole'
    assert files(directory, PARTS) == []


def test_killed_process_leaves_no_lock_and_no_copy(directory: CacheDirectory) -> None:
    words = [sys.executable, '-c', HOLDER.replace('{key}', KEY), str(directory.root)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b'writing\n'
        with pytest.raises(BlockingIOError), directory.partial_file(KEY):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert files(directory, COPIES) == []
    with directory.partial_file(KEY) as partial:
        assert partial.file.read() == b'', 'it is begun anew'
        partial.file.write(b'whole')
        partial.publish(COPIES, KEY)
    assert directory.path(COPIES, KEY).read_bytes() == b'whole'


def test_recorded_use_keeps_the_modification_date(directory: CacheDirectory) -> None:
    directory.put(COPIES, KEY, b'hello', modified=1_700_000_000_000)
    path = directory.path(COPIES, KEY)
    os.utime(path, (1_700_000_001, 1_700_000_000))
    before = time.time()
    with path.open('rb') as file:
        record_use(file)
    assert path.stat().st_atime >= int(before)
    assert int(path.stat().st_mtime) == 1_700_000_000


def test_live_processes_are_known_by_their_locks(tmp_path: Path) -> None:
    one, other = CacheDirectory(str(tmp_path)), CacheDirectory(str(tmp_path))
    name = one.process_id()
    assert name == one.process_id() != other.process_id()
    assert one.is_alive(name)
    assert other.is_alive(name)
    assert not other.is_alive('0' * 16)
    (tmp_path / 'processes' / name).unlink()
    assert one.process_id() != name, 'the directory may be emptied at any time'


def test_lock_files_of_dead_processes_are_removed(tmp_path: Path) -> None:
    directory = CacheDirectory(str(tmp_path))
    name = directory.process_id()
    (tmp_path / 'processes' / 'dead').touch()
    directory.remove_dead_processes()
    assert [path.name for path in (tmp_path / 'processes').iterdir()] == [name]
