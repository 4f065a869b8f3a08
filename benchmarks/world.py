"""The processes of a run: the sandbox, the bridge as it is shipped, and the yardstick."""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.functional.processes import Server, running, serving

from .client import (
    PASSWORD,
    TOKEN,
    USERNAME,
    Beefree,
    Egnyte,
)

ROOT = Path(__file__).parents[1]
HOME = '/Shared/Beefree'
PNG = b'\x89PNG\r\n\x1a\n'
# Entries of the listings that are measured.
SIZES = (50, 200, 1000)


class World:
    """Starts processes in *directory* and stops them when *stack* is left.

    :param limits: further arguments of ``fsp-sandbox``
    """

    def __init__(self, directory: Path, stack: ExitStack, *limits: str) -> None:
        self.directory, self._stack, self._services = directory, stack, 0
        self.offered = directory / 'offered'
        self.offered.mkdir()
        root = directory / 'egnyte'
        sandbox = running('fsp-sandbox', '--root', root, *limits, '--port=', log=directory / 'sandbox.log')
        self.sandbox = stack.enter_context(sandbox)
        self.egnyte = Egnyte(self.sandbox.port)

    def service(self, **settings: str) -> Server:
        """``pserve production.ini`` with the sandbox as its Egnyte; *settings* are variables such as FSP_CACHE_TTL."""
        self._services += 1
        directory = self.directory / f'service{self._services}'
        directory.mkdir()
        environ = {
            'FSP_USERNAME': USERNAME,
            'FSP_PASSWORD': PASSWORD,
            'FSP_EGNYTE_URL': f'http://127.0.0.1:{self.sandbox.port}',
            'FSP_EGNYTE_TOKEN': TOKEN,
            'FSP_PUBLIC_SECRET': 'the-same-secret-for-all-processes-of-a-run',
            'FSP_PUBLIC_CACHE_DIR': str(self.directory / 'cache'),
            'FSP_FOLDERS': f'/ {HOME}/{{uid}}',
            'FSP_REQUIRE_HTTPS': 'false',
            'FSP_SOURCES_ALLOW': '127.0.0.0/8',
        }
        ini = Path(shutil.copy(ROOT / 'production.ini', directory))
        return self._stack.enter_context(serving(ini, **(environ | settings)))

    def yardstick(self) -> Server:
        """Return the bare application, over what has been put into ``offered`` so far."""
        program = ROOT / 'benchmarks' / 'yardstick.py'
        log = self.directory / 'yardstick.log'
        bare = running(sys.executable, program, '--directory', self.offered, '--port=', log=log)
        return self._stack.enter_context(bare)

    def naive(self, uid: str) -> Server:
        """Return the naive bridge, for one user of the same files."""
        program = ROOT / 'benchmarks' / 'naive.py'
        options = ('--egnyte', f'http://127.0.0.1:{self.sandbox.port}', '--token', TOKEN, '--home', f'{HOME}/{uid}')
        log = self.directory / 'naive.log'
        return self._stack.enter_context(running(sys.executable, program, *options, '--port=', log=log))

    def enter(self, context: AbstractContextManager[Any]) -> Any:
        """Start another server, which runs until the end of the run."""
        return self._stack.enter_context(context)

    def user(self, service: Server, uid: str) -> Beefree:
        """Client of *service*."""
        return Beefree(service.port, uid)

    def calls_of(self, operation: Callable[[], object]) -> int:
        """Return the number of calls to Egnyte that *operation* makes."""
        self.egnyte.forget_calls()
        operation()
        return len(self.egnyte.calls)


@contextmanager
def start_world(directory: Path, *limits: str) -> Iterator[World]:
    """Yield a world in *directory*, until the context is left."""
    with ExitStack() as stack:
        yield World(directory, stack, *limits)


def peak_memory(server: Server) -> float:
    """Return the peak memory of the process since it was last reset, in MB."""
    return server.memory('VmHWM')


def memory(server: Server) -> float:
    """Return the memory of the process now, in MB."""
    return server.memory()


def forget_peak(server: Server) -> None:
    """Reset the peak memory of the process."""
    Path(f'/proc/{server.pid}/clear_refs').write_text('5')
