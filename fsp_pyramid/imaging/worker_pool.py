"""Pool of worker processes that render pictures, so that a hostile picture harms nothing but its worker.

Own code, because the pools of concurrent.futures and Pebble unpickle a worker's answers (code that was injected into a
decoder would run in this process) and import the main module of the host application into it. A worker here answers
bytes, and imports Pillow and six modules of ours.
"""

import atexit
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol, cast

from .contract import (
    ANSWER,
    CPU,
    MAX_BYTES,
    READY,
    REQUEST,
    Unrenderable,
)

WORKERS = 2
PICTURES = 100  # that a worker renders before another one replaces it
DEADLINE = 60.0  # seconds of wall time for one picture, and for the start of a worker
IDLE = 30.0  # seconds without work after which workers end
LARGEST = 1_000_000  # bytes of a thumbnail
_BLOCK = 1 << 18

# The worker imports its modules without running the package around them, which would import Pyramid and requests
# (1.5 s, 40 MB): it is declared empty.
_PACKAGE = Path(__file__).parents[1]
_BOOT = f"""
import sys, types
sys.modules['fsp_pyramid'] = types.ModuleType('fsp_pyramid')
sys.modules['fsp_pyramid'].__path__ = [{str(_PACKAGE)!r}]
from fsp_pyramid.imaging.worker import main
main()
"""


class SeekableFile(Protocol):
    """A binary file that can be read and sought."""

    def read(self, size: int, /) -> bytes: ...

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int: ...


class WorkerLost(Exception):
    """The worker ended without an answer, not necessarily because of the picture; the message has the status."""


class NoWorker(OSError):
    """No worker process could be started, which proves nothing about the picture."""


class RenderPool:
    """Pool of at most *size* worker processes, started on demand. The constructor does no I/O."""

    def __init__(self, size: int = WORKERS) -> None:
        self._size = size
        self._reset()

    def _reset(self) -> None:
        self._slots, self._idle = threading.BoundedSemaphore(self._size), list[_Worker]()
        self._lock, self._timer = threading.Lock(), threading.Timer(0, self.close)

    def render(self, content: SeekableFile) -> bytes:
        """Return a thumbnail of the picture in *content*. Waits for a worker.

        Raises Unrenderable for a picture that cannot be rendered or exceeds the limits, NoWorker (an OSError) if no
        worker starts, and the errors of reading *content*.
        """
        size = content.seek(0, os.SEEK_END)
        if size > MAX_BYTES:
            raise Unrenderable(f'it has more than {MAX_BYTES:,} bytes')
        with self._slots:
            with self._lock:
                worker = self._idle.pop() if self._idle else None
            if worker is not None:
                # It may have ended while it was idle, or be short of memory because of earlier pictures.
                with suppress(WorkerLost):
                    return self._render(worker, content, size)
            try:
                return self._render(_Worker(), content, size)
            except WorkerLost as error:
                raise Unrenderable(str(error)) from error

    def _render(self, worker: '_Worker', content: SeekableFile, size: int) -> bytes:
        try:
            content.seek(0)
            rendered, answer = worker.render(content, size)
        except BaseException:
            worker.end()
            raise
        self._release(worker)
        if rendered:
            return answer
        raise Unrenderable(answer.decode('ascii', 'replace'))

    def _release(self, worker: '_Worker') -> None:
        if worker.pictures >= PICTURES:
            worker.end()
            return
        with self._lock:
            self._idle.append(worker)
            self._timer.cancel()
            self._timer = threading.Timer(IDLE, self.close)
            self._timer.daemon = True
            self._timer.start()

    def close(self) -> None:
        """End the idle workers. The next picture starts another one."""
        with self._lock:
            self._timer.cancel()
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.end()

    def forget(self) -> None:
        """Drop all workers after a fork: they belong to the parent."""
        for worker in self._idle:
            worker.close_pipes()
        self._reset()


class _Worker:
    """Worker process, which renders one picture at a time."""

    def __init__(self) -> None:
        self.pictures, self._late = 0, False
        # Popen closes all other files: a worker inherits its pipes alone. Of the environment it gets the variables
        # that it needs to find Python and its modules.
        self._process = subprocess.Popen(  # noqa: S603 - no part of it is input
            [sys.executable or 'python3', '-P', '-c', _BOOT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd='/',
            env={name: os.environ[name] for name in ('LD_LIBRARY_PATH', 'PYTHONHOME') if name in os.environ}
            | {
                'PYTHONPATH': os.pathsep.join(os.path.abspath(path) for path in sys.path),
                'MALLOC_ARENA_MAX': '1',  # more of them would reserve address space
            },
        )
        self._input, self._output = cast('IO[bytes]', self._process.stdin), cast('IO[bytes]', self._process.stdout)
        try:
            with self._watched():
                self._read(len(READY))
        except (WorkerLost, Unrenderable) as error:
            self.end()
            raise NoWorker(f'{sys.executable} does not start a worker that renders pictures: {error}') from error
        except BaseException:
            self.end()
            raise

    def render(self, content: SeekableFile, size: int) -> tuple[bool, bytes]:
        """Return (True, the thumbnail), or (False, the reason of its absence).

        Raises Unrenderable if the picture takes too much time, WorkerLost, and the errors of reading *content*.
        """
        self.pictures += 1
        with self._watched():
            self._write(REQUEST.pack(size))
            while size:
                block = content.read(min(_BLOCK, size))
                if not block:
                    raise EOFError('the content ended before its end')
                size -= len(block)
                self._write(block)
            rendered, length = ANSWER.unpack(self._read(ANSWER.size))
            if length > LARGEST:
                raise WorkerLost(f'its worker announced {length:,} bytes')
            return rendered, self._read(length)

    def _write(self, data: bytes) -> None:
        try:
            self._input.write(data)
            self._input.flush()
        except BrokenPipeError:
            raise self._lost() from None

    def _read(self, size: int) -> bytes:
        data = self._output.read(size)
        if len(data) < size:
            raise self._lost()
        return data

    def _lost(self) -> Exception:
        code = self._process.wait()
        if self._late or code == -signal.SIGXCPU:
            return Unrenderable(f'it takes more than {CPU} seconds of CPU time, or {DEADLINE:.0f} in all')
        return WorkerLost(f'its worker ended with {code}')

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Kill the process at the deadline, which ends reads and writes of its pipes."""
        watchdog = threading.Timer(DEADLINE, self._kill_late)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield
        finally:
            watchdog.cancel()
            watchdog.join()  # from here on it cannot kill

    def _kill_late(self) -> None:
        self._late = True
        self._process.kill()

    def end(self) -> None:
        """Kill the process, and release all of its resources."""
        self._process.kill()
        self.close_pipes()
        self._process.wait()

    def close_pipes(self) -> None:
        """Close our ends of the pipes."""
        self._output.close()
        with suppress(BrokenPipeError):  # unflushed data
            self._input.close()


# One for the process, with all of its applications: memory belongs to the machine.
_pool = RenderPool()
render = _pool.render
atexit.register(_pool.close)
os.register_at_fork(after_in_child=_pool.forget)
