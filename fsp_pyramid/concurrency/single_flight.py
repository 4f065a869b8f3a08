"""Single-flight: concurrent calls with the same key share one call and its result."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

T = TypeVar('T')


class SingleFlight:
    """Calls in progress, by key, of the threads of one process."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._calls: dict[Hashable, Future[Any]] = {}

    def do(
        self,
        key: Hashable,
        function: Callable[[], T],
        waiting: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> T:
        """Return or raise the outcome of *function*, or of the call with the same *key* that is in progress already.

        :param waiting: returns the context in which that other call is waited for
        """
        with self._guard:
            call = self._calls.get(key)
            leads = call is None
            if call is None:
                call = self._calls[key] = Future()
        if leads:
            self._run(key, call, function)
            return call.result()
        with waiting():
            return call.result()

    def _run(self, key: Hashable, call: Future[Any], function: Callable[[], Any]) -> None:
        try:
            call.set_result(function())
        except BaseException as error:  # noqa: BLE001 - result() raises it, for all callers
            call.set_exception(error)
        finally:
            with self._guard:
                del self._calls[key]
