"""Memory of the server: what was freed returns to the system."""

import ctypes
from pathlib import Path

import pytest
import requests

from ..timing import eventually
from .processes import running

MB = 1_000_000
PROGRAM = """
import resource, sys
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
    return [resident().encode()]

serve(application, 1, host='127.0.0.1', port=int(sys.argv[1].removeprefix('--port=')), threads=2)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), 'malloc_trim'), reason='another allocator than glibc')
def test_freed_memory_between_blocks_in_use_is_returned(tmp_path: Path) -> None:
    program = tmp_path / 'program.py'
    program.write_text(PROGRAM)
    with running('python', program, '--port=', log=tmp_path / 'log') as server:

        def resident(path: str) -> int:
            return int(requests.get(f'http://127.0.0.1:{server.port}{path}', timeout=60).text)

        before = resident('/')
        assert resident('/scatter') > before + 80 * MB
        eventually(lambda: resident('/') < before + 20 * MB)
