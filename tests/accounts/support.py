"""A user, the time, and what Egnyte does when it is asked for new tokens."""

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
    """Stands still until it is set; tells how often it was looked at."""

    def __init__(self) -> None:
        self.now = NOW
        self.looks = 0
        self._looked = threading.Condition()

    def __call__(self) -> float:
        with self._looked:
            self.looks += 1
            self._looked.notify_all()
            return self.now

    def wait_for(self, looks: int) -> None:
        """Until it was looked at so many times."""
        with self._looked:
            assert self._looked.wait_for(lambda: self.looks >= looks, timeout=PATIENCE)


@dataclass
class Egnyte:
    """Gives NEW for any tokens, or fails; remembers what it was asked."""

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
    """An engine as a host or an intruder would make it, without anything of ours."""
    return create_engine(url)
