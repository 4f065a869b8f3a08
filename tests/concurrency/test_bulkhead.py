"""The concurrency limiter."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from fsp_pyramid.concurrency.bulkhead import Bulkhead, BulkheadFull

from ..timing import PATIENCE


@contextmanager
def held(limiter: Bulkhead, keys: str) -> Iterator[None]:
    """Slots for the keys, each taken by a thread of its own."""
    end, inside = threading.Event(), threading.Semaphore(0)

    def hold(key: str) -> None:
        with limiter.slot(key):
            inside.release()
            end.wait(PATIENCE)

    threads = [threading.Thread(target=hold, args=key) for key in keys]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert inside.acquire(timeout=PATIENCE)
    try:
        yield
    finally:
        end.set()
        for thread in threads:
            thread.join()


def wait_until(condition: Callable[[], bool]) -> None:
    """Poll; the suite's own time-out ends what never comes."""
    pause = threading.Event()
    while not condition():
        pause.wait(0.005)


def test_no_more_than_the_limit_run_at_once() -> None:
    limiter, running, highest, guard = Bulkhead(2, 20, 30.0), 0, 0, threading.Lock()

    def work() -> None:
        nonlocal running, highest
        with limiter.slot():
            with guard:
                running += 1
                highest = max(highest, running)
            threading.Event().wait(0.005)
            with guard:
                running -= 1

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert highest == 2


def test_a_full_queue_refuses_at_once() -> None:
    limiter = Bulkhead(1, 0, 3600.0)
    with held(limiter, 'a'), pytest.raises(BulkheadFull), limiter.slot('b'):
        pass
    with limiter.slot('b'):
        pass


def test_waiting_has_an_end() -> None:
    limiter = Bulkhead(1, 1, 0.01)
    with held(limiter, 'a'):
        for _ in range(3):  # whoever gave up leaves no place taken
            with pytest.raises(BulkheadFull), limiter.slot('b'):
                pass
    with limiter.slot('a'), pytest.raises(BulkheadFull), limiter.slot('b'):
        pass


def test_one_key_has_its_share() -> None:
    limiter = Bulkhead(3, 0, 0.0, share=2)
    with held(limiter, 'aa'):
        with pytest.raises(BulkheadFull), limiter.slot('a'):
            pass
        with limiter.slot('b'):
            pass
    with held(limiter, 'aa'):
        pass


def test_waiting_threads_go_first_come_first_served() -> None:
    limiter, order = Bulkhead(1, 5, 30.0), []

    def work(number: int) -> None:
        with limiter.slot():
            order.append(number)

    threads = []
    with held(limiter, 'a'):
        for number in range(5):
            threads.append(threading.Thread(target=work, args=(number,)))
            threads[-1].start()
            wait_until(lambda: len(limiter._queue) == len(threads))
    for thread in threads:
        thread.join()
    assert order == list(range(5))


def test_an_error_gives_the_slot_back() -> None:
    limiter = Bulkhead(1, 0, 0.0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), limiter.slot():
            raise ZeroDivisionError
