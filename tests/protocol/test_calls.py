"""Budget of calls to Egnyte for each operation. Egnyte limits calls per second and per day."""

from collections.abc import Callable
from typing import Any

import pytest

from fsp_pyramid.interfaces import IBackends
from fsp_pyramid.testing import Sandbox

from ..conftest import Source
from .beefree import PNG, Beefree, outcome

Operation = Callable[[Beefree, str], Any]


@pytest.fixture(autouse=True)
def tree(sandbox: Sandbox) -> None:
    for name in ('d/f.png', 'd/g.png', 'e/f.png', 'f.png'):
        sandbox.upload(f'/Shared/Beefree/u1/{name}', b'x')
    for name in ('Beefree/u1/empty', 'Beefree/u1/d/empty'):
        sandbox.api('POST', f'/pubapi/v1/fs/Shared/{name}', json={'action': 'add_folder'})
    sandbox.forget_calls()


OPERATIONS: dict[str, tuple[Operation, list[str], list[str], int, int]] = {
    # what is done; what makes the parent known; what is listed afterwards; calls cold, calls with the parent known
    'list': (lambda c, url: c.get('/d/'), ['/d/'], ['/d/'], 1, 0),
    'metadata': (lambda c, url: c.get('/d/f.png'), ['/d/'], [], 1, 0),
    'create': (lambda c, url: c.create('/d/new/'), ['/d/'], ['/d/', '/d/new/'], 2, 1),
    'delete a directory': (lambda c, url: c.delete('/d/empty/'), ['/d/'], [], 2, 2),
    'upload': (lambda c, url: c.upload('/d/new.png', url), ['/d/'], ['/d/'], 2, 1),
    'upload, replace': (lambda c, url: c.upload('/d/f.png', url, 'replace'), ['/d/'], ['/d/'], 2, 1),
    'upload, keep': (lambda c, url: c.upload('/d/f.png', url, 'keep'), ['/d/'], ['/d/'], 2, 1),
    'upload, new editor_images': (
        lambda c, url: c.upload('/editor_images/f.png', url), ['/'], ['/editor_images/'], 3, 2
    ),
    'delete a file': (lambda c, url: c.delete('/d/f.png'), ['/d/'], ['/d/'], 2, 1),
    'move': (lambda c, url: c.move('/d/g.png', '/e/'), ['/d/', '/e/'], ['/d/', '/e/'], 3, 1),
    'move, replace': (lambda c, url: c.move('/d/f.png', '/e/', 'replace'), ['/d/', '/e/'], ['/d/', '/e/'], 5, 3),
    'move, keep': (lambda c, url: c.move('/d/f.png', '/e/', 'keep'), ['/d/', '/e/'], ['/d/', '/e/'], 3, 1),
}  # fmt: skip


@pytest.mark.parametrize('name', OPERATIONS)
@pytest.mark.parametrize('known', [False, True], ids=['cold', 'known'])
def test_operation_costs_its_budget(client: Beefree, sandbox: Sandbox, source: Source, name: str, known: bool) -> None:
    operation, parents, affected, cold, warm = OPERATIONS[name]
    if known:
        for path in parents:
            client.get(path)
    sandbox.forget_calls()
    answer = operation(client, source.offer(PNG))
    assert answer.status_int in {200, 201}
    assert len(sandbox.calls) == (warm if known else cold), sandbox.calls
    sandbox.forget_calls()
    for path in affected:
        assert outcome(client.get(path)) == (200, None)
    assert sandbox.calls == [], 'a listing after our own write costs nothing'


def test_listing_after_a_deletion_costs_no_call(client: Beefree, sandbox: Sandbox) -> None:
    client.get('/d/')
    client.delete('/d/empty/')
    sandbox.forget_calls()
    assert client.names('/d/') == ['f.png', 'g.png']
    assert sandbox.calls == []


@pytest.mark.parametrize(
    ('operation', 'calls'),
    [
        (lambda c, url: c.get('/'), 1),
        (lambda c, url: c.create('/d/'), 3),
        (lambda c, url: c.upload('/a.png', url), 3),
        (lambda c, url: c.upload('/editor_images/a.png', url), 3),
    ],
    ids=['list', 'create', 'upload', 'editor_images'],
)
def test_first_requests_of_a_new_uid_cost_their_budget(
    make_app: Callable[..., Any], sandbox: Sandbox, source: Source, operation: Operation, calls: int
) -> None:
    client = Beefree(make_app(), uid='new')
    assert operation(client, source.offer(PNG)).status_int in {200, 201}
    assert len(sandbox.calls) == calls, sandbox.calls


def test_conflict_costs_only_the_listing(client: Beefree, sandbox: Sandbox, source: Source) -> None:
    client.get('/')
    sandbox.forget_calls()
    assert outcome(client.upload('/f.png', source.offer(PNG), 'ask')) == (409, 3400)
    assert outcome(client.move('/d/f.png', '/')) == (409, 3400)
    assert len(sandbox.calls) == 1  # the listing of /d/


def test_public_content_costs_one_call(client: Beefree, sandbox: Sandbox) -> None:
    url = client.get('/f.png').json['data']['meta']['public-url']
    sandbox.forget_calls()
    assert client.public(url).body == b'x'
    assert len(sandbox.calls) == 1
    sandbox.forget_calls()
    other = 'y' if url[40] == 'x' else 'x'
    assert client.public(f'{url[:40]}{other}{url[41:]}').status_int == 404
    assert sandbox.calls == [], 'a bad signature is found without a call'


def test_listing_costs_one_call_per_thousand_entries(client: Beefree, sandbox: Sandbox) -> None:
    for number in range(1003):
        sandbox.upload(f'/Shared/Team/{number}.txt', b'x')
    sandbox.forget_calls()
    answer = client.get('/team/')
    assert len(sandbox.calls) == 2
    assert answer.json['data']['meta']['item-count'] == 1003
    assert len({item['path'] for item in answer.json['data']['items']}) == 1003


def test_invalid_requests_cost_no_call(client: Beefree, sandbox: Sandbox, source: Source) -> None:
    client.get('/')
    client.get('/shared/')
    sandbox.forget_calls()
    assert outcome(client.get('/none')) == (404, 3200)
    assert outcome(client.get('/none/')) == (404, 3200)
    assert outcome(client.upload('/shared/a.png', source.offer(PNG))) == (403, 3300)
    assert outcome(client.create('/a*/')) == (400, 3905)
    assert outcome(client.delete('/none')) == (404, 3200)
    assert sandbox.calls == []


def test_last_calls_of_the_day_are_reserved_for_writes(client: Beefree, sandbox: Sandbox, source: Source) -> None:
    rate_limiter = client.app.app.registry.getUtility(IBackends).rate_limiter
    rate_limiter.observe(
        rate_limiter.acquire('sandbox', 10),
        {'X-Accesstoken-Quota-Allotted': '1000', 'X-Accesstoken-Quota-Current': '950'},
    )
    assert outcome(client.get('/')) == (503, 3903)
    assert outcome(client.upload('/new.png', source.offer(PNG))) == (201, None)
    assert outcome(client.create('/e/new/')) == (201, None)
    assert outcome(client.get('/')) == (200, None), 'the look before the upload is remembered'
