"""One process is exchanged while requests are under way: nothing is dropped."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ..functional.processes import PATIENCE, Server, running, serving
from .conftest import TOP
from .nginx import proxying
from .test_nginx import WHO
from .test_systemd import options

LATENCY = 1.0


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[list[Server]]:
    """Two processes whose Egnyte takes its time."""
    # As systemd starts them: somebody who runs tests in the background ignores it, and so would they.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    sandbox = running(
        'fsp-sandbox', '--root', tmp_path / 'e', '--latency', str(LATENCY), '--port=', log=tmp_path / 'e.log'
    )
    with sandbox as egnyte:
        variables = {
            'FSP_USERNAME': 'beefree',
            'FSP_PASSWORD': 'a-password',
            'FSP_EGNYTE_URL': f'http://127.0.0.1:{egnyte.port}',
            'FSP_EGNYTE_TOKEN': 'sandbox',
            'FSP_PUBLIC_SECRET': 'a-signing-secret-of-forty-characters-or-so',
            'FSP_CACHE_TTL': '0',
        }
        first, second = (Path(shutil.copy(TOP / 'production.ini', tmp_path / f'{n}.ini')) for n in (1, 2))
        with serving(first, **variables) as one, serving(second, **variables) as two:
            yield [one, two]
    signal.signal(signal.SIGINT, before)


def test_nothing_is_dropped(slow: list[Server], tmp_path: Path) -> None:
    (tmp_path / 'nginx').mkdir()
    with proxying(tmp_path / 'nginx', [process.port for process in slow]) as nginx, ThreadPoolExecutor() as pool:
        begun = [pool.submit(nginx.ask, 'GET /fsp/', **WHO) for _ in range(4)]
        time.sleep(LATENCY / 2)
        assert not any(answer.done() for answer in begun)
        one, two = (f'127.0.0.1:{process.port}' for process in slow)
        nginx.reload(nginx.configuration.read_text().replace(f'{one} ', f'{one} down '))
        assert [answer.result(PATIENCE).status for answer in begun] == [200] * 4
        assert nginx.logged(f'"{one}" "200"')

        stop(slow[0])
        before = nginx.access_log.count(f'"{two}" "200"')
        assert [nginx.ask('GET /fsp/', **WHO).status for _ in range(3)] == [200] * 3
        assert nginx.logged(f'"{two}" "200"', before + 3)


def test_a_process_that_is_stopped_ends_its_requests_first(slow: list[Server]) -> None:
    with ThreadPoolExecutor() as pool:
        headers = WHO | {'X-Forwarded-Proto': 'https'}
        begun = pool.submit(slow[0].ask, 'GET /fsp/', headers=headers)
        time.sleep(LATENCY / 2)
        stop(slow[0])
        (answer,) = begun.result(PATIENCE)
        assert answer.status == 200


def stop(process: Server) -> None:
    """As systemd does it."""
    os.kill(process.pid, getattr(signal, dict(options('Service'))['KillSignal']))
