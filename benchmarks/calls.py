"""Calls to Egnyte for each operation: the same operations that the tests count, through real processes."""

from typing import NamedTuple

from fsp_pyramid.testing import Sandbox
from tests.functional.processes import Server
from tests.protocol.test_calls import OPERATIONS

from .world import HOME, World


class Cost(NamedTuple):
    """Calls when nothing is known, and when the listing of the directory is."""

    operation: str
    cold: int
    known: int


def count(world: World, service: Server, source: str) -> list[Cost]:
    """Count the calls of each operation with a cold and with a warm listing cache. *source* is a picture."""
    sandbox = Sandbox(world.directory / 'egnyte')

    def calls(name: str, known: bool) -> int:
        operation, parents, *_ = OPERATIONS[name]
        uid = f'{name}-{"known" if known else "cold"}'.replace(', ', '-').replace(' ', '-')
        plant(sandbox, uid)
        user = world.user(service, uid)
        for path in parents if known else ():
            user.get(path)
        return world.calls_of(lambda: operation(user, source).data)

    return [Cost(name, calls(name, False), calls(name, True)) for name in OPERATIONS]


def plant(sandbox: Sandbox, uid: str) -> None:
    """Create the files and directories that the operations expect."""
    for name in ('d/f.png', 'd/g.png', 'e/f.png', 'f.png'):
        sandbox.upload(f'{HOME}/{uid}/{name}', b'x')
    for name in ('empty', 'd/empty'):
        sandbox.api('POST', f'/pubapi/v1/fs{HOME}/{uid}/{name}', json={'action': 'add_folder'})
