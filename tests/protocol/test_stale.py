"""Stale caches and concurrent changes: callers do not notice them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest

from fsp_pyramid.embedded import WSGIAdapter
from fsp_pyramid.interfaces import IBackends
from fsp_pyramid.testing import Sandbox

from ..conftest import Source
from ..timing import PATIENCE
from .beefree import PNG, Beefree, outcome
from .test_concurrency import at_once

HOME = '/Shared/Beefree/u1'


def create(sandbox: Sandbox, path: str) -> None:
    """Create a folder, as another process does."""
    sandbox.api('POST', f'/pubapi/v1/fs{path}', json={'action': 'add_folder'}).raise_for_status()


def slow_writes(sandbox: Sandbox) -> None:
    sandbox.fail({'method': 'POST', 'path_prefix': '/pubapi/v1/fs/', 'latency': 0.05, 'times': 100})


def test_first_write_finds_the_folder_of_another_process(
    make_app: Callable[..., Any], sandbox: Sandbox, source: Source
) -> None:
    client = Beefree(make_app(), 'new')
    client.get('/')
    create(sandbox, '/Shared/Beefree/new')
    assert outcome(client.upload('/a.png', source.offer(PNG))) == (201, None)
    assert 'a.png' in client.names('/')


def test_implied_directory_of_another_process_is_used(client: Beefree, sandbox: Sandbox, source: Source) -> None:
    client.get('/')
    create(sandbox, f'{HOME}/editor_images')
    assert outcome(client.upload('/editor_images/a.png', source.offer(PNG))) == (201, None)


def test_file_with_the_name_of_an_implied_directory_is_refused(
    client: Beefree, sandbox: Sandbox, source: Source
) -> None:
    sandbox.upload(f'{HOME}/editor_images', b'x')
    assert client.upload('/editor_images/a.png', source.offer(PNG)).status_int == 403


def test_directory_of_another_process_counts_as_taken(client: Beefree, sandbox: Sandbox) -> None:
    client.get('/')
    create(sandbox, f'{HOME}/d')
    assert outcome(client.create('/d/')) == (403, 3400)


@pytest.mark.parametrize(
    ('strategy', 'expected', 'names'),
    [
        ('keep', (200, None), ['f.png', 'f_1.png']),
        ('replace', (200, None), ['f.png']),
        ('ask', (409, 3400), ['f.png']),
    ],
)
def test_move_to_a_name_taken_meanwhile_follows_the_strategy(
    client: Beefree, sandbox: Sandbox, strategy: str, expected: tuple[int, int | None], names: list[str]
) -> None:
    sandbox.upload(f'{HOME}/f.png', b'mine')
    create(sandbox, f'{HOME}/d')
    client.get('/')
    client.get('/d/')
    sandbox.upload(f'{HOME}/d/f.png', b'theirs')
    assert outcome(client.move('/f.png', '/d/', strategy)) == expected
    assert client.names('/d/') == names
    assert ('f.png' in client.names('/')) is (strategy == 'ask')


def test_move_of_a_deleted_file_is_not_found(client: Beefree, sandbox: Sandbox) -> None:
    sandbox.upload(f'{HOME}/f.png', b'x')
    create(sandbox, f'{HOME}/d')
    client.get('/')
    sandbox.api('DELETE', f'/pubapi/v1/fs{HOME}/f.png')
    assert outcome(client.move('/f.png', '/d/')) == (404, 3200)
    assert 'f.png' not in client.names('/')


def test_delete_follows_a_replaced_file(client: Beefree, sandbox: Sandbox) -> None:
    sandbox.upload(f'{HOME}/f.png', b'x')
    client.get('/')
    sandbox.api('DELETE', f'/pubapi/v1/fs{HOME}/f.png')
    sandbox.upload(f'{HOME}/f.png', b'another')
    assert outcome(client.delete('/f.png')) == (200, None)
    assert not sandbox.exists(f'{HOME}/f.png')


def test_concurrent_first_writes_succeed(make_app: Callable[..., Any], sandbox: Sandbox, source: Source) -> None:
    url, application = source.offer(PNG), make_app()
    slow_writes(sandbox)
    for number in range(4):
        one, other = Beefree(application, f'n{number}'), Beefree(application, f'n{number}')
        one.get('/')
        answers = at_once(
            lambda one=one: one.upload('/x.png', url, 'replace'),
            lambda other=other: other.upload('/editor_images/y.png', url, 'replace'),
        )
        assert [outcome(answer) for answer in answers] == [(201, None)] * 2
        assert one.names('/')[0] == 'editor_images/'


def test_upload_into_a_directory_in_creation_succeeds(
    make_app: Callable[..., Any], sandbox: Sandbox, source: Source
) -> None:
    url, application = source.offer(PNG), make_app()
    slow_writes(sandbox)
    for number in range(4):
        create(sandbox, f'/Shared/Beefree/m{number}')
        one, other = Beefree(application, f'm{number}'), Beefree(application, f'm{number}')
        created, uploaded = at_once(
            lambda one=one: one.create('/editor_images/'),
            lambda other=other: other.upload('/editor_images/y.png', url, 'replace'),
        )
        assert outcome(uploaded) == (201, None)
        assert outcome(created) in ((201, None), (403, 3400))


def test_stale_answer_has_its_age_and_reason(client: Beefree, sandbox: Sandbox, source: Source) -> None:
    sandbox.upload(f'{HOME}/f.png', b'x')
    assert not {'Age', 'X-FSP-Stale'} & set(client.get('/').headers)
    listing_cache = client.app.app.registry.getUtility(IBackends).listing_cache
    now = listing_cache.clock()
    listing_cache.clock = lambda: now + 3600
    sandbox.fail({'method': 'GET', 'status': 500, 'times': 100})
    for path in ('/', '/f.png'):
        answer = client.get(path)
        assert outcome(answer) == (200, None)
        assert answer.headers['X-FSP-Stale'] == 'unavailable'
        assert 3600 <= int(answer.headers['Age']) < 3700
    stored = client.upload('/g.png', source.offer(PNG), 'keep')
    assert (outcome(stored), stored.headers['X-FSP-Stale']) == ((201, None), 'unavailable')
    assert client.names('/')[2:] == ['f.png', 'g.png']
    assert outcome(client.delete('/d/')) == (503, 3100), 'whether it is empty is for Egnyte to say'
    sandbox.fail()
    listing_cache.clock = lambda: now + 3700
    answer = client.get('/')
    assert 'X-FSP-Stale' not in answer.headers


def test_ttl_of_listings_grows_when_calls_are_scarce(client: Beefree, sandbox: Sandbox) -> None:
    client.get('/')
    shared = client.app.app.registry.getUtility(IBackends)
    used = {'X-Accesstoken-Quota-Allotted': '1000', 'X-Accesstoken-Quota-Current': '1000'}
    shared.rate_limiter.observe(shared.rate_limiter.acquire('sandbox', 10), used)
    now = shared.listing_cache.clock()
    sandbox.forget_calls()
    for seconds, stale in ((3500, False), (3700, True)):
        shared.listing_cache.clock = lambda seconds=seconds: now + seconds
        answer = client.get('/')
        assert ('X-FSP-Stale' in answer.headers) is stale
    assert sandbox.calls == []


def test_events_evict_listings_that_others_changed(make_app: Callable[..., Any], sandbox: Sandbox) -> None:
    client = Beefree(make_app(events__interval='300', cache__ttl='36000'))
    client.get('/')
    listing_cache = client.app.app.registry.getUtility(IBackends).listing_cache
    now = listing_cache.clock()
    sandbox.upload(f'{HOME}/f.png', b'x')
    sandbox.forget_calls()
    assert client.names('/')[2:] == []
    listing_cache.clock = lambda: now + 301
    assert client.names('/')[2:] == ['f.png']
    assert sandbox.calls == ['GET /pubapi/v1/events', f'GET /pubapi/v1/fs{HOME}']


# One at a time in each directory: without that, two see the same free name, the same file, the same empty directory.


def test_concurrent_moves_to_one_name_do_not_overwrite(client: Beefree, sandbox: Sandbox) -> None:
    for name in ('a/f.png', 'b/f.png', 'c/other'):
        sandbox.upload(f'{HOME}/{name}', name.encode())
    other = Beefree(client.app.app)
    for path in ('/a/', '/b/', '/c/'):
        client.get(path)
    slow_writes(sandbox)
    sandbox.forget_calls()
    answers = at_once(lambda: client.move('/a/f.png', '/c/', 'keep'), lambda: other.move('/b/f.png', '/c/', 'keep'))
    assert [answer.status_int for answer in answers] == [200, 200]
    assert client.names('/c/') == ['f.png', 'f_1.png', 'other']
    assert len(sandbox.calls) == 2, 'no retry'


def test_concurrent_creations_make_one_directory(client: Beefree, sandbox: Sandbox) -> None:
    client.get('/')
    other = Beefree(client.app.app)
    slow_writes(sandbox)
    sandbox.forget_calls()
    answers = at_once(lambda: client.create('/d/'), lambda: other.create('/D/'))
    assert sorted(outcome(answer) for answer in answers) == [(201, None), (403, 3400)]
    assert len(sandbox.calls) == 1


def test_concurrent_deletions_succeed_once(client: Beefree, sandbox: Sandbox) -> None:
    sandbox.upload(f'{HOME}/f.png', b'x')
    client.get('/')
    other = Beefree(client.app.app)
    sandbox.fail({'method': 'DELETE', 'latency': 0.05, 'times': 100})
    sandbox.forget_calls()
    answers = at_once(lambda: client.delete('/f.png'), lambda: other.delete('/F.png'))
    assert sorted(outcome(answer) for answer in answers) == [(200, None), (404, 3200)]
    assert len(sandbox.calls) == 1


def test_directory_in_deletion_takes_no_files(
    client: Beefree, sandbox: Sandbox, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.create('/d/')
    other, url, send = Beefree(client.app.app), source.offer(PNG), WSGIAdapter.send
    with ThreadPoolExecutor() as pool:
        uploads = []

        def interrupted(self: WSGIAdapter, request: Any, **options: Any) -> Any:
            if request.method == 'DELETE' and not uploads:  # it was found to be empty
                uploads.append(pool.submit(other.upload, '/d/f.png', url))
                wait(uploads, timeout=0.3)
            return send(self, request, **options)

        monkeypatch.setattr(WSGIAdapter, 'send', interrupted)
        assert outcome(client.delete('/d/')) == (200, None)
        assert outcome(uploads[0].result(timeout=PATIENCE)) == (403, 3300)
    assert sandbox.api('GET', '/pubapi/v2/fs/trash').json()['items'][0]['path'] == f'{HOME}/d'
    assert not sandbox.exists(f'{HOME}/d')
