"""One asks, and the others who want to know the same at that time get the same answer."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar('T')


class SingleFlight:
    """Questions that are on their way, by key."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._single_flight: dict[Hashable, Future[Any]] = {}

    def do(self, key: Hashable, ask: Callable[[], T]) -> T:
        """What *ask* answers or raises; it is not called where somebody else asks the same already."""
        with self._guard:
            flight = self._single_flight.get(key)
            leads = flight is None
            if flight is None:
                flight = self._single_flight[key] = Future()
        if leads:
            self._fly(key, flight, ask)
        return flight.result()

    def _fly(self, key: Hashable, flight: Future[Any], ask: Callable[[], Any]) -> None:
        try:
            flight.set_result(ask())
        except BaseException as error:  # noqa: BLE001 - it is raised by result(), for all of them
            flight.set_exception(error)
        finally:
            with self._guard:
                del self._single_flight[key]
