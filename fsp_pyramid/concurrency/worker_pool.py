"""Worker pool: a few threads for background work, started when there is work and ended when there is none."""

import queue
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any

# Seconds that an idle thread waits for work before it ends.
IDLE = 2.0


class WorkerPool:
    """Background tasks by key: a task that is queued or running already is not added again.

    :param threads: number of threads
    :param most: number of tasks, queued and running; further ones are refused
    """

    def __init__(self, threads: int, most: int) -> None:
        self._threads, self._most = threads, most
        self._lock = threading.Lock()
        self._tasks: dict[Hashable, Future[Any]] = {}
        # Not a SimpleQueue: its get() may wait for ever on a busy machine, tests/concurrency/test_worker_pool.py
        self._queue: queue.Queue[tuple[Hashable, Callable[[], Any]]] = queue.Queue()
        self._workers = 0

    def submit(self, key: Hashable, function: Callable[[], Any]) -> Future[Any]:
        """Return the future of *function*, or of the task with the same *key*. Raises queue.Full."""
        with self._lock:
            future = self._tasks.get(key)
            if future is not None:
                return future
            if len(self._tasks) >= self._most:
                raise queue.Full
            future = self._tasks[key] = Future()
            self._queue.put((key, function))
            if self._workers < min(self._threads, len(self._tasks)):
                self._workers += 1
                threading.Thread(target=self._work, name='fsp-background', daemon=True).start()
        return future

    def _work(self) -> None:
        while True:
            try:
                key, function = self._queue.get(timeout=IDLE)
            except queue.Empty:
                with self._lock:
                    if self._queue.empty():  # else a task was added that relies on this thread
                        self._workers -= 1
                        return
                continue
            self._run(key, function)

    def _run(self, key: Hashable, function: Callable[[], Any]) -> None:
        try:
            result, error = function(), None
        except Exception as caught:  # noqa: BLE001 - it goes into the future
            result, error = None, caught
        with self._lock:
            future = self._tasks.pop(key)
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
