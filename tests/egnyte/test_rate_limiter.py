"""Rate limiter with a manual clock."""

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
    """Clock that advances by sleeping."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def new_rate_limiter(clock: Clock) -> RateLimiter:
    return RateLimiter(clock=clock, sleep=clock.sleep)


@given(st.lists(st.floats(0, 2)))
def test_never_more_than_two_in_a_second_before_the_first_answer(pauses: list[float]) -> None:
    clock = Clock()
    rate_limiter, times = new_rate_limiter(clock), []
    for pause in pauses:
        clock.sleep(pause)
        rate_limiter.acquire(TOKEN, max_wait=10)
        times.append(clock.now)
    for first, third in zip(times, times[2:], strict=False):
        assert third - first > 1


def test_two_calls_need_no_wait_and_the_third_little() -> None:
    rate_limiter = new_rate_limiter(Clock())
    assert [rate_limiter.acquire(TOKEN, 10).waited for _ in range(3)] == [0, 0, pytest.approx(1.04)]


def test_tokens_have_separate_limits() -> None:
    rate_limiter = new_rate_limiter(Clock())
    assert [rate_limiter.acquire(token, 0).waited for token in 'aabb'] == [0, 0, 0, 0]


def test_too_long_wait_is_refused_without_taking_a_slot() -> None:
    clock = Clock()
    rate_limiter = new_rate_limiter(clock)
    for _ in range(2):
        rate_limiter.acquire(TOKEN, 0)
    for _ in range(3):
        with pytest.raises(Throttled) as caught:
            rate_limiter.acquire(TOKEN, max_wait=1)
        assert caught.value.wait == pytest.approx(1.04)
    assert clock.now == NOON


def test_limits_follow_the_answers() -> None:
    rate_limiter = new_rate_limiter(Clock())
    rate_limiter.observe(
        rate_limiter.acquire(TOKEN, 0), {'X-Accesstoken-Qps-Allotted': '5', 'X-Accesstoken-Quota-Allotted': '7'}
    )
    turns = [rate_limiter.acquire(TOKEN, 0) for _ in range(4)]
    assert [turn.waited for turn in turns] == [0] * 4
    rate_limiter.observe(turns[-1], {'X-Accesstoken-Quota-Current': '7', 'X-Accesstoken-Qps-Allotted': 'many'})
    with pytest.raises(QuotaExceeded) as caught:
        rate_limiter.acquire(TOKEN, 10)
    assert caught.value.wait == 43_200


def test_day_has_a_thousand_calls_and_ends_at_midnight() -> None:
    clock = Clock()
    rate_limiter = new_rate_limiter(clock)
    for _ in range(1000):
        rate_limiter.acquire(TOKEN, 2, Priority.WRITE)
    with pytest.raises(QuotaExceeded):
        rate_limiter.acquire(TOKEN, 2, Priority.WRITE)
    clock.now = NOON + 43_200
    assert rate_limiter.acquire(TOKEN, 2).waited == 0


def test_last_calls_of_a_day_are_for_writes() -> None:
    rate_limiter = new_rate_limiter(Clock())
    first = rate_limiter.acquire(TOKEN, 2, Priority.BACKGROUND)
    rate_limiter.observe(first, {'X-Accesstoken-Quota-Allotted': '20', 'X-Accesstoken-Qps-Allotted': '20'})
    for priority, calls in ((Priority.BACKGROUND, 15), (Priority.READ, 2), (Priority.WRITE, 2)):
        for _ in range(calls):
            rate_limiter.acquire(TOKEN, 2, priority)
        with pytest.raises(QuotaExceeded) as caught:
            rate_limiter.acquire(TOKEN, 2, priority)
        assert isinstance(caught.value, QuotaReserved) == (priority is not Priority.WRITE)
        assert rate_limiter.usage(TOKEN).is_short
    assert rate_limiter.usage(TOKEN) == (20, 20, 43_200, True)


def test_blocked_token_waits() -> None:
    clock = Clock()
    rate_limiter = new_rate_limiter(clock)
    rate_limiter.block(TOKEN, 3)
    with pytest.raises(Throttled) as caught:
        rate_limiter.acquire(TOKEN, 2)
    assert caught.value.wait == 3
    assert rate_limiter.acquire(TOKEN, 5).waited == 3
    rate_limiter.block(TOKEN, 5000)
    with pytest.raises(QuotaExceeded):
        rate_limiter.acquire(TOKEN, 5)


def test_threads_share_the_limit() -> None:
    clock, waits = Clock(), []
    rate_limiter = RateLimiter(clock=clock, sleep=lambda _seconds: None)
    threads = [
        threading.Thread(target=lambda: waits.append(rate_limiter.acquire(TOKEN, 100).waited)) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == pytest.approx([1.04 * (n // 2) for n in range(20)])
