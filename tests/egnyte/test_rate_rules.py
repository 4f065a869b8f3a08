"""Rules of the rate limiter: order and distance of calls, and the count by answers in any order."""

import heapq
from dataclasses import replace
from itertools import count
from typing import NamedTuple

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
from fsp_pyramid.egnyte.rate_rules import (
    CLOSEST,
    WINDOW,
    QuotaHeaders,
    Reservation,
    TokenUsage,
)
from fsp_pyramid.egnyte.rate_store import LIFETIME, MemoryRateStore

DAY = 86400
NOON = 20_000 * DAY + 43_200.0
BACKGROUND, READ, WRITE = Priority

priorities = st.sampled_from(Priority)


class Caller(NamedTuple):
    """Caller that arrives *after* seconds after the one before, and waits for *max_wait* seconds at most."""

    after: float
    priority: Priority
    max_wait: float


class Call(NamedTuple):
    """Call that was made."""

    came: float
    order: int
    priority: Priority
    at: float


callers = st.lists(st.builds(Caller, st.floats(0, 3), priorities, st.floats(0, 20)), max_size=60)


def play(record: TokenUsage, crowd: list[Caller]) -> tuple[list[Call], list[tuple[float, Throttled]]]:
    """Return all calls in the order of their slots, and all refusals with the max_wait of the caller."""
    events, orders, now = [], count(), NOON
    for caller in crowd:
        now += caller.after
        heapq.heappush(events, (now, next(orders), now, caller))
    calls, refused = [], []
    while events:
        now, order, came, caller = heapq.heappop(events)
        left = caller.max_wait - (now - came)
        try:
            at = record.next_slot(now, left, caller.priority, 0.1)
        except Throttled as error:
            refused.append((left, error))
            continue
        if caller.priority is BACKGROUND and at > now:
            heapq.heappush(events, (at, next(orders), came, caller))
        else:
            record.reserve(at, now)
            calls.append(Call(now, order, caller.priority, at))
    return calls, refused


@given(callers, st.integers(1, 5))
def test_no_window_has_too_many(crowd: list[Caller], qps: int) -> None:
    calls, _ = play(replace(TokenUsage.new(NOON), qps=qps), crowd)
    times = [call.at for call in calls]
    for first, beyond in zip(times, times[qps:], strict=False):
        assert beyond - first > 1


@given(callers, st.integers(1, 5))
def test_first_come_first_served(crowd: list[Caller], qps: int) -> None:
    calls, _ = play(replace(TokenUsage.new(NOON), qps=qps), crowd)
    orders = [call.order for call in calls if call.priority is not BACKGROUND]
    assert orders == sorted(orders)
    times = [call.at for call in calls]
    assert times == sorted(times)


@given(callers, st.integers(1, 5))
def test_no_call_waits_while_the_window_has_room(crowd: list[Caller], qps: int) -> None:
    """Idle time is bounded by WINDOW: a call waits only as long as the last *qps* calls fill 1.04 seconds."""
    calls, _ = play(replace(TokenUsage.new(NOON), qps=qps), crowd)
    times = [call.at for call in calls]
    for index, call in enumerate(calls):
        full = index >= qps and call.at == pytest.approx(times[index - qps] + WINDOW)
        assert call.at == call.came or full or call.at == times[index - 1]


@given(st.integers(1, 40), st.integers(1, 6))
def test_queue_is_served_at_the_full_rate(number: int, qps: int) -> None:
    calls, _ = play(replace(TokenUsage.new(NOON), qps=qps), [Caller(0, READ, 1000)] * number)
    assert calls[-1].at - NOON == pytest.approx(WINDOW * ((number - 1) // qps))


@given(callers)
def test_refused_calls_would_have_waited_too_long(crowd: list[Caller]) -> None:
    record = TokenUsage.new(NOON)
    calls, refused = play(record, crowd)
    assert len(calls) + len(refused) == len(crowd)
    assert all(error.wait > max_wait for max_wait, error in refused)
    assert record.given == len(calls)


@given(st.lists(st.tuples(st.floats(0, 2), st.floats(0, 20)), min_size=1, max_size=30), st.floats(0, 30), priorities)
def test_request_waits_for_one_background_call_at_most(
    background: list[tuple[float, float]], after: float, priority: Priority
) -> None:
    crowd = [Caller(pause, BACKGROUND, max_wait) for pause, max_wait in background]
    record = TokenUsage.new(NOON)
    calls, _ = play(record, crowd)
    now = NOON + after
    record = TokenUsage.new(NOON)
    for call in calls:
        if call.at <= now:
            record.reserve(call.at, call.at)
    assert record.next_slot(now, 100, READ, 0.1) - now <= WINDOW
    assert all(call.at == call.came for call in calls)


def test_background_never_overtakes_waiting_calls() -> None:
    crowd = [Caller(0, READ, 100)] * 4 + [Caller(0, BACKGROUND, 100)] + [Caller(0.5, READ, 100)] * 4
    calls, _ = play(TokenUsage.new(NOON), crowd)
    assert [call.priority for call in calls] == [READ] * 8 + [BACKGROUND]


def test_background_waits_by_repeated_attempts() -> None:
    now, sleeps = NOON, []

    def sleep(seconds: float) -> None:
        nonlocal now
        sleeps.append(seconds)
        now += seconds
        if len(sleeps) == 1:  # in the meantime
            for _ in range(2):
                others.acquire('t', 10, READ)

    rate_store = MemoryRateStore(lambda: now)
    others = RateLimiter(rate_store, clock=lambda: now, sleep=lambda _seconds: None)
    rate_limiter = RateLimiter(rate_store, clock=lambda: now, sleep=sleep)
    for _ in range(2):
        others.acquire('t', 10, READ)
    turn = rate_limiter.acquire('t', 10, BACKGROUND)
    assert sleeps == pytest.approx([WINDOW, WINDOW])
    assert turn.waited == pytest.approx(2 * WINDOW)
    assert turn.reservation.at == now
    others.acquire('t', 10, READ)
    with pytest.raises(Throttled):
        rate_limiter.acquire('t', 1, BACKGROUND)


def test_announced_wait_is_not_extended_by_later_calls() -> None:
    now, sleeps = NOON, []

    def sleep(seconds: float) -> None:
        nonlocal now
        sleeps.append(seconds)
        for priority in Priority:
            with pytest.raises(Throttled):
                others.acquire('t', 0, priority)
        now += seconds

    rate_store = MemoryRateStore(lambda: now)
    others = RateLimiter(rate_store, clock=lambda: now, sleep=lambda _seconds: None)
    rate_limiter = RateLimiter(rate_store, clock=lambda: now, sleep=sleep)
    others.acquire('t', 0)
    others.acquire('t', 0)
    assert rate_limiter.acquire('t', 2).waited == pytest.approx(WINDOW)
    assert sleeps == pytest.approx([WINDOW])


# Late calls


@given(st.lists(st.floats(0, 3), min_size=1, max_size=30), st.integers(1, 4))
def test_late_calls_keep_their_distance(lateness: list[float], qps: int) -> None:
    """All callers arrive at once; each makes its call with a delay after its slot."""
    record = replace(TokenUsage.new(NOON), qps=qps)
    due = [record.reserve(record.next_slot(NOON, 1000, READ, 0), NOON).at for _ in lateness]
    starts = [record.start(now) for now in sorted(at + late for at, late in zip(due, lateness, strict=True))]
    assert starts == sorted(starts)
    for first, beyond in zip(starts, starts[qps:], strict=False):
        assert beyond - first > 1
    # No slot is lost: it takes no longer than if all had arrived with the last.
    assert starts[-1] - NOON <= max(lateness) + WINDOW * (len(lateness) // qps) + 1e-3


def test_late_call_delays_the_next_one() -> None:
    now = NOON
    rate_store = MemoryRateStore(lambda: now)

    def sleeping_too_long_by(late: float) -> RateLimiter:
        def sleep(seconds: float) -> None:
            nonlocal now
            now += seconds + late

        return RateLimiter(rate_store, clock=lambda: now, sleep=sleep)

    late, prompt = sleeping_too_long_by(0.3), sleeping_too_long_by(0)
    for _ in range(2):
        prompt.acquire('t', 0)
    assert late.acquire('t', 10).waited == pytest.approx(1.04)
    assert now == pytest.approx(NOON + 1.34)
    prompt.acquire('t', 0)
    # By the slots alone it would be 1.04 after the late one.
    assert prompt.acquire('t', 10).waited == pytest.approx(1.04 * 2 - 1.34 + (1.34 + CLOSEST - 1.04 * 2))
    assert now == pytest.approx(NOON + 1.34 + CLOSEST)
    assert prompt.usage('t').used == 5


# The day


def test_call_waits_for_a_near_midnight() -> None:
    record = replace(TokenUsage.new(NOON), given=1000)
    midnight = NOON + DAY / 2
    assert record.next_slot(midnight - 3, 5, READ, 0.1) == midnight
    with pytest.raises(QuotaExceeded) as caught:
        record.next_slot(midnight - 3, 2, READ, 0.1)
    assert caught.value.wait == 3
    record.reserve(midnight, midnight - 3)
    assert (record.used(midnight), record.used(midnight - 3)) == (1, 1)
    assert record.next_slot(midnight - 2, 5, WRITE, 0.1) == midnight


def test_reserve_is_for_writes() -> None:
    record = replace(TokenUsage.new(NOON), daily=100, given=89)
    record.next_slot(NOON, 0, READ, 0.1)
    record.given = 90
    with pytest.raises(QuotaReserved) as caught:
        record.next_slot(NOON, 0, READ, 0.1)
    assert caught.value.wait == DAY / 2
    record.next_slot(NOON, 0, WRITE, 0.1)
    record.next_slot(NOON, 0, READ, 0)
    record.given = 100
    for priority in Priority:
        with pytest.raises(QuotaExceeded) as caught:
            record.next_slot(NOON, 0, priority, 0)
        assert not isinstance(caught.value, QuotaReserved)


@pytest.mark.parametrize('back', [0.01, 3600, 3 * DAY])
def test_clock_set_back_does_not_block(back: float) -> None:
    now = NOON
    rate_limiter = RateLimiter(clock=lambda: now, sleep=lambda _seconds: None)
    for _ in range(4):
        rate_limiter.acquire('t', 10)
    now -= back
    with pytest.raises(Throttled) as caught:
        rate_limiter.acquire('t', 0)
    assert caught.value.wait == pytest.approx(2 * WINDOW)


def test_unused_records_are_dropped() -> None:
    now = NOON
    rate_store = MemoryRateStore(lambda: now)
    rate_limiter = RateLimiter(rate_store, clock=lambda: now)
    for token in 'abc':
        rate_limiter.acquire(token, 0)
    now += LIFETIME + 1
    rate_limiter.acquire('d', 0)
    assert len(rate_store._records) == 1


# Answers


def taught(record: TokenUsage, slot: Reservation, used: int | None, resets_at: float | None = None) -> int:
    record.observe(slot, QuotaHeaders(None, None, used, resets_at))
    return record.used(NOON)


def slots(record: TokenUsage, number: int) -> list[Reservation]:
    return [record.reserve(NOON, NOON) for _ in range(number)]


def test_calls_of_others_are_counted_once() -> None:
    record = TokenUsage.new(NOON)
    first, second = slots(record, 2)
    # Others made 5 calls: both answers count them.
    assert [taught(record, first, 6), taught(record, second, 7)] == [7, 7 + 1]
    # Egnyte may have received the second before the end of the first; the next answer corrects that.
    (third,) = slots(record, 1)
    assert taught(record, third, 8) == 8


def test_older_answer_is_ignored() -> None:
    record = TokenUsage.new(NOON)
    first, second, third = slots(record, 3)
    assert taught(record, third, 90) == 92
    assert taught(record, first, 1) == 92
    assert taught(record, second, 2) == 92
    (fourth,) = slots(record, 1)
    assert taught(record, fourth, 91) == 91


def test_calls_under_way_are_added_to_the_reported_usage() -> None:
    record = TokenUsage.new(NOON)
    first, *_ = slots(record, 10)
    assert taught(record, first, 1) == 10


def test_egnyte_may_count_less_than_we_do() -> None:
    record = TokenUsage.new(NOON)
    for slot in slots(record, 50):
        record.observe(slot, None)  # the connection broke
    assert record.used(NOON) == 50
    (slot,) = slots(record, 1)
    assert taught(record, slot, 3) == 3


def test_answer_about_another_day_is_ignored() -> None:
    record = TokenUsage.new(NOON)
    midnight = NOON + DAY / 2
    (before,) = slots(record, 1)
    record.reserve(midnight, midnight)
    assert (record.used(midnight), record.day) == (1, int(midnight // DAY))
    record.observe(before, QuotaHeaders(None, None, 950, None))
    assert record.used(midnight) == 1
    # Egnyte's clock is slightly behind.
    slot = record.reserve(midnight, midnight)
    record.observe(slot, QuotaHeaders(7, 2000, 951, midnight))
    assert (record.used(midnight), record.qps, record.daily) == (2, 7, 2000)
    slot = record.reserve(midnight + 1, midnight + 1)
    record.observe(slot, QuotaHeaders(7, 2000, 4, midnight + DAY))
    assert record.used(midnight) == 4 + 1  # one is under way


def test_quota_headers_are_parsed() -> None:
    headers = {
        'X-Accesstoken-Qps-Allotted': '6',
        'X-Accesstoken-Quota-Allotted': '518400',
        'X-Accesstoken-Quota-Current': '69',
        'X-Quota-Reset': 'Wednesday, April 17, 2024 12:00:00 AM GMT',
    }
    assert QuotaHeaders.read(headers) == QuotaHeaders(6, 518_400, 69, 1_713_312_000)
    nothing = QuotaHeaders(None, None, None, None)
    assert (
        QuotaHeaders.read({})
        == QuotaHeaders.read(dict.fromkeys(headers, 'soon'))
        == QuotaHeaders.read(dict.fromkeys(headers, '-1'))
        == QuotaHeaders.read(dict.fromkeys(headers, '9' * 30))
        == QuotaHeaders.read(dict.fromkeys(headers, '9' * 5000))
        == nothing
    )


@given(
    st.lists(
        st.tuples(st.floats(0, 2), st.floats(0, 5), st.floats(0, 5), st.booleans(), st.booleans()),
        min_size=1,
        max_size=25,
    )
)
def test_no_call_is_missed_in_any_order_of_answers(
    plan: list[tuple[float, float, float, bool, bool]],
) -> None:
    """Each call: the pause before it, its latencies, whether it is lost, and whether another application makes it."""
    record, now = replace(TokenUsage.new(NOON), qps=1000), NOON
    events, order = [], count()
    for pause, there, back, lost, foreign in plan:
        now += pause
        heapq.heappush(events, (now, next(order), 'begin', (there, back, lost, foreign)))
    egnyte, others, under_way, told_others = 0, 0, 0, 0
    while events:
        now, _, event, what = heapq.heappop(events)
        if event == 'begin':
            there, back, lost, foreign = what
            slot = None if foreign else record.reserve(now, now)
            under_way += not foreign
            heapq.heappush(events, (now + there, next(order), 'arrive', (slot, back, lost)))
        elif event == 'arrive':
            slot, back, lost = what
            under_way -= slot is not None
            if slot is None or not lost:
                egnyte += 1
            others += slot is None
            if slot is not None:
                heapq.heappush(events, (now + back, next(order), 'answer', (slot, None if lost else egnyte, others)))
        else:
            slot, reported, others_then = what
            newest = reported is not None and slot.number >= record.taught
            record.observe(slot, None if reported is None else QuotaHeaders(None, None, reported, None))
            told_others = others_then if newest else told_others
        # All calls of ours that Egnyte has counted or will count, and the reported calls of others.
        assert record.used(now) >= (egnyte - others) + under_way + told_others
    slot = record.reserve(now, now)
    record.observe(slot, QuotaHeaders(None, None, egnyte + 1, None))
    assert record.used(now) == egnyte + 1


def test_record_keeps_no_calls_of_the_past() -> None:
    """A generous limit must not make every call of an hour part of the record, which is copied for each call."""
    usage = TokenUsage.new(0)
    usage.qps = 1_000_000
    for number in range(1000):
        now = number / 100
        usage.reserve(now, now)
        usage.start(now)
    assert len(usage.started) <= 100 * WINDOW + 1
    assert len(usage.slots) <= 100 * WINDOW + 1
