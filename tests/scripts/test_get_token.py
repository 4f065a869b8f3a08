"""``fsp-token``: tokens of the sandbox's OAuth, over sockets."""

import io
import re
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fsp_pyramid.egnyte import Client, RateLimiter, new_session
from fsp_pyramid.sandbox.users import API_KEY, API_SECRET
from fsp_pyramid.scripts import browser
from fsp_pyramid.scripts.environment_file import write_variable
from fsp_pyramid.scripts.get_token import main
from fsp_pyramid.settings import KEYS, variable

from ..connect.visitor import new_session as browser_session
from ..ports import free_port
from ..sandbox.servers import serving
from ..timing import PATIENCE

INI = """[app:main]
use = egg:fsp-pyramid
fsp.egnyte.url = {}
fsp.oauth.key = {}
fsp.oauth.secret = {}
[server:main]
use = egg:fsp-pyramid
[loggers]
keys = root
[handlers]
keys =
[formatters]
keys =
[logger_root]
handlers =
"""


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in KEYS:
        monkeypatch.delenv(variable(key), raising=False)


@pytest.fixture(scope='module')
def egnyte(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp('egnyte')) as url:
        yield url


@pytest.fixture
def ini(egnyte: str, tmp_path: Path) -> Path:
    path = tmp_path / 'site.ini'
    path.write_text(INI.format(egnyte, API_KEY, API_SECRET))
    return path


class Person:
    """A user with a browser, who opens the URL of the command and decides.

    :ivar answer: the address at which the browser ends
    """

    def __init__(self) -> None:
        self.decision, self.username = 'allow', 'alice'
        self.answer, self.failure = '', ''
        self._threads: list[threading.Thread] = []

    def open(self, url: str) -> None:
        thread = threading.Thread(target=self._decide, args=(url,))
        self._threads.append(thread)
        thread.start()

    def _decide(self, url: str) -> None:
        form = {'username': self.username, 'password': self.username, 'decision': self.decision}
        with browser_session() as session:
            response = session.post(
                url.replace('/puboauth/token', '/puboauth/authorize'),
                data=form,
                allow_redirects=False,
                timeout=PATIENCE,
            )
            self.answer = response.headers['Location']
            if self.answer.startswith('http://localhost'):
                session.get(self.answer.split('?')[0] + 'favicon.ico', timeout=PATIENCE)
                assert 'close this window' in session.get(self.answer, timeout=PATIENCE).text

    def join(self) -> None:
        for thread in self._threads:
            thread.join(PATIENCE)

    def readline(self) -> str:
        """Paste the answer, as standard input of the command."""
        self.join()
        return f'{self.answer}\n'

    def isatty(self) -> bool:
        return False


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Iterator[Person]:
    found = Person()
    monkeypatch.setattr(browser.webbrowser, 'open', found.open)
    monkeypatch.setattr(sys, 'stdin', found)
    yield found
    found.join()


def owner(egnyte: str, token: str) -> str:
    with new_session() as session:
        return Client(egnyte, token, session=session, rate_limiter=RateLimiter()).userinfo().username


def test_code_is_received_on_loopback(
    ini: Path, egnyte: str, person: Person, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = tmp_path / 'environment'
    environment.write_text('# kept\nFSP_EGNYTE_TOKEN=\nFSP_USERNAME=u\n')
    uri = f'http://localhost:{free_port()}/'
    assert main([str(ini), '--redirect-uri', uri, '--write', str(environment)]) == 0
    first, line, last = environment.read_text().splitlines()
    assert (first, last) == ('# kept', 'FSP_USERNAME=u')
    token = line.removeprefix('FSP_EGNYTE_TOKEN=')
    assert owner(egnyte, token) == 'alice'
    assert stat.S_IMODE(environment.stat().st_mode) == 0o600
    printed = capsys.readouterr()
    assert f'Token of alice (Alice Adams) at {egnyte}; it expires on 20' in printed.err
    assert token not in printed.out + printed.err
    assert API_SECRET not in printed.out + printed.err


def test_code_is_pasted_otherwise(ini: Path, egnyte: str, person: Person, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(ini), '--show']) == 0
    assert person.answer.startswith('https://localhost/?')
    token = capsys.readouterr().out.strip()
    assert owner(egnyte, token) == 'alice'


def test_browser_may_stay_closed(ini: Path, person: Person, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(ini), '--show', '--no-browser']) == 1
    assert person.answer == ''
    assert re.search(r'^  http://\S+/puboauth/token\?client_id=', capsys.readouterr().err, re.MULTILINE)


def test_refusal_of_the_user_is_reported(ini: Path, person: Person, capsys: pytest.CaptureFixture[str]) -> None:
    person.decision = 'deny'
    assert main([str(ini), '--show']) == 1
    assert 'access_denied' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        (lambda answer: re.sub('state=[^&]*', 'state=other', answer), 'state'),
        (lambda answer: '', 'state'),
        (lambda answer: re.sub('code=[^&]*', 'code=other', answer), 'Egnyte gave no token'),
        (lambda answer: re.sub('code=[^&]*&?', '', answer), 'Egnyte gave no code'),
    ],
)
def test_other_answers_are_refused(
    ini: Path,
    person: Person,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[str], str],
    said: str,
) -> None:
    original = person.readline
    monkeypatch.setattr(person, 'readline', lambda: change(original().strip()))
    assert main([str(ini), '--show']) == 1
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.out == ''


@pytest.mark.parametrize('secret', [API_SECRET, ''])
def test_password_grant(
    ini: Path,
    egnyte: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    secret: str,
) -> None:
    ini.write_text(INI.format(egnyte, API_KEY, secret))
    monkeypatch.setattr(sys, 'stdin', io.StringIO('bob\n'))
    assert main([str(ini), '--password', 'bob', '--show']) == 0
    assert owner(egnyte, capsys.readouterr().out.strip()) == 'bob'


def test_wrong_password_is_reported(
    ini: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, 'stdin', io.StringIO('hush-wrong\n'))
    assert main([str(ini), '--password', 'bob', '--show']) == 1
    printed = capsys.readouterr()
    assert 'Egnyte gave no token' in printed.err
    assert 'hush-wrong' not in printed.out + printed.err


def test_variables_override_the_file(
    ini: Path, egnyte: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ini.write_text(INI.format('https://acme.egnyte.com', 'other', 'other'))
    monkeypatch.setenv('FSP_EGNYTE_URL', egnyte)
    monkeypatch.setenv('FSP_OAUTH_KEY', API_KEY)
    monkeypatch.setenv('FSP_OAUTH_SECRET', API_SECRET)
    monkeypatch.setattr(sys, 'stdin', io.StringIO('bob\n'))
    assert main([str(ini), '--password', 'bob', '--show']) == 0


def test_client_has_its_own_site_and_variable(
    ini: Path, egnyte: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = INI.format('https://other.egnyte.com', API_KEY, API_SECRET)
    ini.write_text(text.replace('[server', f'fsp.clients = acme\nfsp.client.acme.egnyte.url = {egnyte}\n[server'))
    monkeypatch.setattr(sys, 'stdin', io.StringIO('bob\n'))
    target = tmp_path / 'environment'
    assert main([str(ini), '--client', 'acme', '--password', 'bob', '--write', str(target)]) == 0
    name, _, token = target.read_text().strip().partition('=')
    assert name == 'FSP_CLIENT_ACME_EGNYTE_TOKEN'
    assert owner(egnyte, token) == 'bob'


@pytest.mark.parametrize(
    ('values', 'said'),
    [
        (('sandbox:/tmp/none', API_KEY, API_SECRET), 'needs no token'),
        (('', API_KEY, API_SECRET), 'FSP_EGNYTE_URL'),
        (('acme', API_KEY, API_SECRET), 'fsp.egnyte.url'),
        (('https://acme.egnyte.com', '', API_SECRET), 'FSP_OAUTH_KEY'),
        (('https://acme.egnyte.com', API_KEY, ''), 'FSP_OAUTH_SECRET'),
    ],
)
def test_incomplete_settings_are_reported(
    ini: Path, capsys: pytest.CaptureFixture[str], values: tuple[str, ...], said: str
) -> None:
    ini.write_text(INI.format(*values))
    assert main([str(ini), '--show']) == 1
    assert said in capsys.readouterr().err


def test_target_of_the_token_is_needed(ini: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for options in ([], ['--write', str(tmp_path)], ['--show', '--redirect-uri', 'http://files.acme.com/']):
        with pytest.raises(SystemExit) as caught:
            main([str(ini), *options])
        assert caught.value.code == 2
    assert '--write FILE, or --show' in capsys.readouterr().err


def test_variable_is_written_to_the_file_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / 'real').write_text('A=1\nB=2')
    (tmp_path / 'link').symlink_to('real')
    write_variable(tmp_path / 'link', 'C', r'\1')
    write_variable(tmp_path / 'link', 'A', 'x')
    assert (tmp_path / 'link').is_symlink()
    assert (tmp_path / 'real').read_text() == 'A=x\nB=2\nC=\\1\n'
    assert sorted(path.name for path in tmp_path.iterdir()) == ['link', 'real']


def test_unreachable_egnyte_is_reported(
    ini: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ini.write_text(INI.format('http://127.0.0.1:1', API_KEY, API_SECRET))
    monkeypatch.setattr(sys, 'stdin', io.StringIO('bob\n'))
    assert main([str(ini), '--password', 'bob', '--show']) == 1
    assert 'Egnyte gave no token' in capsys.readouterr().err
