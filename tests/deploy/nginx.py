"""Real nginx with the configuration of ``deploy/``, adapted to a directory and free ports."""

import getpass
import grp
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ..functional.processes import Answer
from ..ports import free_port
from ..timing import PATIENCE

CONFIGURATION = Path(__file__).parents[2] / 'deploy' / 'nginx.conf'
HOST = 'bridge.example.com'


def program() -> str | None:
    """Return the path of nginx; Debian installs it outside the PATH of ordinary users."""
    return shutil.which('nginx', path=f'{os.environ["PATH"]}:/usr/sbin')


def certificate(directory: Path) -> tuple[Path, Path]:
    """Return a self-signed certificate for HOST, and its key."""
    cert, key = directory / 'cert.pem', directory / 'key.pem'
    subject = ['-subj', f'/CN={HOST}', '-addext', f'subjectAltName=DNS:{HOST}']
    new = ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    subprocess.run([*new, *subject, '-keyout', key, '-out', cert], check=True, capture_output=True, timeout=PATIENCE)
    return cert, key


class Nginx:
    """Running nginx.

    :param more: additional directives for the server block of the application
    :param configuration: file in ``deploy/``
    """

    pid: int

    def __init__(
        self, directory: Path, cache: Path, ports: Sequence[int], more: str, configuration: Path = CONFIGURATION
    ) -> None:
        self.directory, self.cache = directory, cache
        self.http_port, self.https_port = free_port(), free_port()
        self.cert, key = certificate(directory)
        self.configuration = directory / 'nginx.conf'
        self.configuration.write_text(self._filled(configuration.read_text(), key, ports, more))

    def _filled(self, text: str, key: Path, ports: Sequence[int], more: str) -> str:
        group = grp.getgrgid(os.getgid()).gr_name
        temporary = ''.join(
            f'    {kind}_temp_path {self.directory}/{kind};\n'
            for kind in ('client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi')
        )
        for old, new in {
            'user www-data fsp-pyramid;': f'user {getpass.getuser()} {group};',
            '/run/nginx.pid': f'{self.directory}/nginx.pid',
            '/var/log/nginx': f'{self.directory}',
            'http {\n': f'http {{\n{temporary}',
            f'/etc/ssl/certs/{HOST}.pem': f'{self.cert}',
            f'/etc/ssl/private/{HOST}.key': f'{key}',
            f'server_name {HOST};\n': f'server_name {HOST};\n{more}\n',
            'listen 80 ': f'listen 127.0.0.1:{self.http_port} ',
            'listen 443 ': f'listen 127.0.0.1:{self.https_port} ',
            **self._upstreams(text, ports),
            '/var/cache/fsp-pyramid/': f'{self.cache}/',
            '/var/cache/fsp-pyramid-nginx': f'{self.directory}/public-cache',
        }.items():
            assert old in text, f'the configuration has no {old!r}'
            text = text.replace(old, new)
        return text

    @staticmethod
    def _upstreams(text: str, ports: Sequence[int]) -> dict[str, str]:
        """Return the addresses in the configuration, and those of processes at *ports* for them."""
        addresses = dict.fromkeys(re.findall(r'^ *(server [0-9.]+:[0-9]+ )', text, re.MULTILINE))
        return {address: f'server 127.0.0.1:{ports[number % len(ports)]} ' for number, address in enumerate(addresses)}

    def reload(self, configuration: str) -> None:
        """Load another configuration, as ``nginx -s reload`` does; requests in progress keep the old one.

        Returns when the old workers accept no more connections.
        """
        self.configuration.write_text(configuration)
        old = self._workers()
        os.kill(self.pid, signal.SIGHUP)
        end = time.monotonic() + PATIENCE
        while any(self._accepts(worker) for worker in old):
            assert time.monotonic() < end, 'the old workers go on'
            time.sleep(0.02)

    def _workers(self) -> list[str]:
        return Path(f'/proc/{self.pid}/task/{self.pid}/children').read_text().split()

    @staticmethod
    def _accepts(worker: str) -> bool:
        try:
            return b'shutting down' not in Path(f'/proc/{worker}/cmdline').read_bytes()
        except FileNotFoundError:
            return False

    @property
    def access_log(self) -> str:
        """Return all lines so far."""
        return (self.directory / 'access.log').read_text()

    def logged(self, text: str, times: int = 1) -> bool:
        """Wait until *text* is in the access log so often: nginx writes the line after its answer."""
        end = time.monotonic() + PATIENCE
        while self.access_log.count(text) < times and time.monotonic() < end:
            time.sleep(0.02)
        return self.access_log.count(text) >= times

    @property
    def error_log(self) -> str:
        """Return all lines so far."""
        return (self.directory / 'error.log').read_text()

    def ask(self, asked: str, body: str = '', *, secure: bool = True, host: str = HOST, **headers: str) -> Answer:
        """Send a request line such as ``GET /fsp/``, over TLS by default; may raise ssl.SSLError."""
        fields = {'Host': host, 'Connection': 'close'} | {name.replace('_', '-'): headers[name] for name in headers}
        if body:
            fields['Content-Length'] = str(len(body))
        head = ''.join(f'{name}: {value}\r\n' for name, value in fields.items())
        port = self.https_port if secure else self.http_port
        with ExitStack() as stack:
            connection = stack.enter_context(socket.create_connection(('127.0.0.1', port), PATIENCE))
            if secure:
                context = ssl.create_default_context(cafile=str(self.cert))
                connection = stack.enter_context(context.wrap_socket(connection, server_hostname=host))
            connection.sendall(f'{asked} HTTP/1.1\r\n{head}\r\n{body}'.encode('latin-1'))
            return Answer(connection, asked.partition(' ')[0])


@contextmanager
def proxying(
    directory: Path,
    ports: Sequence[int],
    cache: Path | None = None,
    more: str = '',
    changed: dict[str, str] | None = None,
    configuration: Path = CONFIGURATION,
) -> Iterator[Nginx]:
    """Run nginx in *directory*, in front of processes at *ports*, until the context is left.

    :param changed: texts of the configuration, and their replacements
    """
    server = Nginx(directory, cache or directory / 'cache', ports, more, configuration)
    text = server.configuration.read_text()
    for old, new in (changed or {}).items():
        assert old in text, f'the configuration has no {old!r}'
        text = text.replace(old, new)
    server.configuration.write_text(text)
    command = [program(), '-e', directory / 'error.log', '-c', server.configuration, '-g', 'daemon off;']
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=directory) as process:
        server.pid = process.pid
        try:
            await_port(process, server.https_port)
            yield server
        finally:
            process.terminate()
            process.wait(PATIENCE)


def await_port(process: subprocess.Popen[bytes], port: int) -> None:
    """Wait until the process listens."""
    end = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, process.stderr and process.stderr.read().decode()
        assert time.monotonic() < end, 'nginx does not listen'
        try:
            socket.create_connection(('127.0.0.1', port)).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
