"""Fixtures: a fresh sandbox, and a clock that stands still."""

from pathlib import Path

import pytest

from fsp_pyramid.sandbox import make_app

from .api import Api


class Clock:
    """Seconds since 1970 that pass only when a test says so."""

    def __init__(self) -> None:
        self.now = 1_795_000_000.25

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def api(tmp_path: Path, clock: Clock) -> Api:
    """Return a sandbox without limits, called by the administrator."""
    return Api(make_app(tmp_path / 'egnyte', clock=clock))
