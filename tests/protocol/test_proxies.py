"""Answers of a proxy, a firewall or a gateway in Egnyte's place."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from fsp_pyramid.interfaces import IBackends, IPublic
from fsp_pyramid.testing import Sandbox

from ..background import settle
from ..conftest import Source
from ..public.test_content import later, make_client, url_of
from .beefree import PNG, Beefree, outcome

__all__ = ['make_client']

HOME = '/Shared/Beefree/u1'
HTML = '<html><body>Blocked by the firewall</body></html>'
FORBIDDEN = {'status': 403, 'body': HTML}
PAGES: list[dict[str, Any]] = [
    FORBIDDEN,
    {'status': 403},
    {'status': 403, 'body': '{"detail": "blocked"}'},
    {'status': 403, 'body': '{"error": "access_denied"}'},
    {'status': 403, 'body': '{"message": "Request blocked by WAF rule 1234"}'},
    *({'status': 200, 'body': body} for body in (HTML, '', '{"is_fol', '[]', 'null', '{}')),
    {'status': 302, 'headers': {'Location': 'http://portal.example/'}},
    {'status': 401, 'body': HTML},
    {'status': 408},
    {'status': 416},
    {'status': 416, 'body': HTML},
    {'status': 451, 'body': HTML},
    {'status': 596, 'body': '<h1>596 Service Not Found</h1>'},
]
pages = pytest.mark.parametrize('page', PAGES, ids=lambda page: f'{page["status"]} {page.get("body", "")[:12]}')


def instead(sandbox: Sandbox, page: dict[str, Any], **more: Any) -> None:
    sandbox.fail({'answer': page, 'path_prefix': '/pubapi', 'times': 1000} | more)


@pages
def test_foreign_answer_serves_the_stale_listing(client: Beefree, sandbox: Sandbox, page: dict[str, Any]) -> None:
    sandbox.upload(f'{HOME}/f.png', b'x')
    client.get('/')
    listing_cache = client.app.app.registry.getUtility(IBackends).listing_cache
    now = listing_cache.clock()
    listing_cache.clock = lambda: now + 3600
    instead(sandbox, page)
    sandbox.forget_calls()
    for _ in range(2):
        answer = client.get('/')
        assert outcome(answer) == (200, None)
        assert answer.headers['X-FSP-Stale'] == 'unavailable'
        assert [item['path'] for item in answer.json['data']['items']][-1] == '/f.png'
    assert len(sandbox.calls) == 1
    sandbox.fail()
    listing_cache.clock = lambda: now + 3700
    answer = client.get('/')
    assert 'X-FSP-Stale' not in answer.headers
    assert [item['path'] for item in answer.json['data']['items']][-1] == '/f.png'


@pages
@pytest.mark.parametrize('path', ['/', '/f.png'])
def test_without_an_old_listing_storage_is_unavailable(
    client: Beefree, sandbox: Sandbox, page: dict[str, Any], path: str, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.upload(f'{HOME}/f.png', b'x')
    instead(sandbox, page)
    sandbox.forget_calls()
    with caplog.at_level(logging.INFO):
        answer = client.get(path)
    assert outcome(answer) == (503, 3100)
    assert int(answer.headers['Retry-After']) > 0
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert len(sandbox.calls) == 1
    sandbox.fail()
    assert outcome(client.get(path)) == (200, None)


@pytest.mark.parametrize('body', [HTML, '{"error": "not_found"}', '{"message": "no Route matched"}'])
def test_foreign_404_evicts_no_listing(client: Beefree, sandbox: Sandbox, body: str) -> None:
    sandbox.upload(f'{HOME}/f.png', b'x')
    client.get('/')
    listing_cache = client.app.app.registry.getUtility(IBackends).listing_cache
    now = listing_cache.clock()
    listing_cache.clock = lambda: now + 3600
    instead(sandbox, {'status': 404, 'body': body})
    answer = client.get('/')
    assert answer.headers['X-FSP-Stale'] == 'unavailable'
    assert '/f.png' in [item['path'] for item in answer.json['data']['items']]


@pytest.mark.parametrize('body', [HTML, ''])
@pytest.mark.parametrize(
    'act',
    [
        lambda client: client.create('/e/'),
        lambda client: client.delete('/d/'),
        lambda client: client.delete('/f.png'),
        lambda client: client.move('/f.png', '/d/'),
    ],
    ids=['create', 'delete', 'delete file', 'move'],
)
def test_413_without_a_file_is_unavailability(
    client: Beefree, sandbox: Sandbox, act: Callable[[Beefree], Any], body: str
) -> None:
    sandbox.upload(f'{HOME}/f.png', b'x')
    client.get('/')
    client.create('/d/')
    instead(sandbox, {'status': 413, 'body': body})
    assert outcome(act(client)) == (503, 3100)


def test_413_to_an_upload_means_that_the_file_is_too_large(client: Beefree, sandbox: Sandbox, source: Source) -> None:
    client.get('/')
    sandbox.fail({'method': 'POST', 'path_prefix': '/pubapi/v1/fs-content', 'answer': {'status': 413, 'body': HTML}})
    assert outcome(client.upload('/a.png', source.offer(PNG))) == (422, 3906)


@pytest.mark.parametrize('lists', [{}, {'files': None, 'folders': None}, {'files': [], 'folders': []}])
def test_directory_with_an_incomplete_listing_is_not_deleted(
    client: Beefree, sandbox: Sandbox, lists: dict[str, Any]
) -> None:
    client.create('/d/')
    sandbox.upload(f'{HOME}/d/f.png', b'x')
    listing = sandbox.api('GET', f'/pubapi/v1/fs{HOME}/d?list_content=false').json() | {'total_count': 1} | lists
    page = {'status': 200, 'body': json.dumps(listing)}
    instead(sandbox, page, method='GET', path_prefix=f'/pubapi/v1/fs{HOME}/d')
    assert outcome(client.delete('/d/')) == (503, 3100)
    sandbox.fail()
    assert sandbox.exists(f'{HOME}/d/f.png')


@pages
@pytest.mark.parametrize('carried_out', [True, False])
def test_upload_with_a_foreign_answer_is_stored_once(
    client: Beefree, sandbox: Sandbox, source: Source, page: dict[str, Any], carried_out: bool
) -> None:
    client.get('/')
    page = page | {'carried_out': carried_out}
    sandbox.fail({'method': 'POST', 'path_prefix': '/pubapi/v1/fs-content', 'answer': page})
    answer = client.upload('/a.png', source.offer(PNG), 'keep')
    assert outcome(answer) == ((201, None) if page['status'] == 200 else (503, 3100))
    stored = page['status'] == 200 or carried_out
    assert sandbox.content(f'{HOME}/a.png') == (PNG if stored else None)
    assert client.names('/')[2:] == (['a.png'] if stored else [])


@pytest.mark.parametrize('body', [HTML, '', '[]'])
def test_folder_and_move_with_a_foreign_answer_are_done_once(client: Beefree, sandbox: Sandbox, body: str) -> None:
    sandbox.upload(f'{HOME}/f.png', b'x')
    client.get('/')
    taken = {'status': 200, 'body': body, 'carried_out': True}
    sandbox.fail({'method': 'POST', 'answer': taken})
    assert outcome(client.create('/d/')) == (201, None)
    sandbox.fail({'method': 'POST', 'answer': taken})
    assert outcome(client.move('/f.png', '/d/')) == (200, None)
    sandbox.fail({'method': 'DELETE', 'answer': taken})
    assert outcome(client.delete('/d/f.png')) == (200, None)
    assert client.names('/d/') == []


@pytest.mark.parametrize(
    'refusal',
    [
        {'status': 403, 'body': '<h1>Developer Over Rate</h1>'},
        {'status': 429, 'body': '{"message": "Developer Over Rate"}'},
    ],
)
def test_exhausted_quota_is_reported_and_costs_one_call(
    client: Beefree, sandbox: Sandbox, refusal: dict[str, Any]
) -> None:
    instead(sandbox, refusal)
    sandbox.forget_calls()
    for _ in range(3):
        answer = client.get('/')
        assert outcome(answer)[0] == 503
        assert outcome(answer)[1] in {3903, 3904}, '3904 in the last minute of a day'
        assert int(answer.headers['Retry-After']) > 0
    assert len(sandbox.calls) == 1


# Public files


def over(client: Beefree) -> None:
    """Move the clocks past the back-off."""
    client.app.app.registry.getUtility(IPublic).content_service.backoff.clear()


@pages
def test_picture_is_served_again_after_foreign_answers(
    make_client: Callable[..., Beefree], sandbox: Sandbox, page: dict[str, Any]
) -> None:
    sandbox.upload(f'{HOME}/a.png', PNG)
    client = make_client()
    url = url_of(client, '/a.png')
    instead(sandbox, page)
    sandbox.forget_calls()
    for _ in range(2):
        answer = client.public(url)
        assert answer.status_int == 503
        assert 'Retry-After' in answer.headers
    assert len(sandbox.calls) == 1
    sandbox.fail()
    over(client)
    assert client.public(url).body == PNG


def test_ambiguous_403_is_not_cached(make_client: Callable[..., Beefree], sandbox: Sandbox) -> None:
    sandbox.upload(f'{HOME}/a.png', PNG)
    client = make_client()
    url = url_of(client, '/a.png')
    instead(sandbox, {'status': 403, 'body': '{"message": "Your IP address is not allowed"}'})
    assert client.public(url).status_int == 503
    sandbox.fail()
    over(client)
    assert client.public(url).body == PNG


@pages
def test_cached_picture_is_served_during_foreign_answers(
    make_client: Callable[..., Beefree],
    sandbox: Sandbox,
    source: Source,
    monkeypatch: pytest.MonkeyPatch,
    page: dict[str, Any],
) -> None:
    client = make_client()
    url = client.upload('/a.png', source.offer(PNG)).json['data']['meta']['public-url']
    instead(sandbox, page)
    later(client, 86401, monkeypatch)
    for _ in range(2):
        assert client.public(url).body == PNG
        settle()


@pytest.mark.parametrize(
    ('page', 'seconds'),
    [
        ({'status': 404, 'body': HTML}, 400),
        ({'status': 404}, 400),
        ({'status': 404, 'body': '{"error": "not_found"}'}, 400),
        ({'status': 404, 'body': '{"errorMessage": "Item not found"}'}, 86401),
        ({'status': 403, 'body': '{"errorMessage": "You do not have permission"}'}, 86401),
    ],
)
def test_refusal_is_cached_for_its_ttl(
    make_client: Callable[..., Beefree],
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    page: dict[str, Any],
    seconds: int,
) -> None:
    sandbox.upload(f'{HOME}/a.png', PNG)
    client = make_client()
    url = url_of(client, '/a.png')
    instead(sandbox, page)
    sandbox.forget_calls()
    assert client.public(url).status_int == 404
    sandbox.fail()
    for passed in (0, seconds * 2 // 3):
        later(client, passed, monkeypatch)
        assert client.public(url).status_int == 404
        settle()
    assert len(sandbox.calls) == 1
    later(client, seconds, monkeypatch)
    assert client.public(url).body == PNG
    settle()


@pytest.mark.parametrize('headers', [{}, {'ETag': '"5f3c1a2b-264"', 'Last-Modified': 'Mon, 03 Aug 2026 11:48:35 GMT'}])
@pytest.mark.parametrize('body', [HTML, ''])
@pytest.mark.parametrize('which', ['public-url', 'thumbnail'])
def test_maintenance_page_is_not_served_as_a_picture(
    make_client: Callable[..., Beefree], sandbox: Sandbox, headers: dict[str, str], body: str, which: str
) -> None:
    sandbox.upload(f'{HOME}/a.png', PNG)
    client = make_client()
    url, thumbnail = url_of(client, '/a.png'), url_of(client, '/a.png', 'thumbnail')
    instead(sandbox, {'status': 200, 'headers': headers, 'body': body})
    assert HTML.encode() not in client.public(url if which == 'public-url' else thumbnail).body
    settle()
    sandbox.fail()
    over(client)
    assert client.public(url).body == PNG
