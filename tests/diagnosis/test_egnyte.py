"""Egnyte: reachability, token, clock, calls that are left, and mapped folders."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from fsp_pyramid.diagnosis import Options, calls_needed, egnyte_access
from fsp_pyramid.sandbox.permissions import Level
from fsp_pyramid.testing import Sandbox

from ..permissions import ORDINARY, grant
from ..ports import free_port
from ..sandbox.servers import serving
from .conftest import Make, found, said


@pytest.fixture
def egnyte(tmp_path: Path, sandbox: Sandbox) -> Iterator[str]:
    for path in ('/Shared/Beefree', '/Shared/Brand'):
        sandbox.api('POST', f'/pubapi/v1/fs{path}', json={'action': 'add_folder'})
    sandbox.upload('/Shared/Brand/file.txt', b'text')
    sandbox.forget_calls()
    with serving(tmp_path / 'egnyte', daily=1000) as url:
        yield url


def lines(make: Make, group: str, **settings: str) -> list[str]:
    return said(make(**{'egnyte__token': 'sandbox'} | settings), group, with_egnyte=True)


def test_right_installation_takes_one_call_and_one_for_each_folder(make: Make, egnyte: str, sandbox: Sandbox) -> None:
    folders = '/ /Shared/Beefree/{uid}\n/brand/ /Shared/Brand ro'
    installation = make(egnyte__url=egnyte, egnyte__token='sandbox', folders=folders)
    assert said(installation, 'egnyte', with_egnyte=True) == [
        'ok egnyte.reachable: answers',
        'ok egnyte.clock: this clock agrees with Egnyte',
        'ok egnyte.token: valid, of demo',
        'ok egnyte.quota: 996 of 1000 calls left today, 1000000 a second',
    ]
    assert sandbox.calls == [
        'GET /pubapi/v1/userinfo',
        'GET /pubapi/v1/fs/Shared/Beefree',
        'GET /pubapi/v1/fs/Shared/Brand',
    ]
    assert calls_needed(installation, Options()) == 3
    assert calls_needed(installation, Options(with_egnyte=False)) == 0
    assert said(installation, 'folders', with_egnyte=True) == [
        'ok folders.access: /Shared/Beefree is there, with the permission Owner',
        'ok folders.access: /Shared/Brand is there, with the permission Owner; read-only here, as configured',
    ]


def test_clients_with_the_same_token_share_calls(make: Make, egnyte: str, sandbox: Sandbox) -> None:
    clients = {'clients': 'a b', 'username': '', 'password': ''}
    for name in 'ab':
        clients |= {f'client.{name}.username': name, f'client.{name}.password': f'password-of-{name}'}
    installation = make(egnyte__url=egnyte, egnyte__token='sandbox', **clients)
    (result,) = found(installation, 'egnyte.token', with_egnyte=True)
    assert (result.level, result.subject) == ('ok', 'fsp/a, fsp/b')
    assert len(sandbox.calls) == calls_needed(installation, Options()) == 2


def test_call_that_comes_too_early_is_repeated(make: Make, egnyte: str, sandbox: Sandbox) -> None:
    sandbox.fail({'answer': {'status': 429, 'body': '{"message": "Developer Over Qps"}'}, 'times': 1})
    assert lines(make, 'egnyte.token', egnyte__url=egnyte) == ['ok egnyte.token: valid, of demo']
    assert sandbox.calls[:2] == ['GET /pubapi/v1/userinfo'] * 2


def test_refused_token_is_a_failure(make: Make, egnyte: str) -> None:
    (text,) = lines(make, 'egnyte.token', egnyte__url=egnyte, egnyte__token='hush-wrong-token')
    assert text.startswith('failure egnyte.token: Egnyte refuses it: ')
    assert 'hush' not in text
    assert lines(make, 'folders', egnyte__url=egnyte, egnyte__token='hush-wrong-token') == []


def test_unreachable_egnyte_is_a_failure(make: Make) -> None:
    assert lines(make, 'egnyte', egnyte__url=f'http://127.0.0.1:{free_port()}') == [
        'failure egnyte.reachable: no connection: ConnectionRefusedError',
        'skipped egnyte.token: Egnyte is out of reach',
    ]


def test_server_without_tls_is_a_failure(make: Make) -> None:
    with socket.create_server(('127.0.0.1', 0)) as listener:

        def answer() -> None:
            with listener.accept()[0] as connection:
                connection.recv(4096)
                connection.sendall(b'HTTP/1.1 400 Bad Request\r\n\r\n')

        thread = threading.Thread(target=answer)
        thread.start()
        host = f'127.0.0.1:{listener.getsockname()[1]}'
        installation = make(egnyte__url=f'https://{host}', egnyte__token='t')
        (result,) = found(installation, 'egnyte.reachable', with_egnyte=True)
        thread.join()
    assert (result.level, result.found) == ('failure', 'no connection: SSLError')
    assert result.remedy.startswith('another server, or a proxy that inspects TLS, answers')


@pytest.mark.parametrize(('ahead', 'level'), [(-1000, 'failure'), (-10, 'warning'), (10, 'warning'), (100, 'failure')])
def test_wrong_clock_is_reported(
    make: Make, egnyte: str, monkeypatch: pytest.MonkeyPatch, ahead: float, level: str
) -> None:
    class Clock:
        @staticmethod
        def time() -> float:
            return time.time() + ahead

    monkeypatch.setattr(egnyte_access, 'time', Clock)
    (text,) = lines(make, 'egnyte.clock', egnyte__url=egnyte)
    assert text.startswith(f'{level} egnyte.clock: this clock is ')
    assert ('ahead of' in text) == (ahead > 0)


def test_few_calls_left_are_reported(make: Make, tmp_path: Path) -> None:
    with serving(tmp_path / 'other', daily=1) as url:
        quotas = [lines(make, 'egnyte.quota', egnyte__url=url)[0] for _ in range(2)]
    assert quotas[0].startswith('warning egnyte.quota: 0 of 1 calls left today')
    assert quotas[1].startswith('failure egnyte.quota: the calls of this day are used up, for ')


def test_other_server_in_place_of_egnyte_is_a_failure(make: Make, egnyte: str, sandbox: Sandbox) -> None:
    sandbox.fail({'answer': {'status': 200, 'body': '<html>login</html>'}, 'times': 1})
    (text,) = lines(make, 'egnyte.token', egnyte__url=egnyte)
    assert text.startswith('failure egnyte.token: no answer of Egnyte: ')


@pytest.mark.parametrize(
    ('folders', 'token', 'expected'),
    [
        ('/ /Shared/Absent/{uid}', 'sandbox', 'warning'),
        ('/ /Shared/Absent ro', 'sandbox', 'failure'),
        ('/ /Shared/Brand/file.txt', 'sandbox', 'failure'),
        ('/ /Private/bob/{uid}', ORDINARY, 'failure'),
        ('/ /Shared/Brand', ORDINARY, 'failure'),
        ('/ /Shared/Brand ro', ORDINARY, 'ok'),
        ('/ /Shared/Beefree', ORDINARY, 'ok'),
        ('/ /Shared/{uid}', 'sandbox', 'warning'),
    ],
)
def test_folders(make: Make, egnyte: str, tmp_path: Path, folders: str, token: str, expected: str) -> None:
    grant(tmp_path, '/Shared/Brand', 'alice', Level.VIEWER)
    grant(tmp_path, '/Shared/Beefree', 'alice', Level.EDITOR)
    (text,) = lines(make, 'folders', egnyte__url=egnyte, egnyte__token=token, folders=folders)
    assert text.startswith(f'{expected} folders.access: /'), text


def test_embedded_sandbox(make: Make, tmp_path: Path) -> None:
    new = tmp_path / 'new'
    assert said(make(egnyte__url=f'sandbox:{new}'), 'egnyte', with_egnyte=True) == [
        'skipped egnyte.reachable: the first request creates the sandbox',
        'skipped egnyte.token: the first request creates the sandbox',
    ]
    assert not new.exists()
    new.mkdir()
    assert said(make(egnyte__url=f'sandbox:{new}'), 'egnyte.token', with_egnyte=True) == [
        'ok egnyte.token: valid, of demo'
    ]


def test_token_for_public_files_takes_a_call(make: Make, egnyte: str, sandbox: Sandbox) -> None:
    installation = make(egnyte__url=egnyte, egnyte__token='sandbox', public__token=ORDINARY)
    assert said(installation, 'egnyte.token', with_egnyte=True) == [
        'ok egnyte.token: valid, of demo',
        'ok egnyte.token: valid, of alice',
    ]
    assert len(sandbox.calls) == calls_needed(installation, Options()) == 3


def test_accounts_of_users_are_not_called(make: Make, egnyte: str, sandbox: Sandbox, tmp_path: Path) -> None:
    installation = make(
        egnyte__url=egnyte,
        accounts__mode='oauth',
        accounts__keys=Fernet.generate_key().decode(),
        oauth__key='key',
        oauth__secret='secret-of-the-key',
        database_url=f'sqlite:///{tmp_path}/accounts.sqlite',
    )
    assert said(installation, 'egnyte', with_egnyte=True) == [
        'ok egnyte.reachable: answers',
        'skipped egnyte.token: users connect accounts of their own',
    ]
    assert sandbox.calls == []
    assert calls_needed(installation, Options()) == 0
