"""Injected faults: answers compared with what is stored."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.client import Answer

from .effort import Effort
from .result import Result
from .walk import DONE, Tree
from .world import (
    ADMINISTRATOR,
    HOME,
    ORDINARY,
    Client,
    Egnyte,
    Service,
    World,
    start_world,
)

KINDS: tuple[dict[str, Any], ...] = (
    *({'status': status} for status in (400, 403, 404, 409, 429, 500, 503)),
    {'drop': True},
)
TIMES = {'once': 1, 'for ever': 10_000}
TOKENS = {'administrator': ADMINISTRATOR, 'ordinary user': ORDINARY}


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
    'upload into a new folder': Operation(_files(), lambda client: client.upload('/editor_images/n.png', 'new')),
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


def run(directory: Path, effort: Effort) -> Result:
    """Let each call of each operation fail in each way."""
    result = Result(
        'faults',
        'After a success all of it is stored; after an error everything is as it was before.',
        f'{len(OPERATIONS)} operations x each of their calls x {len(KINDS)} kinds of faults x once and for ever x '
        'a token of an administrator and of an ordinary user; the answer is compared with what Egnyte stores.',
    )
    with start_world(directory) as world:
        settings = {'FSP_EGNYTE_MAX_WAIT': '2', 'FSP_CACHE_TTL': '0'}
        services = {name: world.service(token, **settings) for name, token in TOKENS.items()}
        cases = [
            (name, token, call, kind, times)
            for (name, operation), token in itertools.product(OPERATIONS.items(), TOKENS)
            for call in _calls(world, services[token], operation, f'r-{len(name)}-{token[:1]}-{hash(name) & 0xFFFF:x}')
            for kind, times in itertools.product(KINDS, TIMES)
        ]
        step = max(1, len(cases) // effort.cases) if effort.cases else 1
        for number, (name, token, call, kind, times) in enumerate(cases[::step]):
            case = Case(world, services[token], OPERATIONS[name], f'c{number}')
            wrong = case.run(call, kind, TIMES[times])
            result.count('faults')
            result.count(f'answered with {"success" if case.answer.status_int in DONE else "an error"}')
            result.count('answers that are wrong', bool(wrong))
            if wrong:
                result.fail(f'{name}, {token}, {call.method} {call.prefix}: {kind}, {times}: {wrong}')
    return result


def _calls(world: World, service: Service, operation: Operation, uid: str) -> Iterator[Call]:
    """Return the calls that the operation makes, each once. The user's folder is "{uid}" in them."""
    client = world.client(service, uid)
    client.create('/first/')
    operation.prepare(client)
    world.egnyte.forget_calls()
    operation.act(client)
    seen = dict.fromkeys((call['method'], _prefix(call['path'], uid)) for call in world.egnyte.calls)
    return (Call(method, prefix) for method, prefix in seen if prefix.startswith('/pubapi'))


def _prefix(path: str, uid: str) -> str:
    """Return the path as far as it is the same for another user."""
    return path.partition('/ids/')[0] + '/ids/' if '/ids/' in path else path.replace(f'/{uid}', '/{uid}')


class Case:
    """One operation of a user of its own, under a fault."""

    answer: Answer

    def __init__(self, world: World, service: Service, operation: Operation, uid: str) -> None:
        self._egnyte: Egnyte = world.egnyte
        self._operation, self._uid = operation, uid
        self._client = world.client(service, uid)
        self._reference = world.client(service, f'{uid}-reference')

    def run(self, call: Call, kind: dict[str, Any], times: int) -> str:
        """Return a description of what is wrong, '' if nothing is."""
        for client in (self._client, self._reference):
            client.create('/first/')
            self._operation.prepare(client)
        before = self._tree(self._uid)
        self._operation.act(self._reference)
        after = self._tree(f'{self._uid}-reference')
        prefix = call.prefix.replace('{uid}', self._uid)
        self._egnyte.order({'method': call.method, 'path_prefix': prefix, 'times': times, **kind})
        self.answer = self._operation.act(self._client)
        self._egnyte.order()
        found, status = self._tree(self._uid), self.answer.status_int
        expected = after if status in DONE else before
        if found == expected or (not status and found == after):
            return ''
        return f'{status} was answered, and there is {_shown(found)} instead of {_shown(expected)}'

    def _tree(self, uid: str) -> Tree:
        home = f'{HOME}/{uid}'
        return {path.removeprefix(home): content for path, content in self._egnyte.tree(home).items()}


def _shown(tree: Tree) -> str:
    return ', '.join(
        path if content is None else f'{path} ({hash(content) & 0xFFF:x})' for path, content in tree.items()
    )
