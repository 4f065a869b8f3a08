"""Users with accounts of their own at Egnyte, through HTTP, over a sandbox on a real socket."""

import socket
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
import transaction
from cryptography.fernet import Fernet

from fsp_pyramid import main
from fsp_pyramid.content.links import Link
from fsp_pyramid.egnyte import Tokens
from fsp_pyramid.interfaces import IAccountStores, IPublic
from fsp_pyramid.testing import Sandbox

from ..conftest import Source
from ..sandbox.servers import serving
from ..sources.servers import serving as silence
from ..timing import PATIENCE
from .beefree import PNG, Beefree, outcome

KEY = Fernet.generate_key().decode()


@pytest.fixture
def egnyte(sandbox: Sandbox, tmp_path: Path) -> Iterator[str]:
    """Serve the sandbox; yield its URL."""
    with serving(tmp_path / 'egnyte') as url:
        yield url


@pytest.fixture
def more_settings() -> dict[str, str]:
    """Return the settings of the application."""
    return {}


@pytest.fixture
def application(egnyte: str, tmp_path: Path, more_settings: dict[str, str]) -> Iterator[Any]:
    application = main(
        {},
        **{
            **more_settings,
            'fsp.username': 'beefree',
            'fsp.password': 'secret-password',
            'fsp.egnyte.url': egnyte,
            'fsp.public.secret': 's' * 32,
            'fsp.sources.allow': '127.0.0.1',
            'fsp.accounts.mode': 'oauth',
            'fsp.accounts.keys': KEY,
            'fsp.oauth.key': 'sandbox-key',
            'fsp.oauth.secret': 'sandbox-secret',
            'fsp.database_url': f'sqlite:///{tmp_path / "accounts.sqlite"}',
            'tm.manager_hook': 'pyramid_tm.explicit_manager',
            'tm.annotate_user': 'false',
        },
    )
    yield application
    transaction.abort()
    application.registry.getUtility(IAccountStores).close()


@pytest.fixture
def store(application: Any) -> Callable[[], Any]:
    """Yield the store of accounts outside of a request, and commit."""
    stores = application.registry.getUtility(IAccountStores)

    class Request:
        tm = transaction.manager

        def add_finished_callback(self, _callback: Any) -> None:
            """Do nothing; RequestLocalCache calls it."""

    return lambda: stores(Request())


@pytest.fixture
def connect(egnyte: str, store: Callable[[], Any]) -> Callable[..., Any]:
    """Return a function that connects a uid to an Egnyte user, as the pages do."""

    def connect(uid: str, username: str, **changes: Any) -> Any:
        grant = {
            'grant_type': 'password',
            'client_id': 'sandbox-key',
            'client_secret': 'sandbox-secret',
            'username': username,
            'password': username,
        }
        granted = requests.post(f'{egnyte}/puboauth/token', data=grant, timeout=PATIENCE).json()
        tokens = Tokens(granted['access_token'], granted['refresh_token'], changes.get('expires_at'))
        connection = store().connect('fsp', 'client', uid, egnyte, username, tokens)
        transaction.commit()
        return connection

    return connect


def test_without_a_connection_the_error_says_what_to_do(application: Any, sandbox: Sandbox) -> None:
    answer = Beefree(application).get('/')
    assert outcome(answer) == (403, 3901)
    assert 'Connect Egnyte' in answer.json['details']
    assert sandbox.calls == []


def test_each_user_has_files_of_their_own(
    application: Any, connect: Callable[..., Any], sandbox: Sandbox, source: Source
) -> None:
    for uid, username in (('u1', 'alice'), ('u2', 'bob')):
        connect(uid, username)
        client = Beefree(application, uid)
        assert client.names('/') == []
        meta = client.upload(f'/{uid}.png', source.offer(PNG)).json['data']['meta']
        assert sandbox.content(f'/Private/{username}/Beefree/{uid}.png') == PNG
        assert client.names('/') == [f'{uid}.png']
        assert client.public(meta['public-url']).body == PNG


def test_files_are_in_the_chosen_folder(
    application: Any, connect: Callable[..., Any], store: Callable[[], Any], sandbox: Sandbox
) -> None:
    connection = connect('u1', 'demo')
    store().set_folder(connection.number, '/Shared/Brand')
    transaction.commit()
    assert Beefree(application).names('/') == ['logo.png']


def test_token_is_refreshed_before_it_expires(application: Any, connect: Callable[..., Any], sandbox: Sandbox) -> None:
    connect('u1', 'alice', expires_at=1.0)
    client = Beefree(application)
    for _ in range(2):
        assert outcome(client.get('/')) == (200, None)
    assert sum('/puboauth/token' in call for call in sandbox.calls) == 2  # the grant, and one refresh


def test_refresh_that_waits_for_one_egnyte_delays_no_other_user(
    application: Any, connect: Callable[..., Any], store: Callable[[], Any]
) -> None:
    connect('u2', 'alice')
    asked, release = threading.Event(), threading.Event()

    def silent(_connection: socket.socket) -> None:
        asked.set()
        assert release.wait(PATIENCE)

    with silence(silent) as server, ThreadPoolExecutor(2) as pool:
        store().connect('fsp', 'client', 'u1', f'http://127.0.0.1:{server.port}', 'bob', Tokens('a', 'r', 1.0))
        transaction.commit()
        delayed = pool.submit(Beefree(application, 'u1').get, '/')
        try:
            assert asked.wait(PATIENCE)
            # In its own thread, or a failure would be a hang.
            answer = pool.submit(Beefree(application, 'u2').get, '/').result(PATIENCE)
            assert outcome(answer) == (200, None)
            assert not delayed.done()
        finally:
            release.set()
        assert outcome(delayed.result(PATIENCE))[0] == 503


def test_refused_token_is_refreshed_or_reported_as_expired(
    application: Any, egnyte: str, connect: Callable[..., Any], store: Callable[[], Any]
) -> None:
    connect('u1', 'alice')
    url = f'{egnyte}/pubapi/v1/tokens/revoke'
    tokens = store().find('fsp', 'client', 'u1').tokens
    transaction.abort()
    revoked = requests.post(
        url,
        data={'token': tokens.access, 'client_secret': 'sandbox-secret'},
        headers={'Authorization': f'Bearer {tokens.access}'},
        timeout=PATIENCE,
    )
    assert revoked.status_code == 200
    client = Beefree(application)
    assert outcome(client.get('/')) == (403, 3902)
    answer = client.get('/')
    assert outcome(answer) == (403, 3902)
    assert 'again' in answer.json['details']
    connect('u1', 'alice')
    assert outcome(client.get('/')) == (200, None)


def test_links_survive_disconnecting_and_connecting_again(
    application: Any, connect: Callable[..., Any], store: Callable[[], Any], source: Source, sandbox: Sandbox
) -> None:
    connection = connect('u1', 'alice')
    client = Beefree(application)
    sandbox.upload('/Private/alice/Beefree/b.png', PNG)
    url = client.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']
    never_seen = client.get('/b.png').json['data']['meta']['public-url']
    store().disconnect(connection.number)
    transaction.commit()
    assert outcome(client.get('/')) == (403, 3901)
    assert client.public(url).body == PNG, 'cached content needs no account'
    assert client.public(never_seen).status_int == 403
    connect('u1', 'alice')
    assert client.public(url).body == client.public(never_seen).body == PNG
    assert client.get('/a.png').json['data']['meta']['public-url'] == url


@pytest.mark.parametrize('more_settings', [{'fsp.public.token': 'sandbox'}], ids=['with a token for the public'])
def test_public_token_serves_files_of_disconnected_users(
    application: Any, connect: Callable[..., Any], store: Callable[[], Any], sandbox: Sandbox
) -> None:
    connection = connect('u1', 'alice')
    sandbox.upload('/Private/alice/Beefree/b.png', PNG)
    url = Beefree(application).get('/b.png').json['data']['meta']['public-url']
    store().disconnect(connection.number)
    transaction.commit()
    assert Beefree(application).public(url).body == PNG


@pytest.mark.parametrize('more_settings', [{'fsp.public.token': 'sandbox'}], ids=['with a token for the public'])
def test_public_token_is_sent_to_no_other_egnyte(
    application: Any, connect: Callable[..., Any], store: Callable[[], Any], sandbox: Sandbox
) -> None:
    connection = connect('u1', 'alice')
    sandbox.upload('/Private/alice/Beefree/b.png', PNG)
    url = Beefree(application).get('/b.png').json['data']['meta']['public-url']
    store().connect('fsp', 'client', 'u1', 'http://127.0.0.1:9', 'alice', connection.tokens)
    transaction.commit()
    store().disconnect(connection.number)
    transaction.commit()
    assert Beefree(application).public(url).status_int == 403


def test_account_of_another_client_serves_no_link(
    application: Any, connect: Callable[..., Any], store: Callable[[], Any], source: Source, egnyte: str
) -> None:
    connect('u1', 'alice')
    client = Beefree(application)
    url = client.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']
    connection = store().find('fsp', 'client', 'u1')
    other = store().connect('other', 'client', 'u1', egnyte, 'alice', connection.tokens)
    transaction.commit()
    signer = application.registry.getUtility(IPublic).signer
    link = signer.verify(url.split('/')[-2])
    forged = signer.sign(Link(f'fsp:{other.number}', link.file_id))
    assert client.public(url.replace(url.split('/')[-2], forged)).status_int == 404


def test_nothing_secret_is_logged_or_shown(
    application: Any,
    egnyte: str,
    connect: Callable[..., Any],
    store: Callable[[], Any],
    source: Source,
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Run successes, refusals, errors and refreshes with all loggers at DEBUG."""
    caplog.set_level('DEBUG')
    connection = connect('u1', 'alice', expires_at=1.0)
    client, shown = Beefree(application), []
    signed = source.offer(PNG, 'a.png?signature=secret-signature')

    def say(answer: Any) -> Any:
        shown.append(f'{answer.headers} {answer.text}')
        return answer

    url = say(client.upload('/a.png', signed)).json['data']['meta']['public-url']
    fresh = store().find('fsp', 'client', 'u1')
    transaction.abort()
    say(client.upload('/a.png', signed, 'ask'))
    say(client.upload('/b.png', signed.replace('a.png', 'missing')))
    say(client.upload('/b.png', 'http://user:secret-userinfo@127.0.0.1/'))
    for status in (401, 403, 429, 500):
        sandbox.fail({'status': status, 'times': 3, 'path_prefix': '/pubapi'})
        say(client.get('/other/'))
    sandbox.fail({'drop': True, 'times': 9})
    say(client.get('/other/'))
    sandbox.fail()
    client.app.authorization = ('Basic', ('beefree', 'secret-attempt'))
    say(client.get('/'))
    say(client.public(url[:-10] + 'x'))
    secrets = {
        'the password': 'secret-password',
        'a wrong password': 'secret-attempt',
        'a Basic header': b64encode(b'beefree:secret-password').decode(),
        'the access token': connection.tokens.access,
        'the refresh token': connection.tokens.refresh,
        'the new access token': fresh.tokens.access,
        'the new refresh token': fresh.tokens.refresh,
        "the application's secret": 'sandbox-secret',
        'the encryption key': KEY,
        'the signing key': 's' * 32,
        'the signature of a source': 'secret-signature',
        'a password in a source': 'secret-userinfo',
    }
    logged = caplog.text + ''.join(repr(record.__dict__) for record in caplog.records)
    assert len(caplog.records) > 30
    for what, secret in secrets.items():
        assert secret not in logged, f'{what} is logged'
        assert secret not in ''.join(shown), f'{what} is shown'
        assert secret not in repr(connection), what
