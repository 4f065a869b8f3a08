"""Random operations through two processes against a model."""

from pathlib import Path
from uuid import uuid4

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import rule, run_state_machine_as_test

from tests.protocol.test_model import Files

from .effort import Effort
from .result import Result
from .world import (
    Client,
    Service,
    World,
    start_world,
)

STEPS = 50


class Counting(Client):
    """Counts requests."""

    sent = 0

    def request(self, *arguments: object) -> object:
        Counting.sent += 1
        return super().request(*arguments)


class TwoProcesses(Files):
    """The model of the protocol's tests, with a user who changes between two services."""

    services: list[Service]
    world: World

    def __init__(self) -> None:
        self._uid, self._turn = f'u{uuid4().hex[:12]}', 0
        super().__init__()

    def teardown(self) -> None:
        """Remove nothing: folders of their own do not meet."""
        self._directory.cleanup()

    @rule()
    def restart(self) -> None:
        """Go on with the other service."""
        self._turn += 1
        self.client = Counting(self.services[self._turn % 2], self._uid, self.world.source)


def run(directory: Path, effort: Effort) -> Result:
    """Walk at random until enough requests were sent."""
    result = Result(
        'fuzz',
        'Every answer is the one that the protocol says, whichever process gives it.',
        "hypothesis' state machine of the protocol's tests through two services that share a Redis: few names in many "
        'spellings, all strategies; after each operation every listing is compared with the model.',
    )
    with start_world(directory) as world:
        redis = world.redis()
        shared = {'FSP_CACHE_BACKEND': 'redis', 'FSP_REDIS_URL': redis.url}
        TwoProcesses.world, TwoProcesses.source = world, world.offers
        TwoProcesses.services = [world.service(**shared), world.service(**shared)]
        Counting.sent, rounds = 0, 0
        while Counting.sent < effort.operations and not result.failures:
            rounds += 1
            _walk(result, effort)
        result.figures |= {'requests': Counting.sent, 'rounds': rounds, 'wrong answers': len(result.failures)}
    return result


def _walk(result: Result, effort: Effort) -> None:
    limits = settings(
        max_examples=max(1, min(20, effort.operations // 300)),
        stateful_step_count=STEPS if effort.operations > 1000 else 10,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    try:
        run_state_machine_as_test(TwoProcesses, settings=limits)
    except AssertionError as error:
        # hypothesis adds the steps that led there.
        result.fail('\n'.join([repr(error), *getattr(error, '__notes__', ())])[:4000])
