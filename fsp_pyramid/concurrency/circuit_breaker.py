"""Circuit breaker: after a failure, skip a service for PAUSE seconds so that callers do not wait for its timeouts."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

log = logging.getLogger(__name__)

T = TypeVar('T')

# Seconds between two attempts to reach a service that is down.
PAUSE = 5.0


class CircuitOpen(Exception):
    """The service does not answer, or did not answer a moment ago."""


class CircuitBreaker:
    """The state of one service, as its callers find it. Each outage and its end is logged once.

    :param name: name of the service, for the log
    :param failures: exceptions that mean that the service is down
    :param consequence: consequence of an outage, for the log
    """

    def __init__(
        self,
        name: str = '',
        failures: tuple[type[Exception], ...] = (),
        clock: Callable[[], float] = time.monotonic,
        consequence: str = 'going on without it',
    ) -> None:
        self.failures, self._consequence = failures, consequence
        self._name, self._clock = name, clock
        self._guard = threading.Lock()
        self._retry_at: float | None = None  # None while the circuit is closed
        self._outages = 0  # that have ended

    def call(self, function: Callable[[], T]) -> T:
        """Return the result of *function*. Raises CircuitOpen if it fails or, uncalled, while the circuit is open."""
        with self.guard():
            return function()

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Run a block that uses the service. Raises CircuitOpen as :meth:`call` does."""
        with self._guard:
            if self._retry_at is not None:
                if self._clock() < self._retry_at:
                    raise CircuitOpen(self._name)
                self._retry_at = self._clock() + PAUSE  # half-open: one caller tries, the others skip the service
            outages = self._outages
        try:
            yield
        except self.failures as error:
            self._open(error, outages)
            raise CircuitOpen(self._name) from error
        except Exception:
            self._close()  # an error of another kind is an answer
            raise
        self._close()

    def _open(self, error: Exception, outages: int) -> None:
        with self._guard:
            if outages != self._outages:  # the call began before the end of one, and says nothing of now
                return
            first, self._retry_at = self._retry_at is None, self._clock() + PAUSE
        if first:
            # The type only: the exception's text may contain a URL with a password.
            kind = type(error.__cause__ or error).__name__
            log.error('%s does not answer (%s): %s', self._name, kind, self._consequence)

    def _close(self) -> None:
        if self._retry_at is not None:
            with self._guard:
                was_open, self._retry_at = self._retry_at is not None, None
                self._outages += was_open
            if was_open:
                log.warning('%s is back', self._name)
