"""Test data: a user, a clock, and an Egnyte that refreshes tokens."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Engine, create_engine

from fsp_pyramid.egnyte.oauth import Tokens

from ..timing import PATIENCE

NOW = 1_800_000_000.0
ANN = ('shop', 'client-1', 'ann')
URL = 'https://acme.egnyte.com'
OLD = Tokens('access-secret-1', 'refresh-secret-1', NOW + 1000)
NEW = Tokens('access-secret-2', 'refresh-secret-2', NOW + 5000)
GRANT = (URL, 'ann.smith', OLD)


class Clock:
    """Manual clock that counts its readings."""

    def __init__(self) -> None:
        self.now = NOW
        self.readings = 0
        self._read = threading.Condition()

    def __call__(self) -> float:
        with self._read:
            self.readings += 1
            self._read.notify_all()
            return self.now

    def wait_for(self, readings: int) -> None:
        """Wait for a number of readings."""
        with self._read:
            assert self._read.wait_for(lambda: self.readings >= readings, timeout=PATIENCE)


@dataclass
class Egnyte:
    """Refresher that returns NEW for any tokens, or fails, and records its calls."""

    error: Exception | None = None
    meanwhile: Callable[[], object] = lambda: None
    asked: list[tuple[str, Tokens]] = field(default_factory=list)

    def refresh(self, url: str, tokens: Tokens) -> Tokens:
        self.asked.append((url, tokens))
        self.meanwhile()
        if self.error:
            raise self.error
        return NEW


def engine_of(url: str) -> Engine:
    """Return a plain engine, without our set-up."""
    return create_engine(url)
