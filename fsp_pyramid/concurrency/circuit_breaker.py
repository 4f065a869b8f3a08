"""A service that may be down: then it is let alone for a while, and what it was for goes on without it."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

log = logging.getLogger(__name__)

T = TypeVar('T')

# Seconds between two attempts to reach a service that is down. Meanwhile nobody waits for its time-outs.
PAUSE = 5.0


class CircuitOpen(Exception):
    """The service did not answer, or did not a moment ago."""


class CircuitBreaker:
    """Whether a service is there, as those find out who need it. The log tells each outage once, and its end.

    :param name: of the service, for the log
    :param failures: the exceptions that mean that it is down
    :param consequence: of an outage, for the log
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
        self._again: float | None = None  # when to try again; None while all is well

    def call(self, ask: Callable[[], T]) -> T:
        """What *ask* returns. Raises DownError if it fails; at once, without asking, if it failed a moment ago."""
        with self.asking():
            return ask()

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Run a block that asks the service. Raises DownError as :meth:`attempt` does."""
        with self._guard:
            if self._again is not None:
                if self._clock() < self._again:
                    raise CircuitOpen(self._name)
                self._again = self._clock() + PAUSE  # one tries, and others go on without
        try:
            yield
        except self.failures as error:
            self._failed(error)
            raise CircuitOpen(self._name) from error
        except Exception:
            self._worked()  # whatever that was about, it was answered
            raise
        self._worked()

    def _failed(self, error: Exception) -> None:
        with self._guard:
            first, self._again = self._again is None, self._clock() + PAUSE
        if first:
            # Not what the exception says: that may show more of a URL than anybody wants.
            kind = type(error.__cause__ or error).__name__
            log.error('%s does not answer (%s): %s', self._name, kind, self._consequence)

    def _worked(self) -> None:
        if self._again is not None:
            with self._guard:
                was_down, self._again = self._again is not None, None
            if was_down:
                log.warning('%s is back', self._name)
