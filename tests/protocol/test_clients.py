"""Several clients of one mount."""

from collections.abc import Callable
from typing import Any

import pytest

from fsp_pyramid.passwords import hash_password
from fsp_pyramid.testing import Sandbox

from ..conftest import Source
from .beefree import PNG, Beefree, outcome

Clients = Callable[[str], Beefree]


@pytest.fixture
def clients(make_app: Callable[..., Any], sandbox: Sandbox) -> Clients:
    """Return a factory of users of four clients."""
    application = make_app(
        username='',
        password='',
        clients='acme shop preview gone',
        client__acme__username='acme',
        client__acme__password=hash_password('secret-password'),
        client__acme__client_ids='client other',
        client__shop__username='shop',
        client__shop__password='secret-password',
        client__shop__folders='/ /Shared/Brand',
        client__shop__upload__on_conflict='error',
        client__preview__username='preview',
        client__preview__password='secret-password',
        client__preview__folders='/ /Shared/Brand',
        client__preview__read_only='true',
        client__gone__username='gone',
        client__gone__password='secret-password',
        client__gone__disabled='true',
    )

    def client(name: str) -> Beefree:
        user = Beefree(application)
        user.app.authorization = ('Basic', (name, 'secret-password'))
        return user

    return client


def test_each_client_has_its_own_folders(clients: Clients, source: Source) -> None:
    assert outcome(clients('acme').upload('/a.png', source.offer(PNG))) == (201, None)
    assert clients('acme').names('/') == ['shared/', 'team/', 'a.png']
    assert clients('shop').names('/') == ['logo.png']


def test_each_client_has_its_own_settings(clients: Clients, source: Source) -> None:
    for name, expected in (('acme', (201, None)), ('shop', (403, 3400))):
        clients(name).upload('/a.png', source.offer(PNG))
        assert outcome(clients(name).upload('/a.png', source.offer(PNG))) == expected


def test_unlisted_client_id_is_refused(clients: Clients) -> None:
    user = clients('acme')
    for client_id, expected in (('client', (200, None)), ('other', (200, None)), ('Client', (403, 3300))):
        user.headers['X-BEE-ClientId'] = client_id
        assert outcome(user.get('/')) == expected


def test_read_only_client_reads_and_cannot_write(clients: Clients, source: Source) -> None:
    user = clients('preview')
    meta = user.get('/').json['data']
    assert meta['meta']['permissions'] == 'ro'
    assert meta['items'][0]['permissions'] == 'ro'
    assert user.public(meta['items'][0]['public-url']).body == b'logo'
    assert outcome(user.upload('/a.png', source.offer(PNG))) == (403, 3300)
    assert outcome(user.create('/a/')) == (403, 3300)
    assert outcome(user.delete('/logo.png')) == (403, 3300)
    assert outcome(user.move('/logo.png', '/')) == (403, 3300)


def test_disabled_client_gets_an_error_that_says_so(clients: Clients) -> None:
    answer = clients('gone').get('/')
    assert outcome(answer) == (403, 3300)
    assert 'switched off' in answer.json['details']


@pytest.mark.parametrize(('name', 'password'), [('acme', 'x'), ('nobody', 'secret-password'), ('', '')])
def test_wrong_credentials_are_refused(clients: Clients, name: str, password: str) -> None:
    user = clients('acme')
    user.app.authorization = ('Basic', (name, password))
    assert outcome(user.get('/')) == (401, 3650)


def test_public_links_survive_changes_of_a_client(
    make_app: Callable[..., Any], clients: Clients, source: Source
) -> None:
    url = clients('shop').get('/logo.png').json['data']['meta']['public-url']
    without = Beefree(make_app(clients='shop', username='', password='', client__shop__username='renamed',
                               client__shop__password='other', client__shop__disabled='true'))  # fmt: skip
    assert without.public(url).body == b'logo'
    assert Beefree(make_app()).public(url).status_int == 404
