"""Secrets."""

import re
from pathlib import Path

import pytest

from fsp_pyramid.diagnosis import diagnose
from fsp_pyramid.passwords import hash_password

from .conftest import GOOD, SECRET, Make, found, said

REAL = {'egnyte__url': 'https://127.0.0.1:1', 'egnyte__token': 'token-of-egnyte'}


@pytest.mark.parametrize('password', ['beefree', 'bridge', 'Secret-Password', '$change-me'])
def test_shipped_password_is_a_failure_with_a_real_egnyte(make: Make, password: str) -> None:
    if password.startswith('$'):  # not a parameter, because each process would make another hash
        password = hash_password(password[1:])
    text = 'the password is one of the shipped files or of the documentation'
    assert said(make(password=password, **REAL), 'secrets.password') == [f'failure secrets.password: {text}']
    assert said(make(password=password), 'secrets.password') == [f'warning secrets.password: {text}']


def test_other_passwords(make: Make) -> None:
    assert said(make(password='short-one'), 'secrets.password')[0].startswith('warning ')
    for password in (GOOD, hash_password(GOOD)):
        assert said(make(password=password), 'secrets.password')[0].startswith('ok ')


def test_weak_signing_key_is_reported(make: Make) -> None:
    assert said(make(public__secret=f'{SECRET} {"s" * 32}'), 'secrets.links') == [
        'failure secrets.links: key 2 of fsp.public.secret can be guessed'
    ]
    assert said(make(), 'secrets.links') == ['ok secrets.links: 1 key for links']
    assert said(make(public__secret=''), 'secrets.links')[0].startswith('warning ')


@pytest.mark.parametrize('key', ['public.secret', 'accounts.keys', 'ops.token'])
def test_key_of_the_documentation_is_a_failure(make: Make, key: str) -> None:
    documented = (Path(__file__).parents[2] / 'docs' / 'settings.rst').read_text()
    (example,) = re.findall(rf':example: ``fsp\.{key} = (.*)``', documented)
    assert said(make(**{key: example}), 'secrets.published') == [
        f'failure secrets.published: fsp.{key} is that of the documentation'
    ]


def test_reuse_of_a_secret_is_reported(make: Make) -> None:
    (result,) = found(make(password=SECRET), 'secrets.reuse')
    assert (result.level, result.found) == ('warning', 'fsp.password of fsp and fsp.public.secret are the same')


@pytest.mark.parametrize(('mode', 'level'), [(0o644, 'failure'), (0o640, 'ok'), (0o600, 'ok')])
def test_mode_of_a_file_with_secrets(make: Make, tmp_path: Path, mode: int, level: str) -> None:
    file = tmp_path / 'site.ini'
    file.touch()
    file.chmod(mode)
    installation = make(file=file, database_url='postgresql://host/name', **REAL)
    (result,) = found(installation, 'secrets.file')
    assert result.level == level
    if level == 'failure':
        assert result.found.endswith('which has fsp.egnyte.token, fsp.password, fsp.public.secret')
        assert result.remedy == 'chmod o= site.ini'


def test_no_secret_is_shown(make: Make) -> None:
    password, ops = 'hush-password-of-postgres', 'hush-token-of-operators'
    installation = make(
        password='hush-short',
        public__secret='hush' * 8,
        ops__token=ops,
        pace__backend='database',
        database_url=f'postgresql+psycopg://u:{password}@127.0.0.1:1/x',
        cache__backend='redis',
        redis_url=f'redis://:{password}@127.0.0.1:1/0',
        environ={'FSP_PASSWORT': 'hush'},
        **REAL,
    )
    results = diagnose(installation)
    assert {result.id.split('.')[0] for result in results} >= {'redis', 'database', 'egnyte', 'secrets'}
    assert 'hush' not in str(results)
