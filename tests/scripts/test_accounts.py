"""Tests of ``fsp-accounts``."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import transaction
from cryptography.fernet import Fernet
from pyramid.paster import get_app
from webtest import TestApp

from fsp_pyramid.accounts.database import Database
from fsp_pyramid.accounts.encryption import TokenCipher
from fsp_pyramid.accounts.store import AccountStore
from fsp_pyramid.egnyte import Tokens
from fsp_pyramid.interfaces import IAccountStores
from fsp_pyramid.scripts.accounts import main

from ..sandbox.servers import serving
from ..timing import PATIENCE

KEY, NEW_KEY = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def egnyte(tmp_path: Path) -> Iterator[str]:
    with serving(tmp_path / 'egnyte') as url:
        yield url


@pytest.fixture
def ini(tmp_path: Path, egnyte: str) -> Path:
    path = tmp_path / 'site.ini'
    path.write_text(
        f"""
[app:main]
use = egg:fsp-pyramid
fsp.username = beefree
fsp.password = secret-password
fsp.egnyte.url = {egnyte}
fsp.public.secret = {'s' * 32}
fsp.accounts.mode = oauth
fsp.accounts.keys = {KEY}
fsp.oauth.key = sandbox-key
fsp.oauth.secret = sandbox-secret
fsp.database_url = sqlite:///%(here)s/accounts.sqlite
tm.manager_hook = pyramid_tm.explicit_manager
"""
    )
    return path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Callable[..., AccountStore]]:
    databases = []

    def make(*keys: str) -> AccountStore:
        databases.append(Database(f'sqlite:///{tmp_path / "accounts.sqlite"}'))
        return AccountStore(
            databases[-1].sessions(transaction.manager), TokenCipher(keys or (KEY,)), lambda: 1_800_000_000.0
        )

    yield make
    transaction.abort()
    for database in databases:
        database.close()


@pytest.fixture
def number(egnyte: str, store: Callable[..., AccountStore]) -> int:
    """Connect an account of alice."""
    grant = {'grant_type': 'password', 'client_id': 'sandbox-key', 'username': 'alice', 'password': 'alice'}
    granted = requests.post(f'{egnyte}/puboauth/token', data=grant, timeout=PATIENCE).json()
    tokens = Tokens(granted['access_token'], granted['refresh_token'], None)
    connection = store().connect('fsp', 'shop', 'u1', egnyte, 'alice', tokens)
    transaction.commit()
    return connection.number


def test_accounts_are_listed_and_shown_without_their_tokens(
    ini: Path, number: int, store: Callable[..., AccountStore], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(ini), 'list']) == 0
    assert main([str(ini), 'show', str(number)]) == 0
    printed = capsys.readouterr().out
    assert 'shop/u1' in printed
    assert 'connected:   2027-01-15T08:00:00+00:00' in printed
    tokens = store().by_number(number).tokens
    assert tokens.access not in printed
    assert tokens.refresh not in printed


def test_disconnecting_revokes(
    ini: Path, number: int, egnyte: str, store: Callable[..., AccountStore], capsys: pytest.CaptureFixture[str]
) -> None:
    tokens = store().by_number(number).tokens
    transaction.abort()
    assert main([str(ini), 'disconnect', str(number)]) == 0
    assert 'revoked' in capsys.readouterr().out
    assert store().by_number(number).state == 'disconnected'
    asked = requests.get(
        f'{egnyte}/pubapi/v1/userinfo', headers={'Authorization': f'Bearer {tokens.access}'}, timeout=PATIENCE
    )
    assert asked.status_code == 401


def test_keys_are_rotated(
    ini: Path, number: int, store: Callable[..., AccountStore], capsys: pytest.CaptureFixture[str]
) -> None:
    access = store().by_number(number).tokens.access
    transaction.abort()
    ini.write_text(ini.read_text().replace(KEY, f'{NEW_KEY} {KEY}'))
    assert main([str(ini), 'rotate-keys']) == 0
    assert '1 accounts' in capsys.readouterr().out
    assert store(NEW_KEY).by_number(number).tokens.access == access
    transaction.abort()
    ini.write_text(ini.read_text().replace(f'{NEW_KEY} {KEY}', KEY))
    assert main([str(ini), 'rotate-keys']) == 1
    assert f'connect again: {number}' in capsys.readouterr().err


def test_failures_are_reported(ini: Path, number: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(ini), 'show', '99']) == 1
    assert 'no account 99' in capsys.readouterr().err
    ini.write_text(ini.read_text().replace('fsp.accounts.mode = oauth', 'fsp.egnyte.token = t'))
    assert main([str(ini), 'list']) == 1
    assert 'fsp.accounts.mode is not oauth' in capsys.readouterr().err


@pytest.mark.parametrize('number', ['9999999999999999999999999', '9223372036854775807', '2147483648', '0', '-1'])
@pytest.mark.parametrize('name', ['show', 'disconnect'])
def test_number_that_no_account_can_have_is_reported(
    ini: Path, name: str, number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(ini), name, number]) == 1
    assert capsys.readouterr().err == f'There is no account {number}.\n'


@pytest.mark.parametrize('lifetime', ['nan', 'inf', '0', '-5', '1e300', 'long'])
def test_lifetime_of_a_link_is_checked(ini: Path, lifetime: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match='2'):
        main([str(ini), 'connect-url', 'https://files.acme.com', 'shop', 'u1', f'--lifetime={lifetime}'])
    assert '--lifetime: write a number of seconds, at most 315360000' in capsys.readouterr().err


def test_new_key_is_a_key(ini: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(ini), 'new-key']) == 0
    assert TokenCipher((capsys.readouterr().out.strip(),))


def test_link_is_printed_and_leads_to_the_page(ini: Path, number: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(ini), 'connect-url', 'https://files.acme.com', 'shop', 'u1']) == 0
    url = capsys.readouterr().out.strip()
    assert url.startswith('https://files.acme.com/fsp-connect/')
    application = get_app(str(ini))
    page = TestApp(application).get(url.removeprefix('https://files.acme.com'))
    assert 'alice' in page
    assert main([str(ini), 'connect-url', 'https://files.acme.com', 'shop', 'u1', '--client', 'none']) == 1
    assert 'none' in capsys.readouterr().err
    application.registry.getUtility(IAccountStores).close()


def test_link_has_label_return_url_and_language(ini: Path, number: int, capsys: pytest.CaptureFixture[str]) -> None:
    ini.write_text(
        ini.read_text().replace(
            'fsp.accounts.mode = oauth',
            'fsp.accounts.mode = oauth\nfsp.connect.return_origins = https://app.example.com',
        )
    )
    base, back = 'https://files.acme.com', 'https://app.example.com/settings'
    options = ['--user-label', 'Anna Berg', '--return-url', back, '--language', 'de']
    assert main([str(ini), 'connect-url', base, 'shop', 'u1', *options]) == 0
    application = get_app(str(ini))
    page = TestApp(application).get(capsys.readouterr().out.strip().removeprefix(base))
    assert page.html.html['lang'] == 'de'
    assert page.html.find(id='back')['href'] == back
    assert 'Anna Berg' in page
    application.registry.getUtility(IAccountStores).close()


@pytest.mark.parametrize(
    ('option', 'value', 'said'),
    [
        ('--return-url', 'https://app.example.com.evil/', 'https://app.example.com.evil is no origin of fsp.connect.'),
        ('--return-url', 'javascript:alert(1)', 'an absolute URL with https'),
        ('--user-label', 'x' * 201, 'user_label: at most 200 characters'),
        ('--language', 'xx', 'language: one of en, de'),
    ],
)
def test_options_of_a_link_are_checked(
    ini: Path, option: str, value: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(ini), 'connect-url', 'https://files.acme.com', 'shop', 'u1', option, value]) == 1
    output = capsys.readouterr()
    assert said in output.err
    assert output.out == ''


def test_empty_list_says_so(ini: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(ini), 'list']) == 0
    assert capsys.readouterr().out == 'No accounts are connected.\n'
    assert main([str(ini), 'list', '--json']) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_accounts_are_printed_as_json(
    ini: Path, number: int, store: Callable[..., AccountStore], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(ini), 'list', '--json']) == 0
    printed = capsys.readouterr().out
    (account,) = json.loads(printed)
    assert main([str(ini), 'show', '--json', str(number)]) == 0
    assert json.loads(capsys.readouterr().out) == account
    assert (account['number'], account['state'], account['uid'], account['folder']) == (number, 'connected', 'u1', None)
    tokens = store().by_number(number).tokens
    assert tokens.access not in printed
    assert tokens.refresh not in printed


@pytest.mark.parametrize(
    ('url', 'said'),
    [
        ('files.acme.com', 'write it with its scheme'),
        ('//files.acme.com', 'write it with its scheme'),
        ('ftp://files.acme.com', 'write it with its scheme'),
        ('https:/files.acme.com', 'write it with its scheme'),
        ('https://', 'write it with its scheme'),
        ('https://fi les.example.com', 'write it with its scheme'),
        ('https://files.example.com ', 'write it with its scheme'),
        ('https://fi\nles.example.com', 'write it with its scheme'),
        ('https://files.example.com:99999', 'write it with its scheme'),
        ('https://files.example.com:x', 'write it with its scheme'),
        ('https://files.example.com:0', 'write it with its scheme'),
        ('https://[::1', 'write it with its scheme'),
        ('https://fi_les\\@example.com', 'neither a user name'),
        ('https://files.acme.com/fsp', 'without /fsp'),
        ('https://files.acme.com/fsp/', 'without /fsp'),
        ('https://files.acme.com/app/fsp', 'without /fsp'),
        ('https://files.acme.com/fsp-connect', 'without /fsp-connect'),
        ('https://files.acme.com/fsp-public/', 'without /fsp-public'),
        ('https://files.acme.com?x=1', 'neither a user name'),
        ('https://files.acme.com/#x', 'neither a user name'),
        ('https://me:secret@files.acme.com', 'neither a user name'),
    ],
)
def test_base_url_of_a_link_is_checked(ini: Path, url: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(ini), 'connect-url', url, 'shop', 'u1']) == 1
    output = capsys.readouterr()
    assert said in output.err
    assert output.out == ''
    assert 'secret' not in output.err


@pytest.mark.parametrize('url', ['https://files.acme.com/', 'http://localhost:6543', 'https://acme.com/fsp-app'])
def test_base_urls_of_applications(ini: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(ini), 'connect-url', url, 'shop', 'u1']) == 0
    assert capsys.readouterr().out.startswith(f'{url.rstrip("/")}/fsp-connect/')
