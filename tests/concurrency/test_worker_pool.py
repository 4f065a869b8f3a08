"""Worker pool: the queue of its tasks."""

import queue
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from fsp_pyramid.concurrency.worker_pool import WorkerPool

from ..timing import PATIENCE


@contextmanager
def busy_interpreter() -> Iterator[None]:
    """Keep the interpreter's lock busy, so that threads go on later than they are woken."""
    done, interval = threading.Event(), sys.getswitchinterval()

    def compute() -> None:
        while not done.is_set():
            sum(range(2000))

    threads = [threading.Thread(target=compute) for _ in range(2)]
    sys.setswitchinterval(0.0005)
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(interval)


def test_idle_threads_of_a_busy_machine_wake_up_at_their_time_out() -> None:
    """SimpleQueue.get() waits for ever if another thread takes the item at the end of its time-out (CPython 3.11)."""
    tasks, done, pause = WorkerPool(1, 1)._queue, threading.Event(), threading.Event()

    def consume() -> None:
        while not done.is_set():
            with suppress(queue.Empty):
                tasks.get(timeout=0.004)

    threads = [threading.Thread(target=consume, daemon=True) for _ in range(32)]
    with busy_interpreter():
        for thread in threads:
            thread.start()
        for _ in range(400):
            tasks.put((None, consume))
            pause.wait(0.002)
        done.set()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
