"""One end for all of a download: the look-up, connecting, TLS, headers and body."""

import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

from .errors import SourceUnavailable


class Deadline:
    """Cuts the watched connection when the time is over, whatever it waits for.

    A socket's own timeout starts again with every byte that arrives, so a server that dribbles outlives it.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._reason = f'took longer than {seconds:g} seconds'
        self._lock = threading.Lock()
        self._over = False
        self._watched: socket.socket | None = None
        self._timer = threading.Timer(seconds, self.cut)
        self._timer.name, self._timer.daemon = 'fsp-deadline', True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._timer.join()
        self._replace(None)

    def left(self) -> float:
        """Seconds until the end. Raises SourceUnavailable if it has come."""
        seconds = self._end - time.monotonic()
        # A cut connection looks like a proper end of headers or body: believe nothing without asking here.
        if self._over or seconds <= 0:
            raise SourceUnavailable(self._reason)
        return seconds

    def watch(self, connection: socket.socket) -> None:
        """Cut this connection at the end, and forget the one before."""
        # A duplicate, because wrapping a socket in TLS empties the original, and cutting that would do nothing.
        self._replace(connection.dup())

    def _replace(self, watched: socket.socket | None) -> None:
        with self._lock:
            if self._watched is not None:
                self._watched.close()
            self._watched = watched
        if self._over:
            self.cut()

    def cut(self, reason: str = '') -> None:
        """Let the end come now, for a *reason* of the log. From any thread."""
        with self._lock:
            if reason and not self._over:
                self._reason = reason
            self._over = True
            if self._watched is not None:
                with suppress(OSError):  # the other side may have been faster
                    self._watched.shutdown(socket.SHUT_RDWR)
