"""Concurrent requests."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from fsp_pyramid.embedded import WSGIAdapter
from fsp_pyramid.testing import Sandbox

from ..conftest import Source
from ..timing import PATIENCE
from .beefree import PNG, Beefree


def at_once(*functions: Callable[[], Any]) -> list[Any]:
    """Call the functions concurrently, behind a barrier; return their results."""
    barrier, results = threading.Barrier(len(functions)), [None] * len(functions)

    def call(index: int) -> None:
        barrier.wait()
        results[index] = functions[index]()

    threads = [threading.Thread(target=call, args=(index,)) for index in range(len(functions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_concurrent_keep_uploads_become_separate_files(
    make_app: Callable[..., Any], sandbox: Sandbox, source: Source
) -> None:
    application, url = make_app(), source.offer(PNG)
    clients = [Beefree(application) for _ in range(5)]
    # A slow Egnyte: each of them looks before the first one has stored.
    sandbox.fail({'path_prefix': '/pubapi/v1/fs-content', 'latency': 0.05, 'times': 100})
    answers = at_once(*(lambda client=client: client.upload('/a.png', url, 'keep') for client in clients))
    names = sorted(answer.json['data']['meta']['name'] for answer in answers)
    assert names == ['a.png', 'a_1.png', 'a_2.png', 'a_3.png', 'a_4.png']
    assert clients[0].names('/')[2:] == names
    assert all(sandbox.content(f'/Shared/Beefree/u1/{name}') == PNG for name in names)


def test_concurrent_ask_uploads_become_one_file(make_app: Callable[..., Any], sandbox: Sandbox, source: Source) -> None:
    application, url = make_app(), source.offer(PNG)
    clients = [Beefree(application) for _ in range(4)]
    sandbox.fail({'path_prefix': '/pubapi/v1/fs-content', 'latency': 0.05, 'times': 100})
    answers = at_once(*(lambda client=client: client.upload('/a.png', url, 'ask') for client in clients))
    assert sorted(answer.status_int for answer in answers) == [201, 409, 409, 409]


def test_crossing_moves_do_not_deadlock(client: Beefree, source: Source) -> None:
    for path in ('/a/', '/b/'):
        client.create(path)
    client.upload('/a/one.png', source.offer(PNG))
    client.upload('/b/two.png', source.offer(PNG))
    other = Beefree(client.app.app)
    for _ in range(5):
        at_once(lambda: client.move('/a/one.png', '/b/'), lambda: other.move('/b/two.png', '/a/'))
        at_once(lambda: client.move('/b/one.png', '/a/'), lambda: other.move('/a/two.png', '/b/'))
    assert (client.names('/a/'), client.names('/b/')) == (['one.png'], ['two.png'])


def test_concurrent_listings_share_one_call(make_app: Callable[..., Any], sandbox: Sandbox) -> None:
    application = make_app()
    clients = [Beefree(application) for _ in range(6)]
    sandbox.fail({'latency': 0.05, 'times': 100})
    answers = at_once(*(lambda client=client: client.get('/team/') for client in clients))
    assert {answer.status_int for answer in answers} == {200}
    assert len(sandbox.calls) == 1


def test_concurrent_listings_share_a_failure(
    make_app: Callable[..., Any], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call is answered when the five others wait for its result."""
    waiting, send, result = threading.Semaphore(0), WSGIAdapter.send, Future.result

    def wait(flight: Future[Any], *arguments: Any) -> Any:
        waiting.release()
        return result(flight, *arguments)

    def answer(*arguments: Any, **options: Any) -> Any:
        for _ in range(5):
            assert waiting.acquire(timeout=PATIENCE)
        return send(*arguments, **options)

    application = make_app()
    clients = [Beefree(application) for _ in range(6)]
    sandbox.fail({'status': 500, 'times': 100})
    monkeypatch.setattr(Future, 'result', wait)
    monkeypatch.setattr(WSGIAdapter, 'send', answer)
    answers = at_once(*(lambda client=client: client.get('/team/') for client in clients))
    monkeypatch.undo()
    assert {answer.status_int for answer in answers} == {503}
    assert len(sandbox.calls) == 1


def test_listing_older_than_a_write_is_not_cached(
    make_app: Callable[..., Any], sandbox: Sandbox, source: Source
) -> None:
    """An answer from before our write must not be cached after it."""
    url = source.offer(PNG)
    for name in ('1.png', '2.png', '3.png', '4.png', '5.png'):
        application = make_app()
        reader, writer = Beefree(application), Beefree(application)
        sandbox.fail({'path_prefix': '/pubapi/v1/fs/Shared/Team', 'latency': 0.05, 'times': 1})
        at_once(
            lambda reader=reader: reader.get('/team/'),
            lambda name=name, writer=writer: writer.upload(f'/team/{name}', url),
        )
        assert name in reader.names('/team/')
