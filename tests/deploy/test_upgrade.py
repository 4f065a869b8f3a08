"""Rolling upgrade: the replacement of a process under load drops no request."""

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from fsp_pyramid.sandbox import make_app

from ..functional.processes import Server, serving
from ..sandbox.servers import serving_app
from ..timing import PATIENCE
from .conftest import TOP
from .nginx import proxying
from .test_nginx import WHO
from .test_systemd import options


class GatedEgnyte:
    """Sandbox that answers calls only while its gate is open."""

    def __init__(self, root: Path) -> None:
        self._app, self._gate, self._calls = make_app(root), threading.Event(), threading.Semaphore(0)
        self.open()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self._calls.release()
        assert self._gate.wait(PATIENCE)
        return self._app(environ, start_response)

    def open(self) -> None:
        self._gate.set()

    def close(self) -> None:
        self._gate.clear()

    def await_calls(self, number: int) -> None:
        """Wait until *number* calls are blocked at the gate."""
        for _ in range(number):
            assert self._calls.acquire(timeout=PATIENCE)


@pytest.fixture
def egnyte(tmp_path: Path) -> GatedEgnyte:
    return GatedEgnyte(tmp_path / 'e')


@pytest.fixture
def slow(tmp_path: Path, egnyte: GatedEgnyte) -> Iterator[list[Server]]:
    """Run two processes with a gated Egnyte."""
    # systemd starts processes with default signals. Background jobs of a shell ignore SIGINT, and so do their children.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with serving_app(egnyte) as url:
        variables = {
            'FSP_USERNAME': 'beefree',
            'FSP_PASSWORD': 'a-password',
            'FSP_EGNYTE_URL': url,
            'FSP_EGNYTE_TOKEN': 'sandbox',
            'FSP_PUBLIC_SECRET': 'a-signing-secret-of-forty-characters-or-so',
            'FSP_CACHE_TTL': '0',
        }
        first, second = (Path(shutil.copy(TOP / 'production.ini', tmp_path / f'{n}.ini')) for n in (1, 2))
        with serving(first, **variables) as one, serving(second, **variables) as two:
            yield [one, two]
    signal.signal(signal.SIGINT, before)


def test_rolling_upgrade_drops_no_request(slow: list[Server], egnyte: GatedEgnyte, tmp_path: Path) -> None:
    (tmp_path / 'nginx').mkdir()
    with proxying(tmp_path / 'nginx', [process.port for process in slow]) as nginx, ThreadPoolExecutor() as pool:
        egnyte.close()
        users = [WHO | {'X-BEE-Uid': f'u{number}'} for number in range(4)]
        begun = [pool.submit(nginx.ask, 'GET /fsp/', **user) for user in users]
        egnyte.await_calls(4)
        one, two = (f'127.0.0.1:{process.port}' for process in slow)
        nginx.reload(nginx.configuration.read_text().replace(f'{one} ', f'{one} down '))
        assert not any(answer.done() for answer in begun)
        egnyte.open()
        assert [answer.result(PATIENCE).status for answer in begun] == [200] * 4
        assert nginx.logged(f'"{one}" "200"')

        stop(slow[0])
        before = nginx.access_log.count(f'"{two}" "200"')
        assert [nginx.ask('GET /fsp/', **WHO).status for _ in range(3)] == [200] * 3
        assert nginx.logged(f'"{two}" "200"', before + 3)


def test_stopped_process_finishes_its_requests(slow: list[Server], egnyte: GatedEgnyte) -> None:
    with ThreadPoolExecutor() as pool:
        headers = WHO | {'X-Forwarded-Proto': 'https'}
        egnyte.close()
        begun = pool.submit(slow[0].ask, 'GET /fsp/', headers=headers)
        egnyte.await_calls(1)
        stop(slow[0])
        egnyte.open()
        (answer,) = begun.result(PATIENCE)
        assert answer.status == 200


def stop(process: Server) -> None:
    """Stop the process as systemd does, and return after the arrival of the signal."""
    service = dict(options('Service'))
    assert service['KillMode'] == 'mixed', 'or thumbnails in progress fail'
    number = getattr(signal, service.get('KillSignal', 'SIGTERM'))
    os.kill(process.pid, number)
    while _is_pending(process.pid, number):
        time.sleep(0.01)


def _is_pending(pid: int, number: int) -> bool:
    fields = dict(line.split(':\t', 1) for line in Path(f'/proc/{pid}/status').read_text().splitlines())
    return bool((int(fields['SigPnd'], 16) | int(fields['ShdPnd'], 16)) >> (number - 1) & 1)
