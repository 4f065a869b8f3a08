"""Minimum rate of a body: give up a source that sends too slowly long before its deadline."""

import threading
from types import TracebackType
from typing import Self

from .deadline import Deadline

# Bytes a second, measured over so many seconds: a pause of a few seconds is no reason to give up.
LEAST, WINDOW = 1024, 5.0


class MinimumRate:
    """Cuts a download whose body comes too slowly, as long as the context lasts.

    :param deadline: of the download
    :ivar least: bytes a second that have to come; what it is when a window begins counts for that window
    """

    def __init__(self, deadline: Deadline) -> None:
        self.least: float = LEAST
        self._deadline = deadline
        self._wanted = self.least * WINDOW
        self._received = self._looked_at = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name='fsp-minimum-rate', daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def came(self, size: int) -> None:
        """So many bytes have come."""
        self._received += size

    def look(self) -> bool:
        """Whether enough has come since the last look, a window ago; else the download is cut."""
        received, before, wanted = self._received, self._looked_at, self._wanted
        self._looked_at, self._wanted = received, self.least * WINDOW
        if received - before >= wanted:
            return True
        self._deadline.cut(f'came at less than {wanted / WINDOW:.0f} bytes a second for {WINDOW:g} seconds')
        return False

    def _run(self) -> None:
        while not self._ended.wait(WINDOW) and self.look():
            pass
