"""Combinations of settings."""

import pytest

from fsp_pyramid.diagnosis import Proxy

from .conftest import Make, said

CLIENTS = {
    'clients': 'a b',
    'username': '',
    'password': '',
    'client.a.username': 'a',
    'client.b.username': 'b',
    'client.a.password': 'a-password-of-a',
    'client.b.password': 'a-password-of-b',
}


def test_right_settings_are_ok(make: Make) -> None:
    assert said(make(), 'settings') == [
        'ok settings.valid: valid, for 1 client',
        'ok settings.variables: every variable that begins with FSP_ is a setting',
        'ok settings.mode: one token for all users',
        'ok settings.folders: no mapping opens the folder of another one',
        'ok settings.processes: fsp.cache.backend and fsp.pace.backend = memory, which is right for a single process',
        'skipped settings.timeouts: no proxy is configured',
        'ok settings.https: fsp.require_https = false, for a sandbox or on this machine only',
    ]


def test_unknown_variables_are_named(make: Make) -> None:
    (text,) = said(make(environ={'FSP_EGNYTE_TOKN': 'hush'}), 'settings.variables')
    assert text == (
        'warning settings.variables: the environment variable FSP_EGNYTE_TOKN is no setting; '
        'did you mean FSP_EGNYTE_TOKEN?'
    )


def test_folder_for_all_users_is_reported(make: Make) -> None:
    assert said(make(folders='/ /Shared/Brand'), 'settings.mode') == [
        'warning settings.mode: one token for all users, and no folder has a placeholder: all users share all files'
    ]
    assert said(make(folders='/ /Shared/Brand ro'), 'settings.mode') == ['ok settings.mode: one token for all users']


def test_disabled_client_is_reported(make: Make) -> None:
    assert said(make(disabled='true'), 'settings.mode') == ['warning settings.mode: the client is disabled']


@pytest.mark.parametrize(
    ('folders', 'expected'),
    [
        (
            '/ /Shared/Beefree/{uid}\n/all/ /Shared/Beefree ro',
            '/all/ and /: /all/ shows the folders of all users, because it contains /Shared/Beefree/{uid}',
        ),
        (
            '/ /Shared/Brand/{uid}\n/a/ /Shared/Logos ro\n/b/ /shared/logos/new',
            '/a/ and /b/ lead to /shared/logos/new, of which one is read-only and the other is not',
        ),
    ],
)
def test_overlapping_folders_are_reported(make: Make, folders: str, expected: str) -> None:
    assert said(make(folders=folders), 'settings.folders') == [f'warning settings.folders: {expected}']


def test_clients_with_the_same_folder_of_a_user_are_reported(make: Make) -> None:
    expected = '/Shared/Beefree/{uid}: a uid of fsp/a has the files of that uid of fsp/b'
    assert said(make(**CLIENTS), 'settings.folders') == [f'warning settings.folders: {expected}']
    own = {'folders': '/ /Shared/Beefree/{client_id}/{uid}'}
    assert said(make(**CLIENTS, **own), 'settings.folders')[0].startswith('ok ')


def test_several_client_ids_with_one_folder_are_reported(make: Make) -> None:
    (text,) = said(make(client_ids='shop blog'), 'settings.folders')
    assert text.endswith('/Shared/Beefree/{uid}: a uid of one client id has the files of that uid of the others')


@pytest.mark.parametrize(
    'known',
    [
        {'environ': {'WEB_CONCURRENCY': '3'}},
        {'server': {'use': 'gunicorn', 'workers': '3'}},
        {'proxy': Proxy(servers=3)},
    ],
)
def test_several_processes_without_shared_state_are_reported(make: Make, known: dict[str, object]) -> None:
    assert said(make(**known), 'settings.processes') == [
        (
            'warning settings.processes: 3 processes, and fsp.cache.backend and fsp.pace.backend = memory: '
            'each has state of its own'
        )
    ]
    shared = {'cache__backend': 'redis', 'pace__backend': 'redis', 'redis_url': 'redis://127.0.0.1:1/0'}
    assert said(make(**known, **shared), 'settings.processes')[0].startswith('ok ')


def test_redis_without_effect_is_reported(make: Make) -> None:
    assert said(make(redis_url='redis://127.0.0.1/0'), 'settings.processes') == [
        'warning settings.processes: fsp.redis_url has no effect: both backends are memory'
    ]


@pytest.mark.parametrize(
    ('timeout', 'level'), [(9.0, 'failure'), (10.0, 'failure'), (59.0, 'warning'), (60.0, 'ok'), (180.0, 'ok')]
)
def test_wait_is_compared_with_the_time_out_of_the_proxy(make: Make, timeout: float, level: str) -> None:
    proxy = Proxy(timeout=timeout, is_told=True)
    assert said(make(require_https='true', proxy=proxy), 'settings.timeouts')[0].startswith(f'{level} ')


def test_passwords_without_tls_are_reported(make: Make) -> None:
    real = {'egnyte__url': 'https://127.0.0.1:1', 'egnyte__token': 't'}
    assert said(make(server={'host': '0.0.0.0'}, **real), 'settings.https')[0].startswith('warning ')
    assert said(make(require_https='true', **real), 'settings.https')[0].startswith('ok ')
