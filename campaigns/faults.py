"""Injected faults: answers compared with what is stored."""

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any, NamedTuple, TypeVar

from benchmarks.client import PASSWORD, Answer

from .effort import Effort
from .result import Result
from .walk import DONE, Tree
from .world import (
    ADMINISTRATOR,
    HOME,
    ORDINARY,
    Client,
    Service,
    World,
)

T = TypeVar('T')

# Seconds: Egnyte's time-out, and a latency that exceeds it for all attempts. The calls take effect all the same.
TIMEOUT, LATE = 1, 5
PAGE = {'status': 502, 'body': '<h1>Bad gateway</h1>'}
KINDS: tuple[dict[str, Any], ...] = (
    *({'status': status} for status in (400, 403, 404, 409, 429, 500, 503)),
    {'drop': True},
    {'latency': LATE},
    {'answer': PAGE},
    {'answer': PAGE | {'carried_out': True}},
    {'answer': PAGE | {'status': 200}},
)
TIMES = {'once': 1, 'for ever': 10_000}
TOKENS = {'administrator': ADMINISTRATOR, 'ordinary': ORDINARY}


class Operation(NamedTuple):
    """An operation, and the files that it needs."""

    prepare: Callable[[Client], object]
    act: Callable[[Client], Answer]


def _files(*paths: str) -> Callable[[Client], object]:
    """Create directories (with a slash at the end) and files."""

    def prepare(client: Client) -> object:
        return [client.create(path) if path.endswith('/') else client.upload(path, f'old{path[1:3]}') for path in paths]

    return prepare


OPERATIONS = {
    'create': Operation(_files(), lambda client: client.create('/n/')),
    'upload': Operation(_files(), lambda client: client.upload('/n.png', 'new')),
    'upload, replace': Operation(_files('/a.png'), lambda client: client.upload('/a.png', 'new', 'replace')),
    'upload, keep': Operation(_files('/a.png'), lambda client: client.upload('/a.png', 'new', 'keep')),
    'upload into a new directory': Operation(_files(), lambda client: client.upload('/editor_images/n.png', 'new')),
    'delete a file': Operation(_files('/a.png'), lambda client: client.delete('/a.png')),
    'delete a directory': Operation(_files('/d/'), lambda client: client.delete('/d/')),
    'move': Operation(_files('/a.png', '/d/'), lambda client: client.move('/a.png', '/d/', 'ask')),
    'move, replace': Operation(
        _files('/a.png', '/d/', '/d/a.png'), lambda client: client.move('/a.png', '/d/', 'replace')
    ),
    'move, keep': Operation(_files('/a.png', '/d/', '/d/a.png'), lambda client: client.move('/a.png', '/d/', 'keep')),
}


class Call(NamedTuple):
    """A call that an operation makes, by its method and the beginning of its path."""

    method: str
    prefix: str


class Setting(NamedTuple):
    """An operation with a token: its calls without a fault, and the files before and after it."""

    name: str
    token: str
    calls: tuple[Call, ...]
    before: Tree
    after: Tree


def run(world: World, effort: Effort) -> Result:
    """Let each call of each operation fail in each way."""
    result = Result(
        'faults',
        'After a success all of it is stored; after an error everything is as it was before. If Egnyte carries a call '
        'out later than the time-out, no file is lost. If no answer of its own comes to the deletion of a file that '
        'a move replaced, that file may stay under another name.',
        f'{len(OPERATIONS)} operations x each of their calls x {len(KINDS)} kinds of faults (refusals, errors, broken '
        'connections, time-outs, pages of a proxy) x once and for ever x a token of an administrator and of an '
        'ordinary user; the answer is compared with what Egnyte stores.',
    )
    result.count('answers that are wrong', 0)
    service = _service(world)
    settings = [
        _observe(world, service, f'r{number}', name, token)
        for number, (name, token) in enumerate(itertools.product(OPERATIONS, TOKENS))
    ]
    cases = [
        (setting, call, kind, times)
        for setting in settings
        for call in setting.calls
        for kind, times in itertools.product(KINDS, TIMES)
    ]
    for number, (setting, call, kind, times) in enumerate(_chosen(cases, effort.cases)):
        status, wrong = _fail(world, service, f'f{number}', setting, call, {'times': TIMES[times], **kind})
        result.count('faults')
        result.count(f'answered with {"success" if status in DONE else "an error"}')
        if wrong:
            result.count('answers that are wrong')
            result.fail(f'{setting.name}, {setting.token}, {call.method} {call.prefix}: {kind}, {times}: {wrong}')
    return result


def _chosen(cases: list[T], number: int | None) -> list[T]:
    """Return *number* cases, evenly spread; all of them for None."""
    if number is None or number >= len(cases):
        return cases
    return [cases[index * len(cases) // number] for index in range(number)]


def _service(world: World) -> Service:
    """Start a service whose two clients have a token each. Nothing is cached, so all calls are made."""
    clients = {
        f'FSP_CLIENT_{name.upper()}_{key}': value
        for name, token in TOKENS.items()
        for key, value in {'USERNAME': name, 'PASSWORD': PASSWORD, 'EGNYTE_TOKEN': token}.items()
    }
    return world.service(
        FSP_CLIENTS=' '.join(TOKENS),
        FSP_USERNAME=None,
        FSP_PASSWORD=None,
        FSP_EGNYTE_TOKEN=None,
        FSP_EGNYTE_TIMEOUT=str(TIMEOUT),
        FSP_EGNYTE_MAX_WAIT='2',
        FSP_CACHE_TTL='0',
        **clients,
    )


def _prepare(world: World, service: Service, uid: str, name: str, token: str) -> Client:
    """Return a user with the files that the operation needs."""
    client = world.client(service, uid, token)
    client.create('/first/')
    OPERATIONS[name].prepare(client)
    return client


def _observe(world: World, service: Service, uid: str, name: str, token: str) -> Setting:
    """Run the operation without a fault."""
    client = _prepare(world, service, uid, name, token)
    before = _tree(world, uid)
    world.egnyte.forget_calls()
    status = OPERATIONS[name].act(client).status_int
    if status not in DONE:
        raise RuntimeError(f'{name}, {token}: {status} without a fault')
    return Setting(name, token, tuple(dict.fromkeys(_calls(world, uid))), before, _tree(world, uid))


def _calls(world: World, uid: str) -> Iterator[Call]:
    """Iterate over the calls that were made. The user's folder is "{uid}" in them."""
    for call in world.egnyte.calls:
        path = PurePosixPath(call['path'])
        if path.is_relative_to('/pubapi'):
            prefix = f'{path.parent}/' if 'ids' in path.parts else str(path).replace(f'/{uid}', '/{uid}')
            yield Call(call['method'], prefix)


def _fail(
    world: World, service: Service, uid: str, setting: Setting, call: Call, fault: dict[str, Any]
) -> tuple[int, str]:
    """Run the operation under a fault. Return the status, and a description of what is wrong, '' if nothing is."""
    client = _prepare(world, service, uid, setting.name, setting.token)
    world.egnyte.order({'method': call.method, 'path_prefix': call.prefix.replace('{uid}', uid), **fault})
    status = OPERATIONS[setting.name].act(client).status_int
    world.egnyte.order()
    expected = setting.after if status in DONE else setting.before
    if 'latency' in fault:
        time.sleep(LATE)  # a call that was given up is carried out meanwhile, and may move a file that is not meant
    found = _tree(world, uid)
    is_right = found == expected
    if status in DONE and call.method == 'DELETE' and not {'drop', 'answer'}.isdisjoint(fault):
        is_right |= expected.items() <= found.items()
    if 'latency' in fault:
        is_right |= found == setting.after or set(expected.values()) <= set(found.values())
    return status, '' if is_right else f'{status}, and there is {_shown(found)} instead of {_shown(expected)}'


def _tree(world: World, uid: str) -> Tree:
    home = f'{HOME}/{uid}'
    return {path.removeprefix(home): content for path, content in world.egnyte.tree(home).items()}


def _shown(tree: Tree) -> str:
    return ', '.join(
        path if content is None else f'{path} ({hash(content) & 0xFFF:x})' for path, content in tree.items()
    )
