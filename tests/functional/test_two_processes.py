"""Two processes of the application over one Egnyte and one Redis, all of them real."""

import json
import re
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from fsp_pyramid.storage import cache_entries
from fsp_pyramid.testing import Sandbox

from ..conftest import Source
from ..protocol.beefree import PNG
from ..services import RedisServer
from ..timing import PATIENCE, eventually
from .envelope import caller
from .processes import (
    Answer,
    Server,
    running,
    serving,
)

TOP = Path(__file__).parents[2]


@dataclass
class Site:
    """Servers, their Egnyte, and their Redis; *directory* belongs to one test."""

    servers: list[Server]
    sandbox: Sandbox
    redis: RedisServer
    directory: str = ''

    def ask(self, which: int, method: str, path: str, **body: str) -> Answer:
        line = f'{method} /fsp{self.directory}{path}'
        (answer,) = self.servers[which].ask((line, json.dumps(body)) if body else line, headers=caller())
        return answer

    def upload(self, which: int, name: str, source: str, strategy: str = 'keep') -> Answer:
        return self.ask(which, 'POST', f'/{name}', source=source, conflict_strategy=strategy)

    def names(self, which: int) -> list[str]:
        answer = self.ask(which, 'GET', '/')
        return [item['name'] for item in json.loads(answer.body)['data']['items']]

    def stored(self, name: str) -> bytes | None:
        return self.sandbox.content(f'/Shared/Beefree/demo{self.directory}/{name}')

    def slow(self, place: str, seconds: float) -> None:
        self.sandbox.fail({'path_prefix': f'/pubapi/v1/{place}', 'latency': seconds, 'times': 100})

    def age(self, seconds: float) -> None:
        """Increase the age of all cached listings."""
        client = self.redis.client()
        for name in client.keys('fsp:listing:*'):
            cached = cache_entries.load(client.get(name))
            client.set(name, cache_entries.dump(replace(cached, as_of=cached.as_of - seconds)))

    @property
    def locks(self) -> list[bytes]:
        return self.redis.client().keys('fsp:lock:*')


@contextmanager
def site(directory: Path, redis: RedisServer, *names: str, redis_url: str = '') -> Iterator[Site]:
    sandbox = Sandbox(directory / 'egnyte')
    environ = {
        'FSP_USERNAME': 'beefree',
        'FSP_PASSWORD': 'beefree',
        'FSP_EGNYTE_TOKEN': 'sandbox',
        'FSP_PUBLIC_SECRET': 'x' * 32,
        'FSP_REQUIRE_HTTPS': 'false',
        'FSP_SOURCES_ALLOW': '127.0.0.1',
        'FSP_CACHE_BACKEND': 'redis',
        'FSP_REDIS_URL': redis_url or redis.patient_url,
    }
    command = ('fsp-sandbox', '--root', directory / 'egnyte', '--port=')
    with ExitStack() as stack:
        egnyte = stack.enter_context(running(*command, log=directory / 'sandbox.log'))
        environ['FSP_EGNYTE_URL'] = f'http://127.0.0.1:{egnyte.port}'
        inis = [Path(shutil.copy(TOP / 'production.ini', directory / f'{name}.ini')) for name in names]
        yield Site([stack.enter_context(serving(ini, **environ)) for ini in inis], sandbox, redis)


@pytest.fixture(scope='module')
def shared_site(tmp_path_factory: pytest.TempPathFactory, redis_process: RedisServer) -> Iterator[Site]:
    redis_process.client().flushall()
    with site(tmp_path_factory.mktemp('site'), redis_process, 'one', 'other') as found:
        yield found


@pytest.fixture
def two(shared_site: Site, request: pytest.FixtureRequest) -> Site:
    """Return the two processes, connected to Redis, with an empty directory."""
    # A test before may have stopped the Redis, and the circuit breakers close with a later request.
    eventually(lambda: all(is_connected(server) for server in shared_site.servers))
    return in_directory(shared_site, request.node.name)


def is_connected(server: Server) -> bool:
    """Return whether the server uses its Redis, after a request that makes it try."""
    # Not the listing of the root: while it is cached, a directory that is created behind the server does not exist.
    server.ask('GET /fsp/missing', headers=caller())
    return server.log.count('does not answer') == server.log.count('is back')


def in_directory(found: Site, name: str) -> Site:
    found = replace(found, directory=f'/{name}')
    found.sandbox.fail()
    path = f'/pubapi/v1/fs/Shared/Beefree/demo{found.directory}'
    found.sandbox.api('POST', path, json={'action': 'add_folder'}).raise_for_status()
    found.sandbox.forget_calls()
    return found


def at_once(*functions: Callable[[], Any]) -> list[Any]:
    with ThreadPoolExecutor(len(functions)) as pool:
        return [future.result(timeout=PATIENCE) for future in [pool.submit(function) for function in functions]]


def test_one_process_fetches_a_listing(two: Site) -> None:
    two.slow('fs/', 0.5)
    one, other = at_once(lambda: two.names(0), lambda: two.names(1))
    assert one == other == []
    assert len(two.sandbox.calls) == 1


def test_one_process_refreshes_a_listing(two: Site) -> None:
    two.names(0)
    two.age(61)
    two.sandbox.upload(f'/Shared/Beefree/demo{two.directory}/f.png', PNG)
    two.sandbox.forget_calls()
    two.slow('fs/', 0.5)
    at_once(lambda: two.names(0), lambda: two.names(1))
    assert len(two.sandbox.calls) == 1
    assert (two.names(0), two.names(1)) == (['f.png'], ['f.png'])
    assert len(two.sandbox.calls) == 1


def test_writes_are_listed_by_the_other_process(two: Site, source: Source) -> None:
    url = source.offer(PNG)
    assert two.names(0) == two.names(1) == []
    assert two.upload(0, 'a.png', url).status == 201
    assert two.names(1) == ['a.png']
    assert two.ask(1, 'POST', '/d/').status == 201
    assert two.ask(0, 'PATCH', '/a.png', new_path=f'{two.directory}/d/').status == 200
    assert (two.names(0), two.names(1)) == (['d'], ['d'])
    assert two.ask(1, 'DELETE', '/d/a.png').status == 200
    assert json.loads(two.ask(0, 'GET', '/d/').body)['data']['items'] == []
    reads = [call for call in two.sandbox.calls if call.startswith('GET')]
    assert len(reads) == 1, 'the first listing'


def test_concurrent_keep_uploads_create_distinct_files(two: Site, source: Source) -> None:
    url = source.offer(PNG)
    two.slow('fs-content', 0.1)
    answers = at_once(*(lambda which=which: two.upload(which, 'a.png', url) for which in (0, 1, 0, 1)))
    names = sorted(json.loads(answer.body)['data']['meta']['name'] for answer in answers)
    assert names == ['a.png', 'a_1.png', 'a_2.png', 'a_3.png']
    assert two.names(0) == two.names(1) == names
    assert [two.stored(name) for name in names] == [PNG] * 4
    # A lock of an earlier test stays until it expires if Redis was away when it was to be released.
    eventually(lambda: two.locks == [])


def test_missing_redis_is_logged_once(two: Site, source: Source) -> None:
    url, (one, _) = source.offer(PNG), two.servers
    assert two.names(0) == []
    before = one.log.count('does not answer')
    two.redis.stop()
    try:
        assert two.upload(0, 'a.png', url, 'ask').status == 201
        assert two.names(0) == two.names(1) == ['a.png']
        assert two.upload(1, 'b.png', url, 'ask').status == 201
        assert two.names(0) == ['a.png', 'b.png']
    finally:
        two.redis.start()
    eventually(lambda: two.names(0) and two.names(1) and all(is_connected(server) for server in two.servers))
    assert one.log.count('does not answer') == before + 1
    assert two.redis.url not in one.log


def overwrites_nothing(two: Site, source: Source, fail: Callable[[], object]) -> None:
    """Upload the same name through both while *fail* disturbs their Redis; check that each acknowledged file exists."""
    contents = [PNG + str(number).encode() for number in range(12)]
    urls = [source.offer(content, f'file{number}') for number, content in enumerate(contents)]

    def upload(number: int, name: str = 'a.png') -> str:
        answer = two.upload(number % 2, name, urls[number])
        if answer.status == 503:  # too many waiting requests: refused, so the file need not exist
            return ''
        assert answer.status == 201, answer.body
        return json.loads(answer.body)['data']['meta']['name']

    # The previous test may have stopped the Redis.
    eventually(lambda: all(re.fullmatch(r'probe(_\d{1,3})?\.png', upload(number, 'probe.png')) for number in (0, 1)))
    two.slow('fs-content', 0.1)

    def fail_meanwhile() -> None:
        eventually(lambda: two.locks)
        fail()

    *names, _ = at_once(*(lambda number=number: upload(number) for number in range(12)), fail_meanwhile)
    acknowledged = {name: content for name, content in zip(names, contents, strict=True) if name}
    assert acknowledged
    assert len(acknowledged) == len([name for name in names if name])
    assert {name: two.stored(name) for name in acknowledged} == acknowledged


def test_no_acknowledged_upload_is_overwritten_when_redis_is_flushed(two: Site, source: Source) -> None:
    overwrites_nothing(two, source, two.redis.client().flushall)


def test_no_acknowledged_upload_is_overwritten_when_redis_stops(two: Site, source: Source) -> None:
    try:
        overwrites_nothing(two, source, two.redis.stop)
    finally:
        two.redis.start()


def test_no_acknowledged_upload_is_overwritten_when_redis_hangs(
    tmp_path: Path, redis_server: RedisServer, source: Source
) -> None:
    with site(tmp_path, redis_server, 'one', 'other', redis_url=redis_server.url) as found:
        try:
            overwrites_nothing(in_directory(found, 'd'), source, redis_server.pause)
        finally:
            redis_server.resume()


@contextmanager
def slow_source() -> Iterator[tuple[str, threading.Event]]:
    """Serve only the first half of a file; yield its URL, and an event that is set by a request for it."""
    asked = threading.Event()
    with socket.create_server(('127.0.0.1', 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                head = b'HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 1000\r\n\r\n'
                connection.sendall(head + PNG)
                asked.set()
                with suppress(ConnectionError):
                    while connection.recv(1000):
                        pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield f'http://127.0.0.1:{listener.getsockname()[1]}/a.png', asked
    thread.join(timeout=PATIENCE)


def killed(two: Site, which: int, url: str, when: Callable[[], Any]) -> None:
    """Upload a.png from *url* through one process, and ``kill -9`` it during the upload."""

    def upload() -> None:
        with pytest.raises(OSError):  # noqa: PT011 - whichever it is
            two.upload(which, 'a.png', url)

    uploading = threading.Thread(target=upload)
    uploading.start()
    when()
    two.servers[which].process.kill()
    two.servers[which].process.wait()
    uploading.join(timeout=PATIENCE)


def test_kill_during_upload_leaves_consistent_state(tmp_path: Path, redis_server: RedisServer, source: Source) -> None:
    """Kill a process while it fetches the source, and while Egnyte stores the file."""
    with site(tmp_path, redis_server, 'one', 'other', 'third') as found, slow_source() as (slow, asked):
        three = in_directory(found, 'd')
        killed(three, 0, slow, lambda: asked.wait(timeout=PATIENCE))
        assert asked.is_set()
        assert three.stored('a.png') is None
        assert three.locks == []
        three.sandbox.fail({'path_prefix': '/pubapi/v1/fs-content', 'latency': 2})
        killed(three, 1, source.offer(PNG), lambda: eventually(lambda: three.sandbox.faults == []))
        (lock,) = three.locks
        assert 0 < redis_server.client().pttl(lock) <= 15000
        redis_server.client().pexpire(lock, 100)  # instead of waiting for the first process
        assert three.upload(2, 'b.png', source.offer(PNG)).status == 201
        assert three.locks == []
        assert three.stored('a.png') in (None, PNG)
        assert three.stored('b.png') == PNG
