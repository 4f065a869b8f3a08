"""When a token may make its next call."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsp_pyramid.egnyte import (
    Priority,
    QuotaExceeded,
    QuotaReserved,
    RateLimiter,
    Throttled,
)

TOKEN = 't'
NOON = 20_000 * 86400 + 43_200.0


class Clock:
    """A clock that moves when somebody sleeps."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def rate_limiter(clock: Clock) -> RateLimiter:
    return RateLimiter(clock=clock, sleep=clock.sleep)


@given(st.lists(st.floats(0, 2)))
def test_never_more_than_two_in_a_second_before_the_first_answer(pauses: list[float]) -> None:
    clock = Clock()
    paced, times = rate_limiter(clock), []
    for pause in pauses:
        clock.sleep(pause)
        paced.acquire(TOKEN, max_wait=10)
        times.append(clock.now)
    for first, third in zip(times, times[2:], strict=False):
        assert third - first > 1


def test_two_calls_need_no_wait_and_the_third_little() -> None:
    paced = rate_limiter(Clock())
    assert [paced.acquire(TOKEN, 10).waited for _ in range(3)] == [0, 0, pytest.approx(1.04)]


def test_tokens_have_paces_of_their_own() -> None:
    paced = rate_limiter(Clock())
    assert [paced.acquire(token, 0).waited for token in 'aabb'] == [0, 0, 0, 0]


def test_who_would_wait_too_long_is_told_at_once_and_takes_no_place() -> None:
    clock = Clock()
    paced = rate_limiter(clock)
    for _ in range(2):
        paced.acquire(TOKEN, 0)
    for _ in range(3):
        with pytest.raises(Throttled) as caught:
            paced.acquire(TOKEN, max_wait=1)
        assert caught.value.wait == pytest.approx(1.04)
    assert clock.now == NOON


def test_answers_teach_it() -> None:
    paced = rate_limiter(Clock())
    paced.observe(paced.acquire(TOKEN, 0), {'X-Accesstoken-Qps-Allotted': '5', 'X-Accesstoken-Quota-Allotted': '7'})
    turns = [paced.acquire(TOKEN, 0) for _ in range(4)]
    assert [turn.waited for turn in turns] == [0] * 4
    paced.observe(turns[-1], {'X-Accesstoken-Quota-Current': '7', 'X-Accesstoken-Qps-Allotted': 'many'})
    with pytest.raises(QuotaExceeded) as caught:
        paced.acquire(TOKEN, 10)
    assert caught.value.wait == 43_200


def test_the_day_has_a_thousand_calls_and_ends_at_midnight() -> None:
    clock = Clock()
    paced = rate_limiter(clock)
    for _ in range(1000):
        paced.acquire(TOKEN, 2, Priority.WRITE)
    with pytest.raises(QuotaExceeded):
        paced.acquire(TOKEN, 2, Priority.WRITE)
    clock.now = NOON + 43_200
    assert paced.acquire(TOKEN, 2).waited == 0


def test_the_last_calls_of_a_day_are_for_writes() -> None:
    paced = rate_limiter(Clock())
    first = paced.acquire(TOKEN, 2, Priority.BACKGROUND)
    paced.observe(first, {'X-Accesstoken-Quota-Allotted': '20', 'X-Accesstoken-Qps-Allotted': '20'})
    for priority, calls in ((Priority.BACKGROUND, 15), (Priority.READ, 2), (Priority.WRITE, 2)):
        for _ in range(calls):
            paced.acquire(TOKEN, 2, priority)
        with pytest.raises(QuotaExceeded) as caught:
            paced.acquire(TOKEN, 2, priority)
        assert isinstance(caught.value, QuotaReserved) == (priority is not Priority.WRITE)
        assert paced.usage(TOKEN).is_short
    assert paced.usage(TOKEN) == (20, 20, 43_200, True)


def test_egnyte_closes_the_door() -> None:
    clock = Clock()
    paced = rate_limiter(clock)
    paced.block(TOKEN, 3)
    with pytest.raises(Throttled) as caught:
        paced.acquire(TOKEN, 2)
    assert caught.value.wait == 3
    assert paced.acquire(TOKEN, 5).waited == 3
    paced.block(TOKEN, 5000)
    with pytest.raises(QuotaExceeded):
        paced.acquire(TOKEN, 5)


def test_threads_share_it() -> None:
    clock, waits = Clock(), []
    paced = RateLimiter(clock=clock, sleep=lambda _seconds: None)
    threads = [threading.Thread(target=lambda: waits.append(paced.acquire(TOKEN, 100).waited)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == pytest.approx([1.04 * (n // 2) for n in range(20)])
