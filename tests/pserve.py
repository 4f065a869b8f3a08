"""A real ``pserve`` with a shipped ini file, on a port of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATIENCE = 30.0


def free_port() -> int:
    """A port that nobody listens to at the moment."""
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]


@contextmanager
def serving(ini: str, directory: Path, environ: Mapping[str, str] | None = None) -> Iterator[int]:
    """Serve a copy of *ini* in *directory*, where its data goes, with *environ* added; the port that it listens to.

    What it logs is in ``pserve.log`` there.
    """
    (directory / ini).write_text((ROOT / ini).read_text())
    port, log = free_port(), directory / 'pserve.log'
    command = [str(Path(sys.executable).with_name('pserve')), str(directory / ini), f'http_port={port}']
    # The variables of whoever runs the tests are theirs.
    clean = {name: value for name, value in os.environ.items() if not name.startswith('FSP_')}
    with log.open('wb') as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=directory, env=clean | (environ or {}))
        try:
            _wait(process, port, log)
            yield port
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until, f'pserve does not answer: {log.read_text()}'
        connection = HTTPConnection('127.0.0.1', port, timeout=PATIENCE)
        try:
            connection.request('GET', '/')
            connection.getresponse()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
        finally:
            connection.close()
