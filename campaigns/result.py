"""Result of a campaign."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass
class Result:
    """The figures of one run, which several threads may add to.

    :param name: of the campaign
    :param promise: what the service promises, for the documentation
    :param method: how it is tested, for the documentation
    :param figures: what was counted and measured, by name
    :param failures: one line for each broken promise
    :param seconds: length of the run
    """

    name: str
    promise: str
    method: str
    figures: dict[str, float | str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    seconds: float = 0
    date: str = field(default_factory=lambda: f'{datetime.now(UTC):%Y-%m-%d}')
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def count(self, name: str, number: int = 1) -> None:
        """Add to a figure."""
        with self._lock:
            self.figures[name] = int(self.figures.get(name, 0)) + number

    def highest(self, name: str, value: float) -> None:
        """Keep the highest value of a figure."""
        with self._lock:
            self.figures[name] = max(float(self.figures.get(name, 0)), round(value, 2))

    def fail(self, text: str) -> None:
        """Note a broken promise."""
        self.failures.append(text)

    def expect(self, true: object, text: str) -> None:
        """Note a broken promise unless *true*."""
        if not true:
            self.fail(text)
