"""Random operations through two processes against a model."""

from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from benchmarks.client import Answer
from tests.protocol.test_model import Files

from .effort import Effort
from .result import Result
from .world import Client, World

STEPS, EXAMPLES = 50, 20


class Alternating:
    """A user each of whose requests goes to the other service of a pair; counts operations and listings."""

    operations, listings = 0, 0

    def __init__(self, world: World, uid: str) -> None:
        self._clients, self._turn = [world.client(service, uid) for service in world.pair], 0

    def turn(self) -> Client:
        """Return the client of the other service."""
        self._turn += 1
        return self._clients[self._turn % 2]

    def get(self, path: str) -> Answer:
        """List a directory, or ask for a file."""
        if path.endswith('/'):
            Alternating.listings += 1
            return self.turn().get(path)
        return self._operate('get', path)

    def create(self, path: str) -> Answer:
        """Create a directory."""
        return self._operate('create', path)

    def delete(self, path: str) -> Answer:
        """Delete a file or a directory."""
        return self._operate('delete', path)

    def upload(self, path: str, source: str, strategy: str | None) -> Answer:
        """Upload what is at the URL *source*."""
        return self._operate('upload', path, source, strategy)

    def move(self, path: str, directory: str, strategy: str | None) -> Answer:
        """Move a file into a directory."""
        return self._operate('move', path, directory, strategy)

    def public(self, url: str) -> Answer:
        """Return the content at a public URL."""
        return self.turn().public(url)

    def _operate(self, name: str, *arguments: str | None) -> Answer:
        Alternating.operations += 1
        return getattr(self.turn(), name)(*arguments)


class TwoProcesses(Files):
    """The model of the protocol's tests, with a user of two services."""

    world: World
    source: Any

    def __init__(self) -> None:
        self._uid, self._compared = f'u{uuid4().hex[:12]}', 0
        super().__init__()

    def teardown(self) -> None:
        """Compare everything. Remove nothing: folders of their own do not meet."""
        for path in self.directories():
            self.compare_listing(path)
        self._directory.cleanup()

    @invariant()
    def every_listing_is_the_models(self) -> None:
        """Compare the listing of one directory after the other, one after each operation."""
        self._compared += 1
        directories = self.directories()
        self.compare_listing(directories[self._compared % len(directories)])

    @rule()
    def restart(self) -> None:
        """Let the order of the services change."""
        self._user = getattr(self, '_user', None) or Alternating(self.world, self._uid)
        self._user.turn()
        self.client: Any = self._user


def run(world: World, effort: Effort) -> Result:
    """Walk at random until there were enough operations."""
    result = Result(
        'fuzz',
        'Every answer is the one that the protocol says, whichever process gives it.',
        "hypothesis' state machine of the protocol's tests; each request goes to the other one of two services that "
        'share a Redis: few names in many spellings, all strategies; after each operation a listing is compared '
        'with the model, and all of them at the end of a walk.',
    )
    TwoProcesses.world, TwoProcesses.source = world, world.offers
    Alternating.operations, Alternating.listings, rounds = 0, 0, 0
    while Alternating.operations < effort.operations and not result.failures:
        _walk(result, effort, effort.seed + rounds)
        rounds += 1
    result.figures |= {'operations': Alternating.operations, 'listings compared': Alternating.listings}
    result.figures |= {'walks': rounds * _examples(effort), 'wrong answers': len(result.failures)}
    return result


def _examples(effort: Effort) -> int:
    # The first one is always the shortest walk.
    return max(2, min(EXAMPLES, effort.operations // STEPS))


def _walk(result: Result, effort: Effort, number: int) -> None:
    limits = settings(
        max_examples=_examples(effort),
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    try:
        run_state_machine_as_test(seed(number)(TwoProcesses), settings=limits)
    except Exception as error:  # noqa: BLE001 - an answer without the expected fields is wrong as well
        # hypothesis adds the steps that led there.
        result.fail('\n'.join([repr(error), *getattr(error, '__notes__', ())])[:4000])
