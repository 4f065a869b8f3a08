"""Background tasks of the content cache: revalidation, prefetching, thumbnails and sweeps."""

import logging
import queue
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any

from ..concurrency.worker_pool import WorkerPool
from ..errors import FSPError

log = logging.getLogger(__name__)

# Threads, and the number of tasks that may wait for one.
THREADS, MAX_QUEUED = 4, 2000


class BackgroundTasks:
    """Worker pool whose tasks log their failures. A task whose key is queued or running already is not added again."""

    def __init__(self, threads: int = THREADS) -> None:
        self._pool = WorkerPool(threads, MAX_QUEUED)

    def schedule(self, key: tuple[str, *tuple[Hashable, ...]], task: Callable[[], Any]) -> None:
        """Run the task later; drop it if too many are queued."""
        with suppress(queue.Full):
            self.submit(key, task)

    def submit(self, key: tuple[str, *tuple[Hashable, ...]], task: Callable[[], Any]) -> Future[Any]:
        """Run the task later, and return its future. Raises queue.Full.

        :param key: begins with the name of the task for the log
        """

        def logged() -> Any:
            with _log_failures(key[0]):
                return task()

        return self._pool.submit(key, logged)


@contextmanager
def _log_failures(task: str) -> Iterator[None]:
    """Log exceptions, because the caller may not wait for the result of the task."""
    try:
        yield
    except FSPError as error:
        log.info('%s is put off: %s %s', task, error.code, error.title)
        raise
    except Exception:
        log.exception('%s failed', task)
        raise
