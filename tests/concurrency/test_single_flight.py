"""Single-flight."""

import threading
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from fsp_pyramid.concurrency.single_flight import SingleFlight

from ..timing import PATIENCE


class Call:
    """A function that returns or raises *result* once *answer* is set, and counts its calls in *made*."""

    def __init__(self, result: object) -> None:
        self.made, self.result, self.begun, self.answer = 0, result, threading.Event(), threading.Event()

    def __call__(self) -> object:
        self.made += 1
        self.begun.set()
        assert self.answer.wait(timeout=PATIENCE)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.mark.parametrize('result', ['result', ValueError('failed')], ids=['returned', 'failed'])
def test_concurrent_calls_share_one_result(result: object) -> None:
    single_flight, call = SingleFlight(), Call(result)
    with ThreadPoolExecutor(4) as pool:
        leader = pool.submit(single_flight.do, 'key', call)
        assert call.begun.wait(timeout=PATIENCE)
        others = [pool.submit(single_flight.do, 'key', call) for _ in range(3)]
        assert wait(others, timeout=0.1).done == set()
        call.answer.set()
        outcomes = [future.exception(timeout=PATIENCE) or future.result() for future in (leader, *others)]
    assert outcomes == [result] * 4
    assert call.made == 1


def test_later_call_and_other_key_call_again() -> None:
    single_flight, call = SingleFlight(), Call('x')
    call.answer.set()
    for key in ('a', 'a', 'b'):
        single_flight.do(key, call)
    assert call.made == 3
    assert single_flight._calls == {}
