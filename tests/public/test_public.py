"""Public files: responses and error texts for readers of e-mails."""

import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from pyramid.events import ContextFound
from pyramid.request import Request
from pyramid.testing import DummyRequest
from requests import PreparedRequest, Response

from fsp_pyramid import errors
from fsp_pyramid.content.index import Index
from fsp_pyramid.embedded import WSGIAdapter
from fsp_pyramid.public import views
from fsp_pyramid.testing import Sandbox

from ..background import settle
from ..protocol.beefree import PNG, Beefree

CONTENT = PNG + bytes(200_000)
CONDITIONS = {
    'all of it': ('GET', {}, 200),
    'a part': ('GET', {'Range': 'bytes=70000-70004'}, 206),
    'not again': ('GET', {'If-Modified-Since': 'Fri, 01 Jan 2100 00:00:00 GMT'}, 304),
    'behind the end': ('GET', {'Range': 'bytes=9999999-'}, 416),
    'only the headers': ('HEAD', {}, 200),
    'the headers of all of it, whatever the part': ('HEAD', {'Range': 'bytes=3-5'}, 200),
}


@pytest.fixture
def url(client: Beefree, sandbox: Sandbox) -> str:
    sandbox.upload('/Shared/Beefree/u1/a.png', CONTENT)
    return client.get('/a.png').json['data']['meta']['public-url']


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Response]:
    """Return the list of Egnyte's responses with content."""
    answers, send = [], WSGIAdapter.send

    def keeping(self: WSGIAdapter, request: PreparedRequest, **options: Any) -> Response:
        answer = send(self, request, **options)
        if '/fs-content/' in (request.url or ''):
            answers.append(answer)
        return answer

    monkeypatch.setattr(WSGIAdapter, 'send', keeping)
    return answers


def test_known_file_costs_one_statement_and_no_transaction(
    client: Beefree, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.public(url).body == CONTENT
    settle()
    queries: list[str] = []
    row = Index._row

    def count(self: Index, query: str, *values: str) -> Any:
        queries.append(query)
        return row(self, query, *values)

    monkeypatch.setattr(Index, '_row', count)
    active = []
    client.app.app.registry.registerHandler(
        lambda event: active.append('tm.active' in event.request.environ), (ContextFound,)
    )
    response = client.public(url)
    assert response.body == CONTENT
    assert (len(queries), active) == (1, [False])
    client.get('/')
    assert not active[-1], 'a read without a database of accounts'
    client.create('/d/')
    assert active[-1]


@pytest.mark.parametrize('condition', CONDITIONS)
def test_connection_to_egnyte_is_released(client: Beefree, url: str, opened: list[Response], condition: str) -> None:
    method, headers, status = CONDITIONS[condition]
    answer = client.public(url, method=method, headers=headers)
    assert answer.status_int == status
    (content,) = opened
    settle()
    assert content.raw.closed


@pytest.mark.parametrize('headers', [{}, {'Range': 'bytes=5-150000'}])
def test_connection_is_released_when_the_client_disconnects(
    client: Beefree, url: str, opened: list[Response], headers: dict[str, str]
) -> None:
    answer = client.app.app(Request.blank(urlsplit(url).path, headers=headers).environ, lambda *_arguments: None)
    assert next(iter(answer))
    answer.close()
    settle()
    assert opened[-1].raw.closed


@pytest.mark.parametrize('condition', CONDITIONS)
def test_uploads_cannot_act_under_our_origin(client: Beefree, url: str, condition: str) -> None:
    method, headers, status = CONDITIONS[condition]
    answer = client.public(url, method=method, headers=headers)
    assert answer.status_int == status
    assert answer.headers['X-Content-Type-Options'] == 'nosniff'
    assert answer.headers['Content-Security-Policy'] == "sandbox; default-src 'none'"
    assert answer.headers['Cross-Origin-Resource-Policy'] == 'cross-origin'


def test_range_is_served(client: Beefree, url: str) -> None:
    answer = client.public(url, headers={'Range': 'bytes=4-110'})
    assert answer.body == CONTENT[4:111]
    assert answer.headers['Content-Range'] == f'bytes 4-110/{len(CONTENT)}'


@pytest.mark.parametrize(
    ('part', 'condition', 'status'),
    [
        ('bytes=0-9', None, 206),
        ('bytes=9-5', None, 200),
        ('bytes=-', None, 200),
        ('bytes=-0', None, 200),
        (f'bytes=0-{"9" * 5000}', None, 200),
        ('bytes=0-9', 'yesterday GMT', 200),
        ('bytes=0-9', 'Fri, 01 Jan 2100 00:00:00 GMT', 200),
        ('bytes=0-9', 'W/{etag}', 200),
        ('bytes=0-9', '{etag}', 206),
    ],
)
def test_odd_range_is_served_or_ignored(
    client: Beefree, url: str, part: str, condition: str | None, status: int
) -> None:
    whole = client.public(url)
    headers = {'Range': part}
    if condition is not None:
        headers['If-Range'] = condition.format(etag=whole.headers['ETag'])
    answer = client.public(url, headers=headers)
    assert answer.status_int == status
    assert status != 200 or answer.body == CONTENT


def test_deleted_picture_is_not_found(client: Beefree, url: str) -> None:
    client.delete('/a.png')
    for path in (url, f'{url[:-9]}x/a.png'):
        answer = client.public(path)
        assert (answer.status_int, answer.text) == (404, 'Resource not found. There is no such file.')


def test_other_method_is_refused_with_the_allowed_ones(client: Beefree, url: str) -> None:
    answer = client.public(url, method='PUT')
    assert (answer.status_int, answer.headers['Allow']) == (405, 'GET, HEAD')
    assert answer.text == 'Method not allowed. Files have no method PUT here.'


@pytest.mark.parametrize(
    ('fault', 'status', 'text', 'level'),
    [
        (429, 503, 'Storage is busy', 'WARNING'),
        (500, 503, 'Storage unavailable', 'WARNING'),
        (400, 503, 'Something went wrong', 'ERROR'),
        (403, 404, 'Resource not found. There is no such file.', 'INFO'),
    ],
)
def test_egnyte_error_is_reported_briefly_and_logged_in_a_line(
    make_app: Callable[..., Any],
    sandbox: Sandbox,
    url: str,
    caplog: pytest.LogCaptureFixture,
    fault: int,
    status: int,
    text: str,
    level: str,
) -> None:
    caplog.set_level(logging.INFO, views.__name__)
    sandbox.fail({'status': fault, 'times': 100, 'path_prefix': '/pubapi/v1/fs-content'})
    answer = Beefree(make_app(egnyte__max_wait='0')).public(url)
    assert (answer.status_int, answer.text) == (status, text)
    assert answer.headers['X-Content-Type-Options'] == 'nosniff'
    (record,) = (record for record in caplog.records if record.name == views.__name__)
    assert record.levelname == level
    assert record.exc_info is None
    assert f'Injected fault {fault}' in record.getMessage()
    assert urlsplit(url).path.split('/')[2] not in caplog.text


@pytest.mark.parametrize(
    ('error', 'text'),
    [
        (errors.QuotaUsedUp('This account...', retry_after=7200), 'Daily limit reached'),
        (errors.ConnectionExpired(), 'Permission denied'),
        (errors.NotConnected(), 'Permission denied'),
        (errors.TokenRefused(), 'Something went wrong'),
        (errors.NotFound('"The root" does not exist any more.'), 'Resource not found. There is no such file.'),
    ],
)
def test_error_text_does_not_mention_accounts(error: errors.FSPError, text: str) -> None:
    answer = views.error(error, DummyRequest(fsp_stats=SimpleNamespace()))
    assert (answer.status_int, answer.text) == (error.status, text)
    told = error.headers.get('Retry-After', '30')
    assert answer.headers.get('Retry-After') == (told if error.status == 503 else None)


def test_unexpected_error_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    error = ZeroDivisionError('secret plans')
    answer = views.error(error, DummyRequest(fsp_stats=SimpleNamespace()))
    assert (answer.status_int, answer.text) == (503, 'Something went wrong')
    (record,) = caplog.records
    assert record.levelname == 'ERROR'
    assert record.exc_info is not None
    assert record.exc_info[1] is error
