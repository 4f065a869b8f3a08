"""Minimum rate of a response: abort a slow source long before its deadline."""

import threading
from types import TracebackType
from typing import Self

from .deadline import Deadline

# Bytes a second, measured over WINDOW seconds: a pause of a few seconds is no reason to abort.
LEAST, WINDOW = 1024, 5.0


class MinimumRate:
    """Watchdog that cuts a download below a minimum rate, from its first byte on and as long as the context lasts.

    :param deadline: deadline of the download
    :ivar least: minimum of bytes a second; the value at the begin of a window holds for that window
    """

    def __init__(self, deadline: Deadline) -> None:
        self.least: float = LEAST
        self._deadline = deadline
        self._wanted = self.least * WINDOW
        self._received = self._checked = 0
        self._paused = False
        self._begun, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name='fsp-minimum-rate', daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._begun.set()
        self._thread.join()

    def add(self, size: int) -> None:
        """Count *size* received bytes."""
        self._received += size
        self._begun.set()

    def pause(self) -> None:
        """Demand nothing until the next byte: the server may take its time for the next response."""
        self._paused = True
        self._begun.clear()

    def check(self) -> bool:
        """Return whether the window since the last check had enough bytes or a pause; cut the download otherwise."""
        received, before, wanted, paused = self._received, self._checked, self._wanted, self._paused
        self._checked, self._wanted, self._paused = received, self.least * WINDOW, False
        if paused or received - before >= wanted:
            return True
        self._deadline.cut(f'came at less than {wanted / WINDOW:.0f} bytes a second for {WINDOW:g} seconds')
        return False

    def _run(self) -> None:
        while self._begun.wait() and not self._ended.wait(WINDOW) and self.check():
            pass
