"""Result of a campaign."""

from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass
class Result:
    """The figures of one run.

    :param name: of the campaign
    :param promise: what the service promises, for the documentation
    :param method: how it is tested, for the documentation
    :param figures: what was counted and measured, by name
    :param failures: one line for each broken promise
    """

    name: str
    promise: str
    method: str
    figures: dict[str, float | str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    date: str = field(default_factory=lambda: f'{datetime.now(UTC):%Y-%m-%d}')

    def count(self, name: str, number: int = 1) -> None:
        """Add to a figure."""
        self.figures[name] = int(self.figures.get(name, 0)) + number

    def highest(self, name: str, value: float) -> None:
        """Keep the highest value of a figure."""
        self.figures[name] = max(float(self.figures.get(name, 0)), round(value, 2))

    def fail(self, text: str) -> None:
        """Note a broken promise."""
        self.failures.append(text)

    def expect(self, true: object, text: str) -> None:
        """Note a broken promise unless *true*."""
        if not true:
            self.fail(text)
