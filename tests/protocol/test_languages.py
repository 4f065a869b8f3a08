"""Language of the protocol's errors."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyramid.exceptions import ConfigurationError
from webtest import TestApp

from .conftest import Beefree


@pytest.fixture
def make(make_app: Callable[..., Any], tmp_path: Path) -> Callable[..., Beefree]:
    own_words = tmp_path / 'own.ini'
    own_words.write_text('[de]\negnyte-not-found = „${name}“ fehlt.\nerror-not-found-title = Nicht gefunden\n')

    def make(**settings: str) -> Beefree:
        return Beefree(make_app(**({'messages': str(own_words)} | settings)))

    return make


def message(client: Beefree, **headers: str) -> tuple[str, str]:
    answer = client.get('/absent.txt', **headers)
    assert answer.status_int == 404
    return answer.headers['Content-Language'], answer.json['message']


def test_errors_are_in_the_language_of_the_settings(make: Callable[..., Beefree]) -> None:
    assert message(make()) == ('en', 'Resource not found')
    assert message(make(language='de')) == ('de', 'Nicht gefunden')


@pytest.mark.parametrize(
    ('accepted', 'language'),
    [
        ('de', 'de'),
        ('de-AT', 'de'),
        ('tlh, de;q=0.5, en;q=0.1', 'de'),
        ('*', 'en'),
        ('tlh', 'en'),
        ('not a language!', 'en'),
        ('', 'en'),
    ],
)
def test_accept_language_wins_over_the_settings(make: Callable[..., Beefree], accepted: str, language: str) -> None:
    assert message(make(), Accept_Language=accepted)[0] == language


def test_configured_header_wins_over_accept_language(make: Callable[..., Beefree]) -> None:
    client = make(language_header='X-BEE-Language')
    assert message(client, X_BEE_Language='de_DE', Accept_Language='fr')[0] == 'de'
    assert message(client, X_BEE_Language='tlh', Accept_Language='fr')[0] == 'fr'
    assert message(make(), X_BEE_Language='de')[0] == 'en'


def test_value_and_support_id_are_in_the_text(make: Callable[..., Beefree]) -> None:
    answer = make(language='de').get('/absent.txt')
    assert answer.json['details'].startswith('„absent.txt“ fehlt.')


def test_each_client_has_a_language_of_its_own(make_app: Callable[..., Any]) -> None:
    settings = {'username': '', 'password': '', 'clients': 'a b', 'language': 'fr', 'client__b__language': 'de'}
    settings |= {f'client__{name}__{own}': name for name in 'ab' for own in ('username', 'password')}
    app = make_app(**settings)

    def language(name: str, password: str = '') -> str:
        client = Beefree(app)
        client.app.authorization = ('Basic', (name, password or name))
        return client.get('/absent.txt').headers['Content-Language']

    assert [language('a'), language('b')] == ['fr', 'de']
    # No client is known: the language is that of the application.
    assert language('b', 'wrong') == 'fr'


def test_bad_language_of_the_application_is_reported_though_each_client_has_its_own(
    make_app: Callable[..., Any],
) -> None:
    settings = {'username': '', 'password': '', 'clients': 'a', 'language': 'xx', 'client__a__language': 'de'}
    settings |= {f'client__a__{own}': 'a' for own in ('username', 'password')}
    with pytest.raises(ConfigurationError, match=r"fsp\.language: 'xx' will not do"):
        make_app(**settings)


def test_undecodable_url_has_an_answer_in_the_language(make: Callable[..., Beefree]) -> None:
    app: TestApp = make(language='de').app
    answer = app.get('/fsp/%ff', expect_errors=True)
    assert (answer.status_int, answer.headers['Content-Language']) == (400, 'de')


@pytest.mark.parametrize(
    ('key', 'value', 'complaint'),
    [
        ('language', 'tlh', 'use en or de'),
        ('timezone', 'Mars/Olympus', 'IANA time zone database'),
        ('language_header', 'X BEE', 'write the name of a header'),
        ('messages', '/absent.ini', 'cannot be read'),
    ],
)
def test_bad_settings_stop_the_start(make: Callable[..., Beefree], key: str, value: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=f'(?s){key}.*{complaint}'):
        make(**{key: value})
