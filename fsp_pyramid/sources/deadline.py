"""Deadline for all of a download: DNS, connecting, TLS, headers and body."""

import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

from .errors import SourceUnavailable


class Deadline:
    """Deadline that shuts the watched connection down, in any state.

    A socket's own timeout starts again with every byte, so a server that sends single bytes would outlive it.
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
        """Return the seconds until the deadline. Raises SourceUnavailable after it."""
        seconds = self._end - time.monotonic()
        # A shutdown looks like a regular end of headers or body, so callers check here after a read.
        if self._over or seconds <= 0:
            raise SourceUnavailable(self._reason)
        return seconds

    def watch(self, connection: socket.socket) -> None:
        """Shut this connection down at the deadline, in place of an earlier one."""
        # A duplicate, because TLS detaches the original socket, so that a shutdown of it would have no effect.
        self._replace(connection.dup())

    def _replace(self, watched: socket.socket | None) -> None:
        with self._lock:
            if self._watched is not None:
                self._watched.close()
            self._watched = watched
        if self._over:
            self.cut()

    def cut(self, reason: str = '') -> None:
        """Expire now, with a *reason* for the log. Thread-safe."""
        with self._lock:
            if reason and not self._over:
                self._reason = reason
            self._over = True
            if self._watched is not None:
                with suppress(OSError):  # the peer may have closed it already
                    self._watched.shutdown(socket.SHUT_RDWR)
