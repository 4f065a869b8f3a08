"""Concurrency limiter."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest

from fsp_pyramid.concurrency.bulkhead import Bulkhead, BulkheadFull

from ..timing import PATIENCE


@contextmanager
def held(limiter: Bulkhead, keys: str) -> Iterator[None]:
    """Hold slots for the keys, each in a thread of its own."""
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
    """Poll; the suite's own timeout ends a wait without end."""
    pause = threading.Event()
    while not condition():
        pause.wait(0.005)


def test_threads_at_once_are_bounded() -> None:
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
    assert (limiter.running, limiter.waiting) == (0, 0)


def test_full_queue_refuses_at_once() -> None:
    limiter = Bulkhead(1, 0, 3600.0)
    with held(limiter, 'a'), pytest.raises(BulkheadFull), limiter.slot('b'):
        pass
    with limiter.slot('b'):
        pass


def test_waiting_times_out() -> None:
    limiter = Bulkhead(1, 1, 0.01)
    with held(limiter, 'a'):
        for _ in range(3):  # a thread that gave up leaves no place taken
            with pytest.raises(BulkheadFull), limiter.slot('b'):
                pass
        assert limiter.waiting == 0
    with limiter.slot('a'), pytest.raises(BulkheadFull), limiter.slot('b'):
        pass


def test_share_bounds_the_threads_of_a_key() -> None:
    limiter = Bulkhead(3, 0, 0.0, share=2)
    with held(limiter, 'aa'):
        with pytest.raises(BulkheadFull), limiter.slot('a'):
            pass
        with limiter.slot('b'):
            pass
    with held(limiter, 'aa'):
        pass


def test_running_share_bounds_the_slots_of_a_key() -> None:
    limiter = Bulkhead(12, 0, 0.0, running_share=4)
    with ExitStack() as stack:
        for key in 'abc':
            for _ in range(4):
                stack.enter_context(limiter.slot(key))
            with pytest.raises(BulkheadFull), limiter.slot(key):
                pass
        assert limiter.running == 12
        with pytest.raises(BulkheadFull), limiter.slot('d'):
            pass
    assert limiter.running == 0
    with limiter.slot('d'):
        pass


def test_thread_beyond_its_running_share_waits_and_is_overtaken() -> None:
    limiter, go = Bulkhead(2, 1, 60.0, running_share=1), threading.Event()

    def use(key: str) -> str:
        with limiter.slot(key):
            assert go.wait(20)
            return key

    with ThreadPoolExecutor(1) as pool:
        with limiter.slot('a'):
            waiting = pool.submit(use, 'a')
            wait_until(lambda: limiter.waiting == 1)
            with pytest.raises(BulkheadFull), limiter.slot('a'):
                pytest.fail('the queue is full')
            with limiter.slot('b'):
                assert limiter.running == 2
        go.set()
        assert waiting.result(20) == 'a'
    assert (limiter.running, limiter.waiting) == (0, 0)


def test_forced_slot_exceeds_the_bounds_and_counts() -> None:
    limiter = Bulkhead(1, 0, 0.0, share=1)
    with limiter.slot('a'), limiter.slot('a', forced=True):
        assert limiter.running == 2
    with limiter.slot('a', forced=True), pytest.raises(BulkheadFull), limiter.slot('b'):
        pass
    assert limiter.running == 0


def test_waiting_threads_are_served_in_their_order() -> None:
    limiter, order = Bulkhead(1, 5, 30.0), []

    def work(number: int) -> None:
        with limiter.slot():
            order.append(number)

    threads = []
    with held(limiter, 'a'):
        for number in range(5):
            threads.append(threading.Thread(target=work, args=(number,)))
            threads[-1].start()
            wait_until(lambda: limiter.waiting == len(threads))
    for thread in threads:
        thread.join()
    assert order == list(range(5))


def test_slot_is_free_after_an_error() -> None:
    limiter = Bulkhead(1, 0, 0.0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), limiter.slot():
            raise ZeroDivisionError
