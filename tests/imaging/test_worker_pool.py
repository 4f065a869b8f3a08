"""Pool of worker processes: limits, failures, and isolation of hostile pictures."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fsp_pyramid.imaging import worker_pool
from fsp_pyramid.imaging.contract import MAX_BYTES, Unrenderable
from fsp_pyramid.imaging.worker_pool import NoWorker, RenderPool

from ..timing import PATIENCE, eventually
from .hostile import BAD, LYING_AVIF, many_scans
from .oddities import GOOD, SHOWN, quarters

# A worker without the pipes of its parent: one picture in, its thumbnail out.
LEAN = """
import sys
sys.path.append({packages!r})
sys.modules['pillow_heif'] = None  # an extra, which imports much
data = sys.stdin.buffer.read()
{boot}
from fsp_pyramid.imaging import worker
worker._restrict()
sys.stdout.buffer.write(worker.render_bytes(data))
"""


@pytest.fixture
def pool() -> Iterator[RenderPool]:
    pool = RenderPool()
    yield pool
    pool.close()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen]:
    """Return the processes of all workers that were started."""
    processes: list[subprocess.Popen] = []

    class Noted(subprocess.Popen):
        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, **options)
            processes.append(self)

    monkeypatch.setattr(subprocess, 'Popen', Noted)
    return processes


def rendered(pool: RenderPool, data: bytes) -> bytes:
    return pool.render(io.BytesIO(data))


def small() -> bytes:
    return GOOD['PNG, 1 x 1']()


# What comes out


@pytest.fixture(scope='module')
def shared_pool() -> Iterator[RenderPool]:
    pool = RenderPool()
    yield pool
    pool.close()


@pytest.mark.parametrize('name', GOOD)
def test_every_format_is_rendered(shared_pool: RenderPool, name: str) -> None:
    """Rendering imports no module and opens no file: a worker cannot, so that all formats may share one."""
    assert rendered(shared_pool, GOOD[name]())[8:12] == b'WEBP'


def test_formats_are_rendered_without_extras() -> None:
    """An installation without extras has no other package that imports what Pillow needs."""
    code = LEAN.format(boot=worker_pool._BOOT.replace('main()', ''), packages=sysconfig.get_path('purelib'))
    for name in ('GIF', 'PNG, 1 x 1'):
        data = GOOD[name]()
        done = subprocess.run([sys.executable, '-S', '-P', '-c', code], input=data, capture_output=True, check=False)
        assert (done.stdout[8:12], done.stderr) == (b'WEBP', b''), name


def test_truncated_pictures_are_rendered(pool: RenderPool) -> None:
    for name in (*SHOWN, 'BMP', 'ICO', 'TIFF'):
        data = GOOD[name]()
        assert rendered(pool, data[: len(data) * 2 // 3])[8:12] == b'WEBP'


def test_bad_pictures_are_refused_with_a_reason(pool: RenderPool, started: list[subprocess.Popen]) -> None:
    for name, make in BAD.items():
        with pytest.raises(Unrenderable, match=r'\w+ \w+') as caught:
            rendered(pool, make())
        assert 'worker' not in str(caught.value), name
        assert 'Too many open files' not in str(caught.value), name
    assert len(started) == 1, 'none of them ended it'


def test_content_is_read_from_its_beginning_and_stays_open(pool: RenderPool, tmp_path: Path) -> None:
    path = tmp_path / 'picture'
    path.write_bytes(GOOD['PNG']())
    with path.open('rb') as file:
        assert {pool.render(file) for _ in range(2)} == {rendered(pool, GOOD['PNG']())}
        assert not file.closed


def test_read_error_is_raised_as_it_is(pool: RenderPool) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, 'Input/output error')

    with pytest.raises(OSError, match='Input/output'):
        pool.render(Failing(small()))
    assert rendered(pool, small())


def test_too_large_picture_starts_no_worker(pool: RenderPool, started: list[subprocess.Popen]) -> None:
    with pytest.raises(Unrenderable, match='more than'):
        rendered(pool, bytes(MAX_BYTES + 1))
    assert started == []


# What a worker may do


def limits(process: subprocess.Popen) -> dict[str, str]:
    lines = Path(f'/proc/{process.pid}/limits').read_text().splitlines()[1:]
    return {line[:26].strip(): line[26:47].strip() for line in lines}


@pytest.mark.skipif(not Path('/proc/self/limits').exists(), reason='only Linux shows the limits of processes')
def test_worker_has_only_its_pipes(
    pool: RenderPool, started: list[subprocess.Popen], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('FSP_EGNYTE_TOKEN', 'secret')
    rendered(pool, small())
    (process,) = started
    told = limits(process)
    assert (told['Max open files'], told['Max file size'], told['Max core file size']) == ('0', '0', '0')
    assert told['Max address space'] == '576000000'
    assert int(told['Max cpu time']) <= 30
    directory = Path(f'/proc/{process.pid}')
    assert sorted(os.listdir(directory / 'fd')) == ['0', '1', '2']
    assert os.readlink(directory / 'fd' / '2') == '/dev/null'
    assert b'FSP_' not in (directory / 'environ').read_bytes()
    assert os.readlink(directory / 'cwd') == '/'


def test_worker_cannot_open_files_or_sockets() -> None:
    code = (
        'import socket\n'
        'from fsp_pyramid.imaging.worker import _restrict\n'
        '_restrict()\n'
        'for act in (lambda: open("/etc/passwd"), socket.socket, lambda: open("/tmp/x", "w")):\n'
        '    try: act()\n'
        '    except OSError as error: print(error.errno)'
    )
    done = subprocess.run([sys.executable, '-W', 'ignore', '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout == '24\n' * 3


def test_worker_does_not_import_the_application(pool: RenderPool, started: list[subprocess.Popen]) -> None:
    rendered(pool, small())
    modules = Path(f'/proc/{started[0].pid}/maps').read_text()
    assert '_imaging' in modules
    assert not any(name in modules for name in ('_sqlite3', 'zope', 'markupsafe', '_ssl'))


# What a picture may cost


def test_frame_larger_than_its_claim_is_refused(pool: RenderPool, started: list[subprocess.Popen]) -> None:
    rendered(pool, small())
    with pytest.raises(Unrenderable):
        rendered(pool, LYING_AVIF)
    assert rendered(pool, small())


def test_cpu_time_of_a_picture_is_limited(
    pool: RenderPool, monkeypatch: pytest.MonkeyPatch, started: list[subprocess.Popen]
) -> None:
    monkeypatch.setattr(
        worker_pool, '_BOOT', worker_pool._BOOT.replace('\nmain()', PATCHED.format(work='while True: pass'))
    )
    with pytest.raises(Unrenderable, match='of CPU time'):
        rendered(pool, small())
    assert [process.returncode for process in started] == [-signal.SIGXCPU]


# Puts other work in the place of rendering.
PATCHED = """
from fsp_pyramid.imaging import worker
worker.CPU = 0
def work(data):
    import os, sys, time, signal
    {work}
worker.render_bytes = work
main()
"""


def test_silent_worker_is_killed(
    pool: RenderPool, monkeypatch: pytest.MonkeyPatch, started: list[subprocess.Popen]
) -> None:
    rendered(pool, small())
    (process,) = started
    process.send_signal(signal.SIGSTOP)
    monkeypatch.setattr(worker_pool, 'DEADLINE', 0.1)
    with pytest.raises(Unrenderable, match='in all'):
        rendered(pool, small())
    assert [each.returncode for each in started] == [-signal.SIGKILL]
    monkeypatch.undo()
    assert rendered(pool, small())


@pytest.mark.parametrize(
    'work',
    [
        'os.kill(os.getpid(), 9)',
        'os.kill(os.getpid(), 11)',
        'sys.exit(0)',
        'raise MemoryError',
        'os.write(1, b"rubbish" * 99); time.sleep(60)',
        'os.write(1, bytes((1, 255, 255, 255, 255))); time.sleep(60)',
    ],
)
def test_picture_that_ends_its_worker_is_unrenderable(
    pool: RenderPool, monkeypatch: pytest.MonkeyPatch, started: list[subprocess.Popen], work: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(worker_pool, '_BOOT', worker_pool._BOOT.replace('\nmain()', PATCHED.format(work=work)))
        with pytest.raises(Unrenderable, match='its worker'):
            rendered(pool, small())
    assert rendered(pool, small()), 'the next one gets another worker'
    assert [process.returncode is None for process in started] == [False, True]


def test_worker_that_does_not_start_raises_no_worker(
    pool: RenderPool, monkeypatch: pytest.MonkeyPatch, started: list[subprocess.Popen]
) -> None:
    monkeypatch.setattr(sys, 'executable', '/bin/false')
    with pytest.raises(NoWorker, match='/bin/false does not start a worker'):
        rendered(pool, small())
    monkeypatch.setattr(sys, 'executable', '/nowhere/python')
    with pytest.raises(OSError, match='nowhere'):
        rendered(pool, small())
    monkeypatch.undo()
    assert rendered(pool, small())


# The pool


def test_workers_are_reused_and_replaced(
    pool: RenderPool, monkeypatch: pytest.MonkeyPatch, started: list[subprocess.Popen]
) -> None:
    monkeypatch.setattr(worker_pool, 'PICTURES', 3)
    for _ in range(7):
        rendered(pool, small())
    assert [process.poll() is None for process in started] == [False, False, True]


def test_dead_idle_worker_is_replaced(pool: RenderPool, started: list[subprocess.Popen]) -> None:
    rendered(pool, small())
    started[0].kill()
    assert rendered(pool, small())
    assert [process.returncode for process in started] == [-signal.SIGKILL, None]


def test_idle_workers_end(pool: RenderPool, monkeypatch: pytest.MonkeyPatch, started: list[subprocess.Popen]) -> None:
    monkeypatch.setattr(worker_pool, 'IDLE', 0.01)
    rendered(pool, small())
    pool._timer.join(PATIENCE)
    assert started[0].returncode is not None, 'and it was waited for'


def test_pool_size_bounds_the_workers(pool: RenderPool, started: list[subprocess.Popen]) -> None:
    expected = rendered(pool, GOOD['PNG']())
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(lambda _: rendered(pool, GOOD['PNG']()), range(40))) == {expected}
    assert len(started) <= 2


def test_stuck_worker_leaves_another_one_to_other_pictures(pool: RenderPool) -> None:
    """The worker is stopped until other pictures were rendered."""
    rendered(pool, small())
    stuck = pool._idle[0]
    stuck._process.send_signal(signal.SIGSTOP)
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(rendered, pool, small())
        try:
            while pool._idle:
                pass
            assert all(rendered(pool, small()) for _ in range(3))
            assert not waiting.done()
        finally:
            stuck._process.send_signal(signal.SIGCONT)
        assert waiting.result(PATIENCE)


def test_closed_workers_release_all_resources(pool: RenderPool, started: list[subprocess.Popen]) -> None:
    rendered(pool, small())
    before = len(os.listdir('/proc/self/fd'))
    for _ in range(5):
        pool.close()
        rendered(pool, small())
    assert len(os.listdir('/proc/self/fd')) <= before
    pool.close()
    assert all(process.returncode is not None for process in started)
    pool._timer.join(PATIENCE)  # a cancelled timer ends as soon as its thread runs
    assert not pool._timer.is_alive()


PARENT = """
import io, os, sys
from fsp_pyramid.imaging import worker_pool
from fsp_pyramid.imaging.placeholder import placeholder
worker_pool.render(io.BytesIO(placeholder()))
print(worker_pool._pool._idle[0]._process.pid, flush=True)
{end}
"""


def is_running(pid: int) -> bool:
    """Return whether the process runs; a zombie does not."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    return False


@pytest.mark.parametrize('end', ['', 'sys.exit(3)', 'os._exit(0)', 'os.kill(os.getpid(), 9)', 'raise SystemError'])
def test_workers_end_with_their_parent(end: str) -> None:
    command = [sys.executable, '-W', 'ignore', '-c', PARENT.format(end=end)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False, timeout=PATIENCE)
    pid = int(done.stdout)
    eventually(lambda: not is_running(pid))


def test_forked_process_has_its_own_workers() -> None:
    fork = (
        'pid = os.fork()\n'
        'if not pid:\n'
        '    assert not worker_pool._pool._idle\n'
        '    worker_pool.render(io.BytesIO(placeholder()))\n'
        '    worker_pool._pool.close()\n'
        '    os._exit(7)\n'
        'assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7\n'
        'worker_pool.render(io.BytesIO(placeholder()))\n'
        'assert worker_pool._pool._idle[0].pictures == 2'
    )
    command = [sys.executable, '-W', 'ignore', '-c', PARENT.format(end=fork)]
    assert subprocess.run(command, stdout=subprocess.DEVNULL, check=False, timeout=PATIENCE).returncode == 0


def test_many_scans_of_a_small_picture_are_rendered(pool: RenderPool) -> None:
    assert rendered(pool, many_scans(quarters(), 80)), 'a small picture may have them'
