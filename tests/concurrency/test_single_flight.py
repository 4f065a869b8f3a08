"""Questions that are shared while they are on their way."""

import threading
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from fsp_pyramid.concurrency.single_flight import SingleFlight

from ..timing import PATIENCE


class Question:
    """It is answered when *answer* is called; *asked* counts how often it was asked."""

    def __init__(self, result: object) -> None:
        self.asked, self.result, self.begun, self.answer = 0, result, threading.Event(), threading.Event()

    def __call__(self) -> object:
        self.asked += 1
        self.begun.set()
        assert self.answer.wait(timeout=PATIENCE)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.mark.parametrize('result', ['the answer', ValueError('refused')], ids=['answered', 'failed'])
def test_all_who_ask_together_get_the_one_answer(result: object) -> None:
    single_flight, question = SingleFlight(), Question(result)
    with ThreadPoolExecutor(4) as pool:
        leader = pool.submit(single_flight.do, 'key', question)
        assert question.begun.wait(timeout=PATIENCE)
        others = [pool.submit(single_flight.do, 'key', question) for _ in range(3)]
        assert wait(others, timeout=0.1).done == set()
        question.answer.set()
        outcomes = [future.exception(timeout=PATIENCE) or future.result() for future in (leader, *others)]
    assert outcomes == [result] * 4
    assert question.asked == 1


def test_who_asks_later_or_something_else_asks_anew() -> None:
    single_flight, question = SingleFlight(), Question('x')
    question.answer.set()
    for key in ('a', 'a', 'b'):
        single_flight.do(key, question)
    assert question.asked == 3
    assert single_flight._single_flight == {}
