"""Time-outs of tests: no test depends on the speed of the machine."""

import time
from collections.abc import Callable

# Time-out, in seconds, for an event that has to come. Only a hang takes so long.
PATIENCE = 600.0


def eventually(true: Callable[[], object]) -> None:
    """Wait until *true* returns something true."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)
