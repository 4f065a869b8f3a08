"""Answers of servers between the client and Egnyte: login pages, firewalls, gateways, maintenance pages."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from fsp_pyramid import egnyte
from fsp_pyramid.egnyte import Client, errors
from fsp_pyramid.testing import Sandbox, content

from .support import (
    LARGE,
    Hooked,
    Paced,
    answer,
    upload,
)

HTML = '<html><body>Please log in</body></html>'
OTHERS = (HTML, '', '{"is_folder": tr', '[]', 'null', '7', '"x"', '{}', '{"is_folder": false}')
# Statuses and bodies in place of a JSON object of Egnyte.
PAGES: list[dict[str, Any]] = [
    *(
        {'status': 200, 'body': body}
        for body in (HTML, '', '{"is_folder": tr', '[]', 'null', '7', '"x"', '{}', '{"a":1}')
    ),
    {'status': 200, 'body': '{"is_folder": true, "total_count": 0}'},
    {'status': 200, 'body': '[' * 100_000},
    {'status': 302, 'headers': {'Location': 'http://portal.example/'}, 'body': HTML},
    {'status': 304},
    {'status': 408, 'body': HTML},
    *({'status': status, 'body': HTML} for status in (400, 401, 403, 405, 407, 409, 410, 423, 451, 511, 520, 530, 596)),
    {'status': 203, 'body': HTML},
    *({'status': status, 'body': body} for status in (413, 416) for body in (HTML, '')),
    *({'status': 403, 'body': body} for body in ('{"message": "Rate limit exceeded"}', '{"error": "access_denied"}')),
]
READS: dict[str, Callable[[Client], Any]] = {
    'list': lambda client: client.list_folder('/Shared'),
    'stat': lambda client: client.stat_file('/Shared/home/f'),
    'stat by id': lambda client: client.stat_file_by_id('x'),
    'count': lambda client: client.count_items('x'),
    'trash': lambda client: client.trash(),
    'events': lambda client: client.events(1),
    'cursor': lambda client: client.events_cursor(),
    'userinfo': lambda client: client.userinfo(),
}


@pytest.mark.parametrize('page', PAGES, ids=lambda page: f'{page["status"]} {page.get("body", "")[:20]}')
@pytest.mark.parametrize('read', READS)
def test_foreign_answer_is_unavailable_after_one_call(
    client: Client, sandbox: Sandbox, read: str, page: dict[str, Any]
) -> None:
    sandbox.fail({'answer': page, 'times': 9})
    with pytest.raises(errors.EgnyteError) as caught:
        READS[read](client)
    assert type(caught.value) is errors.Unavailable
    assert len(sandbox.calls) == 1


def test_json_with_a_byte_order_mark_is_accepted(client: Client, sandbox: Sandbox) -> None:
    hooks = Hooked(sandbox)

    def after(request: requests.PreparedRequest, response: requests.Response) -> requests.Response:
        marked = b'\xef\xbb\xbf' + response.content
        return answer(request, 200, marked, Content_Type='application/json;charset=UTF-8')

    hooks.after = after
    assert client.list_folder('/Shared').folder.name == 'Shared'


CHANGES: dict[str, Callable[[Client], Any]] = {
    'upload': lambda client: upload(client, '/Shared/home/b', b'x'),
    'move': lambda client: client.move('/Shared/home/a', '/Shared/home/c'),
    'create': lambda client: client.create_folder('/Shared/home/d'),
    'restore': lambda client: client.restore('x'),
}


@pytest.mark.parametrize('body', [HTML, '', '[]', 'null', '{"a'])
@pytest.mark.parametrize('change', CHANGES)
def test_foreign_answer_to_a_change_is_unreachable(client: Client, sandbox: Sandbox, change: str, body: str) -> None:
    upload(client, '/Shared/home/a', b'x')
    sandbox.fail({'method': 'POST', 'answer': {'status': 200, 'body': body, 'carried_out': True}, 'times': 9})
    sandbox.forget_calls()
    with pytest.raises(errors.Unreachable):
        CHANGES[change](client)
    assert len(sandbox.calls) == 1


@pytest.mark.parametrize('status', [302, 400, 401, 403, 408, 409, 416, 451])
@pytest.mark.parametrize('change', CHANGES)
def test_firewall_refusal_is_not_unreachable(client: Client, sandbox: Sandbox, change: str, status: int) -> None:
    upload(client, '/Shared/home/a', b'x')
    sandbox.fail({'method': 'POST', 'answer': {'status': status, 'body': HTML}, 'times': 9})
    sandbox.forget_calls()
    with pytest.raises(errors.Unavailable) as caught:
        CHANGES[change](client)
    assert type(caught.value) is errors.Unavailable
    assert len(sandbox.calls) == 1


def test_deletion_with_a_foreign_answer_is_retried(client: Client, sandbox: Sandbox) -> None:
    stored = upload(client, '/Shared/home/a', b'x')
    sandbox.fail({'method': 'DELETE', 'answer': {'status': 200, 'body': HTML, 'carried_out': True}})
    sandbox.forget_calls()
    client.delete_file(stored.file_id)
    assert len(sandbox.calls) == 2
    assert not sandbox.exists('/Shared/home/a')


def test_upload_answer_without_checksum_is_not_corrupted(client: Client, sandbox: Sandbox) -> None:
    Hooked(sandbox).replace(200, {'group_id': 'g', 'entry_id': 'e'})
    with pytest.raises(errors.Unreachable):
        upload(client, '/Shared/home/a', b'x')


@pytest.mark.parametrize('number', [1, 2])
def test_foreign_answers_to_chunks(chunking: tuple[Client, Hooked], number: int) -> None:
    client, hooks = chunking
    posted = 0

    def after(request: requests.PreparedRequest, response: requests.Response) -> requests.Response:
        nonlocal posted
        posted += request.method == 'POST'
        return answer(request, 200, HTML.encode()) if posted >= number else response

    hooks.after = after
    with pytest.raises(errors.Unreachable):
        upload(client, '/Shared/home/large', LARGE)
    assert posted <= number + 2, 'a chunk may be sent again, an upload not begun again'


@pytest.mark.parametrize(
    ('headers', 'is_egnytes'),
    [
        ({}, False),
        ({'ETag': '"5f3c1a2b-264"', 'Last-Modified': 'Mon, 03 Aug 2026 11:48:35 GMT'}, False),
        ({'ETag': 'd41d8cd98f00b204e9800998ecf8427e'}, False),
        ({'ETag': '8b0c7efa-ff6d-4f7d-986b-c41608092fa4'}, True),
        ({'ETag': 'W/"8b0c7efa-ff6d-4f7d-986b-c41608092fa4"'}, True),
        ({'ETag': '"v1"', 'X-Sha512-Checksum': '0' * 128}, True),
    ],
)
def test_html_page_has_no_version_id(
    client: Client, sandbox: Sandbox, headers: dict[str, str], is_egnytes: bool
) -> None:
    sandbox.fail({'answer': {'status': 200, 'headers': headers, 'body': HTML}})
    download = client.download('x')
    download.close()
    assert bool(download.version_id) is is_egnytes


# Too many calls


@pytest.mark.parametrize(
    'refusal',
    [
        {'status': 429, 'body': '{"message": "Developer Over Rate"}'},
        {'status': 429, 'body': '<h1>Developer Over Rate</h1>', 'headers': {'Retry-After': 'soon'}},
        {'status': 403, 'body': '', 'headers': {'X-Mashery-Error-Code': 'ERR_403_DEVELOPER_OVER_RATE'}},
        {'status': 403, 'body': '<h1>Developer Over Rate</h1>'},
        {'status': 403, 'body': '<h1>Developer Over Rate</h1>', 'headers': {'Retry-After': '0'}},
    ],
)
def test_exhausted_quota_costs_one_call_until_midnight(
    client: Client, sandbox: Sandbox, rate_limiter: Paced, refusal: dict[str, Any]
) -> None:
    sandbox.fail({'answer': refusal, 'times': 99})
    for _ in range(3):
        with pytest.raises(errors.QuotaExceeded) as caught:
            client.list_folder('/Shared')
        assert caught.value.wait == pytest.approx(86400 - rate_limiter.now % 86400, abs=1)
    rate_limiter.now += 6300
    with pytest.raises(errors.EgnyteError):
        client.list_folder('/Shared')
    assert len(sandbox.calls) == 1
    assert rate_limiter.waits == []
    sandbox.fail()
    rate_limiter.now += 120
    assert client.list_folder('/Shared').folder.name == 'Shared'


@pytest.mark.parametrize(
    'refusal',
    [
        {'status': 403, 'body': '<h1>Developer Over Qps</h1>'},
        {'status': 403, 'body': 'x', 'headers': {'X-Mashery-Error-Code': 'ERR_403_SERVICE_OVER_QPS'}},
        {'status': 429, 'body': '', 'headers': {'Retry-After': 'Tue, 14 Nov 2023 22:13:22 GMT'}},
    ],
)
def test_throttled_caller_waits_and_retries(
    client: Client, sandbox: Sandbox, rate_limiter: Paced, refusal: dict[str, Any]
) -> None:
    sandbox.fail({'answer': refusal})
    assert client.list_folder('/Shared').folder.name == 'Shared'
    assert len(sandbox.calls) == 2
    assert 1 <= sum(rate_limiter.waits) <= 2


# Listings that change between two pages


@pytest.fixture
def paged(client: Client, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Hooked:
    """Make a folder of six files, listed in pages of two."""
    monkeypatch.setattr('fsp_pyramid.egnyte.client.PAGE', 2)
    for name in 'bcdefg':
        upload(client, f'/Shared/home/{name}', name.encode())
    sandbox.forget_calls()
    return Hooked(sandbox)


def between(hooks: Hooked, *changes: Callable[[], Any], of: str) -> None:
    """Make a change after each answer to a call whose URL holds *of*, as long as there are any."""
    left = list(changes)

    def after(request: requests.PreparedRequest, response: requests.Response) -> requests.Response:
        if of in request.url and request.method == 'GET' and left:
            _ = response.content
            left.pop(0)()
        return response

    hooks.after = after


def names(client: Client) -> str:
    return ''.join(sorted(file.name for file in client.list_folder('/Shared/home').files))


@pytest.mark.parametrize(
    ('changes', 'expected', 'calls'),
    [
        ([], 'bcdefg', 3),
        ([('upload', 'a')], 'abcdefg', 2 + 4),
        ([('delete', 'b')], 'cdefg', 2 + 3),
        ([('upload', 'z')], 'bcdefgz', 2 + 4),
        ([('delete', 'b'), ('delete', 'c')], 'defg', 2 + 2),
    ],
)
def test_listing_that_changes_is_repeated(
    client: Client, sandbox: Sandbox, paged: Hooked, changes: list[tuple[str, str]], expected: str, calls: int
) -> None:
    between(paged, *(change(sandbox, *each) for each in changes), of='/fs/Shared/home')
    assert names(client) == expected
    listed = [request for request, _ in paged.sent if request.method == 'GET' and 'count=2' in request.url]
    assert len(listed) == calls


def change(sandbox: Sandbox, what: str, name: str) -> Callable[[], Any]:
    path = f'/Shared/home/{name}'
    if what == 'upload':
        return lambda: sandbox.upload(path, b'x')
    return lambda: sandbox.api('DELETE', f'/pubapi/v1/fs{path}').raise_for_status()


def test_repeated_item_with_the_same_total(client: Client, sandbox: Sandbox, paged: Hooked) -> None:
    def shift() -> None:
        change(sandbox, 'upload', 'a')()
        change(sandbox, 'delete', 'g')()

    between(paged, shift, of='/fs/Shared/home')
    assert names(client) == 'abcdef'


def test_always_changing_listing_has_each_item_once(client: Client, sandbox: Sandbox, paged: Hooked) -> None:
    between(paged, *(change(sandbox, 'upload', f'a{number}') for number in range(8)), of='/fs/Shared/home')
    found = [file.name for file in client.list_folder('/Shared/home').files]
    assert len(found) == len(set(found))
    assert {*'bcdefg'} <= set(found)
    assert len(paged.sent) < 30


def cut(hooks: Hooked, *left: int, total: int = 6) -> None:
    """Keep so many items of each page; leave the rest of the answer as it is. The last number is repeated."""
    numbers = list(left)

    def after(request: requests.PreparedRequest, response: requests.Response) -> requests.Response:
        body = response.json()
        number = numbers.pop(0) if len(numbers) > 1 else numbers[0]
        return answer(request, 200, body | {'files': body['files'][:number], 'total_count': total})

    hooks.after = after


def test_incomplete_listing_is_listed_again(client: Client, paged: Hooked) -> None:
    cut(paged, 2, 0, 2)
    assert names(client) == 'bcdefg'
    assert len(paged.sent) == 2 + 3


@pytest.mark.parametrize(('left', 'calls'), [((2, 0, 2, 0), 4), ((2, 1, 1, 0, 2, 1, 1, 0), 8)])
def test_listing_that_lacks_items_twice_has_the_others(
    client: Client, paged: Hooked, left: tuple[int, ...], calls: int
) -> None:
    """It is not documented whether the total counts items that the user may not see."""
    cut(paged, *left)
    assert 'bcdefg'.startswith(names(client))
    assert len(paged.sent) == calls


@pytest.mark.parametrize('lists', [{}, {'files': None, 'folders': None}, {'files': [], 'folders': []}])
def test_folder_with_items_is_not_taken_for_empty(client: Client, paged: Hooked, lists: dict[str, Any]) -> None:
    def after(request: requests.PreparedRequest, response: requests.Response) -> requests.Response:
        body = {key: value for key, value in response.json().items() if key not in {'files', 'folders'}}
        return answer(request, 200, body | lists)

    paged.after = after
    with pytest.raises(errors.Unavailable, match='0 of 6 items'):
        client.list_folder('/Shared/home')


def test_pages_that_repeat_are_unavailable(client: Client, sandbox: Sandbox, paged: Hooked) -> None:
    """A proxy may ignore the query."""
    first = sandbox.api('GET', '/pubapi/v1/fs/Shared/home?count=2').json()
    paged.after = lambda request, _response: answer(request, 200, first)
    with pytest.raises(errors.Unavailable, match='2 of 6 items'):
        client.list_folder('/Shared/home')


def test_listing_with_short_pages_is_complete(client: Client, paged: Hooked) -> None:
    cut(paged, 1)
    assert names(client) == 'bcdefg'
    assert len(paged.sent) == 6


@pytest.mark.parametrize('size', [10**30, 2**63, -1, 1e300])
def test_item_with_an_impossible_size_is_unavailable(client: Client, paged: Hooked, size: float) -> None:
    def after(request: requests.PreparedRequest, response: requests.Response) -> requests.Response:
        body = response.json()
        body['files'][0]['size'] = size
        return answer(request, 200, body)

    paged.after = after
    with pytest.raises(errors.Unavailable):
        client.list_folder('/Shared/home')


def trashed(client: Client) -> str:
    return ''.join(sorted(item.path[-1] for item in client.trash()))


def restore(sandbox: Sandbox, name: str) -> Callable[[], Any]:
    def act() -> None:
        items = sandbox.api('GET', '/pubapi/v2/fs/trash?count=1000').json()['items']
        (item,) = (item for item in items if item['path'].endswith(f'/{name}'))
        body = {'action': 'RESTORE', 'ids': [item['id']]}
        sandbox.api('POST', '/pubapi/v1/fs/trash', json=body).raise_for_status()

    return act


@pytest.mark.parametrize('name', 'bcdef')
@pytest.mark.parametrize('what', ['restore', 'delete', None])
def test_trash_that_changes_is_listed_again(
    client: Client, sandbox: Sandbox, paged: Hooked, what: str | None, name: str
) -> None:
    for each in 'bcdef':
        change(sandbox, 'delete', each)()
    acts = {'restore': restore(sandbox, name), 'delete': change(sandbox, 'delete', 'g')}
    between(paged, *([acts[what]] if what else []), of='count=2&offset=0')
    expected = {'restore': set('bcdef') - {name}, 'delete': set('bcdefg'), None: set('bcdef')}[what]
    found = trashed(client)
    assert len(found) == len(set(found))
    assert expected <= set(found)
    if what:
        assert set(found) == expected


def test_empty_trash_is_one_call(client: Client, sandbox: Sandbox) -> None:
    assert client.trash() == []
    assert len(sandbox.calls) == 1


def test_corrupted_upload_is_reported_despite_a_proxy(client: Client, sandbox: Sandbox) -> None:
    """The checksum in Egnyte's own answer is still compared."""
    body = json.dumps({'group_id': 'g', 'entry_id': 'e', 'checksum': '0' * 128})
    sandbox.fail({'method': 'POST', 'answer': {'status': 200, 'body': body}})
    with pytest.raises(egnyte.Corrupted):
        client.upload('/Shared/home/a', content(b'x'))
