"""Size of campaigns."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """The size of a run.

    :param kills: processes killed
    :param cases: injected faults at most, None for all
    :param outages: their names, None for all
    :param seconds: length of each outage
    :param steps: steps of the clock
    :param operations: operations of the fuzzer
    :param minutes: length of the soak
    :param logins: wrong logins at once, whose memory is measured
    :param pictures: whose memory is measured, honest ones and others, None for all
    :param seed: of the random walks
    """

    kills: int = 200
    cases: int | None = None
    outages: tuple[str, ...] | None = None
    seconds: float = 20
    steps: int = 40
    operations: int = 100_000
    minutes: float = 60
    logins: int = 64
    pictures: int | None = None
    seed: int = 1


QUICK = Effort(
    kills=1,
    cases=16,
    outages=('Redis hangs', 'Egnyte refuses', 'cache directory away', 'disk full'),
    seconds=0.5,
    steps=2,
    operations=100,
    minutes=0.02,
    logins=8,
    pictures=1,
)
