"""Files of any size take the same memory, when they are uploaded and when they are loaded for the first time."""

import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

from fsp_pyramid.embedded import TOKEN
from fsp_pyramid.testing import Sandbox

from ..sources.servers import Reaction, serving
from ..timing import PATIENCE
from . import processes
from .envelope import caller
from .processes import environment, running

MEGABYTE = 1 << 20
BLOCK = bytes(range(256)) * 1024

# Peak memory of this process, in bytes, after each upload; real sockets on both sides.
BRIDGE = """
import json, re, sys
from webtest import TestApp
from fsp_pyramid import egnyte, main

egnyte.Client.__init__.__kwdefaults__['chunk_size'] = 28 << 20
url, token, *sources = sys.argv[1:]
app = TestApp(main({}, **{
    'fsp.username': 'u', 'fsp.password': 'p', 'fsp.egnyte.url': url, 'fsp.egnyte.token': token,
    'fsp.public.secret': 's' * 32, 'fsp.folders': '/ /Shared/Large', 'fsp.sources.allow': '127.0.0.1',
    'fsp.upload.max_size': '1 GB', 'fsp.upload.types': '*/*', 'tm.manager_hook': 'pyramid_tm.explicit_manager',
}))
app.authorization = ('Basic', ('u', 'p'))
for number, source in enumerate(sources):
    headers = {'X-BEE-ClientId': 'c', 'X-BEE-Uid': 'u'}
    meta = app.post_json(f'/fsp/{number}.bin', {'source': source}, headers=headers, status=201).json['data']['meta']
    peak = int(re.search(r'VmHWM:\\s+(\\d+) kB', open('/proc/self/status').read())[1]) * 1024
    print(json.dumps([meta['size'], peak]))
"""


def large(size: int) -> Reaction:
    """Generate a stream of bytes that is never in memory as a whole."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % size)
        for _ in range(size // len(BLOCK)):
            connection.sendall(BLOCK)

    return answer


def test_memory_is_independent_of_file_size(tmp_path: Path) -> None:
    sizes = [2 * MEGABYTE, 24 * MEGABYTE, 32 * MEGABYTE]  # the last one is a chunked upload
    root = tmp_path / 'egnyte'
    with (
        running('fsp-sandbox', '--root', root, '--port=', log=tmp_path / 'sandbox.log') as sandbox,
        serving(*map(large, sizes)) as source,
    ):
        urls = [f'http://127.0.0.1:{source.port}/'] * len(sizes)
        done = subprocess.run(
            [sys.executable, '-c', BRIDGE, f'http://127.0.0.1:{sandbox.port}', TOKEN, *urls],
            env=environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    stored, peaks = zip(*map(json.loads, done.stdout.splitlines()), strict=True)
    assert list(stored) == sizes
    assert peaks[-1] - peaks[0] < 8 * MEGABYTE, peaks
    listing = Sandbox(root).api('GET', '/pubapi/v1/fs/Shared/Large').json()
    assert sorted(file['size'] for file in listing['files']) == sizes


def test_first_load_of_a_large_file_takes_little_memory(tmp_path: Path) -> None:
    """The reader keeps up, so that the server never buffers much at once."""
    sandbox, size = Sandbox(tmp_path / 'egnyte'), 64 * MEGABYTE
    for name, content in (('small.bin', bytes(MEGABYTE)), ('large.bin', bytes(size))):
        sandbox.upload(f'/Shared/Beefree/demo/{name}', content)
    ini = Path(shutil.copy(Path(__file__).parents[2] / 'development.ini', tmp_path))
    with processes.serving(ini, FSP_EGNYTE_URL=f'sandbox:{tmp_path / "egnyte"}') as server:
        (listing,) = server.ask('GET /fsp/', headers=caller())
        items = json.loads(listing.body)['data']['items']
        small, large = (
            urlsplit(next(item['public-url'] for item in items if item['name'] == name)).path
            for name in ('small.bin', 'large.bin')
        )

        def read(path: str) -> int:
            with urlopen(f'http://127.0.0.1:{server.port}{path}') as response:
                return sum(map(len, iter(lambda: response.read(MEGABYTE), b'')))

        assert read(small) == MEGABYTE
        before = server.memory('VmHWM')
        assert read(large) == size
        assert server.memory('VmHWM') - before < size / MEGABYTE / 4
