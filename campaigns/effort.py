"""Size of campaigns."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """The size of a run.

    :param kills: processes killed
    :param cases: injected faults at most, None for all
    :param seconds: length of each outage
    :param steps: steps of the clock
    :param operations: requests of the fuzzer
    :param minutes: length of the soak
    :param seed: of the random walks
    """

    kills: int = 200
    cases: int | None = None
    seconds: float = 20
    steps: int = 40
    operations: int = 100_000
    minutes: float = 60
    seed: int = 1


QUICK = Effort(kills=2, cases=8, seconds=1, steps=3, operations=300, minutes=0.05)
