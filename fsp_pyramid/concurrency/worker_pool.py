"""What is done when nobody waits for it: a few threads that come when there is work and go when there is none."""

import logging
import queue
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any

log = logging.getLogger(__name__)

# Seconds that a thread waits for more work before it goes.
IDLE = 2.0


class WorkerPool:
    """Work by key: what is waiting or being done already is not taken on twice.

    :param threads: how many work at the same time
    :param most: how much waits; what comes then is refused
    """

    def __init__(self, threads: int, most: int) -> None:
        self._threads, self._most = threads, most
        self._lock = threading.Lock()
        self._known: dict[Hashable, Future[Any]] = {}
        self._queue: queue.SimpleQueue[tuple[Hashable, Callable[[], Any]]] = queue.SimpleQueue()
        self._workers = 0

    def submit(self, key: Hashable, work: Callable[[], Any]) -> Future[Any]:
        """What becomes of *work*, or of the work that has the *key* already. Raises queue.Full."""
        with self._lock:
            future = self._known.get(key)
            if future is not None:
                return future
            if len(self._known) >= self._most:
                raise queue.Full
            future = self._known[key] = Future()
            self._queue.put((key, work))
            if self._workers < min(self._threads, len(self._known)):
                self._workers += 1
                threading.Thread(target=self._serve, name='fsp-background', daemon=True).start()
        return future

    def _serve(self) -> None:
        while True:
            try:
                key, work = self._queue.get(timeout=IDLE)
            except queue.Empty:
                with self._lock:
                    if self._queue.empty():  # else somebody counted on this thread
                        self._workers -= 1
                        return
                continue
            self._do(key, work)

    def _do(self, key: Hashable, work: Callable[[], Any]) -> None:
        try:
            result, error = work(), None
        except Exception as caught:  # noqa: BLE001 - it goes to whoever looks
            result, error = None, caught
        with self._lock:
            future = self._known.pop(key)
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
