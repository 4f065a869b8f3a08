"""Registration of experiments: modules register theirs, in the order in which they run."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .lab import Lab
from .model import Finding

Function = Callable[[Lab], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Experiment:
    """Some calls that settle some assumptions.

    :ivar calls: number of calls at most
    """

    ids: tuple[str, ...]
    calls: int
    function: Function


EXPERIMENTS: list[Experiment] = []


def experiment(calls: int, *ids: str) -> Callable[[Function], Function]:
    """Register a function that makes *calls* calls at most and gives a finding for each of *ids*."""

    def register(function: Function) -> Function:
        EXPERIMENTS.append(Experiment(ids, calls, function))
        return function

    return register
