"""Server processes on free ports, as users start them, with requests over real sockets."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from http.client import HTTPResponse
from pathlib import Path

from ..ports import free_port
from ..timing import PATIENCE

BIN = Path(sys.executable).parent
# Pyramid 2.1 with setuptools 81: https://github.com/Pylons/pyramid/issues/3731
PKG_RESOURCES = 'ignore:pkg_resources is deprecated as an API:UserWarning'


def environment(**more: str) -> dict[str, str]:
    """Return the variables of a new process, without FSP variables of this one."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith('FSP_')}
    return inherited | {'PYTHONWARNINGS': PKG_RESOURCES} | more


def run(*command: str | Path, input_text: str = '', **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the virtual environment to its end."""
    return subprocess.run(
        [BIN / command[0], *command[1:]],
        input=input_text,
        env=environment(**environ),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


class Answer:
    """Answer as read from the socket."""

    def __init__(self, connection: socket.socket, method: str) -> None:
        with HTTPResponse(connection, method=method) as response:
            response.begin()
            self.status, self.headers, self.body = response.status, response.headers, response.read()


class Server:
    """Server process and its log."""

    process: subprocess.Popen[bytes]

    def __init__(self, port: int, log: Path) -> None:
        self.port, self._log = port, log

    @property
    def directory(self) -> Path:
        """Working directory of the process, with its log."""
        return self._log.parent

    @property
    def pid(self) -> int:
        """Process id."""
        return self.process.pid

    def memory(self, field: str = 'VmRSS') -> float:
        """Return the resident memory in MB; with the field ``VmHWM`` its peak."""
        lines = Path(f'/proc/{self.pid}/status').read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f'{field}:')) / 1024

    @property
    def log(self) -> str:
        """Return all output so far."""
        return self._log.read_text()

    def ask(self, *asked: str | tuple[str, str], headers: dict[str, str] | None = None) -> list[Answer]:
        """Send requests over one connection, each after the answer to the previous one.

        Each is a line such as ``GET /fsp/``, or a pair of that and a body.
        """
        answers = []
        common = {'Host': f'127.0.0.1:{self.port}', **(headers or {})}
        with socket.create_connection(('127.0.0.1', self.port), PATIENCE) as connection:
            for item in asked:
                line, body = (item, '') if isinstance(item, str) else item
                fields = common | ({'Content-Length': str(len(body))} if body else {})
                head = ''.join(f'{name}: {value}\r\n' for name, value in fields.items())
                connection.sendall(f'{line} HTTP/1.1\r\n{head}\r\n{body}'.encode('latin-1'))
                answers.append(Answer(connection, line.partition(' ')[0]))
        return answers


@contextmanager
def running(*command: str | Path, log: Path, **environ: str) -> Iterator[Server]:
    """Run a server of the virtual environment until the context is left, with a free port appended to *command*."""
    server = Server(free_port(), log)
    words = [BIN / command[0], *command[1:-1], f'{command[-1]}{server.port}']
    with (
        open(log, 'ab') as output,
        subprocess.Popen(words, env=environment(**environ), stdout=output, stderr=output, cwd=log.parent) as process,
    ):
        server.process = process
        try:
            _wait(process, server)
            yield server
        finally:
            process.terminate()
            process.wait(PATIENCE)


def serving(ini: Path, **environ: str) -> AbstractContextManager[Server]:
    """Run ``pserve`` on a free port, with its log beside *ini*."""
    return running('pserve', ini, 'http_port=', log=ini.with_suffix('.log'), **environ)


def _wait(process: subprocess.Popen[bytes], server: Server) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, server.log
        assert time.monotonic() < end, server.log
        try:
            socket.create_connection(('127.0.0.1', server.port)).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
