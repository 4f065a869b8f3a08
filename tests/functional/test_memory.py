"""Memory of the server: garbage collection leaves out what lives for ever, and what was freed returns to the system."""

import ctypes
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from ..timing import PATIENCE, eventually
from .processes import running

MB = 1_000_000
PROGRAM = """
import gc, resource, sys
from fsp_pyramid.server import memory
from fsp_pyramid.server.graceful import serve

memory.INTERVAL = 0.1
kept = []

def resident():
    with open('/proc/self/statm') as file:
        return str(int(file.read().split()[1]) * resource.getpagesize())

def application(environ, start_response):
    blocks = [bytes(5000) for _ in range(20_000)] if environ['PATH_INFO'] == '/scatter' else []
    kept.append(blocks[::100])
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [str(gc.get_freeze_count()).encode() if environ['PATH_INFO'] == '/frozen' else resident().encode()]

serve(application, 1, host='127.0.0.1', port=int(sys.argv[1].removeprefix('--port=')), threads=2)
"""


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Callable[[str], int]]:
    program = tmp_path / 'program.py'
    program.write_text(PROGRAM)
    with running('python', program, '--port=', log=tmp_path / 'log') as server:
        yield lambda path: int(requests.get(f'http://127.0.0.1:{server.port}{path}', timeout=PATIENCE).text)


def test_modules_are_exempt_from_garbage_collection(ask: Callable[[str], int]) -> None:
    assert ask('/frozen') > 10_000


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), 'malloc_trim'), reason='another allocator than glibc')
def test_freed_memory_between_blocks_in_use_is_returned(ask: Callable[[str], int]) -> None:
    before = ask('/')
    assert ask('/scatter') > before + 80 * MB
    eventually(lambda: ask('/') < before + 20 * MB)
