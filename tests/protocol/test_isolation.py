"""Isolation: no path, header, move target, name, conflict strategy or link reaches another user's files."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fsp_pyramid.testing import Sandbox

from ..conftest import Source
from .beefree import PNG, Beefree

SECRETS = {
    '/Shared/Beefree/victim/diary.png': b'diary-of-the-victim',
    '/Shared/Beefree/victim/hidden-folder/hidden-plan.png': b'plan-of-the-victim',
    '/Shared/Beefree/attacker2/near.png': b'near-the-attacker',
    '/Shared/Board/minutes.png': b'minutes-of-the-board',
}
# What a path is made of: names of what is to be reached, and what usually gets one out of where one is.
PIECES = (
    *(
        '/',
        '//',
        '.',
        '..',
        '../',
        '/../',
        '%2e%2e',
        '%2f',
        '%252e%252e%252f',
        '\\',
        '\\..\\',
        '\x00',
        '\n',
        ';',
        '?',
        '#',
    ),
    *(
        'victim',
        'attacker',
        'attacker2',
        'Shared',
        'Beefree',
        'Board',
        'shared',
        'diary.png',
        'minutes.png',
        'near.png',
    ),
    *('{uid}', '{client_id}', '{0}', '~', '@@', 'É', '\u202e', '\uff0e\uff0e', '\u2215', '%c0%ae', ' ', 'ids', 'trash'),
)
paths = st.lists(st.sampled_from(PIECES), max_size=8).map(''.join)
uids = st.sampled_from(
    ['attacker', 'Attacker', 'attacker2/', '../victim', 'victim/..', '{uid}', 'victim ', '', 'a' * 201]
)
methods = st.sampled_from(['GET', 'HEAD', 'POST', 'PATCH', 'DELETE', 'PUT', 'OPTIONS'])
headers = st.dictionaries(
    st.sampled_from(
        [
            *(
                'X-Vhm-Root',
                'X-Original-URL',
                'X-Rewrite-URL',
                'X-HTTP-Method-Override',
                'X-Forwarded-Prefix',
                'Referer',
            ),
            *('X-BEE-ClientId', 'X-Egnyte-Act-As', 'Destination', 'X-BEE-fsp-flags', 'Range', 'X-Forwarded-Host'),
        ]
    ),
    st.sampled_from(['/victim', 'victim', '/Shared/Beefree/victim', 'DELETE', 'move', '../victim', 'bytes=0-']),
    max_size=3,
)


@pytest.fixture
def application(make_app: Callable[..., Any], sandbox: Sandbox) -> Any:
    for path, content in SECRETS.items():
        sandbox.upload(path, content)
    return make_app(folders='/ /Shared/Beefree/{uid}\n/shared/ /Shared/Brand ro', cache__ttl='0')


def test_no_request_reaches_files_of_another_user(application: Any, sandbox: Sandbox, source: Source) -> None:
    url = source.offer(PNG)
    bodies = st.one_of(
        st.fixed_dictionaries({'source': st.just(url), 'conflict_strategy': st.sampled_from(['keep', 'replace', ''])}),
        st.fixed_dictionaries({'new_path': paths, 'conflict_strategy': st.just('replace')}),
    )

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(uids, methods, paths, headers, bodies)
    def attack(uid: str, method: str, path: str, more: dict[str, str], body: dict[str, str]) -> None:
        client = Beefree(application, uid)
        answer = client.app.request(
            '/fsp/',
            method=method,
            headers=client.headers | more,
            body=json.dumps(body).encode(),
            environ={'PATH_INFO': ('/fsp/' + path).encode().decode('latin-1')},
            status='*',
            expect_errors=True,
        )
        assert b'hidden' not in answer.body
        for content in SECRETS.values():
            assert content not in answer.body

    attack()
    for path, content in SECRETS.items():
        assert sandbox.content(path) == content
    listing = sandbox.api('GET', '/pubapi/v1/fs/Shared/Beefree/victim').json()
    assert [file['name'] for file in listing['files']] == ['diary.png']
    assert sandbox.content('/Shared/Brand/logo.png') == b'logo'
    # Whatever was written is below the callers' own folders.
    folders = sandbox.api('GET', '/pubapi/v1/fs/Shared').json()['folders']
    assert sorted(folder['name'] for folder in folders) == ['Beefree', 'Board', 'Brand', 'Team']


def test_answers_hold_nothing_of_another_user(application: Any, source: Source) -> None:
    """No cached answer goes to another user, and uids are case-sensitive."""
    one, other = Beefree(application, 'one'), Beefree(application, 'One')
    url = one.upload('/mine.png', source.offer(PNG)).json['data']['meta']['public-url']
    assert one.names('/') == ['shared/', 'mine.png']
    assert other.names('/') == ['shared/']
    assert other.get('/mine.png').status_int == 404
    assert other.delete('/mine.png').status_int == 404
    assert other.move('/mine.png', '/').status_int == 404
    assert one.public(url).body == PNG


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_link_opens_one_file(application: Any, source: Source, data: st.DataObject) -> None:
    client = Beefree(application, 'one')
    url = client.upload('/a.png', source.offer(PNG), 'replace').json['data']['meta']['public-url']
    base, token, name = url.rsplit('/', 2)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from('ABCxyz0189-_').filter(lambda character: character != token[at]))
    assert client.public(f'{base}/{token[:at]}{other}{token[at + 1 :]}/{name}').status_int == 404
    assert client.public(f'{base}/{token}/{data.draw(st.sampled_from(["x", "b.html", "..", name]))}').body == PNG
