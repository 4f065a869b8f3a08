"""Readiness: the checks, their caching and their reports."""

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from cryptography.fernet import Fernet
from pyramid.testing import DummyRequest
from webtest import TestApp

from fsp_pyramid.diagnosis import probes
from fsp_pyramid.interfaces import IAccountStores
from fsp_pyramid.ops.checks import (
    EGNYTE_TTL,
    Check,
    Readiness,
    Verdict,
)
from fsp_pyramid.settings import Settings
from fsp_pyramid.testing import Sandbox

from ..ports import free_port
from ..sandbox.servers import serving
from ..services import missing, postgresql
from .conftest import CALLER, REMOTE

Make = Callable[..., TestApp]
REAL = {'egnyte__token': 'sandbox', 'public__secret': 's' * 32}
OAUTH = {
    'accounts__mode': 'oauth',
    'accounts__keys': Fernet.generate_key().decode(),
    'oauth__key': 'key',
    'oauth__secret': 'hush-secret',
    'public__secret': 's' * 32,
}


def reasons(app: TestApp, status: int = 200) -> dict[str, str]:
    """Return the reason of each check by name; names of failed checks begin with ``!``."""
    answer = app.get('/fsp-ops/ready', status=status)
    assert answer.json['status'] == ('ok' if status == 200 else 'not ready')
    return {('' if check['ok'] else '!') + check['name']: check['reason'] for check in answer.json['checks']}


@contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    """Yield the URL of a server that sends nothing, and a list of its peers, complete after the context."""
    came: list[str] = []
    with socket.create_server(('127.0.0.1', 0)) as listener:

        def accept() -> None:
            while True:
                connection, address = listener.accept()
                with connection:
                    if address == ending:
                        return
                    came.append(address)

        ending: object = None
        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f'http://127.0.0.1:{listener.getsockname()[1]}', came
        finally:
            with socket.socket() as last:
                last.bind(('127.0.0.1', 0))
                ending = last.getsockname()
                last.connect(listener.getsockname())
            thread.join()


# Egnyte


def test_egnyte_probe_connects_once_per_ttl_and_calls_nothing(make: Make) -> None:
    with listening() as (url, came):
        app = make(egnyte__url=url, **REAL)
        for _ in range(3):
            assert reasons(app)['egnyte'] == 'within reach'
    assert len(came) == 1


def test_unreachable_egnyte_is_not_ready(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    app = make(egnyte__url=f'http://127.0.0.1:{port}', **REAL)
    assert reasons(app, 503)['!egnyte'] == f'127.0.0.1:{port}: ConnectionRefusedError'
    assert app.get('/fsp-ops/ready', extra_environ=REMOTE, status=503).json == {'status': 'not ready'}
    warnings = [record.getMessage() for record in caplog.records if record.name == 'fsp_pyramid.ops.checks']
    assert warnings == [f'not ready: egnyte is 127.0.0.1:{port}: ConnectionRefusedError']


def test_egnyte_with_an_untrusted_certificate_is_not_ready(make: Make) -> None:
    with listening() as (url, _):
        app = make(egnyte__url=url.replace('http:', 'https:'), **REAL)
        assert reasons(app, 503)['!egnyte'].startswith(url.removeprefix('http://') + ': ')


def test_recent_call_replaces_the_egnyte_probe(make: Make, sandbox: Sandbox, tmp_path: Path) -> None:
    with serving(tmp_path / 'egnyte') as url:
        app = make(egnyte__url=url, **REAL)
        app.get('/fsp/', headers=CALLER)
    # The server is gone, and the probe does not need it.
    assert reasons(app)['egnyte'] == 'within reach'


def test_each_egnyte_is_probed_once(make: Make) -> None:
    with listening() as (url, came), listening() as (other, others):
        clients = {'clients': 'a b c', 'username': '', 'password': ''}
        for name in 'abc':
            clients |= {f'client.{name}.username': name, f'client.{name}.password': 'p'}
        app = make(**clients, egnyte__url=url, **REAL, **{'client.c.egnyte.url': other})
        reasons(app)
    assert (len(came), len(others)) == (1, 1)


# What else


def test_accounts_database_is_probed(make: Make, tmp_path: Path) -> None:
    path = tmp_path / 'var' / 'accounts.sqlite'
    with listening() as (url, _):
        app = make(egnyte__url=url, database_url=f'sqlite:///{path}', **OAUTH)
        assert not path.exists()
        assert reasons(app)['database'] == 'answers'
        assert path.stat().st_mode & 0o077 == 0


def test_missing_database_is_not_ready(make: Make) -> None:
    secret = 'hush-password'
    url = f'postgresql+psycopg://user:{secret}@127.0.0.1:{free_port()}/test'
    with listening() as (egnyte, _):
        app = make(egnyte__url=egnyte, database_url=url, **OAUTH)
        found = reasons(app, 503)
    assert found['!database'] == 'OperationalError'
    assert found['egnyte'] == 'within reach'
    assert secret not in str(found)


def test_postgresql_is_probed(make: Make) -> None:
    with postgresql() as url, listening() as (egnyte, _):
        app = make(egnyte__url=egnyte, database_url=url, **OAUTH)
        assert reasons(app)['database'] == 'answers'
        stores = app.app.registry.getUtility(IAccountStores)
        stores.close()


def redis_verdict(make: Make, settings: dict[str, str], url: str) -> Verdict:
    given = Settings.parse(settings, cache_backend='redis', redis_url=url)
    return Readiness(given).verdicts(DummyRequest(registry=make().app.registry))['redis']


def test_redis_is_probed(make: Make, settings: dict[str, str]) -> None:
    url = 'redis://127.0.0.1:6379/0'
    try:
        redis.Redis.from_url(url).ping()
    except redis.RedisError as error:
        missing('Redis', error)
    assert redis_verdict(make, settings, url) == Verdict(True, 'answers')


def test_missing_redis_is_not_ready(make: Make, settings: dict[str, str]) -> None:
    url = f'redis://:hush@127.0.0.1:{free_port()}/0'
    assert redis_verdict(make, settings, url) == Verdict(False, 'ConnectionError')


def test_rate_store_is_probed(make: Make, tmp_path: Path) -> None:
    app = make(pace__backend='database', database_url=f'sqlite:///{tmp_path}/pace.sqlite')
    assert reasons(app)['pace'] == 'answers'
    (tmp_path / 'file').touch()
    broken = make(pace__backend='database', database_url=f'sqlite:///{tmp_path}/file/pace.sqlite')
    assert reasons(broken, 503)['!pace'] == 'RateStoreError'


def test_cache_directory_is_probed(make: Make, tmp_path: Path) -> None:
    assert reasons(make(public__cache_dir=str(tmp_path / 'a' / 'b')))['cache_dir'].endswith(' MB left')
    assert not (tmp_path / 'a').exists()
    (tmp_path / 'file').touch()
    found = reasons(make(public__cache_dir=str(tmp_path / 'file' / 'b')), 503)
    assert found['!cache_dir'] == f'{tmp_path / "file"} is no directory'


def test_full_disk_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, 'LEAST_SPACE', 1 << 60)
    with pytest.raises(probes.ProbeFailed, match=r' has \d+ MB left'):
        probes.directory(str(tmp_path))


# How it is asked


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def run(check: Check, probe: Callable[[], str], timeout: float = 20) -> Verdict:
    check.begin(probe)
    return check.verdict(timeout)


def test_verdict_is_cached_for_its_ttl(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock, asked = Clock(), []
    check = Check('it', EGNYTE_TTL, clock)

    def answer() -> str:
        asked.append(clock.now)
        if len(asked) == 2:
            raise ConnectionResetError('hush')
        return 'fine'

    for expected in (Verdict(True, 'fine'), Verdict(False, 'ConnectionResetError'), Verdict(True, 'fine')):
        for _ in range(3):
            assert run(check, answer) == expected
        clock.now += EGNYTE_TTL
    assert len(asked) == 3
    assert [record.getMessage() for record in caplog.records] == [
        'not ready: it is ConnectionResetError',
        'ready again: it is fine',
    ]


def test_concurrent_requests_share_one_probe() -> None:
    check, asked, barrier = Check('it', EGNYTE_TTL), [], threading.Barrier(8)

    def answer() -> str:
        asked.append(1)
        return 'fine'

    def come() -> None:
        barrier.wait()
        assert run(check, answer).ok

    threads = [threading.Thread(target=come) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked) == 1


def test_hanging_probe_blocks_no_request() -> None:
    check, end, asked = Check('it', EGNYTE_TTL, Clock()), threading.Event(), []

    def answer() -> str:
        asked.append(1)
        end.wait()
        return 'fine'

    late = run(check, answer, timeout=0)
    assert (late.ok, late.reason) == (False, 'no answer within 5 seconds')
    # The second call may wait for minutes, and does not wait.
    assert run(check, answer, timeout=600) == late
    end.set()
    thread = check._thread
    if thread is not None:
        thread.join()
    assert run(check, answer) == Verdict(True, 'fine')
    assert len(asked) == 1
