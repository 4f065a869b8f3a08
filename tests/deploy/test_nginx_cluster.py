"""``deploy/nginx-cluster.conf`` before three machines: each public file belongs to one of them."""

import io
import json
import re
import shutil
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image

from fsp_pyramid.content.links import Link, Signer
from fsp_pyramid.testing import Sandbox

from ..functional.processes import Server, serving
from ..services import RedisServer
from ..timing import eventually
from .conftest import TOP, variables
from .nginx import CONFIGURATION, Nginx, proxying
from .test_nginx import WHO

PICTURES = 12
# Of files: UUIDs and others.
IDS = [*(f'{n}0a0e2c4-7b1d-4f7e-9d3a-5c6b7a89{n}000' for n in range(1, 4)), 'a', 'bc', 'def']
CLUSTER = CONFIGURATION.with_name('nginx-cluster.conf')


@pytest.fixture
def machines(tmp_path: Path, redis_server: RedisServer) -> Iterator[list[Server]]:
    """Run three processes with a cache directory each, a shared Redis and one Egnyte."""
    with ExitStack() as stack:
        yield [stack.enter_context(machine(tmp_path, redis_server, name)) for name in ('one', 'two', 'three')]


def machine(tmp_path: Path, redis_server: RedisServer, name: str) -> Server:
    directory = tmp_path / name
    directory.mkdir()
    more = {
        'FSP_EGNYTE_URL': f'sandbox:{tmp_path}/egnyte',
        'FSP_REDIS_URL': redis_server.patient_url,
        'FSP_CACHE_BACKEND': 'redis',
        'FSP_PACE_BACKEND': 'redis',
    }
    return serving(Path(shutil.copy(TOP / 'production.ini', directory)), **variables(directory, **more))


def front(stack: ExitStack, directory: Path, machines: list[Server]) -> Nginx:
    directory.mkdir()
    ports = [machine.port for machine in machines]
    return stack.enter_context(proxying(directory, ports, configuration=CLUSTER))


def fetched(sandbox: Sandbox) -> int:
    """Return the number of calls for contents."""
    return sum('/fs-content/' in call for call in sandbox.calls)


def test_each_picture_is_fetched_once(tmp_path: Path, machines: list[Server]) -> None:
    sandbox = Sandbox(tmp_path / 'egnyte')
    contents = {f'{number}.png': bytes([number]) * 5000 for number in range(PICTURES)}
    for name, content in contents.items():
        sandbox.upload(f'/Shared/Beefree/demo/pictures/{name}', content)
    with ExitStack() as stack:
        fronts = [front(stack, tmp_path / f'nginx{number}', machines) for number in range(2)]
        items = json.loads(fronts[0].ask('GET /fsp/pictures/', **WHO).body)['data']['items']
        urls = {item['name']: urlsplit(item['public-url']).path for item in items}
        sandbox.forget_calls()
        for nginx in fronts * 2:
            assert {name: nginx.ask(f'GET {url}').body for name, url in urls.items()} == contents
        assert fetched(sandbox) == PICTURES
        assert fronts[0].logged('/fsp-public/-/', 2 * PICTURES)

        lines = fronts[0].access_log.splitlines()
        owners = Counter(
            machine.port
            for machine in machines
            for name in contents
            if any(f'/-/{name} ' in line and f'"127.0.0.1:{machine.port}"' in line for line in lines)
        )
        assert sum(owners.values()) == PICTURES
        lost, share = owners.most_common(1)[0]
        victim = next(machine for machine in machines if machine.port == lost)
        victim.process.kill()
        victim.process.wait()
        fresh = front(stack, tmp_path / 'nginx-fresh', machines)
        for nginx in (*fronts, fresh):
            assert {name: nginx.ask(f'GET {url}').body for name, url in urls.items()} == contents
        assert fetched(sandbox) == PICTURES + share


def test_picture_and_its_thumbnail_are_fetched_once(tmp_path: Path, machines: list[Server]) -> None:
    sandbox = Sandbox(tmp_path / 'egnyte')
    for number in range(PICTURES):
        sandbox.upload(f'/Shared/Beefree/demo/pictures/{number}.png', png(number))
    with ExitStack() as stack:
        nginx = front(stack, tmp_path / 'nginx', machines)
        items = json.loads(nginx.ask('GET /fsp/pictures/', **WHO).body)['data']['items']
        sandbox.forget_calls()
        for item in items:
            thumbnail, picture = (urlsplit(item[key]).path for key in ('thumbnail', 'public-url'))
            assert nginx.ask(f'GET {picture}').status == 200
            # A placeholder is not cacheable.
            eventually(lambda path=thumbnail: 'immutable' in nginx.ask(f'GET {path}').headers['Cache-Control'])
    assert fetched(sandbox) == PICTURES


def png(number: int) -> bytes:
    file = io.BytesIO()
    Image.new('RGB', (300, 300), (number, 0, 0)).save(file, 'PNG')
    return file.getvalue()


@pytest.mark.parametrize('name', ['nginx.conf', 'nginx-cluster.conf', 'nginx-compose.conf'])
def test_file_and_thumbnail_have_one_owner(name: str) -> None:
    """Which bits of a token share a character depends on the lengths of account and id."""
    text = CONFIGURATION.with_name(name).read_text()
    (pattern,) = re.findall(r'map \$request_uri \$public_owner {\s+"~(\S+)" \$public_file;', text)
    assert 'hash $public_owner consistent;' in text
    signers = Signer(('a' * 40,)), Signer(('b' * 40, 'a' * 40))
    links = [Link('a' * length, file_id) for length in range(1, 128) for file_id in IDS]
    owners = set()
    for link in links:
        tokens = [token for signer in signers for token in (signer.sign(link), signer.sign_thumbnail(link, 'c' * 12))]
        (owner,) = {owner_of(pattern, f'/fsp-public/{token}/a.png') for token in tokens}
        owners.add(owner)
    assert len(owners) == len(links)


def owner_of(pattern: str, path: str) -> str:
    match = re.match(pattern.replace('(?<', '(?P<'), path)
    assert match is not None
    return match['public_file']


@pytest.fixture
def silent() -> Iterator[int]:
    """Port that answers no packet, as the one of a machine without power: its queue is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(('127.0.0.1', 0))
        listener.listen(0)
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            with suppress(BlockingIOError):
                client.connect(listener.getsockname())
        yield listener.getsockname()[1]


def test_silent_machine_is_skipped(tmp_path: Path, machines: list[Server], silent: int) -> None:
    sandbox = Sandbox(tmp_path / 'egnyte')
    contents = {f'{number}.png': bytes([number]) * 5000 for number in range(PICTURES)}
    for name, content in contents.items():
        sandbox.upload(f'/Shared/Beefree/demo/pictures/{name}', content)
    (tmp_path / 'nginx').mkdir()
    ports = [*(machine.port for machine in machines[:2]), silent]
    with proxying(tmp_path / 'nginx', ports, configuration=CLUSTER) as nginx:
        for _ in range(len(ports)):
            listing = nginx.ask('GET /fsp/pictures/', **WHO)
            assert listing.status == 200
        urls = {item['name']: urlsplit(item['public-url']).path for item in json.loads(listing.body)['data']['items']}
        assert {name: nginx.ask(f'GET {url}').body for name, url in urls.items()} == contents
        uploads = [nginx.ask(f'POST /fsp/new{number}/', **WHO).status for number in range(len(ports))]
        assert uploads == [201] * len(ports)
