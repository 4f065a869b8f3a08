"""Rows of the table of ratios: one function measures each group."""

import dataclasses
import itertools
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

from pyramid.exceptions import ConfigurationError

from fsp_pyramid.settings import Settings
from fsp_pyramid.testing import Sandbox
from tests import services
from tests.deploy.nginx import program, proxying
from tests.functional.processes import Server
from tests.ports import free_port

from . import scale
from .calls import Cost, count
from .client import Answer, Beefree, Connection
from .load import (
    Effort,
    Row,
    alone,
    compare,
    loaded,
)
from .world import (
    HOME,
    PNG,
    SIZES,
    World,
    forget_peak,
    memory,
    peak_memory,
)

PICTURE = 'picture.png'
UPLOADS = {'200 kB': 200_000, '20 MB': 20_000_000}


def measure(world: World, effort: Effort) -> tuple[list[Row], list[Cost]]:
    """All rows, in the order of the table, and the calls of each operation."""
    sizes, uploads = (SIZES, UPLOADS) if effort.seconds else (SIZES[:1], dict([*UPLOADS.items()][:1]))
    prepare(world, sizes, uploads)
    service = world.service()
    for size in sizes:
        answer = world.user(service, 'list').get(f'/d{size}/')
        (world.offered / f'd{size}.json').write_bytes(answer.body)
    bare = world.yardstick()
    found = [
        *cached_listings(world, effort, service, bare, sizes),
        *listings_from_redis(world, effort, service, sizes[-1]),
        cold_listing(world, effort, sizes[-1]),
        naive_listing(world, effort, sizes[0]),
        *(upload(world, effort, service, bare, name) for name in uploads),
        public_content(world, effort, service, bare),
    ]
    if program():
        found += behind_nginx(world, effort, service, sizes[0])
        if sendfile_is_there():
            found += sent_by_nginx(world, effort)
    found += memories(world, service, bare, 10**9 if effort.seconds else 10**6)
    found += scale.rows(world.directory, effort)
    return found, count(world, service, f'http://127.0.0.1:{bare.port}/file/{PICTURE}')


def prepare(world: World, sizes: tuple[int, ...], uploads: dict[str, int]) -> None:
    """Store files at Egnyte and for the yardstick. The sandbox is called in process, without its latency."""
    sandbox = Sandbox(world.directory / 'egnyte')
    for size in sizes:
        for number in range(size):
            sandbox.upload(f'{HOME}/list/d{size}/picture {number:04}.png', PNG)
    picture = PNG + os.urandom(200_000)
    sandbox.upload(f'{HOME}/public/{PICTURE}', picture)
    (world.offered / PICTURE).write_bytes(picture)
    sandbox.api('POST', f'/pubapi/v1/fs{HOME}/upload/d', json={'action': 'add_folder'})
    for name, size in uploads.items():
        (world.offered / f'{name}.png').write_bytes(PNG + os.urandom(size))


def cached_listings(
    world: World, effort: Effort, service: Server, bare: Server, sizes: tuple[int, ...]
) -> Iterator[Row]:
    """Measure cached listings against a bare Pyramid view that answers the same JSON."""
    client, other = world.user(service, 'list'), Connection(bare.port, {})
    for size in sizes:
        client.get(f'/d{size}/')
        calls = world.calls_of(lambda path=f'/d{size}/': client.get(path))
        ours, theirs = compare(
            effort,
            lambda target=f'/fsp/d{size}/': loaded(effort, client, service.port, target),
            lambda target=f'/json/d{size}': loaded(effort, other, bare.port, target),
        )
        yield Row(f'cached listing, {size} entries', 'bare Pyramid JSON view', 'ms', ours, theirs, calls)


def cold_listing(world: World, effort: Effort, size: int) -> Row:
    """Measure a listing that is asked for at Egnyte each time, against the bare call. One at a time."""
    client = world.user(world.service(FSP_CACHE_TTL='0'), 'list')
    client.get(f'/d{size}/')
    calls = world.calls_of(lambda: client.get(f'/d{size}/'))
    ours, theirs = compare(
        effort,
        lambda: alone(effort.alone, lambda: client.get(f'/d{size}/')),
        lambda: alone(effort.alone, lambda: bare_call(world, f'{HOME}/list/d{size}')),
    )
    return Row(f'cold listing, {size} entries', 'bare Egnyte call, decoded', 'ms', ours, theirs, calls)


def bare_call(world: World, folder: str) -> Answer:
    """List a folder at Egnyte and decode the answer."""
    answer = world.egnyte.list_folder(folder)
    json.loads(answer.body)
    return answer


def naive_listing(world: World, effort: Effort, size: int) -> Row:
    """Measure a cold listing against the bridge that is written in an afternoon on Egnyte's own client."""
    client, other = world.user(world.service(FSP_CACHE_TTL='0'), 'list'), world.user(world.naive('list'), 'list')
    calls = world.calls_of(lambda: client.get(f'/d{size}/'))
    their_calls = world.calls_of(lambda: other.get(f'/d{size}/'))
    few = dataclasses.replace(effort, alone=min(effort.alone, 3))  # seconds each
    ours, theirs = compare(
        few,
        lambda: alone(few.alone, lambda: client.get(f'/d{size}/')),
        lambda: alone(few.alone, lambda: other.get(f'/d{size}/')),
    )
    yardstick = f'naive bridge, {their_calls} calls'
    return Row(f'cold listing, {size} entries', yardstick, 'ms', ours, theirs, calls)


def listings_from_redis(world: World, effort: Effort, service: Server, size: int) -> Iterator[Row]:
    """Measure cached listings from Redis against those from memory."""
    if not shutil.which('redis-server'):
        return
    redis = world.enter(services.redis_server(world.directory))
    other = world.service(FSP_CACHE_BACKEND='redis', FSP_REDIS_URL=redis.url)
    memory_client, client = world.user(service, 'list'), world.user(other, 'list')
    target = f'/fsp/d{size}/'
    for each in (memory_client, client):
        each.get(f'/d{size}/')
    calls = world.calls_of(lambda: client.get(f'/d{size}/'))
    ours, theirs = compare(
        effort,
        lambda: loaded(effort, client, other.port, target),
        lambda: loaded(effort, memory_client, service.port, target),
    )
    yield Row(f'cached listing in Redis, {size} entries', 'in memory', 'ms', ours, theirs, calls)


def upload(world: World, effort: Effort, service: Server, bare: Server, name: str) -> Row:
    """Measure uploads into a directory that is known, against the slower one of their two legs."""
    client, source, number = world.user(service, 'upload'), Connection(bare.port, {}), itertools.count()
    target = f'/file/{name}.png'.replace(' ', '%20')
    url = f'http://127.0.0.1:{bare.port}{target}'
    content = (world.offered / f'{name}.png').read_bytes()
    # A large one leaves 60 MB in the page cache, and memory that a virtual machine has not used before is slow.
    times = effort.alone if len(content) < 10**6 else min(effort.alone, 3)
    client.get('/d/')

    def store() -> Answer:
        return world.egnyte.put(f'{HOME}/legs/{name} {next(number)}.png', content)

    def ours() -> float:
        return alone(times, lambda: client.upload(f'/d/{name} {next(number)}.png', url))

    def slower_leg() -> float:
        return max(alone(times, lambda: source.send('GET', target)), alone(times, store))

    calls = world.calls_of(ours) // times
    return Row(f'upload, {name}', 'slower leg: download or Egnyte', 'ms', *compare(effort, ours, slower_leg), calls)


def public_target(client: Beefree, path: str) -> str:
    """Return the public URL of a file, without its host."""
    return urlsplit(client.get(path).data['meta']['public-url']).path


def public_content(world: World, effort: Effort, service: Server, bare: Server) -> Row:
    """Measure a picture that was seen before, by its public URL, against a bare file view."""
    target = public_target(world.user(service, 'public'), f'/{PICTURE}')
    reader = Connection(service.port, {})
    reader.send('GET', target)
    calls = world.calls_of(lambda: reader.send('GET', target))
    ours, theirs = compare(
        effort,
        lambda: loaded(effort, reader, service.port, target),
        lambda: loaded(effort, Connection(bare.port, {}), bare.port, f'/file/{PICTURE}'),
    )
    return Row('public picture seen before, 200 kB', 'bare waitress file view', 'ms', ours, theirs, calls)


def before(world: World, *services: Server, cached: bool = True) -> int:
    """Return the port of an nginx before *services*, in plain HTTP: TLS costs the same whatever is behind it.

    All load comes from one address, which is not limited here.

    :param cached: nginx caches public files
    """
    port = free_port()
    directory = world.directory / f'nginx{port}'
    directory.mkdir()
    more = f'listen 127.0.0.1:{port}; location /direct/ {{ alias {world.offered}/; }}'
    changed = {'rate=100r/s': 'rate=1000000r/s', 'rate=50r/s': 'rate=1000000r/s'}
    if not cached:
        changed['"" public;'] = '"" off;'
    ports = [service.port for service in services]
    world.enter(proxying(directory, ports, world.directory / 'cache', more, changed))
    return port


def behind_nginx(world: World, effort: Effort, service: Server, size: int) -> Iterator[Row]:
    """Measure cached listings through nginx from two processes, against one."""
    second, target = world.service(), f'/fsp/d{size}/'
    one, two = before(world, service), before(world, service, second)
    for server in (service, second):
        world.user(server, 'list').get(f'/d{size}/')
    client = world.user(service, 'list')
    ours, theirs = compare(
        effort, lambda: loaded(effort, client, two, target), lambda: loaded(effort, client, one, target)
    )
    yield Row(f'2 processes, cached listing, {size} entries', '1 process', 'ms', ours, theirs)


def sendfile_is_there() -> bool:
    """Return whether this version lets nginx send files."""
    least = {'fsp.username': 'u', 'fsp.password': 'p', 'fsp.egnyte.url': 'sandbox:x', 'fsp.public.cache_dir': '/x'}
    try:
        Settings.parse(least | {'fsp.public.sendfile': 'nginx'}, {})
    except ConfigurationError:
        return False
    return True


def sent_by_nginx(world: World, effort: Effort) -> Iterator[Row]:
    """Measure the picture from nginx's cache, and sent by nginx from the bridge's cache."""
    service = world.service(FSP_PUBLIC_SENDFILE='nginx')
    plain = world.service()
    port, cached = before(world, service, cached=False), before(world, service)
    target = public_target(world.user(service, 'public'), f'/{PICTURE}')
    for each in (port, cached, plain.port):
        Connection(each, {}).send('GET', target)

    def load(at: int, what: str = target) -> float:
        return loaded(effort, Connection(at, {}), at, what)

    for layout, ours, yardstick, theirs, their_target in (
        ("public picture, nginx's cache", cached, 'the file from nginx alone', port, f'/direct/{PICTURE}'),
        ('public picture, nginx with sendfile', port, 'the file from nginx alone', port, f'/direct/{PICTURE}'),
        ('public picture, nginx with sendfile', port, 'through waitress', plain.port, target),
    ):
        pairs = compare(effort, lambda at=ours: load(at), lambda at=theirs, what=their_target: load(at, what))
        calls = world.calls_of(lambda at=ours: Connection(at, {}).send('GET', target))
        yield Row(layout, yardstick, 'ms', *pairs, calls)


def memories(world: World, service: Server, bare: Server, size: int) -> Iterator[Row]:
    """Measure peak memory against the bare application: of all rows above, and while a large file is served."""
    yield Row('memory, peak of the rows above', 'bare application', 'MB', [peak_memory(service)], [peak_memory(bare)])
    large = world.directory / 'large'
    with large.open('wb') as file:
        file.truncate(size)
    with large.open('rb') as file:
        world.egnyte.put(f'{HOME}/large/large.bin', file, **{'Content-Length': str(size)})
    large.unlink()
    target = public_target(world.user(service, 'large'), '/large.bin')
    idle = memory(service)
    forget_peak(service)
    received = drain(service.port, target, world.directory / 'received')
    if received != size:
        raise RuntimeError(f'{received} bytes of {size} came')
    what = '1 GB' if size == 10**9 else f'{size // 10**6} MB'
    yield Row(f'memory, peak while {what} is served', 'before', 'MB', [peak_memory(service)], [idle])


def drain(port: int, target: str, path: Path) -> int:
    """Download and discard the content; return its size in bytes."""
    with urlopen(f'http://127.0.0.1:{port}{target}') as response, path.open('wb') as file:
        shutil.copyfileobj(response, file)
        size = file.tell()
    path.unlink()
    return size
